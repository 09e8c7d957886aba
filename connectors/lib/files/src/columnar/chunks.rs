//! Ranged reads of a Parquet file, so that a file is never in memory as a whole.

use std::collections::VecDeque;
use std::io::Read;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use sluice_sdk::Error;

use crate::objects::{Object, Objects};

/// Bytes at the end of a file that are read at once: most footers are smaller.
const TAIL: u64 = 64 << 10;

/// Bytes of a column that are read at once at least: pages are small, and each read costs a round trip.
const WINDOW: u64 = 256 << 10;

/// Bytes of a column that are read at once at most.
const MAX_WINDOW: u64 = 8 << 20;

/// Bytes between two columns that are read rather than left out.
const GAP: u64 = 64 << 10;

/// Bytes that are kept altogether.
const KEPT: u64 = 16 << 20;

/// A file as the Parquet reader wants it.
#[derive(Clone)]
pub(crate) struct Chunks {
    objects: Arc<dyn Objects>,
    object: Object,
    kept: Arc<Mutex<Kept>>,
}

/// What has been read and may be asked for again, and what will be asked for.
#[derive(Default)]
struct Kept {
    windows: VecDeque<(u64, Bytes)>,
    /// The wanted columns of each row group, in the order of the file.
    groups: Vec<Vec<Range<u64>>>,
    /// Bytes of a column that are read at once.
    window: u64,
}

impl Chunks {
    pub(crate) fn new(objects: &Arc<dyn Objects>, object: &Object) -> Self {
        Self { objects: Arc::clone(objects), object: object.clone(), kept: Arc::default() }
    }

    /// Says which columns of which row groups will be read, so that all of a group are fetched together.
    pub(crate) fn expect(&self, mut groups: Vec<Vec<Range<u64>>>) {
        groups.iter_mut().for_each(|columns| columns.sort_unstable_by_key(|range| range.start));
        let columns = groups.iter().map(Vec::len).max().unwrap_or_default().max(1) as u64;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.window = (KEPT / 2 / columns).clamp(WINDOW, MAX_WINDOW);
        kept.groups = groups;
    }

    /// Bytes of the file, from memory where they are.
    fn bytes(&self, start: u64, length: u64) -> Result<Bytes, ParquetError> {
        let end = start.checked_add(length).filter(|end| *end <= self.object.size).ok_or_else(|| {
            let size = self.object.size;
            ParquetError::General(format!("bytes {start} to {start}+{length} lie beyond the file's {size}"))
        })?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept.windows.iter().find_map(|(from, bytes)| slice(*from, bytes, start, length)) {
            return Ok(found);
        }
        let ranges = kept.ranges(start..end, self.object.size);
        let fetched = self.objects.fetch(&self.object, &ranges);
        let fetched = fetched.map_err(|error: Error| ParquetError::External(Box::new(error)))?;
        kept.keep(ranges.iter().map(|range| range.start).zip(fetched));
        let found = kept.windows.iter().find_map(|(from, bytes)| slice(*from, bytes, start, length));
        found.ok_or_else(|| ParquetError::EOF("the file became shorter".into()))
    }
}

impl Kept {
    /// What to read where these bytes are wanted: more of their column, and the beginnings of the columns behind it.
    fn ranges(&self, wanted: Range<u64>, size: u64) -> Vec<Range<u64>> {
        let holds = |column: &&Range<u64>| column.start <= wanted.start && wanted.start < column.end;
        let found = self.groups.iter().find_map(|group| group.iter().find(holds).map(|column| (group, column)));
        let Some((group, column)) = found else {
            let tail = size.saturating_sub(TAIL);
            let start = if wanted.start >= tail { tail } else { wanted.start };
            let end = wanted.end.max(wanted.start.saturating_add(WINDOW)).min(size);
            return std::iter::once(start..end).collect();
        };
        let until = |column: &Range<u64>, start: u64| column.end.min(start.saturating_add(self.window)).min(size);
        let first = wanted.start..wanted.end.max(until(column, wanted.start));
        let mut ranges: Vec<Range<u64>> = std::iter::once(first).collect();
        if wanted.start > column.start {
            return ranges;
        }
        let mut total = self.window;
        for other in group.iter().filter(|other| other.start > column.start && other.start < size) {
            let there = self.windows.iter().any(|(from, bytes)| slice(*from, bytes, other.start, 1).is_some());
            let next = other.start..until(other, other.start);
            total = total.saturating_add(next.end.saturating_sub(next.start));
            if there || total > KEPT / 2 {
                continue;
            }
            match ranges.last_mut() {
                Some(last) if next.start <= last.end.saturating_add(GAP) && next.end <= last.start + MAX_WINDOW => {
                    last.end = last.end.max(next.end);
                }
                _ => ranges.push(next),
            }
        }
        ranges
    }

    fn keep(&mut self, fetched: impl Iterator<Item = (u64, Bytes)>) {
        self.windows.extend(fetched);
        let mut total: u64 = self.windows.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        while total > KEPT && self.windows.len() > 1 {
            total -= self.windows.pop_front().map_or(0, |(_, bytes)| bytes.len() as u64);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn only(ranges: &[Range<u64>]) -> (u64, u64) {
        assert_eq!(ranges.len(), 1, "{ranges:?}");
        (ranges[0].start, ranges[0].end)
    }

    #[test]
    fn the_columns_of_a_row_group_are_fetched_together() {
        let group = vec![4..MIB, MIB..2 * MIB, 40 * MIB..41 * MIB];
        let kept = Kept { groups: vec![group], window: 4 * MIB, ..Kept::default() };
        // Neighbours in one request, what is far away in its own.
        assert_eq!(kept.ranges(4..100, 50 * MIB), [4..2 * MIB, 40 * MIB..41 * MIB]);
        // In the middle of a column, only more of it.
        assert_eq!(only(&kept.ranges(MIB + 5..MIB + 9, 50 * MIB)), (MIB + 5, 2 * MIB));
    }

    #[test]
    fn wide_groups_do_not_fill_the_memory() {
        let group: Vec<_> = (0..1000).map(|n| n * MIB..(n + 1) * MIB).collect();
        let kept = Kept { groups: vec![group], window: WINDOW, ..Kept::default() };
        let ranges = kept.ranges(0..100, 1000 * MIB);
        assert!(ranges.iter().map(|range| range.end - range.start).sum::<u64>() <= KEPT / 2, "{}", ranges.len());
    }

    #[test]
    fn the_end_of_a_file_is_read_at_once() {
        assert_eq!(only(&Kept::default().ranges(MIB - 8..MIB, MIB)), (MIB - TAIL, MIB));
        assert_eq!(only(&Kept::default().ranges(92..100, 100)), (0, 100));
    }
}
