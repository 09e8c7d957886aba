//! One record, byte by byte: the rules in full. [`super::scan`] is the fast path and comes back here for records that are
//! written in an unusual way.
//!
//! A field is quoted if its first character is the quote. Within it a doubled quote (or an escaped one) is a quote. A quote
//! elsewhere is an ordinary character. After the closing quote only the delimiter or the end of the record may follow.

use super::Dialect;
use crate::values::cell::{Cell, CellKind, Malformed};

/// Adds the fields of the record at `start` and returns where the next one starts; `None` if the block ends before the
/// record does.
pub(crate) fn record(
    block: &[u8],
    start: usize,
    eof: bool,
    dialect: &Dialect,
    cells: &mut Vec<Cell>,
) -> Result<Option<usize>, Malformed> {
    let mut at = start;
    loop {
        let field = if dialect.quote.is_some() && block.get(at).copied() == dialect.quote {
            quoted(block, at, eof, dialect)?
        } else {
            plain(block, at, eof, dialect)
        };
        let Some((cell, end)) = field else { return Ok(None) };
        cells.push(cell);
        match block.get(end) {
            Some(byte) if *byte == dialect.delimiter => at = end + 1,
            Some(_) => return Ok(Some(end + 1)),
            None => return Ok(Some(end)),
        }
    }
}

/// An unquoted field, and where the character after it is.
fn plain(block: &[u8], start: usize, eof: bool, dialect: &Dialect) -> Option<(Cell, usize)> {
    let rest = block.get(start..).unwrap_or_default();
    let end = match memchr::memchr2(dialect.delimiter, dialect.terminator, rest) {
        Some(at) => start + at,
        None if eof => block.len(),
        None => return None,
    };
    let last = without_return(block, start, end, dialect);
    Some((Cell::new(start, last, CellKind::Plain), end))
}

/// The end of a field's text: a carriage return before the line feed is part of the line's end.
#[inline]
pub(crate) fn without_return(block: &[u8], start: usize, end: usize, dialect: &Dialect) -> usize {
    let at_end = block.get(end).is_none_or(|byte| *byte == dialect.terminator);
    if dialect.terminator == b'\n' && at_end && end > start && block.get(end - 1) == Some(&b'\r') {
        return end - 1;
    }
    end
}

type Quoted = Result<Option<(Cell, usize)>, Malformed>;

fn quoted(block: &[u8], open: usize, eof: bool, dialect: &Dialect) -> Quoted {
    let quote = dialect.quote.unwrap_or(b'"');
    let escape = dialect.escape.unwrap_or(quote);
    let mut kind = CellKind::Quoted;
    let mut at = open + 1;
    let close = loop {
        let rest = block.get(at..).unwrap_or_default();
        let Some(found) = memchr::memchr2(quote, escape, rest).map(|found| at + found) else {
            return unclosed(open, eof);
        };
        match (block.get(found), block.get(found + 1)) {
            (Some(byte), next) if *byte == escape && escape != quote => {
                if next.is_none() {
                    return unclosed(open, eof);
                }
                kind = CellKind::Escaped;
                at = found + 2;
            }
            (_, Some(next)) if *next == quote && escape == quote => {
                kind = CellKind::Escaped;
                at = found + 2;
            }
            (_, None) if !eof => return Ok(None),
            _ => break found,
        }
    };
    let cell = Cell::new(open + 1, close, kind);
    match (block.get(close + 1), block.get(close + 2)) {
        (None, _) => Ok(Some((cell, close + 1))),
        (Some(byte), _) if *byte == dialect.delimiter || *byte == dialect.terminator => Ok(Some((cell, close + 1))),
        (Some(b'\r'), Some(b'\n')) if dialect.terminator == b'\n' => Ok(Some((cell, close + 2))),
        (Some(b'\r'), None) if !eof => Ok(None),
        (Some(b'\r'), None) => Ok(Some((cell, close + 2))),
        _ => Err(Malformed::new(close, "a quoted field goes on after its closing quote")),
    }
}

fn unclosed(open: usize, eof: bool) -> Quoted {
    if eof {
        return Err(Malformed::new(open, "the file ends within the quoted field that starts here"));
    }
    Ok(None)
}
