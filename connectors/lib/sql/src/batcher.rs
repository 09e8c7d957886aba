//! Cutting rows into batches by what they weigh in Arrow.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use sluice_sdk::{Channel, Cursor, Directive, Result};

/// Most rows of a batch, whatever they weigh.
const MAX_ROWS: u32 = 1 << 20;

/// Columns that take rows.
pub trait Columns {
    /// Bytes that the values take in Arrow.
    fn bytes(&self) -> usize;

    /// The values as arrays; the columns are empty again.
    ///
    /// # Errors
    /// Names the column whose values cannot be one.
    fn finish(&mut self) -> Result<Vec<ArrayRef>>;
}

/// Pushes a batch whenever the columns weigh enough.
pub struct Batcher<C> {
    /// Where rows go.
    pub columns: C,
    channel: Channel,
    schema: SchemaRef,
    rows: u32,
    target: usize,
    /// Bytes received for this batch, and at how many of them its weight is looked at again.
    received: usize,
    weigh_at: usize,
}

impl<C: Columns> Batcher<C> {
    /// Batches of about `batch_bytes`.
    pub fn new(columns: C, channel: Channel, batch_bytes: u64) -> Self {
        let target = usize::try_from(batch_bytes).unwrap_or(usize::MAX).clamp(1 << 10, 256 << 20);
        let schema = Arc::clone(channel.schema());
        Self { columns, channel, schema, rows: 0, target, received: 0, weigh_at: target / 8 }
    }

    /// Counts a row that the columns have taken, which was that many bytes when it came.
    ///
    /// # Errors
    /// If a batch cannot be made, or the host ends the read.
    #[inline]
    pub fn row(&mut self, received: usize) -> Result<()> {
        self.rows += 1;
        self.received += received;
        if self.received >= self.weigh_at || self.rows >= MAX_ROWS {
            self.weigh()?;
        }
        Ok(())
    }

    /// Weighs what the columns hold, and either pushes it or says when to weigh again. A byte received can become several in
    /// Arrow (a NULL decimal is a bit or four bytes on the wire and sixteen there), so the scales are used early and often.
    #[cold]
    fn weigh(&mut self) -> Result<()> {
        let left = self.target.saturating_sub(self.columns.bytes());
        if left < self.target / 64 || self.rows >= MAX_ROWS {
            return self.flush();
        }
        self.weigh_at = self.received + (left / 8).max(1);
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let arrays = self.columns.finish()?;
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows as usize));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?;
        self.rows = 0;
        self.received = 0;
        self.weigh_at = self.target / 8;
        self.channel.push(&batch)
    }

    /// Pushes what is left, and says with this cursor that the split is complete. Returns the columns.
    ///
    /// # Errors
    /// As [`Self::row`].
    pub fn end(mut self, done: &Cursor) -> Result<C> {
        self.flush()?;
        match self.channel.checkpoint(done)? {
            Directive::Continue | Directive::Stop => Ok(self.columns),
        }
    }
}
