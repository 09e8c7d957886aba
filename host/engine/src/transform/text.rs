//! Conversions to text, JSON and bytes.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};
use serde::de::IgnoredAny;

use super::convert::{Kernel, Manner, by_arrow, is_text, relabel, unexpected};
use super::json_row;
use super::misfit::{Misfits, NOT_JSON, NOT_UTF8, masked};

/// Most bytes of text that one array may become: far above any batch, far below where offsets end.
const MAX_TEXT: usize = 1 << 30;

pub(super) fn to_text(from: &DataType, to: &DataType, manner: Manner) -> Option<Vec<Kernel>> {
    let mut steps = match from {
        from if is_text(from) => return Some(vec![relabel(to.clone())]),
        DataType::Boolean => vec![relabel(DataType::Utf8)],
        from if from.is_numeric() => vec![relabel(DataType::Utf8)],
        from if from.is_temporal() => vec![written(json_row::write_plain)],
        DataType::Binary | DataType::LargeBinary if manner == Manner::Asked => {
            vec![by_arrow(DataType::Utf8, NOT_UTF8)]
        }
        DataType::BinaryView | DataType::FixedSizeBinary(_) if manner == Manner::Asked => {
            vec![relabel(DataType::Binary), by_arrow(DataType::Utf8, NOT_UTF8)]
        }
        from if from.is_nested() && json_row::can_write(from) => vec![written(json_row::write_value)],
        _ => return None,
    };
    if *to != DataType::Utf8 {
        steps.push(relabel(to.clone()));
    }
    Some(steps)
}

pub(super) fn to_bytes(from: &DataType, to: &DataType, manner: Manner) -> Option<Vec<Kernel>> {
    match from {
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Some(vec![relabel(to.clone())]),
        DataType::FixedSizeBinary(_) => Some(vec![relabel(to.clone())]),
        from if is_text(from) && manner == Manner::Asked => Some(vec![relabel(DataType::Utf8), relabel(to.clone())]),
        _ => None,
    }
}

/// Any value as a JSON text.
pub(super) fn to_json(to: &DataType) -> Kernel {
    let to = to.clone();
    Arc::new(move |array, _| {
        let text = write_all(array, json_row::write_value)?;
        if to == DataType::Utf8 { Ok(text) } else { arrow_cast::cast(&text, &to) }
    })
}

/// Refuses texts that are not JSON.
pub(super) fn check_json() -> Kernel {
    Arc::new(|array: &ArrayRef, misfits: &mut Misfits| {
        let utf8 = arrow_cast::cast(array, &DataType::Utf8)?;
        let texts = utf8.as_string_opt::<i32>().ok_or_else(|| unexpected(array))?;
        let start = misfits.len();
        for (row, text) in texts.iter().enumerate() {
            if text.is_some_and(|text| serde_json::from_str::<IgnoredAny>(text).is_err()) {
                misfits.push(row, NOT_JSON);
            }
        }
        masked(array, misfits, start)
    })
}

type Writer = fn(&mut String, &dyn Array, usize) -> Result<(), ArrowError>;

fn written(write: Writer) -> Kernel {
    Arc::new(move |array, _| write_all(array, write))
}

/// One text per value, in one buffer.
fn write_all(array: &ArrayRef, write: Writer) -> Result<ArrayRef, ArrowError> {
    let mut text = String::new();
    let mut offsets: Vec<i32> = Vec::with_capacity(array.len() + 1);
    offsets.push(0);
    let nulls = array.logical_nulls();
    for row in 0..array.len() {
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            write(&mut text, array, row)?;
        }
        if text.len() > MAX_TEXT {
            return Err(ArrowError::CastError(format!("a batch becomes more than {MAX_TEXT} bytes of text")));
        }
        offsets.push(i32::try_from(text.len()).map_err(|error| ArrowError::CastError(error.to_string()))?);
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    Ok(Arc::new(StringArray::try_new(offsets, Buffer::from_vec(text.into_bytes()), nulls)?))
}
