//! A text read in blocks that start where a record does.

use std::io::Read;

use sluice_sdk::{Error, Result};

use crate::objects::from_io;
use crate::values::cell::MAX_BLOCK;

/// A buffer that slides over a text. It holds one block and grows only for a record that is longer than one.
pub(crate) struct Blocks {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    /// Where in the text the first byte of [`Blocks::bytes`] is.
    offset: u64,
    eof: bool,
    target: usize,
    max_record: usize,
    key: String,
}

impl Blocks {
    /// Reads a text whose first byte is at `offset`, about `target` bytes at a time.
    pub(crate) fn new(reader: Box<dyn Read + Send>, key: &str, offset: u64, target: usize, max_record: usize) -> Self {
        let target = target.clamp(4 << 10, 64 << 20);
        let max_record = max_record.min(MAX_BLOCK / 4);
        let key = key.to_owned();
        Self { reader, buffer: Vec::new(), from: 0, to: 0, offset, eof: false, target, max_record, key }
    }

    /// What has been read and not been consumed.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.from..self.to).unwrap_or_default()
    }

    /// Where in the text those bytes are.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the text has no bytes beyond those.
    pub(crate) fn eof(&self) -> bool {
        self.eof
    }

    /// Makes a block ready: at least one more byte than before, if there is one.
    pub(crate) fn fill(&mut self) -> Result<()> {
        let kept = self.to - self.from;
        if kept > self.max_record {
            return Err(Error::protocol(format!(
                "{} has a record longer than {} bytes, starting at byte {}; raise max_record_bytes, or check the quote \
                 character",
                self.key, self.max_record, self.offset
            )));
        }
        self.buffer.copy_within(self.from..self.to, 0);
        self.from = 0;
        self.to = kept;
        // What is kept is an unfinished record: reading as much again keeps the copying in proportion.
        let wanted = kept + self.target.max(kept);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        } else if self.buffer.len() > 4 * self.target && wanted <= 2 * self.target {
            self.buffer.truncate(wanted);
            self.buffer.shrink_to_fit();
        }
        while self.to < wanted && !self.eof {
            let room = self.buffer.get_mut(self.to..wanted).unwrap_or_default();
            match self.reader.read(room) {
                Ok(0) => self.eof = true,
                Ok(read) => self.to += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(from_io(error, &self.key)),
            }
        }
        Ok(())
    }

    /// Drops bytes from the front.
    pub(crate) fn consume(&mut self, bytes: usize) {
        let bytes = bytes.min(self.to - self.from);
        self.from += bytes;
        self.offset += bytes as u64;
    }

    /// Drops bytes up to a place in the text; false if the text ends before it.
    pub(crate) fn skip_to(&mut self, offset: u64) -> Result<bool> {
        while self.offset < offset {
            if self.bytes().is_empty() {
                self.fill()?;
                if self.bytes().is_empty() {
                    return Ok(false);
                }
            }
            let most = usize::try_from(offset - self.offset).unwrap_or(usize::MAX);
            self.consume(most);
        }
        Ok(true)
    }
}
