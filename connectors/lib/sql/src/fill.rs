//! Columns that are being filled: buffers that become Arrow arrays without a copy.
//!
//! A connector decodes each value straight into a `Vec` of its Arrow type or into [`Values`]. Validity is kept as the list of
//! rows that are NULL and becomes a bitmap only when a batch is finished, and only if there is one.

use std::sync::Arc;

use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, StringArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

/// Why a column cannot become an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// More than 2 GiB in one batch of one column.
    TooLarge,
    /// Text that is not UTF-8.
    Encoding,
    /// Buffers that do not fit each other.
    Malformed,
}

/// Values of changing length: all their bytes in one buffer, and where each ends.
#[derive(Debug)]
pub struct Values {
    data: Vec<u8>,
    /// One more than there are values; the first is 0.
    offsets: Vec<i32>,
}

impl Default for Values {
    fn default() -> Self {
        Self { data: Vec::new(), offsets: vec![0] }
    }
}

impl Values {
    /// Adds a value.
    ///
    /// # Errors
    /// [`Misfit::TooLarge`].
    #[inline]
    pub fn push(&mut self, value: &[u8]) -> Result<(), Misfit> {
        self.data.extend_from_slice(value);
        self.end()
    }

    /// Adds what `write` appends.
    ///
    /// # Errors
    /// Its own, and [`Misfit::TooLarge`].
    #[inline]
    pub fn write<E: From<Misfit>>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        write(&mut self.data)?;
        Ok(self.end()?)
    }

    /// Ends the value that was appended; for NULL, an empty one.
    ///
    /// # Errors
    /// [`Misfit::TooLarge`].
    #[inline]
    pub fn end(&mut self) -> Result<(), Misfit> {
        let end = i32::try_from(self.data.len()).map_err(|_| Misfit::TooLarge)?;
        self.offsets.push(end);
        Ok(())
    }

    /// Bytes that the values take in Arrow.
    pub fn bytes(&self) -> usize {
        self.data.len() + self.offsets.len() * size_of::<i32>()
    }

    /// All values as an array of texts, leaving room for as many again.
    ///
    /// # Errors
    /// [`Misfit::Encoding`].
    pub fn texts(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, Misfit> {
        let (offsets, data) = self.take();
        let array = StringArray::try_new(offsets, data, nulls).map_err(|_| Misfit::Encoding)?;
        Ok(Arc::new(array))
    }

    /// All values as an array of bytes, leaving room for as many again.
    ///
    /// # Errors
    /// [`Misfit::Malformed`], if there are not as many nulls as values.
    pub fn binaries(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, Misfit> {
        let (offsets, data) = self.take();
        Ok(Arc::new(BinaryArray::try_new(offsets, data, nulls).map_err(|_| Misfit::Malformed)?))
    }

    fn take(&mut self) -> (OffsetBuffer<i32>, Buffer) {
        let room = Vec::with_capacity(self.data.len());
        let data = std::mem::replace(&mut self.data, room);
        (offsets(&mut self.offsets), Buffer::from_vec(data))
    }
}

/// The offsets that were collected, leaving the first one and room for as many again.
pub fn offsets(collected: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let mut room = Vec::with_capacity(collected.len());
    room.push(0);
    OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(collected, room)))
}

/// The values as an array of this type, leaving room for as many again.
pub fn primitive<T: ArrowPrimitiveType>(
    values: &mut Vec<T::Native>,
    nulls: Option<NullBuffer>,
    data_type: &DataType,
) -> ArrayRef {
    let room = Vec::with_capacity(values.len());
    let values = ScalarBuffer::from(std::mem::replace(values, room));
    Arc::new(PrimitiveArray::<T>::new(values, nulls).with_data_type(data_type.clone()))
}

/// Bytes as truth values: 0 is false.
pub fn booleans(values: &mut Vec<u8>, nulls: Option<NullBuffer>) -> ArrayRef {
    let bits = BooleanBuffer::collect_bool(values.len(), |row| values.get(row).is_some_and(|value| *value != 0));
    values.clear();
    Arc::new(BooleanArray::new(bits, nulls))
}

/// The rows of a column that are NULL, and how many rows there are.
#[derive(Debug, Default)]
pub struct Validity {
    nulls: Vec<u32>,
    rows: u32,
}

impl Validity {
    /// Counts a row with a value.
    #[inline]
    pub fn value(&mut self) {
        self.rows += 1;
    }

    /// Counts a row without one.
    #[inline]
    pub fn null(&mut self) {
        self.nulls.push(self.rows);
        self.rows += 1;
    }

    /// Rows counted.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// The bitmap of what is not NULL, none if nothing is; counting starts anew.
    pub fn finish(&mut self) -> Option<NullBuffer> {
        let rows = std::mem::take(&mut self.rows) as usize;
        if self.nulls.is_empty() {
            return None;
        }
        let mut bits = vec![0xff_u8; rows.div_ceil(8)];
        for row in self.nulls.drain(..) {
            if let Some(byte) = bits.get_mut(row as usize / 8) {
                *byte &= !(1 << (row % 8));
            }
        }
        Some(NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(bits), 0, rows)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_not_utf8_is_no_text() {
        let mut values = Values::default();
        values.push(b"fine").unwrap();
        values.push(b"\xff").unwrap();
        assert_eq!(values.texts(None).unwrap_err(), Misfit::Encoding);
    }

    #[test]
    fn nulls_are_where_they_were_counted() {
        let mut validity = Validity::default();
        assert_eq!(validity.finish(), None);
        validity.value();
        validity.null();
        validity.value();
        let bits = validity.finish().unwrap();
        assert_eq!((bits.len(), bits.null_count(), bits.is_null(1)), (3, 1, true));
        assert_eq!(validity.rows(), 0);
    }
}
