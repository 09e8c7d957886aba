//! The frontend/backend protocol, version 3.0, over a connection of the host's.
//!
//! [`Wire`] cuts the bytes into messages; [`startup`] negotiates TLS and logs in (with [`auth`]); [`query`] asks the catalog;
//! [`copy`] yields the rows of a `COPY … TO STDOUT (FORMAT binary)`; [`error`] turns what the server says into what a person
//! can act on. Nothing here knows Arrow. To speak a new message: give it a constant in [`tag`] and handle it where it can come.

pub(crate) mod auth;
pub(crate) mod copy;
pub(crate) mod error;
pub(crate) mod query;
pub(crate) mod startup;

use postgres_protocol::message::frontend;
use sluice_sdk::net::Connection;
use sluice_sdk::{Error, Result, log};

use self::error::{Failure, ServerError};

/// What the server's messages start with.
pub(crate) mod tag {
    pub(crate) const AUTHENTICATION: u8 = b'R';
    pub(crate) const COMMAND_COMPLETE: u8 = b'C';
    pub(crate) const COPY_DATA: u8 = b'd';
    pub(crate) const COPY_DONE: u8 = b'c';
    pub(crate) const COPY_OUT: u8 = b'H';
    pub(crate) const DATA_ROW: u8 = b'D';
    pub(crate) const ERROR: u8 = b'E';
    pub(crate) const NEGOTIATE_VERSION: u8 = b'v';
    pub(crate) const NOTICE: u8 = b'N';
    pub(crate) const NOTIFICATION: u8 = b'A';
    pub(crate) const PARAMETER_STATUS: u8 = b'S';
    pub(crate) const READY: u8 = b'Z';
}

/// How much is asked of the host at once. Larger reads save calls; the host may return less.
const READ_BYTES: u32 = 256 << 10;

/// Longest message that is taken. PostgreSQL's own limit for a row is 1 GiB, but a row of that size would fit into no batch.
const MAX_MESSAGE: usize = 256 << 20;

/// A connection, and the bytes of it that were received and not yet used.
pub(crate) struct Wire {
    link: Connection,
    /// What the last read returned, used up to `at`.
    chunk: Vec<u8>,
    at: usize,
    /// A message that lay across the border of two chunks.
    carry: Vec<u8>,
    place: Place,
    out: bytes::BytesMut,
    version: u32,
}

/// A message of the server's.
pub(crate) struct Message<'a> {
    pub(crate) tag: u8,
    pub(crate) body: &'a [u8],
}

/// Where a message lies.
#[derive(Clone, Copy, Default)]
struct Place {
    tag: u8,
    carried: bool,
    start: usize,
    end: usize,
}

impl Wire {
    pub(crate) fn new(link: Connection) -> Self {
        Self {
            link,
            chunk: Vec::new(),
            at: 0,
            carry: Vec::new(),
            place: Place::default(),
            out: bytes::BytesMut::new(),
            version: 0,
        }
    }

