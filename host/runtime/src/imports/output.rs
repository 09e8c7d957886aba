//! Where a guest's rows come in: declared, validated, counted against the limits and handed on with the memory they hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_schema::SchemaRef;
use sluice_core::limits::InstanceLimits;
use sluice_core::plan::Cursor;
use sluice_core::recording::Event;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::buffers::{Buffers, Pieces};
use crate::fault::Fault;
use crate::tape::Tape;
use crate::validate::rows::{Column, Value};
use crate::validate::{self, Refused};

/// Most channels of one read.
const MAX_CHANNELS: usize = 10_000;

/// Most pieces of a batch's body: three buffers for each of the fields that a schema may have.
const MAX_PIECES: usize = 30_000;

/// Arrow bytes that may be on their way at once, shared by all reads of a run. Counted in KiB.
#[derive(Clone, Debug)]
pub struct Budget {
    room: Arc<Semaphore>,
    total: u32,
}

impl Budget {
    /// Room for this many bytes.
    pub fn new(bytes: u64) -> Self {
        let total = u32::try_from(bytes / 1024).unwrap_or(u32::MAX).clamp(1, u32::MAX >> 4);
        Self { room: Arc::new(Semaphore::new(total as usize)), total }
    }

    /// Waits for room; a batch larger than all of it waits for all of it.
    async fn take(&self, bytes: usize) -> Result<InFlight, Fault> {
        let wanted = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).clamp(1, self.total);
        let permit = self.room.clone().acquire_many_owned(wanted).await.map_err(|_| Fault::Cancelled)?;
        Ok(InFlight { _permit: permit })
    }
}

/// The room that a batch takes until whoever holds it is done with it.
#[derive(Debug)]
pub struct InFlight {
    _permit: OwnedSemaphorePermit,
}

/// What a read yields, in the order in which the guest did it.
#[derive(Debug)]
pub enum ReadEvent {
    /// Rows.
    Batch {
        /// The stream.
        stream: Arc<str>,
        /// A valid batch of the declared schema.
        batch: RecordBatch,
        /// Arrow bytes pushed.
        bytes: u64,
        /// Keep it as long as the batch's memory is in use.
        in_flight: InFlight,
    },
    /// Everything of the stream so far is complete up to a cursor.
    Checkpoint {
        /// The stream.
        stream: Arc<str>,
        /// The position.
        cursor: Cursor,
        /// Rows of the stream pushed before it.
        rows: u64,
    },
    /// The batches that follow have another schema.
    SchemaChanged {
        /// The stream.
        stream: Arc<str>,
        /// The new schema.
        schema: SchemaRef,
    },
}

/// How a read ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadEnd {
    /// The split was read to its end.
    Finished,
    /// It stopped at its last checkpoint, because it was asked to.
    Stopped,
}

/// What a read may push.
pub(crate) struct ActiveRead {
    /// Streams of the split with their planned schemas.
    pub(crate) planned: Vec<(Arc<str>, SchemaRef)>,
    pub(crate) events: mpsc::Sender<ReadEvent>,
    pub(crate) budget: Budget,
    pub(crate) stop: Arc<AtomicBool>,
}

/// The output of an instance.
pub(crate) struct Output {
    limits: InstanceLimits,
    buffers: Buffers,
    read: Option<ActiveRead>,
    told_to_stop: bool,
    channels: Vec<Channel>,
    rows: u64,
    bytes: u64,
    tape: Option<Tape>,
}

struct Channel {
    stream: Arc<str>,
    schema: SchemaRef,
    rows: u64,
}

impl Output {
    pub(crate) fn new(limits: InstanceLimits, buffers: Buffers) -> Self {
        Self { limits, buffers, read: None, told_to_stop: false, channels: Vec::new(), rows: 0, bytes: 0, tape: None }
    }

    /// The same, whose rows and positions are taken down.
    pub(crate) fn with_tape(self, tape: Option<Tape>) -> Self {
        Self { tape, ..self }
    }

    pub(crate) fn begin(&mut self, read: ActiveRead) {
        self.channels.clear();
        self.rows = 0;
        self.bytes = 0;
        self.told_to_stop = false;
        self.read = Some(read);
    }

    /// Ends the read; whether it was told to stop.
    pub(crate) fn end(&mut self) -> ReadEnd {
        self.read = None;
        if self.told_to_stop { ReadEnd::Stopped } else { ReadEnd::Finished }
    }

    fn active(&self) -> Result<&ActiveRead, Fault> {
        self.read.as_ref().ok_or_else(|| contract("rows can only be pushed while a read runs"))
    }

