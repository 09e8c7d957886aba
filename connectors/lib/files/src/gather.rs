//! Rows of small files put together: a batch for each of a million files of one line would cost more than reading them.

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use sluice_sdk::{Channel, Result};

/// Batches on their way to the host.
pub(crate) struct Gather {
    small: Vec<RecordBatch>,
    bytes: u64,
    /// Bytes of a batch that is not worth putting together with others.
    enough: u64,
}

impl Gather {
    /// Nothing yet; batches are to be about this large.
    pub(crate) fn new(batch_bytes: u64) -> Self {
        Self { small: Vec::new(), bytes: 0, enough: batch_bytes / 4 }
    }

    /// Takes rows behind all others, and hands over what is enough.
    pub(crate) fn push(&mut self, batch: RecordBatch, channel: &mut Channel) -> Result<()> {
        let bytes = batch.get_array_memory_size() as u64;
        if bytes >= self.enough {
            self.flush(channel)?;
            return channel.push(&batch);
        }
        self.bytes += bytes;
        self.small.push(batch);
        if self.bytes >= self.enough { self.flush(channel) } else { Ok(()) }
    }

    /// Nothing is held back: all rows that were taken are with the host.
    pub(crate) fn is_empty(&self) -> bool {
        self.small.is_empty()
    }

    /// Hands over what is held back.
    pub(crate) fn flush(&mut self, channel: &mut Channel) -> Result<()> {
        self.bytes = 0;
        match self.small.as_slice() {
            [] => {}
            [one] => channel.push(one)?,
            several => channel.push(&concat_batches(channel.schema(), several)?)?,
        }
        self.small.clear();
        Ok(())
    }
}
