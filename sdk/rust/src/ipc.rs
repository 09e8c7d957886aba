//! Arrow IPC messages as the contract wants them: encapsulated, uncompressed, no dictionaries.

use arrow_array::RecordBatch;
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, write_message};
use arrow_schema::Schema;

use crate::Result;

/// The encapsulated schema message, for descriptors that carry a schema.
///
/// # Errors
/// Only for what Arrow cannot encode.
pub fn schema_message(schema: &Schema) -> Result<Vec<u8>> {
    let options = IpcWriteOptions::default();
    let mut tracker = DictionaryTracker::new(false);
    let encoded = IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(schema, &mut tracker, &options);
    let mut message = Vec::new();
    write_message(&mut message, encoded, &options)?;
    Ok(message)
}

/// How many rows a record batch message holds, as it says itself.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn rows(message: &[u8]) -> Result<u64> {
    // Behind the continuation mark and the length of the metadata.
    let metadata = message.get(8..).unwrap_or_default();
    let message = arrow_ipc::root_as_message(metadata)
        .map_err(|e| crate::Error::internal(format!("a message that is none was pushed: {e}")))?;
    let batch = message.header_as_record_batch().ok_or_else(|| crate::Error::internal("a message is no batch"))?;
    Ok(u64::try_from(batch.length()).unwrap_or_default())
}

/// Encodes batches one after the other, keeping its buffers.
pub(crate) struct Encoder {
    options: IpcWriteOptions,
    tracker: DictionaryTracker,
    context: IpcWriteContext,
    message: Vec<u8>,
}

impl Default for Encoder {
    fn default() -> Self {
        Self {
            options: IpcWriteOptions::default(),
            tracker: DictionaryTracker::new(false),
            context: IpcWriteContext::default(),
            message: Vec::new(),
        }
    }
}

impl Encoder {
    /// Encodes a batch and shows the message to `send`.
    pub(crate) fn encode(&mut self, batch: &RecordBatch, send: impl FnOnce(&[u8]) -> Result<()>) -> Result<()> {
        let (_, encoded) =
            IpcDataGenerator::default().encode(batch, &mut self.tracker, &self.options, &mut self.context)?;
        self.message.clear();
        write_message(&mut self.message, encoded, &self.options)?;
        send(&self.message)
    }
}
