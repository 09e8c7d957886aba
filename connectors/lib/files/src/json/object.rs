//! One object: its members' names and where their values are.

use crate::values::cell::{Cell, CellKind, Malformed};
use crate::vector::{WIDTH, eight, equal, sixteen};

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

/// Who is shown the members of an object.
pub(crate) trait Members<'b> {
    /// The name that the next member probably has.
    #[inline(always)]
    fn guess(&self) -> Option<&Guess> {
        None
    }

    /// The member whose name was guessed.
    #[inline(always)]
    fn guessed(&mut self, cell: Cell) {
        let _ = cell;
    }

    /// A member whose name was not guessed. A name with escapes is given as it is written (`true`).
    fn member(&mut self, name: &'b [u8], escaped: bool, cell: Cell);
}

/// A name with the quote and the colon behind it, to be compared word by word.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guess {
    /// Words and which of their bytes count.
    words: Vec<(u64, u64)>,
    length: usize,
}

impl Guess {
    /// A name as it is written.
    pub(crate) fn new(name: &[u8]) -> Self {
        let text = [name, b"\":"].concat();
        let word = |piece: &[u8]| {
            let bytes = |nth: usize| piece.get(nth).map_or((0, 0), |byte| (*byte, u8::MAX));
            let word = u64::from_le_bytes(std::array::from_fn(|nth| bytes(nth).0));
            (word, u64::from_le_bytes(std::array::from_fn(|nth| bytes(nth).1)))
        };
        Self { words: text.chunks(8).map(word).collect(), length: text.len() }
    }

    /// The place behind it, if it is at `at`.
    #[inline(always)]
    fn matches(&self, block: &[u8], at: usize) -> Option<usize> {
        let mut from = at;
        for (word, counted) in &self.words {
            if (eight(block, from)? ^ word) & counted != 0 {
                return None;
            }
            from += 8;
        }
        Some(at + self.length)
    }
}

/// Shows the members of the object at `at` and returns the place after it.
#[inline]
pub(crate) fn object<'b>(block: &'b [u8], at: usize, members: &mut impl Members<'b>) -> Result<usize, Stop> {
    let mut at = at + 1;
    loop {
        at = skip_space(block, at);
        match block.get(at) {
            Some(b'"') => {}
            Some(b'}') => return Ok(at + 1),
            Some(_) => return malformed(at, "the name of a member in quotes is expected here"),
            None => return Err(Stop::Incomplete),
        }
        at = match members.guess().and_then(|guess| guess.matches(block, at + 1)) {
            Some(behind) => {
                let (cell, next) = value(block, skip_space(block, behind))?;
                members.guessed(cell);
                next
            }
            None => named(block, at, members)?,
        };
        at = skip_space(block, at);
        match block.get(at) {
            Some(b',') => at += 1,
            Some(b'}') => return Ok(at + 1),
            Some(_) => return malformed(at, "a comma or the end of the object is expected here"),
            None => return Err(Stop::Incomplete),
        }
    }
}

/// The member whose name opens at `at`, whatever it is.
fn named<'b>(block: &'b [u8], at: usize, members: &mut impl Members<'b>) -> Result<usize, Stop> {
    let (end, escaped) = string(block, at + 1)?;
    let name = block.get(at + 1..end).unwrap_or_default();
    let mut at = skip_space(block, end + 1);
    match block.get(at) {
        Some(b':') => at = skip_space(block, at + 1),
        Some(_) => return malformed(at, "a colon is expected here"),
        None => return Err(Stop::Incomplete),
    }
    let (cell, next) = value(block, at)?;
    members.member(name, escaped, cell);
    Ok(next)
}

/// Where the string ends whose first character is at `start`, and whether it has escapes.
#[inline(always)]
fn string(block: &[u8], start: usize) -> Result<(usize, bool), Stop> {
    // Most strings are short: a few vectors are looked at before a search that is faster over long ones is called.
    let mut at = start;
    for _ in 0..4 {
        let Some(chunk) = sixteen(block, at) else { break };
        let (quotes, escapes) = (equal(chunk, b'"'), equal(chunk, b'\\'));
        if quotes | escapes != 0 {
            if quotes.trailing_zeros() < escapes.trailing_zeros() {
                return Ok((at + quotes.trailing_zeros() as usize, false));
            }
            break;
        }
        at += WIDTH;
    }
    long_string(block, at)
}

fn long_string(block: &[u8], start: usize) -> Result<(usize, bool), Stop> {
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
#[inline(always)]
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

/// What a byte is to a value without quotes.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Number,
    After,
    Other,
}

#[inline(always)]
fn class(block: &[u8], at: usize) -> Option<Class> {
    block.get(at).map(|byte| match byte {
        b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E' => Class::Number,
        b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' | b':' | b'"' => Class::After,
        _ => Class::Other,
    })
}

/// A number, `true`, `false` or `null`.
#[inline(always)]
fn scalar(block: &[u8], start: usize) -> Result<(Cell, usize), Stop> {
    let mut at = start;
    while class(block, at) == Some(Class::Number) {
        at += 1;
    }
    if class(block, at) == Some(Class::After) && matches!(block.get(start), Some(b'-' | b'0'..=b'9')) {
        return Ok((Cell::new(start, at, CellKind::Plain), at));
    }
    word(block, start)
}

fn word(block: &[u8], start: usize) -> Result<(Cell, usize), Stop> {
    let mut at = start;
    while class(block, at).is_some_and(|class| class != Class::After) {
        at += 1;
    }
    match block.get(start..at) {
        _ if at >= block.len() => Err(Stop::Incomplete),
        Some(b"null") => Ok((Cell::MISSING, at)),
        Some(b"true" | b"false") => Ok((Cell::new(start, at, CellKind::Plain), at)),
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
