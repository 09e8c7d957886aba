//! The fast path: 64 bytes at a time become bit masks of delimiters, line ends and quotes, and only set bits are visited.
//!
//! Within quotes a mask of toggled bits hides delimiters. That is right as long as quotes open where a field starts; the
//! first one that does not sends its record to [`super::record`], which knows all rules.

use super::Dialect;
use super::record::{record, without_return};
use crate::options::Ragged;
use crate::values::cell::{Cell, CellKind, Malformed, Records};
use crate::vector::{WIDTH, equal};

/// What to find in a block.
pub(crate) struct Scan<'a> {
    pub(crate) dialect: &'a Dialect,
    pub(crate) ragged: Ragged,
    /// The block is the last one.
    pub(crate) eof: bool,
    /// Records that start here or later belong to somebody else.
    pub(crate) stop: usize,
    /// At most this many records are added.
    pub(crate) most: usize,
}

/// Where fields and records end in 64 bytes, and where quotes are.
struct Masks {
    separators: u64,
    terminators: u64,
    quotes: u64,
}

impl Masks {
    #[inline(always)]
    fn of(chunk: &[u8; 64], dialect: &Dialect) -> Self {
        let mut masks = Self { separators: 0, terminators: 0, quotes: 0 };
        let (parts, _) = chunk.as_chunks::<WIDTH>();
        for (at, part) in parts.iter().enumerate() {
            let ends = u64::from(equal(part, dialect.terminator));
            masks.terminators |= ends << (at * WIDTH);
            masks.separators |= (ends | u64::from(equal(part, dialect.delimiter))) << (at * WIDTH);
            if let Some(quote) = dialect.quote {
                masks.quotes |= u64::from(equal(part, quote)) << (at * WIDTH);
            }
        }
        masks
    }
}

