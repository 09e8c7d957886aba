//! Text columns by way of views.
//!
//! A reader of Parquet that makes ordinary text columns copies every value with a call, value by value, which is slow in the
//! sandbox. Read as views, a value is sixteen bytes that hold it or say where in its page it is; the values are then copied
//! here, once, by sixteen bytes at a time.

use std::sync::Arc;

use arrow_array::types::StringViewType;
use arrow_array::{Array, GenericByteViewArray, StringArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use crate::vector::{WIDTH, append};

/// Bytes that a view holds itself.
const INLINE: u32 = 12;

/// The schema with views in the place of text, except within nested columns.
pub(crate) fn as_views(schema: &Schema) -> SchemaRef {
    let view = |field: &Field| match field.data_type() {
        DataType::Utf8 => field.clone().with_data_type(DataType::Utf8View),
        _ => field.clone(),
    };
    Arc::new(Schema::new(schema.fields().iter().map(|field| view(field)).collect::<Vec<_>>()))
}

/// The views' values as an ordinary column.
///
/// # Errors
/// If they are more than 2 GiB.
pub(crate) fn of_views(views: &GenericByteViewArray<StringViewType>) -> Result<StringArray, ArrowError> {
    let mut offsets = vec![0_i32; views.len() + 1];
    let mut values: Vec<u8> = Vec::with_capacity(views.len().saturating_mul(WIDTH));
    let buffers = views.data_buffers();
    let nulls = views.nulls().filter(|nulls| nulls.null_count() > 0);
    let ends = offsets.get_mut(1..).unwrap_or_default();
    for (row, (view, end)) in views.views().iter().zip(ends).enumerate() {
        let length = *view as u32;
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            // What a view says under a null means nothing.
        } else if length <= INLINE {
            let whole = values.len() + length as usize;
            values.extend_from_slice(&(view >> 32).to_le_bytes());
            values.truncate(whole);
        } else {
            let (buffer, from) = ((view >> 64) as u32 as usize, (view >> 96) as u32 as usize);
            let bytes = buffers.get(buffer).map(Buffer::as_slice).unwrap_or_default();
            append(&mut values, bytes, from, from + length as usize);
        }
        *end = i32::try_from(values.len()).map_err(|_| ArrowError::OffsetOverflowError(values.len()))?;
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    // SAFETY: every view is text, as its array guarantees, and each was copied as a whole: the offsets, which only grow and end
    // where the values do, lie between characters.
    Ok(unsafe { StringArray::new_unchecked(offsets, Buffer::from_vec(values), nulls.cloned()) })
}

#[cfg(test)]
mod tests {
    use arrow_array::StringViewArray;

    use super::*;

    #[test]
    fn values_of_every_length_and_nulls_become_the_same_text() {
        let long = "ä".repeat(100);
        let values: Vec<Option<String>> = (0..140)
            .map(|length| (length % 7 != 3).then(|| long.chars().take(length).collect()))
            .chain([Some(String::new()), None])
            .collect();
        let views: StringViewArray = values.iter().map(Option::as_deref).collect();
        assert_eq!(of_views(&views).unwrap(), values.iter().map(Option::as_deref).collect::<StringArray>());
        let sliced = views.slice(20, 90);
        assert_eq!(of_views(&sliced).unwrap(), values[20..110].iter().map(Option::as_deref).collect::<StringArray>());
    }

    #[test]
    fn only_text_at_the_top_is_read_as_views() {
        let list = DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)));
        let schema = Schema::new(vec![Field::new("a", DataType::Utf8, true), Field::new("b", list.clone(), true)]);
        let types: Vec<DataType> = as_views(&schema).fields().iter().map(|f| f.data_type().clone()).collect();
        assert_eq!(types, [DataType::Utf8View, list]);
    }
}
