//! LZ4 frames, one after the other, with every checksum that they have verified.
//!
//! Blocks are decoded by `lz4_flex`; the frames around them are read here, because its own reader takes a file that ends between two
//! blocks for a whole one, and refuses the frames that others skip.

use std::hash::Hasher;
use std::io::{Error as IoError, ErrorKind, Read, Result};

use sluice_sdk::Error;
use twox_hash::XxHash32;

use crate::objects::to_io;

/// What a frame starts with, as a number.
const FRAME: u32 = 0x184d_2204;

/// What a frame of the format before this one starts with: it has no checksums and no end.
const LEGACY: u32 = 0x184c_2102;

/// Frames that are for somebody else, all but the last four bits.
const SKIPPABLE: u32 = 0x184d_2a50;

/// How far back a block may refer.
const WINDOW: usize = 64 << 10;

/// Bits of a frame's first byte.
mod flag {
    pub(super) const VERSION: u8 = 0b1100_0000;
    pub(super) const VERSION_1: u8 = 0b0100_0000;
    pub(super) const INDEPENDENT: u8 = 0b0010_0000;
    pub(super) const BLOCK_CHECKSUM: u8 = 0b0001_0000;
    pub(super) const SIZE: u8 = 0b0000_1000;
    pub(super) const CHECKSUM: u8 = 0b0000_0100;
    pub(super) const RESERVED: u8 = 0b0000_0010;
    pub(super) const DICTIONARY: u8 = 0b0000_0001;
}

/// Whether a file starts like one of LZ4's, of either format.
pub(super) fn starts(start: &[u8]) -> bool {
    let magic = start.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    matches!(magic, Some(FRAME | LEGACY))
}

/// Decodes frames to the end of a file.
pub(super) struct Lz4<R> {
    inner: R,
    key: String,
    frame: Option<Frame>,
    /// A block as it is stored.
    stored: Vec<u8>,
    /// What the next block may refer to, and behind it the block that was decoded last.
    content: Vec<u8>,
    /// What of that has not been handed out starts here.
    at: usize,
}

/// The frame that is being read.
struct Frame {
    flags: u8,
    largest_block: usize,
    size: Option<u64>,
    seen: u64,
    hasher: XxHash32,
}

impl<R: Read> Lz4<R> {
    pub(super) fn new(inner: R, key: &str) -> Self {
        Self { inner, key: key.to_owned(), frame: None, stored: Vec::new(), content: Vec::new(), at: 0 }
    }

    /// Goes on by one frame's start, one block or one frame's end; false at the end of the file.
    fn step(&mut self) -> Result<bool> {
        match self.frame.take() {
            None => self.begin(),
            Some(frame) => {
                self.frame = self.block(frame)?;
                Ok(true)
            }
        }
    }

    fn begin(&mut self) -> Result<bool> {
        let mut magic = [0; 4];
        let first = loop {
            match self.inner.read(&mut magic) {
                Ok(0) => return Ok(false),
                Ok(read) => break read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        };
        self.inner.read_exact(magic.get_mut(first..).unwrap_or_default())?;
        match u32::from_le_bytes(magic) {
            FRAME => self.frame = Some(self.header()?),
            LEGACY => {
                return Err(to_io(Error::unsupported(format!(
                    "{} is in LZ4's legacy format, which tells neither damage nor its own end; compress it again with a \
                     program that writes LZ4 frames, such as `lz4` without -l",
                    self.key
                ))));
            }
            other if other & !0xf == SKIPPABLE => {
                let length = u64::from(u32::from_le_bytes(self.array()?));
                if std::io::copy(&mut self.inner.by_ref().take(length), &mut std::io::sink())? < length {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
            }
            _ => return Err(damaged("an LZ4 frame should start where something else is")),
        }
        Ok(true)
    }

    fn header(&mut self) -> Result<Frame> {
        let mut hasher = XxHash32::with_seed(0);
        let [flags, block] = self.array()?;
        hasher.write(&[flags, block]);
        let mut size = None;
        if flags & flag::SIZE != 0 {
            let bytes = self.array()?;
            hasher.write(&bytes);
            size = Some(u64::from_le_bytes(bytes));
        }
        if flags & flag::DICTIONARY != 0 {
            let bytes: [u8; 4] = self.array()?;
            hasher.write(&bytes);
        }
        let [check] = self.array()?;
        if check != (hasher.finish() >> 8) as u8 {
            return Err(damaged("the checksum of an LZ4 frame's header is wrong"));
        }
        if flags & flag::VERSION != flag::VERSION_1 || flags & flag::RESERVED != 0 || block & 0b1000_1111 != 0 {
            return Err(self.unsupported("is in a version of LZ4's frame format that is not known"));
        }
        if flags & flag::DICTIONARY != 0 {
            return Err(self.unsupported("needs an LZ4 dictionary"));
        }
        let largest_block = match block >> 4 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            _ => return Err(self.unsupported("has LZ4 blocks of a size that is not known")),
        };
        self.content.clear();
        self.at = 0;
        Ok(Frame { flags, largest_block, size, seen: 0, hasher: XxHash32::with_seed(0) })
    }

    /// Reads a block, or the frame's end, of which no frame is left.
    fn block(&mut self, mut frame: Frame) -> Result<Option<Frame>> {
        let head = u32::from_le_bytes(self.array()?);
        if head == 0 {
            return self.end(&frame).map(|()| None);
        }
        let length = (head & 0x7fff_ffff) as usize;
        if length > frame.largest_block {
            return Err(damaged("an LZ4 block is longer than its frame allows"));
        }
        self.stored.resize(length, 0);
        self.inner.read_exact(&mut self.stored)?;
        if frame.flags & flag::BLOCK_CHECKSUM != 0 && u32::from_le_bytes(self.array()?) != checksum(&self.stored) {
            return Err(damaged("the checksum of an LZ4 block is wrong"));
        }
        let kept = if frame.flags & flag::INDEPENDENT == 0 { self.content.len().min(WINDOW) } else { 0 };
        self.content.drain(..self.content.len() - kept);
        self.at = kept;
        if head & 0x8000_0000 != 0 {
            self.content.extend_from_slice(&self.stored);
        } else {
            self.content.resize(kept + frame.largest_block, 0);
            let (window, block) = self.content.split_at_mut(kept);
            let decoded = lz4_flex::block::decompress_into_with_dict(&self.stored, block, window)
                .map_err(|error| IoError::new(ErrorKind::InvalidData, error))?;
            self.content.truncate(kept + decoded);
        }
        let block = self.content.get(kept..).unwrap_or_default();
        frame.seen = frame.seen.saturating_add(block.len() as u64);
        if frame.flags & flag::CHECKSUM != 0 {
            frame.hasher.write(block);
        }
        Ok(Some(frame))
    }

    fn end(&mut self, frame: &Frame) -> Result<()> {
        if frame.flags & flag::CHECKSUM != 0 && u32::from_le_bytes(self.array()?) != frame.hasher.finish() as u32 {
            return Err(damaged("the checksum of an LZ4 frame's content is wrong"));
        }
        if frame.size.is_some_and(|size| size != frame.seen) {
            return Err(damaged("an LZ4 frame's content is not as long as its header says"));
        }
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn unsupported(&self, what: &str) -> IoError {
        to_io(Error::unsupported(format!("{} {what}; compress it again without that", self.key)))
    }
}

impl<R: Read> Read for Lz4<R> {
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

fn checksum(bytes: &[u8]) -> u32 {
    XxHash32::oneshot(0, bytes)
}

fn damaged(what: &str) -> IoError {
    IoError::new(ErrorKind::InvalidData, what)
}
