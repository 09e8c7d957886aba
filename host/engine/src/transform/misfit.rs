//! Values that do not fit: where they are and why, and arrays without them.

use std::sync::Arc;

use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{Array, ArrayRef, PrimitiveArray, StringArray, make_array};
use arrow_buffer::{BooleanBufferBuilder, NullBuffer};
use arrow_schema::ArrowError;

/// Why a value does not fit, in fixed words that can hold no part of the value.
pub(super) type Reason = &'static str;

pub(super) const OUT_OF_RANGE: Reason = "it is outside the range of the type";
pub(super) const TOO_MANY_DIGITS: Reason = "it has more digits before the point than the type";
pub(super) const LOSES_FRACTION: Reason = "digits after the point would be lost";
pub(super) const LOSES_NANOS: Reason = "it has more than six digits after the second";
pub(super) const NOT_FINITE: Reason = "it is not a finite number";
pub(super) const NOT_A_NUMBER: Reason = "the text is not a number";
pub(super) const NOT_A_BOOL: Reason = "the text is neither true nor false";
pub(super) const NOT_A_DATE: Reason = "the text is not a date like 2024-12-31";
pub(super) const NOT_A_TIME: Reason = "the text is not a time of day like 23:59:59.999999";
pub(super) const NOT_A_TIMESTAMP: Reason = "the text is not a date and time like 2024-12-31 23:59:59";
pub(super) const HAS_A_ZONE: Reason = "the text has a time zone, which DATETIME cannot hold; cast to TIMESTAMP";
pub(super) const DATE_RANGE: Reason = "it is not between 0001-01-01 and 9999-12-31";
pub(super) const TIME_RANGE: Reason = "it is not a time of day";
pub(super) const NOT_UTF8: Reason = "the bytes are not UTF-8 text";
pub(super) const NOT_JSON: Reason = "the text is not valid JSON";
pub(super) const IS_NULL: Reason = "it is NULL where the sink takes no NULL";

/// One value that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Row of the array.
    pub(super) row: usize,
    /// The struct field concerned, from the outside in, joined with dots; empty for the value itself.
    pub(super) path: String,
    /// Why.
    pub(super) reason: Reason,
}

/// The values of one array that do not fit. The array holds NULL in their place.
#[derive(Debug, Default)]
pub(super) struct Misfits {
    found: Vec<Found>,
}

impl Misfits {
    pub(super) fn push(&mut self, row: usize, reason: Reason) {
        self.found.push(Found { row, path: String::new(), reason });
    }

    pub(super) fn push_found(&mut self, found: Found) {
        self.found.push(found);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// Rows in order, each once, with what was found first in it.
    pub(super) fn into_sorted(mut self) -> Vec<Found> {
        self.found.sort_by_key(|found| found.row);
        self.found.dedup_by_key(|found| found.row);
        self.found
    }

    pub(super) fn rows_since(&self, start: usize) -> impl Iterator<Item = usize> {
        self.found.get(start..).unwrap_or_default().iter().map(|found| found.row)
    }
}

/// The validity of an array in which these rows become NULL too.
pub(super) fn with_nulls(
    nulls: Option<&NullBuffer>,
    len: usize,
    rows: impl IntoIterator<Item = usize>,
) -> Option<NullBuffer> {
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        return nulls.cloned();
    }
    let mut valid = BooleanBufferBuilder::new(len);
    match nulls {
        Some(nulls) => valid.append_buffer(nulls.inner()),
        None => valid.append_n(len, true),
    }
    for row in rows.filter(|row| *row < len) {
        valid.set_bit(row, false);
    }
    Some(NullBuffer::new(valid.finish()))
}

/// Converts value by value; what does not fit becomes NULL and is noted. Allocates per array, not per value.
pub(super) fn each<S, T>(
    array: &PrimitiveArray<S>,
    misfits: &mut Misfits,
    convert: impl Fn(S::Native) -> Result<T::Native, Reason>,
) -> PrimitiveArray<T>
where
    S: ArrowPrimitiveType,
    T: ArrowPrimitiveType,
{
    let start = misfits.len();
    let mut values: Vec<T::Native> = Vec::with_capacity(array.len());
    for (row, value) in array.values().iter().enumerate() {
        values.push(convert(*value).unwrap_or_else(|reason| {
            // What lies under a NULL is arbitrary.
            if array.is_valid(row) {
                misfits.push(row, reason);
            }
            T::Native::default()
        }));
    }
    let nulls = with_nulls(array.nulls(), array.len(), misfits.rows_since(start));
    PrimitiveArray::new(values.into(), nulls)
}

/// As [`each`], for texts. `convert` may keep a buffer of its own between values.
pub(super) fn each_text<T: ArrowPrimitiveType>(
    array: &StringArray,
    misfits: &mut Misfits,
    convert: impl Fn(&str) -> Result<T::Native, Reason>,
) -> PrimitiveArray<T> {
    let start = misfits.len();
    let mut values: Vec<T::Native> = Vec::with_capacity(array.len());
    for (row, text) in array.iter().enumerate() {
        values.push(match text.map(&convert) {
            Some(Ok(value)) => value,
            Some(Err(reason)) => {
                misfits.push(row, reason);
                T::Native::default()
            }
            None => T::Native::default(),
        });
    }
    let nulls = with_nulls(array.nulls(), array.len(), misfits.rows_since(start));
    PrimitiveArray::new(values.into(), nulls)
}

/// Notes the values that `fits` refuses, and changes nothing.
///
/// Looks at the whole buffer first, without branches; only if something is wrong is each value looked at.
pub(super) fn check<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    misfits: &mut Misfits,
    fits: impl Fn(T::Native) -> bool,
    reason: Reason,
) {
    let all_fit = array.values().chunks(1024).all(|chunk| chunk.iter().fold(true, |all, value| all & fits(*value)));
    if all_fit {
        return;
    }
    for (row, value) in array.values().iter().enumerate() {
        // What lies under a NULL is arbitrary.
        if array.is_valid(row) && !fits(*value) {
            misfits.push(row, reason);
        }
    }
}

/// The same array with what was noted since `start` made NULL; the very same if that is nothing.
pub(super) fn masked(array: &ArrayRef, misfits: &Misfits, start: usize) -> Result<ArrayRef, ArrowError> {
    mask(array, misfits.rows_since(start))
}

/// The same array with these rows made NULL. Values are shared, not copied.
pub(super) fn mask(array: &ArrayRef, rows: impl IntoIterator<Item = usize>) -> Result<ArrayRef, ArrowError> {
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        return Ok(Arc::clone(array));
    }
    let nulls = with_nulls(array.nulls(), array.len(), rows);
    Ok(make_array(array.to_data().into_builder().nulls(nulls).build()?))
}

/// Notes every row that was a value in `before` and is none in `after`.
pub(super) fn note_lost(before: &dyn Array, after: &dyn Array, misfits: &mut Misfits, reason: Reason) {
    if before.null_count() == after.null_count() {
        return;
    }
    for row in 0..before.len() {
        if before.is_valid(row) && after.is_null(row) {
            misfits.push(row, reason);
        }
    }
}
