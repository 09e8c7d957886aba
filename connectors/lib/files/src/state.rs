//! What an incremental read remembers of each file: which version of it was read, and how far.
//!
//! The host keeps it, file by file; the stream's cursor only says in which form. A file of which nothing is remembered is new,
//! whatever its time: one that a listing shows late is not lost.

use serde::{Deserialize, Serialize};
use sluice_sdk::{Cursor, Error, Result};

use crate::objects::Object;
use crate::packed::{Reader, number, signed};

/// The version of cursors.
const VERSION: u32 = 2;

/// The version of what is remembered of a file.
const SEEN: u8 = 1;

mod flag {
    pub(super) const MODIFIED: u8 = 1;
    pub(super) const MARK: u8 = 2;
    /// It was not read to its end.
    pub(super) const PART: u8 = 4;
}

/// A version of a file that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    size: u64,
    modified_ms: Option<i64>,
    /// A hash of the store's mark: etag or generation.
    mark: Option<u64>,
    /// Bytes that were read.
    read_to: u64,
}

/// What a file is to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Never read.
    New,
    /// Read, as it is.
    Same,
    /// Read up to here, but it has changed since.
    Changed(u64),
}

impl Seen {
    /// A file that has been read up to here.
    pub(crate) fn new(object: &Object, read_to: u64) -> Self {
        let mark = object.etag.as_ref().map(|etag| hash(etag.as_bytes()));
        Self { size: object.size, modified_ms: object.modified_ms, mark, read_to }
    }

    /// What is stored.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut flags = 0;
        let mut set = |on: bool, bit: u8| flags |= if on { bit } else { 0 };
        set(self.modified_ms.is_some(), flag::MODIFIED);
        set(self.mark.is_some(), flag::MARK);
        set(self.read_to != self.size, flag::PART);
        let mut stored = vec![SEEN, flags];
        number(&mut stored, self.size);
        if let Some(modified) = self.modified_ms {
            signed(&mut stored, modified);
        }
        if let Some(mark) = self.mark {
            stored.extend_from_slice(&mark.to_le_bytes());
        }
        if self.read_to != self.size {
            number(&mut stored, self.read_to);
        }
        stored
    }

    fn decode(stored: &[u8]) -> Option<Self> {
        let mut reader = Reader(stored);
        if reader.byte()? != SEEN {
            return None;
        }
        let flags = reader.byte()?;
        let size = reader.number()?;
        let modified_ms = if flags & flag::MODIFIED != 0 { Some(reader.signed()?) } else { None };
        let mark = match flags & flag::MARK != 0 {
            true => Some(u64::from_le_bytes(reader.bytes(8)?.try_into().ok()?)),
            false => None,
        };
        let read_to = if flags & flag::PART != 0 { reader.number()? } else { size };
        reader.0.is_empty().then_some(Self { size, modified_ms, mark, read_to })
    }
}

/// What a file is, as it is listed now, given what is remembered of it.
pub(crate) fn news(object: &Object, remembered: Option<&[u8]>) -> Result<News> {
    let Some(stored) = remembered else { return Ok(News::New) };
    let seen = Seen::decode(stored).ok_or_else(|| foreign("what is remembered of its files"))?;
    let now = Seen { read_to: seen.read_to, ..Seen::new(object, 0) };
    Ok(if seen == now { News::Same } else { News::Changed(seen.read_to) })
}

/// The cursor of a stream whose files are remembered; what they are is with the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    v: u32,
    /// All rows that were loaded say which file they are of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) rows_tell_files: bool,
}

impl State {
    /// The state after a read.
    pub(crate) fn new(rows_tell_files: bool) -> Self {
        Self { v: VERSION, rows_tell_files }
    }

    /// The cursor.
    pub(crate) fn encode(&self) -> Result<Cursor> {
        Ok(serde_json::to_vec(self)?)
    }

    /// Reads a cursor.
    pub(crate) fn decode(cursor: &[u8]) -> Result<Self> {
        let state: Self = serde_json::from_slice(cursor).map_err(|_| foreign("its cursor"))?;
        if state.v != VERSION {
            return Err(foreign("its cursor"));
        }
        Ok(state)
    }
}

fn foreign(what: &str) -> Error {
    Error::config(format!(
        "the stream's state was not left by this version of the connector ({what} has another form); run once with \
         --from-beginning"
    ))
}

/// FNV-1a with a final mix. Stored, so it may never change.
fn hash(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(size: u64, modified_ms: i64) -> Object {
        Object { key: "a".into(), size, modified_ms: Some(modified_ms), etag: None }
    }

    fn after(object: &Object, read_to: u64) -> Vec<u8> {
        Seen::new(object, read_to).encode()
    }

    #[test]
    fn a_file_is_new_then_the_same_then_changed() {
        let a = file(10, 1_770_000_000_000);
        assert_eq!(news(&a, None).unwrap(), News::New);
        let stored = after(&a, 10);
        assert_eq!(news(&a, Some(&stored)).unwrap(), News::Same);
        assert_eq!(news(&file(12, 2), Some(&stored)).unwrap(), News::Changed(10));
        assert_eq!(news(&file(10, 0), Some(&stored)).unwrap(), News::Changed(10), "an older time is a change, too");
        let marked = Object { etag: Some("x".into()), ..a };
        assert_eq!(news(&marked, Some(&stored)).unwrap(), News::Changed(10));
        assert_eq!(news(&marked, Some(&after(&marked, 7))).unwrap(), News::Same, "however far it was read");
    }

    #[test]
    fn what_is_remembered_is_small_and_comes_back() {
        let marked =
            Object { etag: Some("\"d41d8cd98f00b204e9800998ecf8427e\"".into()), ..file(5 << 30, 1_770_000_000_000) };
        let unknown = Object { modified_ms: None, ..file(0, 0) };
        for (object, read_to, most) in [(&marked, 5 << 30, 21), (&marked, 7, 22), (&unknown, 0, 3)] {
            let stored = after(object, read_to);
            assert!(stored.len() <= most, "{}", stored.len());
            assert_eq!(Seen::decode(&stored), Some(Seen::new(object, read_to)));
            assert_eq!(Seen::decode(&stored[..stored.len() - 1]), None);
        }
    }

    #[test]
    fn the_hash_is_the_one_that_states_were_stored_with() {
        assert_eq!(hash(b"orders/2024.csv"), 4_300_025_516_780_884_523);
    }

    #[test]
    fn a_foreign_state_is_refused() {
        for foreign in ["{}", "{\"v\":1}", "\u{1}"] {
            assert!(State::decode(foreign.as_bytes()).unwrap_err().message.contains("--from-beginning"));
        }
        for state in [State::new(false), State::new(true)] {
            assert_eq!(State::decode(&state.encode().unwrap()).unwrap(), state);
        }
        assert!(news(&file(1, 1), Some(&[9, 9])).unwrap_err().message.contains("--from-beginning"));
    }
}
