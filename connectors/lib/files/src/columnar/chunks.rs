//! Ranged reads of a Parquet file, so that a file is never in memory as a whole.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use sluice_sdk::Error;

use crate::objects::{Exact, Object, Objects};

/// Bytes that are read at once: pages are small, and each read costs a round trip.
const WINDOW: u64 = 256 << 10;

/// Bytes that are kept altogether.
const KEPT: usize = 16 << 20;

/// A file as the Parquet reader wants it.
#[derive(Clone)]
pub(crate) struct Chunks {
    objects: Arc<dyn Objects>,
    object: Object,
    windows: Arc<Mutex<VecDeque<(u64, Bytes)>>>,
}

impl Chunks {
    pub(crate) fn new(objects: &Arc<dyn Objects>, object: &Object) -> Self {
        Self { objects: Arc::clone(objects), object: object.clone(), windows: Arc::default() }
    }

    /// Bytes of the file, from memory where they are.
    fn bytes(&self, start: u64, length: u64) -> Result<Bytes, ParquetError> {
        let end = start.checked_add(length).filter(|end| *end <= self.object.size).ok_or_else(|| {
            let size = self.object.size;
            ParquetError::General(format!("bytes {start} to {start}+{length} lie beyond the file's {size}"))
        })?;
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = windows.iter().find_map(|(from, bytes)| slice(*from, bytes, start, length)) {
            return Ok(found);
        }
        let window_end = end.max(start.saturating_add(WINDOW)).min(self.object.size);
        let bytes = Bytes::from(self.fetch(start, window_end)?);
        windows.push_back((start, bytes.clone()));
        let mut kept: usize = windows.iter().map(|(_, bytes)| bytes.len()).sum();
        while kept > KEPT && windows.len() > 1 {
            kept -= windows.pop_front().map_or(0, |(_, bytes)| bytes.len());
        }
        slice(start, &bytes, start, length).ok_or_else(|| ParquetError::EOF("the file became shorter".into()))
    }

    fn fetch(&self, start: u64, end: u64) -> Result<Vec<u8>, ParquetError> {
        let external = |error: Error| ParquetError::External(Box::new(error));
        let mut reader = Exact::open(&*self.objects, &self.object, start..end).map_err(external)?;
        let mut bytes = Vec::with_capacity(usize::try_from(end - start).unwrap_or_default());
        reader.read_to_end(&mut bytes).map_err(|error| external(crate::objects::from_io(error, &self.object.key)))?;
        Ok(bytes)
    }
}

fn slice(from: u64, bytes: &Bytes, start: u64, length: u64) -> Option<Bytes> {
    let first = usize::try_from(start.checked_sub(from)?).ok()?;
    let last = first.checked_add(usize::try_from(length).ok()?)?;
    (last <= bytes.len()).then(|| bytes.slice(first..last))
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.object.size
    }
}

impl ChunkReader for Chunks {
    type T = Reader;

    fn get_read(&self, start: u64) -> Result<Reader, ParquetError> {
        Ok(Reader { chunks: self.clone(), at: start })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.bytes(start, length as u64)
    }
}

/// Reads on from a place.
pub(crate) struct Reader {
    chunks: Chunks,
    at: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.chunks.object.size.saturating_sub(self.at);
        let most = left.min(buffer.len() as u64);
        let bytes = self.chunks.bytes(self.at, most).map_err(std::io::Error::other)?;
        buffer.iter_mut().zip(&bytes).for_each(|(to, from)| *to = *from);
        self.at += most;
        Ok(bytes.len())
    }
}