/// Bits from every set bit up to the next one: what lies between quotes, opening quotes included.
#[inline]
fn between(quotes: u64) -> u64 {
    let mut bits = quotes;
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// Adds the records of a block from `start` on and returns where the first one begins that was not added.
pub(crate) fn scan(block: &[u8], start: usize, scan: &Scan<'_>, records: &mut Records) -> Result<usize, Malformed> {
    let mut at = start;
    let simple = scan.dialect.escape.is_none() || scan.dialect.escape == scan.dialect.quote;
    while at < block.len() && at < scan.stop && records.len() < scan.most {
        if simple {
            let (next, odd) = fast(block, at, scan, records)?;
            at = next;
            if !odd {
                break;
            }
        }
        let first = records.cells.len();
        match record(block, at, scan.eof, scan.dialect, &mut records.cells) {
            Ok(Some(next)) => {
                finish(at, first, scan, records)?;
                at = next;
            }
            Ok(None) => {
                records.cells.truncate(first);
                break;
            }
            Err(_) if scan.ragged == Ragged::Skip => {
                records.cells.truncate(first);
                records.skipped += 1;
                let rest = block.get(at..).unwrap_or_default();
                let line = memchr::memchr(scan.dialect.terminator, rest);
                at = line.map_or(block.len(), |line| at + line + 1);
            }
            Err(malformed) => return Err(malformed),
        }
    }
    Ok(at)
}

/// Goes on until the block ends or a record is written in an unusual way (`true`).
fn fast(block: &[u8], start: usize, scan: &Scan<'_>, records: &mut Records) -> Result<(usize, bool), Malformed> {
    let dialect = scan.dialect;
    let quote = dialect.quote;
    let mut record_start = start;
    let mut field_start = start;
    let mut first = records.cells.len();
    // What the previous 64 bytes ended with.
    let (mut inside, mut was_separator, mut was_quote) = (0_u64, 1_u64, 0_u64);
    // Whether the field that is open now may have quotes.
    let mut quoted = false;
    let mut base = start;
    let mut padded;
    while base < block.len() {
        let rest = block.get(base..).unwrap_or_default();
        let chunk = match rest.first_chunk::<64>() {
            Some(chunk) => chunk,
            None => {
                padded = [0_u8; 64];
                padded.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                &padded
            }
        };
        let mut masks = Masks::of(chunk, dialect);
        if rest.len() < 64 {
            let valid = (1_u64 << rest.len()) - 1;
            masks.separators &= valid;
            masks.terminators &= valid;
            masks.quotes &= valid;
        }
        let mut odd = 0_u64;
        quoted |= masks.quotes != 0;
        if masks.quotes == 0 && inside == 0 {
            was_quote = 0;
        } else {
            let within = between(masks.quotes) ^ inside;
            masks.separators &= !within;
            let opening = masks.quotes & within;
            let may_open = (masks.separators << 1 | was_separator) | (masks.quotes << 1 | was_quote);
            odd = opening & !may_open;
            inside = if within >> 63 == 1 { u64::MAX } else { 0 };
            was_quote = masks.quotes >> 63;
            if odd != 0 {
                // Everything before the first odd quote is still right.
                masks.separators &= (1_u64 << odd.trailing_zeros()) - 1;
            }
        }
        was_separator = masks.separators >> 63;
        let mut bits = masks.separators;
        records.cells.reserve(64);
        while bits != 0 {
            let bit = bits.trailing_zeros();
            bits &= bits - 1;
            let end = base + bit as usize;
            let ends_record = masks.terminators >> bit & 1 == 1;
            let last = if ends_record { without_return(block, field_start, end, dialect) } else { end };
            let cell = if quoted {
                match field(block, field_start, last, quote) {
                    Some(cell) => cell,
                    None => return Ok(odd_record(record_start, first, records)),
                }
            } else {
                Cell::new(field_start, last, CellKind::Plain)
            };
            records.cells.push(cell);
            field_start = end + 1;
            if ends_record {
                finish(record_start, first, scan, records)?;
                record_start = field_start;
                first = records.cells.len();
                if record_start >= scan.stop || records.len() >= scan.most {
                    return Ok((record_start, false));
                }
            }
        }
        if odd != 0 {
            return Ok(odd_record(record_start, first, records));
        }
        // The field that is still open began in this chunk after its last separator, or earlier.
        quoted = (quoted && masks.separators == 0) || masks.quotes.leading_zeros() < masks.separators.leading_zeros();
        base += 64;
    }
    if scan.eof && record_start < block.len() {
        if inside != 0 {
            return Ok(odd_record(record_start, first, records));
        }
        let last = without_return(block, field_start, block.len(), dialect);
        let Some(cell) = field(block, field_start, last, quote) else {
            return Ok(odd_record(record_start, first, records));
        };
        records.cells.push(cell);
        finish(record_start, first, scan, records)?;
        return Ok((block.len(), false));
    }
    records.cells.truncate(first);
    Ok((record_start, false))
}

/// Gives a record back, for the slow path.
#[cold]
fn odd_record(record_start: usize, first: usize, records: &mut Records) -> (usize, bool) {
    records.cells.truncate(first);
    (record_start, true)
}

/// The cell of a field; `None` if a quoted field goes on after its closing quote.
#[inline]
fn field(block: &[u8], start: usize, end: usize, quote: Option<u8>) -> Option<Cell> {
    if quote.is_none() || block.get(start).copied() != quote || start == end {
        return Some(Cell::new(start, end, CellKind::Plain));
    }
    let quote = quote.unwrap_or_default();
    if end < start + 2 || block.get(end - 1) != Some(&quote) {
        return None;
    }
    let inside = block.get(start + 1..end - 1).unwrap_or_default();
    let kind = if memchr::memchr(quote, inside).is_some() { CellKind::Escaped } else { CellKind::Quoted };
    Some(Cell::new(start + 1, end - 1, kind))
}

/// Accepts the record whose cells start at `first`, or applies the policy for ragged ones.
#[inline]
fn finish(start: usize, first: usize, scan: &Scan<'_>, records: &mut Records) -> Result<(), Malformed> {
    if records.cells.len() - first == records.width {
        records.starts.push(start as u32);
        return Ok(());
    }
    ragged(start, first, scan, records)
}

#[cold]
fn ragged(start: usize, first: usize, scan: &Scan<'_>, records: &mut Records) -> Result<(), Malformed> {
    let fields = records.cells.len() - first;
    let only = records.cells.get(first).copied();
    if fields == 1 && only.is_some_and(|cell| cell.start() == cell.end() && cell.kind() == CellKind::Plain) {
        // An empty line.
        records.cells.truncate(first);
        return Ok(());
    }
    match scan.ragged {
        Ragged::Fail => Err(Malformed::new(
            start,
            format!(
                "the record has {fields} fields, the header {}; set csv.ragged to fill or skip to accept that",
                records.width
            ),
        )),
        Ragged::Fill => {
            records.cells.resize(first + records.width, Cell::MISSING);
            records.starts.push(start as u32);
            records.filled += 1;
            Ok(())
        }
        Ragged::Skip => {
            records.cells.truncate(first);
            records.skipped += 1;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIALECT: Dialect =
        Dialect { delimiter: b',', quote: Some(b'"'), escape: None, terminator: b'\n', header: false, multiline: true };

    fn options(ragged: Ragged) -> Scan<'static> {
        Scan { dialect: &DIALECT, ragged, eof: true, stop: usize::MAX, most: usize::MAX }
    }

    fn texts(block: &[u8], records: &Records) -> Vec<Vec<String>> {
        records
            .cells
            .chunks(records.width)
            .map(|row| row.iter().map(|c| String::from_utf8_lossy(c.bytes(block)).into_owned()).collect())
            .collect()
    }

    fn scanned(text: &str, width: usize) -> Vec<Vec<String>> {
        let mut records = Records::new(width);
        let end = scan(text.as_bytes(), 0, &options(Ragged::Fail), &mut records).unwrap();
        assert_eq!(end, text.len());
        texts(text.as_bytes(), &records)
    }

    #[test]
    fn quoted_fields_hold_delimiters_and_line_breaks() {
        let text = "a,\"b,\nc\",d\r\n\"\",\"x\"\"y\",\"z\"\r\nlast,5\" pipe,no end";
        assert_eq!(scanned(text, 3), [["a", "b,\nc", "d"], ["", "x\"\"y", "z"], ["last", "5\" pipe", "no end"]]);
    }

    #[test]
    fn an_unfinished_record_waits_for_more() {
        let mut records = Records::new(2);
        let scan_more = Scan { eof: false, ..options(Ragged::Fail) };
        let end = scan(b"a,b\n\"c", 0, &scan_more, &mut records).unwrap();
        assert_eq!((end, records.len()), (4, 1));
    }

    #[test]
    fn a_field_that_goes_on_after_its_quote_is_malformed() {
        let mut records = Records::new(2);
        let error = scan(b"a,b\n\"c\"d,e\n", 0, &options(Ragged::Fail), &mut records).unwrap_err();
        assert!(error.reason.contains("closing quote"), "{error:?}");
        let mut records = Records::new(2);
        scan(b"a,b\n\"c\"d,e\nf,g\n", 0, &options(Ragged::Skip), &mut records).unwrap();
        assert_eq!((records.len(), records.skipped), (2, 1));
    }

    #[test]
    fn ragged_records_are_refused_filled_or_skipped() {
        let text = b"1,2\n3\n4,5,6\n";
        let error = scan(text, 0, &options(Ragged::Fail), &mut Records::new(2)).unwrap_err();
        assert_eq!(error.at, 4);
        let mut records = Records::new(2);
        scan(text, 0, &options(Ragged::Fill), &mut records).unwrap();
        assert_eq!(texts(text, &records), [["1", "2"], ["3", ""], ["4", "5"]]);
        assert_eq!(records.filled, 2);
        let mut records = Records::new(2);
        scan(text, 0, &options(Ragged::Skip), &mut records).unwrap();
        assert_eq!((records.len(), records.skipped), (1, 2));
    }

    /// The slow path alone.
    fn reference(block: &[u8], width: usize) -> Result<(usize, Vec<Cell>), Malformed> {
        let mut records = Records::new(width);
        let mut at = 0;
        while at < block.len() {
            let first = records.cells.len();
            match record(block, at, true, &DIALECT, &mut records.cells)? {
                Some(next) => {
                    finish(at, first, &options(Ragged::Fill), &mut records)?;
                    at = next;
                }
                None => break,
            }
        }
        Ok((at, records.cells))
    }

    #[test]
    fn the_fast_path_agrees_with_the_rules_on_random_text() {
        let alphabet = b"a1,\"\n\r,\"\",bbbbbbbb";
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        for round in 0..30_000 {
            let length = next() % 300;
            let text: Vec<u8> = (0..length).map(|_| alphabet[next() % alphabet.len()]).collect();
            let width = 1 + next() % 4;
            let mut records = Records::new(width);
            let fast = scan(&text, 0, &options(Ragged::Fill), &mut records).map(|at| (at, records.cells));
            let shown = String::from_utf8_lossy(&text);
            assert_eq!(fast, reference(&text, width), "round {round}: {shown:?}");
        }
    }
}
