//! arrow-rs reading a Parquet file: its row groups shared out among threads, batches dropped.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, anyhow};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};

/// Reads every column of every row; returns the number of rows.
pub(crate) fn read(file: &Path, threads: usize) -> Result<u64> {
    let opened = || File::open(file).with_context(|| format!("opening {}", file.display()));
    let metadata = ArrowReaderMetadata::load(&opened()?, Default::default())?;
    let next = AtomicUsize::new(0);
    let worker = || -> Result<u64> {
        let mut rows = 0;
        loop {
            let group = next.fetch_add(1, Ordering::Relaxed);
            if group >= metadata.metadata().num_row_groups() {
                return Ok(rows);
            }
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(opened()?, metadata.clone());
            for batch in builder.with_row_groups(vec![group]).with_batch_size(8192).build()? {
                rows += batch?.num_rows() as u64;
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| anyhow!("a thread panicked"))?).sum()
    })
}
