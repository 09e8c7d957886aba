//! Where a read sends its rows.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::host::Host;
use crate::ipc::Encoder;
use crate::{Cursor, Error, Result};

/// What to do after a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directive {
    /// Go on.
    Continue,
    /// Return from `read` now; a later read goes on from this checkpoint.
    Stop,
}

/// The way out for the rows of one read.
pub struct Output {
    host: &'static dyn Host,
}

impl Output {
    pub(crate) fn new(host: &'static dyn Host) -> Self {
        Self { host }
    }

    /// Announces a stream of the split; its schema must be the plan's. Declaring a stream again announces a new schema.
    ///
    /// # Errors
    /// If the host refuses the schema.
    pub fn stream(&mut self, id: &str, schema: SchemaRef) -> Result<Channel> {
        let number = self.host.declare(id, &crate::ipc::schema_message(&schema)?)?;
        Ok(Channel { host: self.host, number, schema, encoder: Encoder::default(), rows: 0 })
    }
}

/// A stream that was announced.
pub struct Channel {
    host: &'static dyn Host,
    number: u32,
    schema: SchemaRef,
    encoder: Encoder,
    rows: u64,
}

impl Channel {
    /// The schema of every batch.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Rows pushed so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Hands a batch to the host and returns when the host has room for another.
    ///
    /// # Errors
    /// If the batch does not have the announced schema, or the host ends the read; pass it on.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.schema_ref().fields() != self.schema.fields() {
            return Err(Error::internal("a batch does not have the schema that its stream announced"));
        }
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let host = self.host;
        let number = self.number;
        self.encoder.encode(batch, |metadata, body| host.push_parts(number, metadata, body))?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Hands over an encapsulated Arrow record batch message as it came from the source, without decoding it. `rows` is what
    /// the source says is in it: the host counts for itself, and a checkpoint that does not agree ends the read.
    ///
    /// # Errors
    /// If the host ends the read; pass it on. A message that is not one, or not of the announced schema, ends the instance.
    pub fn push_message(&mut self, message: &[u8], rows: u64) -> Result<()> {
        self.host.push(self.number, message)?;
        self.rows += rows;
        Ok(())
    }

    /// States that everything pushed so far is complete up to this cursor.
    ///
    /// # Errors
    /// If the host ends the read; pass it on.
    pub fn checkpoint(&mut self, cursor: &Cursor) -> Result<Directive> {
        self.host.checkpoint(self.number, cursor, self.rows)
    }
}
