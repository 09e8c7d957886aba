//! Which rows the Write API takes into a time-partitioned table: those from 10 years ago to a year from now. Pure.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_schema::DataType;
use sluice_core::RunError;

/// Days back and ahead, kept clear of the limit itself by some days of leap years and clocks.
const BACK: i64 = 3640;
const AHEAD: i64 = 360;
/// Microseconds of a day.
pub(crate) const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The days since 1970 whose partitions take appended rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    first: i64,
    last: i64,
}

/// A batch divided by where its rows may go.
pub(crate) struct Divided {
    /// For a write stream.
    pub(crate) inside: Option<RecordBatch>,
    /// For a staging table.
    pub(crate) outside: Option<RecordBatch>,
}

impl Window {
    /// Around a day, counted from 1970.
    pub(crate) fn around(today: i64) -> Self {
        Self { first: today - BACK, last: today + AHEAD }
    }

    /// Divides a batch by its partition column.
    pub(crate) fn divide(self, batch: RecordBatch, column: usize) -> Result<Divided, RunError> {
        let inside = self.inside(batch.column(column).as_ref());
        let fitting = inside.true_count();
        if fitting == batch.num_rows() {
            return Ok(Divided { inside: Some(batch), outside: None });
        }
        if fitting == 0 {
            return Ok(Divided { inside: None, outside: Some(batch) });
        }
        let outside = BooleanArray::new(!inside.values(), None);
        let pick = |mask: &BooleanArray| {
            let picked = arrow_select::filter::filter_record_batch(&batch, mask);
            picked.map_err(|e| RunError::internal(format!("a batch could not be divided by partition: {e}")))
        };
        Ok(Divided { inside: Some(pick(&inside)?), outside: Some(pick(&outside)?) })
    }

    /// NULL has a partition of its own, which takes rows at any time.
    fn inside(self, column: &dyn Array) -> BooleanArray {
        let fits = |day: i64| (self.first..=self.last).contains(&day);
        match column.data_type() {
            DataType::Date32 => {
                let days = column.as_primitive::<Date32Type>();
                (0..days.len()).map(|i| Some(days.is_null(i) || fits(i64::from(days.value(i))))).collect()
            }
            DataType::Timestamp(..) => {
                let micros = column.as_primitive::<TimestampMicrosecondType>();
                let day = |i| micros.value(i).div_euclid(MICROS_PER_DAY);
                (0..micros.len()).map(|i| Some(micros.is_null(i) || fits(day(i)))).collect()
            }
            _ => BooleanArray::from(vec![true; column.len()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Date32Array, TimestampMicrosecondArray};

    use super::*;

    fn counts(column: ArrayRef) -> (usize, usize) {
        let batch = RecordBatch::try_from_iter_with_nullable([("c", column, true)]).unwrap();
        let divided = Window::around(20_000).divide(batch, 0).unwrap();
        let rows = |batch: Option<RecordBatch>| batch.map_or(0, |b| b.num_rows());
        (rows(divided.inside), rows(divided.outside))
    }

    #[test]
    fn old_and_far_future_days_are_staged_and_null_is_not() {
        let days = Date32Array::from(vec![Some(20_000), None, Some(20_000 - 3700), Some(20_000 + 400), Some(20_300)]);
        assert_eq!(counts(Arc::new(days)), (3, 2));
    }

    #[test]
    fn a_timestamp_before_1970_counts_as_its_own_day() {
        let micros = TimestampMicrosecondArray::from(vec![20_000 * MICROS_PER_DAY, -1, i64::MIN]);
        assert_eq!(counts(Arc::new(micros)), (1, 2));
    }

    #[test]
    fn a_batch_that_fits_is_not_copied() {
        assert_eq!(counts(Arc::new(Date32Array::from(vec![20_000, 20_001]))), (2, 0));
    }
}
