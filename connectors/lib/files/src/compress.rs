//! Compressed files, read as what they hold, with a fence against content that is out of all proportion.

use std::io::{BufReader, Read};

use sluice_sdk::{Error, Result};

use crate::objects::to_io;
use crate::options::Compression;

/// Content up to this size is never a bomb, bytes.
const FREE: u64 = 64 << 20;

/// The largest zstd window that is accepted, as a power of two.
const WINDOW_LOG_MAX: u32 = 27;

/// The compression of a file that starts with these bytes.
pub(crate) fn detect(start: &[u8], wanted: Compression) -> Compression {
    match (wanted, start) {
        (Compression::Auto, [0x1f, 0x8b, ..]) => Compression::Gzip,
        (Compression::Auto, [0x28, 0xb5, 0x2f, 0xfd, ..]) => Compression::Zstd,
        (Compression::Auto, _) => Compression::None,
        (named, _) => named,
    }
}

/// Reads the content of a compressed file.
pub(crate) fn decoder(
    compression: Compression,
    inner: impl Read + Send + 'static,
    key: &str,
    size: u64,
    max_ratio: u32,
) -> Result<Box<dyn Read + Send>> {
    let inner = BufReader::with_capacity(128 << 10, inner);
    let decoded: Box<dyn Read + Send> = match compression {
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(inner)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(inner).map_err(|e| broken(key, &e))?;
            decoder.window_log_max(WINDOW_LOG_MAX).map_err(|e| broken(key, &e))?;
            Box::new(decoder)
        }
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
