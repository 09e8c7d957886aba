//! MySQL's client/server protocol over a connection of the host's.
//!
//! [`Wire`] cuts the bytes into packets; [`startup`] negotiates TLS and logs in (with [`handshake`], [`auth`] and [`rsa`]);
//! [`query`] asks the catalog; [`rows`] yields the rows of a prepared statement in their binary form; [`error`] turns what the
//! server says into what a person can act on. Nothing here knows Arrow.
//!
//! A packet is three bytes of length, a sequence number and a body. A body of 16 MiB or more comes in several packets, of which all
//! but the last have the greatest length; here they are one.

pub(crate) mod auth;
pub(crate) mod error;
pub(crate) mod handshake;
pub(crate) mod query;
pub(crate) mod read;
pub(crate) mod rows;
pub(crate) mod rsa;
pub(crate) mod startup;

use sluice_sdk::net::Connection;
use sluice_sdk::{Error, Result};

use self::error::{Failure, ServerError};

/// First bytes of answers.
pub(crate) mod header {
    pub(crate) const OK: u8 = 0x00;
    pub(crate) const MORE_AUTH: u8 = 0x01;
    pub(crate) const LOCAL_INFILE: u8 = 0xfb;
    /// The end of rows; while logging in, the wish for another method.
    pub(crate) const EOF: u8 = 0xfe;
    pub(crate) const ERROR: u8 = 0xff;
}

/// Commands.
pub(crate) mod command {
    pub(crate) const QUIT: u8 = 0x01;
    pub(crate) const QUERY: u8 = 0x03;
    pub(crate) const STATEMENT_PREPARE: u8 = 0x16;
    pub(crate) const STATEMENT_EXECUTE: u8 = 0x17;
}

/// Bytes before a packet's body.
const HEAD: usize = 4;

/// The length that says "more follows".
const FULL: usize = 0xff_ffff;

/// How much is asked of the host at once. Larger reads save calls; the host may return less.
const READ_BYTES: u32 = 256 << 10;

/// Longest message that is taken. MySQL's own limit for a row is 1 GiB, but a row of that size would fit into no batch.
const MAX_MESSAGE: usize = 256 << 20;

/// Longest error that is taken out of order.
const MAX_LAST_WORDS: usize = 4096;

/// A connection, and the bytes of it that were received and not yet used.
pub(crate) struct Wire {
    link: Connection,
    /// What the last read returned, used up to `at`.
    chunk: Vec<u8>,
    at: usize,
    /// A body that lay across the border of two chunks, or in several packets.
    carry: Vec<u8>,
    place: Place,
    out: Vec<u8>,
    /// Number of the next packet, in either direction.
    sequence: u8,
    /// What both sides can do; nothing before the handshake.
    pub(crate) capabilities: u32,
}

