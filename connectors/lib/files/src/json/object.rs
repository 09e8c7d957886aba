//! One object: its members' names and where their values are.

use crate::values::cell::{Cell, CellKind, Malformed};

/// Deepest nesting of values that are taken as JSON text.
const MAX_DEPTH: usize = 512;

/// Why an object could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The block ends within it.
    Incomplete,
    /// It is not JSON.
    Malformed(Malformed),
}

fn malformed<T>(at: usize, reason: &str) -> Result<T, Stop> {
    Err(Stop::Malformed(Malformed::new(at, reason)))
}

/// The first place that is no white space.
#[inline]
pub(crate) fn skip_space(block: &[u8], mut at: usize) -> usize {
    while matches!(block.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// Shows the members of the object at `at` to `member` and returns the place after it. A name with escapes is given as it
/// is written (`true`).
#[inline]
pub(crate) fn object<'b>(
    block: &'b [u8],
    at: usize,
    mut member: impl FnMut(&'b [u8], bool, Cell),
) -> Result<usize, Stop> {
    let mut at = at + 1;
    loop {
        at = skip_space(block, at);
        match block.get(at) {
            Some(b'"') => {}
            Some(b'}') => return Ok(at + 1),
            Some(_) => return malformed(at, "the name of a member in quotes is expected here"),
            None => return Err(Stop::Incomplete),
        }
        let (end, escaped) = string(block, at + 1)?;
        let name = block.get(at + 1..end).unwrap_or_default();
        at = skip_space(block, end + 1);
        match block.get(at) {
            Some(b':') => at = skip_space(block, at + 1),
            Some(_) => return malformed(at, "a colon is expected here"),
            None => return Err(Stop::Incomplete),
        }
        let (cell, next) = value(block, at)?;
        member(name, escaped, cell);
        at = skip_space(block, next);
        match block.get(at) {
            Some(b',') => at += 1,
            Some(b'}') => return Ok(at + 1),
            Some(_) => return malformed(at, "a comma or the end of the object is expected here"),
            None => return Err(Stop::Incomplete),
        }
    }
}

/// Where the string ends whose first character is at `start`, and whether it has escapes.
#[inline]
fn string(block: &[u8], start: usize) -> Result<(usize, bool), Stop> {
    let mut at = start;
    let mut escaped = false;
    loop {
        let rest = block.get(at..).unwrap_or_default();
        let Some(found) = memchr::memchr2(b'"', b'\\', rest) else { return Err(Stop::Incomplete) };
        at += found;
        if block.get(at) == Some(&b'"') {
            return Ok((at, escaped));
        }
        escaped = true;
        at += 2;
    }
}

/// The value at `at`, and the place after it.
#[inline]
fn value(block: &[u8], at: usize) -> Result<(Cell, usize), Stop> {
    match block.get(at) {
        Some(b'"') => {
            let (end, escaped) = string(block, at + 1)?;
            let kind = if escaped { CellKind::Escaped } else { CellKind::Quoted };
            Ok((Cell::new(at + 1, end, kind), end + 1))
        }
        Some(b'{' | b'[') => {
            let end = nested(block, at)?;
            let text = block.get(at..end).unwrap_or_default();
            if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(text) {
                return malformed(at, &format!("the nested value is not JSON: {error}"));
            }
            Ok((Cell::new(at, end, CellKind::Nested), end))
        }
        Some(_) => scalar(block, at),
        None => Err(Stop::Incomplete),
    }
}

/// A number, `true`, `false` or `null`.
#[inline]
fn scalar(block: &[u8], start: usize) -> Result<(Cell, usize), Stop> {
    let rest = block.get(start..).unwrap_or_default();
    let length = rest.iter().position(|b| matches!(b, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' | b':' | b'"'));
    let Some(length) = length else { return Err(Stop::Incomplete) };
    let text = rest.get(..length).unwrap_or_default();
    match text {
        b"null" => Ok((Cell::MISSING, start + length)),
        b"true" | b"false" => Ok((Cell::new(start, start + length, CellKind::Plain), start + length)),
        [b'-' | b'0'..=b'9', ..] if text.iter().all(|b| b.is_ascii_digit() || b"+-.eE".contains(b)) => {
            Ok((Cell::new(start, start + length, CellKind::Plain), start + length))
        }
        _ => malformed(start, "a value is expected here"),
    }
}

/// The place after the object or array at `start`.
fn nested(block: &[u8], start: usize) -> Result<usize, Stop> {
    let mut depth = 0;
    let mut at = start;
    loop {
        match block.get(at) {
            Some(b'{' | b'[') => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return malformed(start, "values are nested too deeply");
                }
                at += 1;
            }
            Some(b'}' | b']') => {
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return Ok(at);
                }
            }
            Some(b'"') => at = string(block, at + 1)?.0 + 1,
            Some(_) => at += 1,
            None => return Err(Stop::Incomplete),
        }
    }
}