    /// The server's version as `server_version_num` has it, e.g. 150004.
    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    /// The next message, whatever it is.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Message<'_>> {
        self.place = match self.whole() {
            Some(place) => place,
            None => self.pieced()?,
        };
        Ok(Message { tag: self.place.tag, body: self.last() })
    }

    /// The body of the last message.
    #[inline]
    pub(crate) fn last(&self) -> &[u8] {
        let bytes = if self.place.carried { &self.carry } else { &self.chunk };
        bytes.get(self.place.start..self.place.end).unwrap_or_default()
    }

    /// The next message if all of it is in the chunk: the common case.
    #[inline]
    fn whole(&mut self) -> Option<Place> {
        let rest = self.chunk.get(self.at..)?;
        let &[tag, a, b, c, d] = rest.first_chunk::<5>()?;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length < 4 || length >= rest.len() {
            return None;
        }
        let start = self.at + 5;
        let end = self.at + 1 + length;
        self.at = end;
        Some(Place { tag, carried: false, start, end })
    }

    /// The next message, put together from the rest of this chunk and as many more as it takes.
    #[cold]
    fn pieced(&mut self) -> Result<Place> {
        self.carry.clear();
        loop {
            let needed = match *self.carry.as_slice() {
                [tag, a, b, c, d, ..] => {
                    let end = 1 + message_length([a, b, c, d])?;
                    if self.carry.len() >= end {
                        return Ok(Place { tag, carried: true, start: 5, end });
                    }
                    end
                }
                _ => 5,
            };
            if self.at >= self.chunk.len() {
                self.refill()?;
                if self.carry.is_empty()
                    && let Some(place) = self.whole()
                {
                    return Ok(place);
                }
            }
            let rest = self.chunk.get(self.at..).unwrap_or_default();
            let taken = rest.get(..needed - self.carry.len()).unwrap_or(rest);
            self.carry.extend_from_slice(taken);
            self.at += taken.len();
        }
    }

    fn refill(&mut self) -> Result<()> {
        // The old chunk goes first, so that two of them never exist at once.
        self.chunk = Vec::new();
        self.at = 0;
        self.chunk = self.link.read(READ_BYTES)?;
        if self.chunk.is_empty() {
            return Err(Error::transient(
                "the server closed the connection; if it happens again, its log says why (a restart, a crash, an administrator)",
            ));
        }
        Ok(())
    }

    /// The next message that is an answer: notices and changed parameters are dealt with, an error ends the call.
    pub(crate) fn reply(&mut self) -> Result<Message<'_>, Failure> {
        loop {
            let message = self.next()?;
            match message.tag {
                tag::NOTICE => log::debug(format!("the server notes: {}", ServerError::parse(message.body).message)),
                tag::NOTIFICATION | tag::NEGOTIATE_VERSION => {}
                tag::PARAMETER_STATUS => {
                    if let Some(version) = server_version(message.body) {
                        self.version = version;
                    }
                }
                tag::ERROR => return Err(ServerError::parse(message.body).into()),
                _ => break,
            }
        }
        Ok(Message { tag: self.place.tag, body: self.last() })
    }

    /// Reads up to the server's `ReadyForQuery`, for the next statement after an error.
    pub(crate) fn drain(&mut self) -> Result<()> {
        loop {
            match self.reply() {
                Ok(message) if message.tag == tag::READY => return Ok(()),
                Ok(_) | Err(Failure::Server(_)) => {}
                Err(Failure::Other(error)) => return Err(error),
            }
        }
    }

    /// Encodes messages and sends them.
    pub(crate) fn send(&mut self, encode: impl FnOnce(&mut bytes::BytesMut) -> std::io::Result<()>) -> Result<()> {
        self.out.clear();
        encode(&mut self.out)
            .map_err(|e| Error::config(format!("a value cannot be sent to PostgreSQL: {e} (is there a NUL in it?)")))?;
        self.link.write(&self.out)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // A courtesy: without it the server's log speaks of a lost connection.
        let _ = self.send(|out| {
            frontend::terminate(out);
            Ok(())
        });
    }
}

fn message_length(bytes: [u8; 4]) -> Result<usize> {
    let length = u32::from_be_bytes(bytes) as usize;
    match length {
        0..4 => Err(Error::protocol("the server sent a message of impossible length; is this a PostgreSQL server?")),
        4..=MAX_MESSAGE => Ok(length),
        _ => Err(Error::unsupported(format!(
            "the server sent a message of {length} bytes; rows can have at most {MAX_MESSAGE}. Leave the column out that is so large",
        ))),
    }
}

/// `15.4 (Debian …)` → 150004, `9.6.3` → 90603; none for another parameter.
fn server_version(body: &[u8]) -> Option<u32> {
    let mut texts = body.split(|b| *b == 0);
    if texts.next()? != b"server_version" {
        return None;
    }
    let text = std::str::from_utf8(texts.next()?).ok()?;
    let number = text.split(|c: char| c != '.' && !c.is_ascii_digit()).next()?;
    let mut parts = number.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let major = parts.next()?;
    let minor = parts.next().unwrap_or(0);
    Some(if major >= 10 {
        major.saturating_mul(10_000).saturating_add(minor)
    } else {
        major * 10_000 + minor.min(99) * 100 + parts.next().unwrap_or(0).min(99)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_as_the_server_counts_them() {
        assert_eq!(server_version(b"server_version\x0015.4 (Debian 15.4-1)\0"), Some(150_004));
        assert_eq!(server_version(b"server_version\x0018beta1\0"), Some(180_000));
        assert_eq!(server_version(b"server_version\x009.6.3\0"), Some(90_603));
        assert_eq!(server_version(b"TimeZone\0UTC\0"), None);
    }

    #[test]
    fn a_message_of_impossible_length_is_refused_before_anything_is_allocated() {
        assert!(message_length([0, 0, 0, 3]).is_err());
        assert!(message_length([0x7f, 0xff, 0xff, 0xff]).unwrap_err().message.contains("2147483647 bytes"));
        assert_eq!(message_length([0, 0, 0, 4]).unwrap(), 4);
    }
}