/// Where the last body lies.
#[derive(Clone, Copy, Default)]
struct Place {
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
            out: Vec::new(),
            sequence: 0,
            capabilities: 0,
        }
    }

    /// The body of the next packet.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<&[u8]> {
        self.place = match self.whole() {
            Some(place) => place,
            None => self.pieced()?,
        };
        Ok(self.last())
    }

    /// The last body.
    #[inline]
    pub(crate) fn last(&self) -> &[u8] {
        let bytes = if self.place.carried { &self.carry } else { &self.chunk };
        bytes.get(self.place.start..self.place.end).unwrap_or_default()
    }

    /// The next packet if it is the only one of its body and all of it is in the chunk: the common case.
    #[inline]
    fn whole(&mut self) -> Option<Place> {
        let rest = self.chunk.get(self.at..)?;
        let &[a, b, c, sequence] = rest.first_chunk::<HEAD>()?;
        let length = u32::from_le_bytes([a, b, c, 0]) as usize;
        if length == FULL || HEAD + length > rest.len() || sequence != self.sequence {
            return None;
        }
        self.sequence = self.sequence.wrapping_add(1);
        let start = self.at + HEAD;
        self.at = start + length;
        Some(Place { carried: false, start, end: self.at })
    }

    /// The next body, put together from the rest of this chunk and as many more as it takes.
    #[cold]
    fn pieced(&mut self) -> Result<Place> {
        self.carry = Vec::new();
        loop {
            if self.carry.is_empty() && self.at >= self.chunk.len() {
                self.refill()?;
                if let Some(place) = self.whole() {
                    return Ok(place);
                }
            }
            let [a, b, c, sequence] = self.head()?;
            let length = u32::from_le_bytes([a, b, c, 0]) as usize;
            let in_order = sequence == self.sequence;
            self.sequence = sequence.wrapping_add(1);
            if self.carry.len() + length > MAX_MESSAGE {
                return Err(Error::unsupported(format!(
                    "the server sent a row of more than {MAX_MESSAGE} bytes. Leave the column out that is so large"
                )));
            }
            // What has no place here is not waited for, except the last words before the server hangs up, which come unasked.
            if !in_order && length > MAX_LAST_WORDS {
                return Err(out_of_order());
            }
            self.take(length)?;
            if !in_order && self.carry.first() != Some(&header::ERROR) {
                return Err(out_of_order());
            }
            if length < FULL {
                return Ok(Place { carried: true, start: 0, end: self.carry.len() });
            }
        }
    }

    fn head(&mut self) -> Result<[u8; HEAD]> {
        let mut head = [0; HEAD];
        for byte in &mut head {
            if self.at >= self.chunk.len() {
                self.refill()?;
            }
            *byte = self.chunk.get(self.at).copied().unwrap_or_default();
            self.at += 1;
        }
        Ok(head)
    }

    /// Moves that many bytes to `carry`, which grows with what arrives, not with what was announced.
    fn take(&mut self, mut length: usize) -> Result<()> {
        while length > 0 {
            if self.at >= self.chunk.len() {
                self.refill()?;
            }
            let rest = self.chunk.get(self.at..).unwrap_or_default();
            let taken = rest.get(..length).unwrap_or(rest);
            self.carry.extend_from_slice(taken);
            self.at += taken.len();
            length -= taken.len();
        }
        Ok(())
    }

    fn refill(&mut self) -> Result<()> {
        // The old chunk goes first, so that two of them never exist at once.
        self.chunk = Vec::new();
        self.at = 0;
        self.chunk = self.link.read(READ_BYTES)?;
        if self.chunk.is_empty() {
            return Err(Error::transient(
                "the server closed the connection; if it happens again, its log says why (a restart, a crash, an administrator, \
                 a limit such as wait_timeout)",
            ));
        }
        Ok(())
    }

    /// The next body, unless it is an error.
    #[inline]
    pub(crate) fn reply(&mut self) -> Result<&[u8], Failure> {
        self.next()?;
        if self.last().first() == Some(&header::ERROR) {
            return Err(ServerError::parse(self.last()).into());
        }
        Ok(self.last())
    }

    /// Sends a packet that goes on with what was said last.
    pub(crate) fn send(&mut self, body: &[u8]) -> Result<()> {
        self.out.clear();
        let mut rest = body;
        loop {
            let (part, after) = rest.split_at_checked(FULL).unwrap_or((rest, &[]));
            let [a, b, c, _] = u32::try_from(part.len()).unwrap_or_default().to_le_bytes();
            self.out.extend_from_slice(&[a, b, c, self.sequence]);
            self.out.extend_from_slice(part);
            self.sequence = self.sequence.wrapping_add(1);
            rest = after;
            if part.len() < FULL {
                break;
            }
        }
        self.link.write(&self.out)
    }

    /// Sends a command, which starts a new conversation.
    pub(crate) fn command(&mut self, command: u8, arguments: &[u8]) -> Result<()> {
        self.sequence = 0;
        let mut body = Vec::with_capacity(1 + arguments.len());
        body.push(command);
        body.extend_from_slice(arguments);
        self.send(&body)
    }

    /// True if nothing was received that has not been looked at.
    fn is_drained(&self) -> bool {
        self.at >= self.chunk.len()
    }
}

#[cold]
fn out_of_order() -> Error {
    Error::protocol("the server's packets are out of order; is this a MySQL server?")
}

impl Drop for Wire {
    fn drop(&mut self) {
        // A courtesy: without it the server counts an aborted client.
        let _ = self.command(command::QUIT, &[]);
    }
}
