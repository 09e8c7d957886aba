//! Files and their parts, packed: of a million files no more than some 50 MB are held, and a descriptor of a split has room for
//! some twenty thousand of them.
//!
//! A key says only in what it differs from the one before it, a time how far it is from the one before it, and a mark of 32
//! hexadecimal digits takes 16 bytes.

use sluice_sdk::{Error, Result};

use crate::objects::Object;
use crate::spec::{Part, PartRange};

/// Bytes of a page of [`Kept`]; every page can be read without the others.
const PAGE: usize = 256 << 10;

mod flag {
    /// The same file as the part before.
    pub(super) const SAME: u8 = 1;
    pub(super) const MODIFIED: u8 = 2;
    /// A mark of any kind.
    pub(super) const MARK: u8 = 4;
    /// A mark of 32 lower-case hexadecimal digits, in quotes.
    pub(super) const QUOTED_DIGEST: u8 = 8;
    pub(super) const RANGE: u8 = 16;
    pub(super) const EXACT: u8 = 32;
}

/// Parts, one behind the other.
#[derive(Default)]
pub(crate) struct Packer {
    bytes: Vec<u8>,
    last: Option<Object>,
}

impl Packer {
    /// Adds a part.
    pub(crate) fn push(&mut self, part: &Part) {
        let Part { object, range } = part;
        let same = self.last.as_ref() == Some(object);
        let digest = object.etag.as_deref().and_then(quoted_digest);
        let mut flags = 0;
        let mut set = |on: bool, bit: u8| flags |= if on { bit } else { 0 };
        set(same, flag::SAME);
        set(!same && object.modified_ms.is_some(), flag::MODIFIED);
        set(!same && object.etag.is_some() && digest.is_none(), flag::MARK);
        set(!same && digest.is_some(), flag::QUOTED_DIGEST);
        set(range.is_some(), flag::RANGE);
        set(range.is_some_and(|range| range.exact), flag::EXACT);
        self.bytes.push(flags);
        if !same {
            let before = self.last.as_ref();
            let shared = shared(before.map_or("", |last| &last.key), &object.key);
            number(&mut self.bytes, shared as u64);
            text(&mut self.bytes, object.key.as_bytes().get(shared..).unwrap_or_default());
            number(&mut self.bytes, object.size);
            if let Some(modified) = object.modified_ms {
                let before = before.and_then(|last| last.modified_ms).unwrap_or_default();
                signed(&mut self.bytes, modified.wrapping_sub(before));
            }
            match (&digest, &object.etag) {
                (Some(digest), _) => self.bytes.extend_from_slice(digest),
                (None, Some(mark)) => text(&mut self.bytes, mark.as_bytes()),
                (None, None) => {}
            }
            self.last = Some(object.clone());
        }
        if let Some(range) = range {
            number(&mut self.bytes, range.from);
            number(&mut self.bytes, range.to);
        }
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The parts; the next ones begin anew.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.last = None;
        std::mem::take(&mut self.bytes)
    }
}

/// Reads what a [`Packer`] made.
pub(crate) fn unpack(packed: &[u8]) -> Result<Vec<Part>> {
    let mut reader = Reader(packed);
    let mut parts: Vec<Part> = Vec::new();
    while !reader.0.is_empty() {
        let part = reader.part(parts.last().map(|part| &part.object));
        parts.push(part.ok_or_else(|| Error::internal("a list of files cannot be read; plan again"))?);
    }
    Ok(parts)
}

/// Many files, and where each is to be read from.
#[derive(Default)]
pub(crate) struct Kept {
    pages: Vec<Vec<u8>>,
    open: Packer,
    bytes: u64,
}

impl Kept {
    /// Adds a file of which the first `from` bytes have been read.
    pub(crate) fn push(&mut self, object: Object, from: u64) {
        self.bytes = self.bytes.saturating_add(object.size.saturating_sub(from));
        let range = (from > 0).then_some(PartRange { from, to: object.size, exact: true });
        self.open.push(&Part { object, range });
        if self.open.len() >= PAGE {
            self.pages.push(self.open.take());
        }
    }

    /// Bytes that are to be read.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Hands the files out in their order, page by page, each of which is gone then.
    pub(crate) fn drain(mut self) -> impl Iterator<Item = Result<Vec<Part>>> {
        self.pages.push(self.open.take());
        self.pages.into_iter().map(|page| unpack(&page))
    }
}

/// How many bytes two keys have in common at their start, in whole characters.
fn shared(before: &str, key: &str) -> usize {
    let same = before.bytes().zip(key.bytes()).take_while(|(a, b)| a == b).count();
    (0..=same).rev().find(|at| key.is_char_boundary(*at)).unwrap_or_default()
}

fn quoted_digest(mark: &str) -> Option<[u8; 16]> {
    let digits: &[u8; 32] = mark.strip_prefix('"')?.strip_suffix('"')?.as_bytes().try_into().ok()?;
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut digest = [0; 16];
    let (pairs, _) = digits.as_chunks::<2>();
    for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(digest)
}

