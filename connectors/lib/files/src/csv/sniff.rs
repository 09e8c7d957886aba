//! How a file is written, found by looking at its beginning.

use sluice_sdk::{Error, Result};

use super::Dialect;
use super::record::record;
use crate::options::{CsvOptions, one_byte};
use crate::values::cell::{Cell, CellKind, Malformed};
use crate::values::column::{CsvValues, Syntax};
use crate::values::kind::Kind;

/// Delimiters that are tried, the likelier first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Records that are looked at.
const RECORDS: usize = 200;

/// The dialect of a text that starts with `sample`; what the options name is taken as it is.
pub(crate) fn dialect(sample: &[u8], whole: bool, options: &CsvOptions) -> Result<Dialect> {
    let terminator = if sample.contains(&b'\r') && !sample.contains(&b'\n') { b'\r' } else { b'\n' };
    let escape = one_byte(options.escape.as_deref(), "escape")?;
    let quote = match options.quote.as_deref() {
        Some("") => None,
        Some(text) => one_byte(Some(text), "quote")?,
        None => Some(guess_quote(sample)),
    };
    let with = |delimiter: u8| Dialect { delimiter, quote, escape, terminator, header: false, multiline: false };
    let named = one_byte(options.delimiter.as_deref(), "delimiter")?;
    let mut dialect = match named {
        Some(delimiter) => with(delimiter),
        None => guess_delimiter(sample, whole, with),
    };
    let rows = rows(sample, whole, &dialect);
    dialect.header = options.header.unwrap_or_else(|| guess_header(sample, &rows, &values(&dialect, options)));
    let multiline = || rows.iter().flatten().any(|cell| cell.bytes(sample).contains(&terminator));
    dialect.multiline = options.newlines_in_values.unwrap_or_else(multiline);
    Ok(dialect)
}

/// What a dialect says about values.
pub(crate) fn values(dialect: &Dialect, options: &CsvOptions) -> Syntax {
    let named = options.null_values.clone().unwrap_or_else(|| vec![String::new()]);
    Syntax::Csv(CsvValues {
        quote: dialect.quote.unwrap_or(b'"'),
        escape: dialect.escape,
        empty_is_null: named.iter().any(String::is_empty),
        nulls: named.into_iter().filter(|text| !text.is_empty()).map(String::into_bytes).collect(),
    })
}

/// The names of the columns: those of the header, or `column_1` and so on. A name that is missing or repeated gets its
/// number.
pub(crate) fn names(sample: &[u8], whole: bool, dialect: &Dialect, options: &CsvOptions) -> Result<Vec<String>> {
    let mut cells = Vec::new();
    let end = record(sample, 0, whole, dialect, &mut cells)
        .map_err(|malformed| Error::protocol(format!("the first record is malformed: {}", malformed.reason)))?;
    if end.is_none() {
        return Err(Error::protocol("the first record is longer than what is sampled; check the quote character"));
    }
    let syntax = values(dialect, options);
    let mut names: Vec<String> = Vec::with_capacity(cells.len());
    let mut taken = std::collections::HashSet::new();
    for (at, cell) in cells.iter().enumerate() {
        let text = if dialect.header { text(*cell, sample, &syntax) } else { String::new() };
        let mut name = text.trim().to_owned();
        if name.is_empty() {
            name = format!("column_{}", at + 1);
        }
        while !taken.insert(name.clone()) {
            name = format!("{name}_{}", at + 1);
        }
        names.push(name);
    }
    Ok(names)
}

