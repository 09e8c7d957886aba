//! How many rows repeat an earlier one, in memory that is known beforehand.
//!
//! Each row leaves a 64-bit hash, eight bytes, and no more: [`MOST`] rows are 80 MB. The hashes are keyed by the run's id, so that
//! nobody can make two rows collide on purpose. Two different rows of ten million share a hash with a probability of three in a
//! million; the check finds one repetition too many then, and another run finds none.

use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::{Array, RecordBatch};

use super::values::Values;

/// Most rows that one check compares in a run.
pub(super) const MOST: u64 = 10_000_000;

/// Parts by the hash's first byte: each grows and is sorted by itself, so there is never a second copy of all of them.
const PARTS: usize = 256;

/// What all splits share of a check.
#[derive(Clone)]
pub(super) struct Distinct {
    columns: Vec<usize>,
    key: DefaultHasher,
    rows: Arc<AtomicU64>,
    most: u64,
}

/// The hashes of a split's rows.
pub(super) struct Hashes {
    of: Distinct,
    parts: Vec<Vec<u64>>,
}

impl Distinct {
    pub(super) fn new(columns: Vec<usize>, run: &str, most: u64) -> Self {
        let mut key = DefaultHasher::new();
        key.write(run.as_bytes());
        key.write_u8(0xff);
        Self { columns, key, rows: Arc::default(), most }
    }

    pub(super) fn most(&self) -> u64 {
        self.most
    }

    pub(super) fn hashes(&self) -> Hashes {
        Hashes { of: self.clone(), parts: Vec::new() }
    }

    pub(super) fn too_many(&self) -> bool {
        self.rows.load(Ordering::Relaxed) > self.most
    }
}

impl Hashes {
    /// Adds the rows of a batch, but not those with NULL in one of the columns; says whether there are too many by now.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> bool {
        let arrays: Vec<&dyn Array> =
            self.of.columns.iter().filter_map(|c| batch.columns().get(*c)).map(AsRef::as_ref).collect();
        let rows = self.of.rows.fetch_add(batch.num_rows() as u64, Ordering::Relaxed) + batch.num_rows() as u64;
        if rows > self.of.most {
            self.parts = Vec::new();
            return true;
        }
        self.parts.resize_with(PARTS, Vec::new);
        let values: Vec<(Values<'_>, bool)> =
            arrays.iter().filter_map(|array| Some((Values::of(*array)?, array.null_count() > 0))).collect();
        for row in 0..batch.num_rows() {
            if values.iter().zip(&arrays).any(|((_, nullable), array)| *nullable && array.is_null(row)) {
                continue;
            }
            let mut hasher = self.of.key.clone();
            values.iter().for_each(|(values, _)| values.feed(row, &mut hasher));
            let hash = hasher.finish();
            if let Some(part) = self.parts.get_mut(usize::from(hash.to_be_bytes()[0])) {
                part.push(hash);
            }
        }
        false
    }
}

/// How many rows of all splits repeat another.
pub(super) fn repeated(splits: Vec<Hashes>) -> u64 {
    let mut parts: Vec<Vec<u64>> = Vec::new();
    for split in splits {
        parts.resize_with(PARTS, Vec::new);
        for (all, mut part) in parts.iter_mut().zip(split.parts) {
            if all.is_empty() {
                *all = part;
            } else {
                all.append(&mut part);
            }
        }
    }
    let repeated = parts.into_iter().map(|mut part| {
        let rows = part.len();
        part.sort_unstable();
        part.dedup();
        (rows - part.len()) as u64
    });
    repeated.sum()
}
