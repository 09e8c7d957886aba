//! Snappy as Hadoop, Hive and Spark write it around text: blocks of chunks, each behind its length, without a word about what it is.
//!
//! A block is the length of its content (four bytes, the highest first) and chunks until that much content is there; a chunk is
//! the length of what follows and a piece of raw Snappy. Neither has a checksum: damage is found where it breaks the encoding or a length.

use std::io::{Error as IoError, ErrorKind, Read, Result};

use sluice_sdk::Error;

use crate::objects::to_io;

/// Content of a chunk, at most; Hadoop writes 256 KiB unless it is told otherwise.
const MAX_CHUNK: usize = 16 << 20;

/// Bytes of a file that tell it from any text: two lengths, and the start of raw Snappy.
pub(super) const SIGNATURE: usize = 16;

/// Whether a file starts like one of Hadoop's: with lengths that fit each other, and raw Snappy that starts as it must, with a
/// literal. A file of nothing is a block of nothing.
pub(super) fn starts(start: &[u8]) -> bool {
    let Some((block, rest)) = start.split_first_chunk() else { return false };
    let block = u32::from_be_bytes(*block) as usize;
    let Some((chunk, raw)) = rest.split_first_chunk() else { return block == 0 && rest.is_empty() };
    let chunk = u32::from_be_bytes(*chunk) as usize;
    let Some((content, first)) = raw_start(raw) else { return false };
    let literal = first & 0b11 == 0;
    literal && (1..=block.min(MAX_CHUNK)).contains(&content) && (3..=longest(content)).contains(&chunk)
}

/// The length that raw Snappy starts with, and the byte behind it.
fn raw_start(raw: &[u8]) -> Option<(usize, u8)> {
    let length = raw.iter().position(|byte| *byte < 0x80)?;
    Some((snap::raw::decompress_len(raw).ok()?, *raw.get(length + 1)?))
}

/// Bytes that raw Snappy of this much content can take.
fn longest(content: usize) -> usize {
    snap::raw::max_compress_len(content)
}

/// Decodes blocks to the end of a file.
pub(super) struct Hadoop<R> {
    inner: R,
    key: String,
    /// Content of the block that no chunk has brought yet.
    left: usize,
    stored: Vec<u8>,
    content: Vec<u8>,
    at: usize,
}

impl<R: Read> Hadoop<R> {
    pub(super) fn new(inner: R, key: &str) -> Self {
        Self { inner, key: key.to_owned(), left: 0, stored: Vec::new(), content: Vec::new(), at: 0 }
    }

    /// Goes on by a block's start or a chunk; false at the end of the file.
    fn step(&mut self) -> Result<bool> {
        let Some(length) = self.length()? else {
            return if self.left == 0 { Ok(false) } else { Err(ErrorKind::UnexpectedEof.into()) };
        };
        if self.left == 0 {
            self.left = length;
            return Ok(true);
        }
        if length > longest(MAX_CHUNK) {
            return Err(self.too_long(length));
        }
        // What is not there takes no memory, whatever the length says.
        self.stored.clear();
        if self.inner.by_ref().take(length as u64).read_to_end(&mut self.stored)? < length {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let content = snap::raw::decompress_len(&self.stored).map_err(damaged)?;
        if content > MAX_CHUNK {
            return Err(self.too_long(content));
        }
        if content == 0 || content > self.left {
            return Err(damaged("a Snappy chunk does not fit its block"));
        }
        self.content.resize(content, 0);
        snap::raw::Decoder::new().decompress(&self.stored, &mut self.content).map_err(damaged)?;
        self.left -= content;
        self.at = 0;
        Ok(true)
    }

    /// A length; none at the end of the file.
    fn length(&mut self) -> Result<Option<usize>> {
        let mut bytes = Vec::with_capacity(4);
        self.inner.by_ref().take(4).read_to_end(&mut bytes)?;
        match <[u8; 4]>::try_from(bytes.as_slice()) {
            Ok(bytes) => Ok(Some(u32::from_be_bytes(bytes) as usize)),
            Err(_) if bytes.is_empty() => Ok(None),
            Err(_) => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    fn too_long(&self, length: usize) -> IoError {
        to_io(Error::protocol(format!(
            "{} is said to have a Snappy chunk of {length} bytes; it is broken, or written with a buffer of more than {} MiB",
            self.key,
            MAX_CHUNK >> 20
        )))
    }
}

impl<R: Read> Read for Hadoop<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            let mut left = self.content.get(self.at..).unwrap_or_default();
            if !left.is_empty() {
                let read = left.read(buffer)?;
                self.at += read;
                return Ok(read);
            }
            if !self.step()? {
                return Ok(0);
            }
        }
    }
}

fn damaged(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> IoError {
    IoError::new(ErrorKind::InvalidData, error)
}
