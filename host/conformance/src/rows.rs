//! Rows as text, so that reads can be compared row by row, whatever their types.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType, Field, TimeUnit};

/// Between the values of a row.
const SEPARATOR: char = '\u{1f}';

/// The rows of a batch, or only these columns of them.
pub(crate) fn texts(batch: &RecordBatch, columns: Option<&[String]>) -> Result<Vec<String>, ArrowError> {
    let schema = batch.schema();
    let chosen: Vec<usize> = match columns {
        None => (0..batch.num_columns()).collect(),
        Some(names) => names.iter().map(|name| schema.index_of(name)).collect::<Result<_, _>>()?,
    };
    let mut rows = vec![String::new(); batch.num_rows()];
    for at in chosen {
        let values = values(batch.column(at))?;
        for (row, value) in rows.iter_mut().zip(values) {
            match value {
                Some(value) => row.push_str(&value),
                None => row.push('\0'),
            }
            row.push(SEPARATOR);
        }
    }
    Ok(rows)
}

/// The values of a column, as people see them; nulls are none.
pub(crate) fn values(column: &ArrayRef) -> Result<Vec<Option<String>>, ArrowError> {
    let shown = arrow_cast::cast(column, &offset_zones(column.data_type()))?;
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(&shown, &options)?;
    (0..shown.len())
        .map(|row| match shown.is_null(row) {
            true => Ok(None),
            false => formatter.value(row).try_to_string().map(Some),
        })
        .collect()
}

/// The type with its zones as offsets, which Arrow can show without a table of all zones.
fn offset_zones(data_type: &DataType) -> DataType {
    let inside = |field: &Field| Arc::new(field.clone().with_data_type(offset_zones(field.data_type())));
    match data_type {
        DataType::Timestamp(unit, Some(zone)) if zone.eq_ignore_ascii_case("utc") => utc(*unit),
        DataType::List(item) => DataType::List(inside(item)),
        DataType::LargeList(item) => DataType::LargeList(inside(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| inside(field)).collect()),
        other => other.clone(),
    }
}

fn utc(unit: TimeUnit) -> DataType {
    DataType::Timestamp(unit, Some("+00:00".into()))
}

/// How one set of rows differs from another, if it does: rows may come in any order, but as often as in the other.
pub(crate) fn difference(expected: &[String], found: &[String]) -> Option<String> {
    let mut counts: HashMap<&str, i64> = HashMap::new();
    expected.iter().for_each(|row| *counts.entry(row).or_default() += 1);
    found.iter().for_each(|row| *counts.entry(row).or_default() -= 1);
    let missing: i64 = counts.values().filter(|count| **count > 0).sum();
    let extra: i64 = -counts.values().filter(|count| **count < 0).sum::<i64>();
    (missing > 0 || extra > 0)
        .then(|| format!("{missing} of {} rows are missing, and {extra} came that should not", expected.len()))
}

#[cfg(test)]
mod tests {
    use arrow_array::{Int64Array, TimestampMicrosecondArray};

    use super::*;

    #[test]
    fn rows_are_told_apart_by_their_values_and_nulls() {
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0, 1]).with_timezone("UTC"));
        let batch = RecordBatch::try_from_iter([("id", ids), ("t", times)]).unwrap();
        let rows = texts(&batch, None).unwrap();
        assert_eq!(rows[0], "1\u{1f}1970-01-01T00:00:00Z\u{1f}");
        assert_eq!(rows[1], "\0\u{1f}1970-01-01T00:00:00.000001Z\u{1f}");
        assert_eq!(texts(&batch, Some(&["id".to_owned()])).unwrap(), ["1\u{1f}", "\0\u{1f}"]);
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_is_counted() {
        let rows = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        assert_eq!(difference(&rows("aab"), &rows("baa")), None);
        assert_eq!(
            difference(&rows("aab"), &rows("abc")).unwrap(),
            "1 of 3 rows are missing, and 1 came that should not"
        );
    }
}