    pub(crate) async fn declare(&mut self, stream: &str, message: &[u8]) -> Result<u32, Fault> {
        let refuse = |reason: String| Fault::Schema { stream: crate::text::printable(stream, 200), reason };
        let schema: SchemaRef = Arc::new(validate::schema::decode(message).map_err(|refused| refuse(refused.0))?);
        let read = self.active()?;
        let (name, planned) = read
            .planned
            .iter()
            .find(|(name, _)| **name == *stream)
            .ok_or_else(|| refuse("the split's plan does not have this stream".into()))?
            .clone();
        if self.channels.len() >= MAX_CHANNELS {
            return Err(contract("10,000 schemas were declared in one read; more are not taken"));
        }
        if self.channels.iter().any(|channel| channel.stream == name) {
            send(read, ReadEvent::SchemaChanged { stream: name.clone(), schema: schema.clone() }).await?;
        } else if let Some(difference) = validate::schema::difference(&planned, &schema) {
            return Err(refuse(format!("it is not the one that was planned: {difference}")));
        }
        if let Some(tape) = &self.tape {
            tape.push(Event::declare(&name, &schema), 40 * schema.fields().len());
        }
        self.channels.push(Channel { stream: name, schema, rows: 0 });
        u32::try_from(self.channels.len() - 1).map_err(|_| Fault::Gone)
    }

    /// Copies a batch message out of a guest's memory, if it is not larger than a batch may be.
    pub(crate) fn receive(&self, message: &[u8]) -> Result<Buffer, Fault> {
        self.admit_bytes(message.len())?;
        Ok(self.buffers.copy(message))
    }

    /// Whether a body may have this many pieces; asked before they are looked at.
    pub(crate) fn admit_pieces(&self, pieces: usize) -> Result<(), Fault> {
        if pieces > MAX_PIECES {
            let reason = format!("the body of a batch came in {pieces} pieces; at most {MAX_PIECES} are taken");
            return Err(Fault::Contract { reason });
        }
        Ok(())
    }

    /// Copies a batch message whose body is in pieces out of a guest's memory, if laid out it is not larger than a batch may be.
    pub(crate) fn receive_parts(&self, metadata: &[u8], body: Vec<&[u8]>) -> Result<Buffer, Fault> {
        self.admit_pieces(body.len())?;
        let pieces = Pieces::new(body);
        self.admit_bytes(metadata.len().saturating_add(pieces.length()))?;
        Ok(self.buffers.gather(metadata, &pieces))
    }

    fn admit_bytes(&self, bytes: usize) -> Result<(), Fault> {
        let (bytes, limit) = (bytes as u64, self.limits.batch_bytes);
        if bytes > limit { Err(Fault::BatchBytes { bytes, limit }) } else { Ok(()) }
    }

    pub(crate) async fn push_message(&mut self, channel: u32, message: Buffer) -> Result<(), Fault> {
        let size = message.len();
        self.push(channel, size, |schema| validate::batch::decode(message, schema)).await
    }

    pub(crate) async fn push_rows(&mut self, channel: u32, rows: &[Vec<Value>]) -> Result<(), Fault> {
        self.push(channel, 0, |schema| validate::rows::from_rows(schema, rows)).await
    }

    pub(crate) async fn push_columns(&mut self, channel: u32, columns: &[Column]) -> Result<(), Fault> {
        self.push(channel, 0, |schema| validate::rows::from_columns(schema, columns)).await
    }

    async fn push(
        &mut self,
        channel: u32,
        received: usize,
        build: impl FnOnce(&SchemaRef) -> Result<RecordBatch, Refused>,
    ) -> Result<(), Fault> {
        let limits = &self.limits;
        let read = self.read.as_ref().ok_or_else(|| contract("rows can only be pushed while a read runs"))?;
        if self.told_to_stop {
            return Err(contract("rows were pushed after a checkpoint was answered with `stop`"));
        }
        if self.tape.as_ref().is_some_and(Tape::ends) {
            return Err(Fault::Cancelled);
        }
        let open = self.channels.get_mut(channel as usize).ok_or_else(|| undeclared(channel))?;
        let refuse = |refused: Refused| Fault::Batch { stream: open.stream.to_string(), reason: refused.0 };
        let batch = build(&open.schema).map_err(refuse)?;
        let bytes = received.max(if received == 0 { batch.get_array_memory_size() } else { 0 }) as u64;
        if bytes > limits.batch_bytes {
            return Err(Fault::BatchBytes { bytes, limit: limits.batch_bytes });
        }
        let rows = batch.num_rows() as u64;
        self.rows = self.rows.saturating_add(rows);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.rows > limits.output_rows {
            return Err(Fault::OutputRows { limit: limits.output_rows });
        }
        if self.bytes > limits.output_bytes {
            return Err(Fault::OutputBytes { limit: limits.output_bytes });
        }
        open.rows = open.rows.saturating_add(rows);
        if let Some(tape) = &self.tape {
            tape.batch(&open.stream, &batch);
        }
        let in_flight = read.budget.take(usize::try_from(bytes).unwrap_or(usize::MAX)).await?;
        send(read, ReadEvent::Batch { stream: open.stream.clone(), batch, bytes, in_flight }).await
    }

