//! Small questions with text answers: the catalog, settings, bounds.

use sluice_sdk::{Error, Result};

use super::error::Failure;
use super::handshake::capability;
use super::read::Bytes;
use super::{Wire, command, header};

/// Most columns that an answer of ours has.
const MAX_COLUMNS: u64 = 64;

/// Most rows that an answer of ours may have, so that a peer cannot fill the memory.
const MAX_ROWS: usize = 5_000_000;

/// A row of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row(Vec<Option<String>>);

impl Row {
    /// The column's text; none for NULL.
    pub(crate) fn text(&self, column: usize) -> Option<&str> {
        self.0.get(column)?.as_deref()
    }

    /// The column's text; empty for NULL.
    pub(crate) fn string(&self, column: usize) -> String {
        self.text(column).unwrap_or_default().to_owned()
    }

    /// The column as a number; none for NULL and whatever is none.
    pub(crate) fn number<T: std::str::FromStr>(&self, column: usize) -> Option<T> {
        self.text(column)?.parse().ok()
    }

    /// True for a number other than 0.
    pub(crate) fn flag(&self, column: usize) -> bool {
        self.number::<i64>(column).is_some_and(|number| number != 0)
    }
}

/// An answer with the names of its columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) names: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

impl Answer {
    /// The place of a column, ignoring case.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other.eq_ignore_ascii_case(name))
    }
}

impl Wire {
    /// Runs one statement.
    pub(crate) fn query(&mut self, sql: &str) -> Result<Answer, Failure> {
        self.command(command::QUERY, sql.as_bytes())?;
        let mut bytes = Bytes(self.reply()?);
        match bytes.0.first() {
            Some(&header::OK) => return Ok(Answer::default()),
            Some(&header::LOCAL_INFILE) => {
                return Err(Error::protocol("the server asks for a file of ours, which it will not get").into());
            }
            _ => {}
        }
        let count = bytes.length().flatten().filter(|count| *count <= MAX_COLUMNS).ok_or_else(malformed)?;
        let mut answer = Answer::default();
        for _ in 0..count {
            let name = definition(self.reply()?).ok_or_else(malformed)?.name;
            answer.names.push(name);
        }
        self.end_of_definitions()?;
        loop {
            let body = self.reply()?;
            if is_end(body) {
                return Ok(answer);
            }
            if answer.rows.len() >= MAX_ROWS {
                return Err(Error::unsupported("the server's catalog is larger than can be held in memory").into());
            }
            answer.rows.push(text_row(body, count).ok_or_else(malformed)?);
        }
    }

    /// Passes over the packet that ends the definitions of columns, where the server still sends it.
    pub(crate) fn end_of_definitions(&mut self) -> Result<(), Failure> {
        if self.capabilities & capability::DEPRECATE_EOF == 0 && !is_end(self.reply()?) {
            return Err(malformed().into());
        }
        Ok(())
    }
}

/// True for the packet that ends rows. A row can begin with the same byte, as the length of a text of 16 MiB or more.
#[inline]
pub(crate) fn is_end(body: &[u8]) -> bool {
    body.first() == Some(&header::EOF) && body.len() < 0xff_ffff
}

/// A column as an answer describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) name: String,
    /// The type on the wire.
    pub(crate) r#type: u8,
    pub(crate) unsigned: bool,
}

/// The flag of columns without a sign.
const UNSIGNED: u16 = 32;

/// Takes a definition apart.
pub(crate) fn definition(body: &[u8]) -> Option<Definition> {
    let mut bytes = Bytes(body);
    // Catalog, schema, table, original table.
    for _ in 0..4 {
        bytes.string()?;
    }
    let name = String::from_utf8_lossy(bytes.string()?).into_owned();
    bytes.string()?;
    // What follows has a fixed length: character set, display length, type, flags, decimals.
    bytes.length()?;
    bytes.take(6)?;
    let r#type = bytes.u8()?;
    let flags = bytes.u16()?;
    Some(Definition { name, r#type, unsigned: flags & UNSIGNED != 0 })
}

fn text_row(body: &[u8], count: u64) -> Option<Row> {
    let mut bytes = Bytes(body);
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    (0..count).map(|_| bytes.nullable().map(|value| value.map(text))).collect::<Option<_>>().map(Row)
}

pub(crate) fn malformed() -> Error {
    Error::protocol("the server sent a malformed answer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_with_their_nulls() {
        let row = text_row(b"\x011\xfb\x02-5", 3).unwrap();
        assert!(row.flag(0));
        assert_eq!((row.text(1), row.number::<i32>(2)), (None, Some(-5)));
    }

    #[test]
    fn a_row_that_lies_about_its_lengths_is_refused() {
        for body in [&b""[..], b"\x05ab", b"\xff", b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff"] {
            assert_eq!(text_row(body, 1), None, "{body:?}");
        }
    }

    #[test]
    fn a_definition_holds_the_type_on_the_wire() {
        let body = b"\x03def\x01s\x01t\x01t\x02id\x02id\x0c\x3f\0\x14\0\0\0\x08\x21\0\0\0\0";
        assert_eq!(definition(body), Some(Definition { name: "id".into(), r#type: 8, unsigned: true }));
        assert_eq!(definition(&body[..20]), None);
    }

    #[test]
    fn a_long_text_is_no_end() {
        assert!(is_end(&[0xfe, 0, 0, 2, 0]));
        assert!(!is_end(&[0]));
        let mut row = vec![0; 0xff_ffff];
        row[0] = 0xfe;
        assert!(!is_end(&row));
    }
}