/// Seven bits a byte, the lowest first.
pub(crate) fn number(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

/// Small numbers of either sign stay short.
pub(crate) fn signed(to: &mut Vec<u8>, value: i64) {
    number(to, (value << 1 ^ value >> 63) as u64);
}

fn text(to: &mut Vec<u8>, bytes: &[u8]) {
    number(to, bytes.len() as u64);
    to.extend_from_slice(bytes);
}

/// Reads numbers and texts; none where they are cut off.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        let value = self.number()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.bytes(length)
    }

    fn part(&mut self, before: Option<&Object>) -> Option<Part> {
        let flags = self.byte()?;
        let has = |bit: u8| flags & bit != 0;
        let object = if has(flag::SAME) { before?.clone() } else { self.object(flags, before)? };
        let range = match has(flag::RANGE) {
            true => Some(PartRange { from: self.number()?, to: self.number()?, exact: has(flag::EXACT) }),
            false => None,
        };
        Some(Part { object, range })
    }

    fn object(&mut self, flags: u8, before: Option<&Object>) -> Option<Object> {
        let shared = usize::try_from(self.number()?).ok()?;
        let mut key = before.map_or("", |before| before.key.as_str()).get(..shared)?.to_owned();
        key.push_str(std::str::from_utf8(self.text()?).ok()?);
        let size = self.number()?;
        let modified_ms = match flags & flag::MODIFIED != 0 {
            true => Some(before.and_then(|before| before.modified_ms).unwrap_or_default().wrapping_add(self.signed()?)),
            false => None,
        };
        let etag = if flags & flag::QUOTED_DIGEST != 0 {
            let digits: String = self.bytes(16)?.iter().map(|byte| format!("{byte:02x}")).collect();
            Some(format!("\"{digits}\""))
        } else if flags & flag::MARK != 0 {
            Some(std::str::from_utf8(self.text()?).ok()?.to_owned())
        } else {
            None
        };
        Some(Object { key, size, modified_ms, etag })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str, modified_ms: Option<i64>, etag: Option<&str>) -> Object {
        Object { key: key.into(), size: 1 << 40, modified_ms, etag: etag.map(str::to_owned) }
    }

    fn parts() -> Vec<Part> {
        let whole = |object| Part { object, range: None };
        let split = object("logs/größe.csv", Some(-5), None);
        let range = |from, to, exact| Some(PartRange { from, to, exact });
        vec![
            whole(object("logs/a.csv", Some(1_700_000_000_000), Some("\"d41d8cd98f00b204e9800998ecf8427e\""))),
            whole(object("logs/ab.csv", Some(1_700_000_000_001), Some("\"D41D8CD98F00B204E9800998ECF8427E\""))),
            whole(object("logs/grob.csv", None, Some("0x8D"))),
            Part { object: split.clone(), range: range(0, 7, false) },
            Part { object: split, range: range(7, u64::MAX, true) },
            whole(object("", Some(i64::MIN), Some(""))),
            whole(object("z", Some(i64::MAX), None)),
        ]
    }

    #[test]
    fn parts_come_back_as_they_were() {
        let mut packer = Packer::default();
        parts().iter().for_each(|part| packer.push(part));
        let packed = packer.take();
        assert_eq!(unpack(&packed).unwrap(), parts());
        for cut in 1..packed.len() {
            // Cut between two parts it is a shorter list, elsewhere an error; never anything else.
            if let Ok(fewer) = unpack(&packed[..cut]) {
                assert!(parts().starts_with(&fewer));
            }
        }
    }

    #[test]
    fn a_file_of_many_takes_a_few_dozen_bytes() {
        let mut packer = Packer::default();
        let digest =
            |n: u64| format!("\"{:032x}\"", u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        for n in 0..10_000 {
            let key = format!("events/year=2026/month=02/part-{n:08}-c000.snappy.parquet");
            packer.push(&Part {
                object: object(&key, Some(1_770_000_000_000 + n as i64 * 977), Some(&digest(n))),
                range: None,
            });
        }
        assert!(packer.len() < 10_000 * 52, "{}", packer.len());
    }

    #[test]
    fn kept_files_come_back_in_their_order_with_where_to_begin() {
        let mut kept = Kept::default();
        for n in 0..20_000_u64 {
            kept.push(Object { key: format!("{n:06}"), size: 10, modified_ms: None, etag: None }, n % 3);
        }
        assert_eq!(kept.bytes(), 200_000 - 19_999);
        let back: Vec<Part> = kept.drain().flat_map(Result::unwrap).collect();
        assert_eq!(back.len(), 20_000);
        assert!(back.iter().enumerate().all(|(n, part)| part.object.key == format!("{n:06}")));
        assert_eq!(back[2].range, Some(PartRange { from: 2, to: 10, exact: true }));
        assert_eq!(back[3].range, None);
    }
}
