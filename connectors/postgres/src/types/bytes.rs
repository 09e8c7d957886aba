//! Values of changing length: all their bytes in one buffer, and where each ends.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, StringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use super::column::Fault;

/// Values of a column, one after the other.
#[derive(Debug)]
pub(crate) struct Values {
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
    #[inline]
    pub(crate) fn push(&mut self, value: &[u8]) -> Result<(), Fault> {
        self.data.extend_from_slice(value);
        self.end()
    }

    /// Adds what `write` appends.
    #[inline]
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), Fault>) -> Result<(), Fault> {
        write(&mut self.data)?;
        self.end()
    }

    /// Ends the value that was appended.
    #[inline]
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        let end = i32::try_from(self.data.len()).map_err(|_| Fault::TooLarge)?;
        self.offsets.push(end);
        Ok(())
    }

    /// Bytes that the values take in Arrow.
    pub(crate) fn bytes(&self) -> usize {
        self.data.len() + self.offsets.len() * size_of::<i32>()
    }

    /// All values as an array of texts, leaving room for as many again.
    pub(crate) fn texts(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, Fault> {
        let (offsets, data) = self.take();
        let array = StringArray::try_new(offsets, data, nulls).map_err(|_| Fault::Encoding)?;
        Ok(Arc::new(array))
    }

    /// All values as an array of bytes, leaving room for as many again.
    pub(crate) fn binaries(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, Fault> {
        let (offsets, data) = self.take();
        Ok(Arc::new(BinaryArray::try_new(offsets, data, nulls).map_err(|_| Fault::Malformed)?))
    }

    fn take(&mut self) -> (OffsetBuffer<i32>, Buffer) {
        let room = Vec::with_capacity(self.data.len());
        let data = std::mem::replace(&mut self.data, room);
        let mut room = Vec::with_capacity(self.offsets.len());
        room.push(0);
        let offsets = std::mem::replace(&mut self.offsets, room);
        (OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from_vec(data))
    }
}

/// Prints a UUID's sixteen bytes.
#[inline]
pub(crate) fn print_uuid(bytes: &[u8; 16]) -> [u8; 36] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut places =
        text.iter_mut().enumerate().filter(|(at, _)| !matches!(at, 8 | 13 | 18 | 23)).map(|(_, place)| place);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            if let (Some(place), Some(digit)) = (places.next(), HEX.get(usize::from(nibble))) {
                *place = *digit;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_printed_in_its_five_groups() {
        let bytes = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210_u128.to_be_bytes();
        assert_eq!(&print_uuid(&bytes), b"01234567-89ab-cdef-fedc-ba9876543210");
    }

    #[test]
    fn text_that_is_not_utf8_is_no_text() {
        let mut values = Values::default();
        values.push(b"fine").unwrap();
        values.push(b"\xff").unwrap();
        assert_eq!(values.texts(None).unwrap_err(), Fault::Encoding);
    }
}
