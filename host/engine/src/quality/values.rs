//! The values of a column as bytes, whatever its type, for comparing them with one another.

use std::hash::Hasher;

use arrow_array::cast::AsArray;
use arrow_array::{Array, BinaryArray, BooleanArray, LargeBinaryArray, LargeStringArray, StringArray, StringViewArray};
use arrow_buffer::Buffer;
use arrow_schema::DataType;

/// A column's values. Equal values of one type have equal bytes.
pub(super) enum Values<'a> {
    Bools(&'a BooleanArray),
    Texts(&'a StringArray),
    LongTexts(&'a LargeStringArray),
    TextViews(&'a StringViewArray),
    Bytes(&'a BinaryArray),
    LongBytes(&'a LargeBinaryArray),
    /// Values of one width, from the first row of the column on.
    Fixed(Buffer, usize),
}

/// Whether values of this type can be compared by their bytes.
pub(super) fn comparable(of: &DataType) -> bool {
    match of {
        DataType::Boolean
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary => true,
        other => other.primitive_width().is_some() && !matches!(other, DataType::Dictionary(_, _)),
    }
}

impl<'a> Values<'a> {
    /// None for a type that is not [`comparable`].
    pub(super) fn of(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Boolean => Self::Bools(array.as_boolean()),
            DataType::Utf8 => Self::Texts(array.as_string()),
            DataType::LargeUtf8 => Self::LongTexts(array.as_string()),
            DataType::Utf8View => Self::TextViews(array.as_string_view()),
            DataType::Binary => Self::Bytes(array.as_binary()),
            DataType::LargeBinary => Self::LongBytes(array.as_binary()),
            other if comparable(other) => {
                let width = other.primitive_width()?;
                let data = array.to_data();
                let start = data.offset().checked_mul(width)?;
                let buffer = data.buffers().first()?;
                if start.checked_add(array.len().checked_mul(width)?)? > buffer.len() {
                    return None;
                }
                Self::Fixed(buffer.slice(start), width)
            }
            _ => return None,
        })
    }

    /// The bytes of a row; of a NULL some bytes, which mean nothing.
    pub(super) fn bytes(&self, row: usize) -> &[u8] {
        match self {
            Self::Bools(array) => {
                if array.value(row) {
                    b"1"
                } else {
                    b"0"
                }
            }
            Self::Texts(array) => array.value(row).as_bytes(),
            Self::LongTexts(array) => array.value(row).as_bytes(),
            Self::TextViews(array) => array.value(row).as_bytes(),
            Self::Bytes(array) => array.value(row),
            Self::LongBytes(array) => array.value(row),
            Self::Fixed(buffer, width) => buffer.get(row * width..(row + 1) * width).unwrap_or_default(),
        }
    }

    /// Adds a row's value to a hash, so that `ab, c` and `a, bc` are two.
    pub(super) fn feed(&self, row: usize, hasher: &mut impl Hasher) {
        let bytes = self.bytes(row);
        hasher.write_usize(bytes.len());
        hasher.write(bytes);
    }
}
