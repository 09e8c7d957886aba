//! The rows of a `COPY (…) TO STDOUT (FORMAT binary)`, one slice of received bytes after the other.

use postgres_protocol::message::frontend;
use sluice_sdk::{Error, Result};

use super::error::{Failure, ServerError};
use super::{Wire, tag};

/// What binary copies start with; the field after it holds flags.
const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// A copy that is under way.
pub(crate) struct Copy<'w> {
    wire: &'w mut Wire,
    columns: u16,
    rows: u64,
    started: bool,
}

impl Wire {
    /// Starts a copy of this query, which must have that many columns.
    pub(crate) fn copy_out(&mut self, query: &str, columns: usize) -> Result<Copy<'_>, Failure> {
        let sql = format!("COPY ({query}) TO STDOUT (FORMAT binary)");
        self.send(|out| frontend::query(&sql, out))?;
        let refused = match self.reply() {
            Ok(message) if message.tag == tag::COPY_OUT => None,
            Ok(message) => return Err(unexpected(message.tag).into()),
            Err(failure) => Some(failure),
        };
        if let Some(failure) = refused {
            if matches!(failure, Failure::Server(_)) {
                self.drain()?;
            }
            return Err(failure);
        }
        let columns = u16::try_from(columns).map_err(|_| Error::internal("a query of more than 65,535 columns"))?;
        Ok(Copy { wire: self, columns, rows: 0, started: false })
    }
}

impl Copy<'_> {
    /// The fields of the next row, each with its length before it; none after the last one. The server sends one message per
    /// row, the first with the header in front.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, Failure> {
        match self.advance()? {
            Some(skip) => Ok(Some(self.wire.last().get(skip..).unwrap_or_default())),
            None => Ok(None),
        }
    }

    /// Goes to the next row and says how many bytes of its message come before the fields.
    #[inline]
    fn advance(&mut self) -> Result<Option<usize>, Failure> {
        loop {
            let message = self.wire.next()?;
            if message.tag != tag::COPY_DATA {
                match message.tag {
                    tag::COPY_DONE => {
                        self.finish()?;
                        return Ok(None);
                    }
                    tag::ERROR => return Err(ServerError::parse(message.body).into()),
                    tag::NOTICE | tag::PARAMETER_STATUS | tag::NOTIFICATION => continue,
                    other => return Err(unexpected(other).into()),
                }
            }
            let before = if self.started { 0 } else { header(message.body)? };
            self.started = true;
            match message.body.get(before..).unwrap_or_default() {
                [a, b, ..] if u16::from_be_bytes([*a, *b]) == self.columns => {
                    self.rows += 1;
                    return Ok(Some(before + 2));
                }
                // The trailer, or a header that came alone.
                [0xff, 0xff] | [] => {}
                _ => {
                    let message = "the server sent a row with another number of columns than was asked for";
                    return Err(Error::protocol(message).into());
                }
            }
        }
    }

    /// Reads what follows the rows, and compares the server's count with ours.
    #[cold]
    fn finish(&mut self) -> Result<(), Failure> {
        loop {
            let message = self.wire.reply()?;
            match message.tag {
                tag::READY => return Ok(()),
                tag::COMMAND_COMPLETE => {
                    let text = String::from_utf8_lossy(message.body);
                    let count = text.trim_end_matches('\0').strip_prefix("COPY ").and_then(|n| n.parse::<u64>().ok());
                    if count.is_some_and(|count| count != self.rows) {
                        let message = format!("the server counted {} rows, {} arrived", count.unwrap_or(0), self.rows);
                        return Err(Error::protocol(message).into());
                    }
                }
                _ => {}
            }
        }
    }
}

/// How long the header is.
fn header(body: &[u8]) -> Result<usize> {
    let malformed = || Error::protocol("the server's copy has no valid header");
    let (signature, rest) = body.split_first_chunk::<11>().ok_or_else(malformed)?;
    let (flags, rest) = rest.split_first_chunk::<4>().ok_or_else(malformed)?;
    let (extension, rest) = rest.split_first_chunk::<4>().ok_or_else(malformed)?;
    let extension = u32::from_be_bytes(*extension) as usize;
    // The upper half of the flags are those that a reader must understand; there is none yet.
    if signature != SIGNATURE || u32::from_be_bytes(*flags) >> 16 != 0 || extension > rest.len() {
        return Err(malformed());
    }
    Ok(SIGNATURE.len() + 8 + extension)
}

fn unexpected(tag: u8) -> Error {
    Error::protocol(format!("the server answered with message {:?}, which has no place there", char::from(tag)))
}
