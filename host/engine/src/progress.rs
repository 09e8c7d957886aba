//! What a run has done so far, for whoever watches: counters that a progress bar can read at any time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use sluice_core::run::StreamCounts;
use sluice_core::worker;

/// Counters of a run. Shared between the run and its watchers.
#[derive(Debug, Default)]
pub struct Progress {
    streams: RwLock<Vec<Arc<StreamProgress>>>,
}

impl Progress {
    /// Streams in the order in which they began.
    pub fn streams(&self) -> Vec<Arc<StreamProgress>> {
        self.streams.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn begin(&self, stream: &str, table: &str) -> Arc<StreamProgress> {
        let new = Arc::new(StreamProgress { stream: stream.into(), table: table.into(), ..StreamProgress::default() });
        self.streams.write().unwrap_or_else(PoisonError::into_inner).push(new.clone());
        new
    }
}

/// Counters of one stream.
#[derive(Debug, Default)]
pub struct StreamProgress {
    /// The stream.
    pub stream: String,
    /// Its table.
    pub table: String,
    read: AtomicU64,
    bytes: AtomicU64,
    quarantined: AtomicU64,
    nulled: AtomicU64,
    sent: AtomicU64,
    splits: AtomicU64,
    splits_done: AtomicU64,
    estimate: AtomicU64,
    ended: AtomicBool,
}

impl StreamProgress {
    /// The counts so far; what the sink has confirmed is known only at the end.
    pub fn counts(&self) -> StreamCounts {
        StreamCounts {
            read: self.read.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            quarantined: self.quarantined.load(Ordering::Relaxed),
            nulled: self.nulled.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
            finalized: 0,
            committed: 0,
        }
    }

    /// Splits that are read to their end, and all splits.
    pub fn splits(&self) -> (u64, u64) {
        (self.splits_done.load(Ordering::Relaxed), self.splits.load(Ordering::Relaxed))
    }

    /// Rows that the connector expects; none if it cannot tell.
    pub fn estimate(&self) -> Option<u64> {
        // Kept with one added, so that zero means unknown.
        self.estimate.load(Ordering::Relaxed).checked_sub(1)
    }

    /// Where it is now, for another process.
    pub fn snapshot(&self) -> worker::StreamProgress {
        let (splits_done, splits) = self.splits();
        worker::StreamProgress {
            stream: self.stream.clone(),
            table: self.table.clone(),
            counts: self.counts(),
            rows_estimated: self.estimate(),
            splits_done,
            splits,
            ended: self.ended(),
        }
    }

    /// Whether the stream has ended, well or badly.
    pub fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Counts from nothing: what was read so far is given up, and the stream is read anew.
    pub(crate) fn restart(&self) {
        for count in [&self.read, &self.bytes, &self.quarantined, &self.nulled, &self.sent, &self.splits_done] {
            count.store(0, Ordering::Relaxed);
        }
    }

    pub(crate) fn planned(&self, splits: usize, rows: Option<u64>) {
        self.splits.store(splits as u64, Ordering::Relaxed);
        self.estimate.store(rows.map_or(0, |rows| rows.saturating_add(1)), Ordering::Relaxed);
    }

    pub(crate) fn on_read(&self, rows: u64, bytes: u64) {
        self.read.fetch_add(rows, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn on_transformed(&self, quarantined: u64, nulled: u64) {
        self.quarantined.fetch_add(quarantined, Ordering::Relaxed);
        self.nulled.fetch_add(nulled, Ordering::Relaxed);
    }

    pub(crate) fn on_sent(&self, rows: u64) {
        self.sent.fetch_add(rows, Ordering::Relaxed);
    }

    pub(crate) fn on_split_done(&self) {
        self.splits_done.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn on_end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}
