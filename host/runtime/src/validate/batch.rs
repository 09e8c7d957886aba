//! Decoding a record batch message of a guest.
//!
//! Before Arrow's decoder sees it, every count is compared with the schema and every length with the bytes that arrived, so that
//! the decoder cannot be made to allocate more than the message's own size; afterwards Arrow validates offsets, UTF-8 and null
//! counts in full. What still panics inside the decoder is caught and refused.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::RecordBatchDecoder;
use arrow_ipc::{MessageHeader, MetadataVersion};
use arrow_schema::{DataType, Field, SchemaRef};

use super::{Refused, message};

/// Most rows of a batch: far more than any batch of sensible size has, and few enough to multiply safely.
const MAX_ROWS: usize = 1 << 24;

/// Decodes an encapsulated record batch message of the declared schema. The batch shares the memory of `bytes`.
///
/// # Errors
/// Says what is wrong with the message; nothing of it may be used.
pub fn decode(bytes: impl Into<Buffer>, schema: &SchemaRef) -> Result<RecordBatch, Refused> {
    let bytes = bytes.into();
    let envelope = message::open(&bytes)?;
    message::expect(&envelope, MessageHeader::RecordBatch, "record batch")?;
    let header =
        envelope.message.header_as_record_batch().ok_or_else(|| Refused::new("the record batch message is empty"))?;
    if header.compression().is_some() {
        return Err(Refused::new("the batch is compressed; the contract carries plain buffers only"));
    }
    if header.variadicBufferCounts().is_some_and(|counts| !counts.is_empty()) {
        return Err(Refused::new("the batch has variadic buffers, which no type of the contract has"));
    }
    check_shape(&header, schema, bytes.len() - envelope.body_start)?;
    let body = bytes.slice(envelope.body_start);
    let none = HashMap::new();
    fenced(|| {
        RecordBatchDecoder::try_new(&body, header, schema.clone(), &none, &MetadataVersion::V5)
            .and_then(|decoder| decoder.with_require_alignment(false).read_record_batch())
            .map_err(|e| Refused::new(format!("the batch is not valid: {e}")))
    })
}

/// Runs a decoder that may panic on hostile bytes and turns a panic into a refusal.
pub(crate) fn fenced<T>(decode: impl FnOnce() -> Result<T, Refused>) -> Result<T, Refused> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Err(Refused::new("the message is not valid Arrow IPC")))
}

/// Compares the counts and lengths that the message claims with the schema and with each other.
fn check_shape(header: &arrow_ipc::RecordBatch<'_>, schema: &SchemaRef, body: usize) -> Result<(), Refused> {
    let rows = usize::try_from(header.length()).ok().filter(|rows| *rows <= MAX_ROWS).ok_or_else(|| {
        Refused::new(format!("the batch claims {} rows; at most {MAX_ROWS} are taken at once", header.length()))
    })?;
    let nodes = header.nodes().ok_or_else(|| Refused::new("the batch has no field nodes"))?;
    let buffers = header.buffers().ok_or_else(|| Refused::new("the batch has no buffers"))?;
    let mut shape = Shape::default();
    schema.fields().iter().for_each(|field| shape.count(field));
    if nodes.len() != shape.nodes || buffers.len() != shape.buffers {
        return Err(Refused::new(format!(
            "the batch has {} nodes and {} buffers; its schema needs {} and {}",
            nodes.len(),
            buffers.len(),
            shape.nodes,
            shape.buffers
        )));
    }
    for buffer in buffers {
        let end = buffer.offset().checked_add(buffer.length());
        let sound = buffer.offset() >= 0 && buffer.length() >= 0 && end.is_some_and(|end| end as u64 <= body as u64);
        if !sound {
            return Err(Refused::new(format!(
                "a buffer claims {} bytes at {}, but the body has {body}",
                buffer.length(),
                buffer.offset()
            )));
        }
    }
    // Every type of the contract takes at least a bit a value, so a longer array cannot be in this body.
    let most = rows.max(body.saturating_mul(8));
    for node in nodes {
        let length = usize::try_from(node.length()).ok();
        let nulls = usize::try_from(node.null_count()).ok();
        let sound = length.is_some_and(|length| length <= most && nulls.is_some_and(|nulls| nulls <= length));
        if !sound {
            return Err(Refused::new(format!(
                "a column claims {} values and {} nulls, which cannot be in a body of {body} bytes",
                node.length(),
                node.null_count()
            )));
        }
    }
    let tops = shape.tops.iter().filter(|index| **index < nodes.len()).map(|index| nodes.get(*index));
    match tops.into_iter().find(|node| node.length() != header.length()) {
        None => Ok(()),
        Some(node) => {
            Err(Refused::new(format!("a column has {} values, but the batch has {rows} rows", node.length())))
        }
    }
}

/// How many nodes and buffers a schema's batches have.
#[derive(Default)]
struct Shape {
    nodes: usize,
    buffers: usize,
    /// Nodes of the top-level columns.
    tops: Vec<usize>,
}

impl Shape {
    fn count(&mut self, field: &Field) {
        self.tops.push(self.nodes);
        self.count_nested(field);
    }

    fn count_nested(&mut self, field: &Field) {
        self.nodes += 1;
        match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => self.buffers += 3,
            DataType::List(child) | DataType::LargeList(child) => {
                self.buffers += 2;
                self.count_nested(child);
            }
            DataType::Struct(children) => {
                self.buffers += 1;
                children.iter().for_each(|child| self.count_nested(child));
            }
            _ => self.buffers += 2,
        }
    }
}
