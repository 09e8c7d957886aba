//! Arrow IPC messages as the contract wants them: encapsulated, uncompressed, no dictionaries.
//!
//! A batch is not copied here: [`Encoder`] writes only the message's metadata, and the body is the buffers of the arrays where
//! they lie, for the host to lay out. What an array looks like in a body is known by `pieces`.

mod pieces;
#[cfg(test)]
mod tests;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions, write_message};
use arrow_ipc::{MessageBuilder, MessageHeader, MetadataVersion, RecordBatchBuilder};
use arrow_schema::Schema;
use flatbuffers::FlatBufferBuilder;

use crate::Result;
use pieces::Pieces;

/// Where the host lays the pieces of a body: at multiples of this.
pub(crate) const ALIGNMENT: usize = 64;

/// Marks an encapsulated message.
const CONTINUATION: [u8; 4] = [0xff; 4];

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

/// How many rows a record batch message holds, as its metadata says.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn rows(message: &[u8]) -> Result<u64> {
    // Behind the continuation mark and the length of the metadata.
    let metadata = message.get(8..).unwrap_or_default();
    let message = arrow_ipc::root_as_message(metadata)
        .map_err(|e| crate::Error::internal(format!("a message that is none was pushed: {e}")))?;
    let batch = message.header_as_record_batch().ok_or_else(|| crate::Error::internal("a message is no batch"))?;
    Ok(u64::try_from(batch.length()).unwrap_or_default())
}

/// Lays a message out as the host does, for those who want it in one piece.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn gather(metadata: &[u8], body: &[&[u8]]) -> Vec<u8> {
    let mut message = metadata.to_vec();
    for piece in body {
        message.extend_from_slice(piece);
        let filled = metadata.len() + (message.len() - metadata.len()).next_multiple_of(ALIGNMENT);
        message.resize(filled, 0);
    }
    message
}

/// Encodes batches one after the other, keeping what it writes into.
#[derive(Default)]
pub(crate) struct Encoder {
    pieces: Pieces,
    flatbuffer: FlatBufferBuilder<'static>,
    metadata: Vec<u8>,
}

impl Encoder {
    /// Shows the metadata of a batch's message and the pieces of its body to `send`.
    ///
    /// # Errors
    /// If a column has a type that the contract does not carry, and what `send` returns.
    pub(crate) fn encode(
        &mut self,
        batch: &RecordBatch,
        send: impl FnOnce(&[u8], &[&[u8]]) -> Result<()>,
    ) -> Result<()> {
        // Taken, so that nothing of the batch is kept alive, whichever way this ends.
        let mut pieces = std::mem::take(&mut self.pieces);
        batch.columns().iter().try_for_each(|column| pieces.add(column))?;
        self.describe(&pieces, batch.num_rows());
        let body: Vec<&[u8]> = pieces.buffers.iter().map(Buffer::as_slice).collect();
        let sent = send(&self.metadata, &body);
        pieces.clear();
        self.pieces = pieces;
        sent
    }

    /// Writes everything of the message that stands before the body.
    fn describe(&mut self, pieces: &Pieces, rows: usize) {
        let builder = &mut self.flatbuffer;
        builder.reset();
        let nodes = builder.create_vector(&pieces.nodes);
        let buffers = builder.create_vector(&pieces.places);
        let mut batch = RecordBatchBuilder::new(builder);
        batch.add_length(rows as i64);
        batch.add_nodes(nodes);
        batch.add_buffers(buffers);
        let batch = batch.finish();
        let mut message = MessageBuilder::new(builder);
        message.add_version(MetadataVersion::V5);
        message.add_header_type(MessageHeader::RecordBatch);
        message.add_bodyLength(pieces.length as i64);
        message.add_header(batch.as_union_value());
        let message = message.finish();
        builder.finish(message, None);

        let flatbuffer = self.flatbuffer.finished_data();
        let length = flatbuffer.len().next_multiple_of(8);
        self.metadata.clear();
        self.metadata.extend_from_slice(&CONTINUATION);
        self.metadata.extend_from_slice(&(length as u32).to_le_bytes());
        self.metadata.extend_from_slice(flatbuffer);
        self.metadata.resize(CONTINUATION.len() + 4 + length, 0);
    }
}