    /// Returns whether the guest shall go on.
    pub(crate) async fn checkpoint(&mut self, channel: u32, cursor: Cursor, rows: u64) -> Result<bool, Fault> {
        let read = self.active()?;
        let open = self.channels.get(channel as usize).ok_or_else(|| undeclared(channel))?;
        let stream = open.stream.clone();
        let pushed: u64 = self.channels.iter().filter(|c| c.stream == stream).map(|c| c.rows).sum();
        if rows != pushed {
            let reason = format!("a checkpoint of stream {stream} speaks of {rows} rows, but {pushed} were pushed");
            return Err(Fault::Contract { reason });
        }
        if let Some(tape) = &self.tape {
            let (bytes, stream) = (cursor.0.len(), stream.to_string());
            tape.push(Event::Checkpoint { stream, cursor: cursor.0.clone().into(), rows }, bytes);
        }
        let stop = read.stop.load(Ordering::Relaxed);
        send(read, ReadEvent::Checkpoint { stream, cursor, rows }).await?;
        if self.tape.as_ref().is_some_and(Tape::ends) {
            return Err(Fault::Cancelled);
        }
        self.told_to_stop |= stop;
        Ok(!stop)
    }
}

async fn send(read: &ActiveRead, event: ReadEvent) -> Result<(), Fault> {
    // Nobody listens any more: the read was given up.
    read.events.send(event).await.map_err(|_| Fault::Cancelled)
}

fn contract(reason: &str) -> Fault {
    Fault::Contract { reason: reason.to_owned() }
}

fn undeclared(channel: u32) -> Fault {
    Fault::Contract { reason: format!("channel {channel} was never declared") }
}

#[cfg(test)]
mod tests {
    use arrow_array::{Array, ArrayRef, Decimal128Array, Decimal256Array, Int64Array};
    use arrow_buffer::i256;
    use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};

    use super::*;

    fn output(batch_bytes: u64) -> Output {
        Output::new(InstanceLimits { batch_bytes, ..InstanceLimits::default() }, Buffers::default())
    }

    #[test]
    fn the_limit_of_a_batch_is_that_of_the_message_laid_out() {
        let body = || vec![&[1; 65][..], &[2; 1]];
        assert_eq!(output(24 + 128 + 64).receive_parts(&[0; 24], body()).unwrap().len(), 216);
        let refused = output(215).receive_parts(&[0; 24], body()).unwrap_err();
        assert!(matches!(refused, Fault::BatchBytes { bytes: 216, limit: 215 }), "{refused}");
    }

    #[test]
    fn nothing_of_a_message_that_was_laid_out_is_moved_again_to_decode_it() {
        let decimals: ArrayRef = Arc::new(Decimal128Array::from(vec![Some(1), None, Some(-3)]));
        let wide: ArrayRef = Arc::new(Decimal256Array::from(vec![i256::ONE, i256::MINUS_ONE, i256::ZERO]));
        let ints: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let columns = [("i", ints, true), ("d", decimals, true), ("w", wide, true)];
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let (mut tracker, mut context) = (DictionaryTracker::new(false), IpcWriteContext::default());
        let options = IpcWriteOptions::default();
        let (_, encoded) = IpcDataGenerator::default().encode(&batch, &mut tracker, &options, &mut context).unwrap();
        for padding in 0..8 {
            let length = encoded.ipc_message.len().next_multiple_of(8) + 8 * padding;
            let mut metadata = [&[0xff; 4], &u32::try_from(length).unwrap().to_le_bytes()[..]].concat();
            metadata.extend_from_slice(&encoded.ipc_message);
            metadata.resize(8 + length, 0);
            let message = output(1 << 20).receive_parts(&metadata, encoded.arrow_data.chunks(64).collect()).unwrap();
            let memory = message.as_ptr_range();
            let decoded = validate::batch::decode(message.clone(), &batch.schema()).unwrap();
            assert_eq!(decoded, batch);
            for column in decoded.columns() {
                assert!(memory.contains(&column.to_data().buffers()[0].as_ptr()), "{} was moved", column.data_type());
            }
        }
    }

    #[test]
    fn a_bomb_of_overlapping_pieces_is_refused_before_it_is_laid_out() {
        let memory = vec![5; 4 << 20];
        let refused = output(64 << 20).receive_parts(&[], vec![&memory; MAX_PIECES]).unwrap_err();
        assert!(matches!(refused, Fault::BatchBytes { bytes: 125_829_120_000, .. }), "{refused}");
    }

    #[test]
    fn more_pieces_than_any_schema_has_buffers_are_refused_even_if_they_are_empty() {
        assert_eq!(output(0).receive_parts(&[], vec![&[]; MAX_PIECES]).unwrap().len(), 0);
        let refused = output(0).receive_parts(&[], vec![&[]; 100_000]).unwrap_err();
        assert!(refused.to_string().contains("came in 100000 pieces; at most 30000 are taken"), "{refused}");
    }
}
