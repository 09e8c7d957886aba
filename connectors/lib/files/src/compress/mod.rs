//! Compressed files, read as what they hold, with a fence against content that is out of all proportion.
//!
//! To add a compression: its name in [`Compression`], how it is told by a file's first bytes in [`detect`], its reader in [`decoder`],
//! its endings in `format.rs`. A reader must say when a file is cut off, as far as its format lets it, and must hold no more than a
//! block of it.

mod hadoop;
mod lz4;

use std::io::{BufRead, BufReader, Read};

use sluice_sdk::{Error, Result};

use crate::objects::{from_io, to_io};
use crate::options::Compression;

/// Content up to this size is never a bomb, bytes.
const FREE: u64 = 64 << 20;

/// The largest zstd window that is accepted, as a power of two.
const WINDOW_LOG_MAX: u32 = 27;

/// What framed Snappy starts with.
const SNAPPY_FRAMES: &[u8] = b"\xff\x06\0\0sNaPpY";

/// Bytes of a file that tell its compression.
pub(crate) const SIGNATURE: usize = hadoop::SIGNATURE;

/// The compression of a file that starts with these bytes.
///
/// # Errors
/// `protocol` if the name promises one that is not there, because the other ways in which Snappy and LZ4 are written have no start
/// to know them by, and would be taken for text.
pub(crate) fn detect(start: &[u8], wanted: Compression, key: &str) -> Result<Compression> {
    if wanted != Compression::Auto {
        return Ok(wanted);
    }
    match start {
        [0x1f, 0x8b, ..] => Ok(Compression::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Ok(Compression::Zstd),
        _ if lz4::starts(start) => Ok(Compression::Lz4),
        _ if start.starts_with(SNAPPY_FRAMES) || hadoop::starts(start) => Ok(Compression::Snappy),
        [_, ..] if named_otherwise(key) => Err(Error::protocol(format!(
            "{key} is named like a compressed file, but is neither in LZ4 frames nor in Snappy's frames or Hadoop's blocks of \
             Snappy; write it as one of them, or set options.compression"
        ))),
        _ => Ok(Compression::None),
    }
}

fn named_otherwise(key: &str) -> bool {
    let name = key.to_ascii_lowercase();
    [".lz4", ".snappy", ".sz"].iter().any(|ending| name.ends_with(ending))
}

/// Reads the content of a compressed file.
pub(crate) fn decoder(
    compression: Compression,
    inner: impl Read + Send + 'static,
    key: &str,
    size: u64,
    max_ratio: u32,
) -> Result<Box<dyn Read + Send>> {
    let mut inner = BufReader::with_capacity(128 << 10, inner);
    let decoded: Box<dyn Read + Send> = match compression {
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(inner)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(inner).map_err(|e| broken(key, &e))?;
            decoder.window_log_max(WINDOW_LOG_MAX).map_err(|e| broken(key, &e))?;
            Box::new(decoder)
        }
        Compression::Snappy => {
            if inner.fill_buf().map_err(|error| from_io(error, key))?.starts_with(SNAPPY_FRAMES) {
                Box::new(snap::read::FrameDecoder::new(inner))
            } else {
                Box::new(hadoop::Hadoop::new(inner, key))
            }
        }
        Compression::Lz4 => Box::new(lz4::Lz4::new(inner, key)),
        Compression::None | Compression::Auto => return Ok(Box::new(inner)),
    };
    let most = size.saturating_mul(u64::from(max_ratio)).max(FREE);
    Ok(Box::new(Fence { inner: decoded, left: most, max_ratio, key: key.to_owned() }))
}

fn broken(key: &str, error: &std::io::Error) -> Error {
    Error::protocol(format!("{key} is compressed, and broken or cut off: {error}; write the file again"))
}

struct Fence {
    inner: Box<dyn Read + Send>,
    left: u64,
    max_ratio: u32,
    key: String,
}

impl Read for Fence {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer).map_err(|error| {
            let ours = error.get_ref().is_some_and(|inner| inner.is::<Error>());
            if ours { error } else { to_io(broken(&self.key, &error)) }
        })?;
        self.left = match self.left.checked_sub(read as u64) {
            Some(left) => left,
            None => {
                return Err(to_io(Error::protocol(format!(
                    "{} grows to more than {} times its size when it is decompressed, which looks like a bomb; raise \
                     max_ratio if it is none",
                    self.key, self.max_ratio
                ))));
            }
        };
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