fn text(cell: Cell, block: &[u8], syntax: &Syntax) -> String {
    let mut bytes = cell.bytes(block).to_vec();
    if let (CellKind::Escaped, Syntax::Csv(csv)) = (cell.kind(), syntax) {
        bytes.clear();
        csv.unescape(cell.bytes(block), &mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where the first record ends; `None` if the text given ends before.
pub(crate) fn rows_end(sample: &[u8], whole: bool, dialect: &Dialect) -> Result<Option<usize>, Malformed> {
    if sample.is_empty() {
        return Ok(None);
    }
    record(sample, 0, whole, dialect, &mut Vec::new())
}

/// The first records, as far as they are complete.
pub(crate) fn rows(sample: &[u8], whole: bool, dialect: &Dialect) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    let mut at = 0;
    while at < sample.len() && rows.len() < RECORDS {
        let mut cells = Vec::new();
        match record(sample, at, whole, dialect, &mut cells) {
            Ok(Some(next)) => at = next,
            Ok(None) | Err(_) => break,
        }
        let empty = matches!(cells.as_slice(), [only] if only.start() == only.end());
        if !empty {
            rows.push(cells);
        }
    }
    rows
}

/// A single quote only where fields are enclosed in it and none is in double quotes.
fn guess_quote(sample: &[u8]) -> u8 {
    let encloses = |quote: u8| {
        let mut pairs = sample.windows(2).filter(|pair| match pair {
            [a, b] => (*a == quote && b",;\t|\r\n".contains(b)) || (*b == quote && b",;\t|\n".contains(a)),
            _ => false,
        });
        pairs.by_ref().take(4).count() >= 4 || (sample.first() == Some(&quote) && pairs.next().is_some())
    };
    if !sample.contains(&b'"') && encloses(b'\'') { b'\'' } else { b'"' }
}

/// The delimiter that divides most records into the same number of fields; of several the one with most fields.
fn guess_delimiter(sample: &[u8], whole: bool, with: impl Fn(u8) -> Dialect) -> Dialect {
    let mut best = (0_u64, with(b','));
    for delimiter in DELIMITERS {
        let dialect = with(delimiter);
        let rows = rows(sample, whole, &dialect);
        let Some(width) = rows.first().map(Vec::len).filter(|width| *width > 1) else { continue };
        let same = rows.iter().filter(|row| row.len() == width).count() as u64;
        let agreement = same * 1000 / rows.len().max(1) as u64;
        let score = agreement * agreement * (width.min(1000) as u64 + 10);
        if score > best.0 {
            best = (score, dialect);
        }
    }
    best.1
}

/// A first record is a header unless it has a value that is no text, an empty or a repeated one. Where every column is text
/// there is nothing to tell them apart by, and a header is likelier.
fn guess_header(sample: &[u8], rows: &[Vec<Cell>], syntax: &Syntax) -> bool {
    let Some(first) = rows.first() else { return false };
    let mut seen = std::collections::HashSet::new();
    first.iter().all(|cell| {
        let bytes = cell.bytes(sample);
        let kind = Kind::of(*cell, sample, syntax);
        matches!(kind, Kind::Text) && seen.insert(bytes) || (bytes.is_empty() && first.len() > 1)
    }) && !first.iter().all(|cell| cell.bytes(sample).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sniffed(text: &str) -> Dialect {
        dialect(text.as_bytes(), true, &CsvOptions::default()).unwrap()
    }

    #[test]
    fn delimiter_quote_and_header_are_found() {
        let found = sniffed("id;name;price\n1;\"a, b\";1,5\n2;c;2,5\n");
        assert_eq!((found.delimiter, found.quote, found.header), (b';', Some(b'"'), true));
        assert_eq!(sniffed("a\tb\n1\t2\n").delimiter, b'\t');
        assert_eq!(sniffed("a|b|c\n1|2|3\n").delimiter, b'|');
        assert!(!sniffed("1,2\n3,4\n").header);
        assert!(sniffed("a,b\nc,d\n").header);
        assert_eq!(sniffed("2024-01-01 10:00:00\n2024-01-01 11:00:00\n").delimiter, b',');
        assert_eq!(sniffed("'a','b'\n'c, d','e'\n").quote, Some(b'\''));
        assert_eq!(sniffed("id,name\r1,x\r").terminator, b'\r');
    }

    #[test]
    fn line_breaks_in_fields_are_noticed() {
        assert!(sniffed("a,b\n1,\"x\ny\"\n").multiline);
        assert!(!sniffed("a,b\n1,\"x y\"\n").multiline);
    }

    #[test]
    fn every_column_gets_a_name_of_its_own() {
        let options = CsvOptions::default();
        let text = b"id,,id,\"a \"\"b\"\"\"\n1,2,3,4\n";
        let found = Dialect { header: true, ..dialect(text, true, &options).unwrap() };
        assert_eq!(names(text, true, &found, &options).unwrap(), ["id", "column_2", "id_3", "a \"b\""]);
        let found = Dialect { header: false, ..found };
        assert_eq!(names(text, true, &found, &options).unwrap(), ["column_1", "column_2", "column_3", "column_4"]);
    }
}
