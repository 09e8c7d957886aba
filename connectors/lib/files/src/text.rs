//! A text file opened: decompressed, as UTF-8, at the place where its records start.

use std::io::Read;

use sluice_sdk::{Error, Result};

use crate::blocks::Blocks;
use crate::compress;
use crate::csv::{Dialect, sniff};
use crate::encoding::{self, Transcoder};
use crate::objects::{Exact, Object, Objects, from_io};
use crate::options::{Compression, Encoding, Options};

/// Bytes that are looked at to find compression and encoding.
const PEEK: usize = 64 << 10;

/// A text and what was found out about it.
pub(crate) struct Text {
    pub(crate) blocks: Blocks,
    /// The file's bytes are the text's: it can be entered anywhere.
    pub(crate) direct: bool,
}

/// Opens a file as text, at its beginning, to be read about `target` bytes at a time.
pub(crate) fn open(objects: &dyn Objects, object: &Object, options: &Options, target: usize) -> Result<Text> {
    let raw = Exact::open(objects, object, 0..object.size)?;
    let (head, raw) = peek(Box::new(raw), compress::SIGNATURE, &object.key)?;
    let compression = compress::detect(&head, options.compression, &object.key)?;
    let raw: Box<dyn Read + Send> = if compression == Compression::None {
        raw
    } else {
        compress::decoder(compression, raw, &object.key, object.size, options.max_ratio)?
    };
    let (head, mut text) = peek(raw, PEEK, &object.key)?;
    // A small text needs no large block: a stream may have a million of them.
    let target = if head.len() < PEEK { target.min(head.len() + 1) } else { target };
    let (found, mark) = encoding::detect(&head, options.csv.encoding);
    skip(&mut text, mark, &object.key)?;
    let direct = compression == Compression::None && found == Encoding::Utf8;
    let text: Box<dyn Read + Send> =
        if found == Encoding::Utf8 { text } else { Box::new(Transcoder::new(text, found)) };
    let offset = if direct { mark as u64 } else { 0 };
    let blocks = Blocks::new(text, &object.key, offset, target, options.max_record_bytes as usize);
    Ok(Text { blocks, direct })
}

impl Text {
    /// Goes on at a place in the text.
    pub(crate) fn seek(
        &mut self,
        objects: &dyn Objects,
        object: &Object,
        options: &Options,
        target: usize,
        at: u64,
    ) -> Result<()> {
        if self.direct && at > self.blocks.offset() + self.blocks.bytes().len() as u64 {
            let reader = Exact::open(objects, object, at.min(object.size)..object.size)?;
            let max_record = options.max_record_bytes as usize;
            self.blocks = Blocks::new(Box::new(reader), &object.key, at, target, max_record);
            return Ok(());
        }
        if self.blocks.skip_to(at)? {
            return Ok(());
        }
        Err(Error::transient(format!("{} is shorter than when it was read last; run again", object.key)))
    }

    /// Leaves out lines before the header, and reads the header: the columns' names. Both are consumed.
    pub(crate) fn header(&mut self, dialect: &Dialect, options: &Options, key: &str) -> Result<Option<Vec<String>>> {
        for _ in 0..options.csv.skip_lines {
            self.skip_line(dialect.terminator)?;
        }
        loop {
            let cells = sniff::rows_end(self.blocks.bytes(), self.blocks.eof(), dialect);
            match cells {
                Ok(Some(end)) => {
                    let block = self.blocks.bytes();
                    let names = sniff::names(block, self.blocks.eof(), dialect, &options.csv)
                        .map_err(|error| error.context(key))?;
                    if dialect.header {
                        self.blocks.consume(end);
                    }
                    return Ok(Some(names));
                }
                Ok(None) if self.blocks.eof() => return Ok(None),
                Ok(None) => self.blocks.fill()?,
                Err(malformed) => {
                    let reason = malformed.reason;
                    return Err(Error::protocol(format!("{key}: the first record is malformed: {reason}")));
                }
            }
        }
    }

    /// Leaves out the rest of the line; false if the text ends first.
    pub(crate) fn skip_line(&mut self, terminator: u8) -> Result<bool> {
        loop {
            if let Some(at) = memchr::memchr(terminator, self.blocks.bytes()) {
                self.blocks.consume(at + 1);
                return Ok(true);
            }
            if self.blocks.eof() {
                self.blocks.consume(usize::MAX);
                return Ok(false);
            }
            self.blocks.consume(usize::MAX);
            self.blocks.fill()?;
        }
    }
}

/// Reads ahead and puts what was read in front again.
fn peek(mut reader: Box<dyn Read + Send>, most: usize, key: &str) -> Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut head = Vec::new();
    reader.by_ref().take(most as u64).read_to_end(&mut head).map_err(|error| from_io(error, key))?;
    let chained = std::io::Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(chained)))
}

fn skip(reader: &mut Box<dyn Read + Send>, bytes: usize, key: &str) -> Result<()> {
    let mut mark = vec![0; bytes];
    reader.read_exact(&mut mark).map_err(|error| from_io(error, key))
}

/// The line, counted from 1, of a place in the text; for messages, so none if it cannot be found out.
pub(crate) fn line_of(
    objects: &dyn Objects,
    object: &Object,
    options: &Options,
    terminator: u8,
    at: u64,
) -> Option<u64> {
    let mut blocks = open(objects, object, options, 1 << 20).ok()?.blocks;
    let mut lines = 1;
    loop {
        let left = usize::try_from(at.checked_sub(blocks.offset())?).ok()?;
        let bytes = blocks.bytes();
        let before = bytes.get(..left.min(bytes.len()))?;
        lines += memchr::memchr_iter(terminator, before).count() as u64;
        if left <= bytes.len() {
            return Some(lines);
        }
        blocks.consume(usize::MAX);
        if blocks.eof() {
            return None;
        }
        blocks.fill().ok()?;
    }
}
