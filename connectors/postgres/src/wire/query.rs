//! Small questions with text answers: the catalog, settings, bounds.

use postgres_protocol::IsNull;
use postgres_protocol::message::frontend::{self, BindError};
use sluice_sdk::{Error, Result};

use super::error::Failure;
use super::{Wire, tag};

/// Most columns that a row of ours has.
const MAX_COLUMNS: usize = 64;

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

    /// True for `t`.
    pub(crate) fn flag(&self, column: usize) -> bool {
        self.text(column) == Some("t")
    }
}

impl Wire {
    /// Runs one statement with parameters, as texts.
    pub(crate) fn query(&mut self, sql: &str, parameters: &[Option<&str>]) -> Result<Vec<Row>, Failure> {
        self.send(|out| {
            frontend::parse("", sql, std::iter::empty(), out)?;
            let write = |value: &Option<&str>, out: &mut bytes::BytesMut| {
                Ok(match value {
                    Some(text) => {
                        out.extend_from_slice(text.as_bytes());
                        IsNull::No
                    }
                    None => IsNull::Yes,
                })
            };
            frontend::bind("", "", [], parameters, write, [], out).map_err(|e| match e {
                BindError::Conversion(e) => std::io::Error::other(e),
                BindError::Serialization(e) => e,
            })?;
            frontend::execute("", 0, out)?;
            frontend::sync(out);
            Ok(())
        })?;
        self.rows()
    }

    /// Runs statements without parameters; rows, if any, of all of them.
    pub(crate) fn execute(&mut self, sql: &str) -> Result<Vec<Row>, Failure> {
        self.send(|out| frontend::query(sql, out))?;
        self.rows()
    }

    fn rows(&mut self) -> Result<Vec<Row>, Failure> {
        let mut rows = Vec::new();
        loop {
            match self.reply() {
                Ok(message) => match message.tag {
                    tag::DATA_ROW => rows.push(data_row(message.body)?),
                    tag::READY => return Ok(rows),
                    _ => {}
                },
                Err(Failure::Server(error)) => {
                    self.drain()?;
                    return Err(Failure::Server(error));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn data_row(body: &[u8]) -> Result<Row> {
    let malformed = || Error::protocol("the server sent a malformed row");
    let (count, mut rest) = body.split_first_chunk::<2>().ok_or_else(malformed)?;
    let count = usize::from(u16::from_be_bytes(*count));
    if count > MAX_COLUMNS {
        return Err(malformed());
    }
    let mut row = Vec::with_capacity(count);
    for _ in 0..count {
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(malformed)?;
        rest = after;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            row.push(None);
            continue;
        };
        let (text, after) = rest.split_at_checked(length).ok_or_else(malformed)?;
        rest = after;
        row.push(Some(String::from_utf8_lossy(text).into_owned()));
    }
    Ok(Row(row))
}

/// An array literal of texts, for a parameter.
pub(crate) fn text_array<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let mut literal = String::from("{");
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            literal.push(',');
        }
        literal.push('"');
        for c in item.chars() {
            if matches!(c, '"' | '\\') {
                literal.push('\\');
            }
            literal.push(c);
        }
        literal.push('"');
    }
    literal.push('}');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_with_their_nulls() {
        let row = data_row(b"\0\x02\0\0\0\x01t\xff\xff\xff\xff").unwrap();
        assert!(row.flag(0));
        assert_eq!((row.text(1), row.text(2)), (None, None));
    }

    #[test]
    fn a_row_that_lies_about_its_lengths_is_refused() {
        for bytes in [&b""[..], b"\0\x01", b"\0\x01\0\0\0\x05ab", b"\xff\xff\0\0\0\0"] {
            assert!(data_row(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn array_literals_escape_what_ends_an_item() {
        assert_eq!(text_array(["a", "b\"c", "d\\e,f"]), r#"{"a","b\"c","d\\e,f"}"#);
        assert_eq!(text_array([]), "{}");
    }
}
