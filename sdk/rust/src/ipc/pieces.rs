//! The body of a record batch message: which bytes of which buffers, in which order.
//!
//! Format: <https://arrow.apache.org/docs/format/Columnar.html#recordbatch-message>. Buffers are sent from the array's first value
//! to its last and not further. They are copied only where the format leaves no choice: bitmaps that begin inside a byte, and
//! offsets that do not begin at zero, which is what slices of arrays have.

use arrow_array::cast::AsArray;
use arrow_array::types::ByteArrayType;
use arrow_array::{Array, GenericByteArray, GenericListArray, OffsetSizeTrait};
use arrow_buffer::{Buffer, OffsetBuffer};
use arrow_ipc::FieldNode;
use arrow_schema::DataType;

use super::ALIGNMENT;
use crate::{Error, Result};

/// The columns of a batch taken apart.
#[derive(Default)]
pub(super) struct Pieces {
    /// Length and nulls of each array, parents before their children.
    pub(super) nodes: Vec<FieldNode>,
    /// Where each buffer is in the body.
    pub(super) places: Vec<arrow_ipc::Buffer>,
    /// The buffers that have bytes.
    pub(super) buffers: Vec<Buffer>,
    /// Bytes of the body.
    pub(super) length: usize,
}

impl Pieces {
    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        self.places.clear();
        self.buffers.clear();
        self.length = 0;
    }

    /// Adds a column.
    pub(super) fn add(&mut self, array: &dyn Array) -> Result<()> {
        self.validity(array);
        match array.data_type() {
            DataType::Boolean => self.buffer(array.as_boolean().values().sliced()),
            DataType::Utf8 => self.bytes(array.as_string::<i32>()),
            DataType::LargeUtf8 => self.bytes(array.as_string::<i64>()),
            DataType::Binary => self.bytes(array.as_binary::<i32>()),
            DataType::LargeBinary => self.bytes(array.as_binary::<i64>()),
            DataType::List(_) => return self.list(array.as_list::<i32>()),
            DataType::LargeList(_) => return self.list(array.as_list::<i64>()),
            DataType::Struct(_) => return array.as_struct().columns().iter().try_for_each(|child| self.add(child)),
            DataType::FixedSizeBinary(width) => self.values(array, usize::try_from(*width).unwrap_or(0)),
            other => match other.primitive_width() {
                Some(width) => self.values(array, width),
                None => {
                    return Err(Error::internal(format!("a batch has a column of type {other}, which cannot be sent")));
                }
            },
        }
        Ok(())
    }

    /// Adds the node of an array and its bitmap, which is empty if nothing is null.
    fn validity(&mut self, array: &dyn Array) {
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
        let count = nulls.map_or(0, |nulls| nulls.null_count());
        self.nodes.push(FieldNode::new(array.len() as i64, count as i64));
        self.buffer(nulls.map_or_else(Buffer::default, |nulls| nulls.inner().sliced()));
    }

    /// Adds the values of an array that have all the same width.
    fn values(&mut self, array: &dyn Array, width: usize) {
        let data = array.to_data();
        let all = data.buffers().first().cloned().unwrap_or_default();
        self.buffer(all.slice_with_length(data.offset() * width, data.len() * width));
    }

    fn bytes<T: ByteArrayType>(&mut self, array: &GenericByteArray<T>) {
        let (start, length) = self.offsets(array.offsets());
        self.buffer(array.values().slice_with_length(start, length));
    }

    fn list<O: OffsetSizeTrait>(&mut self, array: &GenericListArray<O>) -> Result<()> {
        let (start, length) = self.offsets(array.offsets());
        self.add(&array.values().slice(start, length))
    }

    /// Adds offsets so that they begin at zero; where what they speak of begins, and how much it is.
    fn offsets<O: OffsetSizeTrait>(&mut self, offsets: &OffsetBuffer<O>) -> (usize, usize) {
        let (first, last) = (offsets.first(), offsets.last());
        self.buffer(if first == O::zero() {
            offsets.inner().inner().slice_with_length(0, size_of_val::<[O]>(offsets))
        } else {
            Buffer::from_vec(offsets.iter().map(|offset| *offset - first).collect::<Vec<O>>())
        });
        (first.as_usize(), (last - first).as_usize())
    }

    fn buffer(&mut self, buffer: Buffer) {
        self.places.push(arrow_ipc::Buffer::new(self.length as i64, buffer.len() as i64));
        if !buffer.is_empty() {
            self.length += buffer.len().next_multiple_of(ALIGNMENT);
            self.buffers.push(buffer);
        }
    }
}
