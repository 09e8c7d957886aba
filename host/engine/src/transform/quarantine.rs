//! Rows that are put aside, in a form that no change of the stream's schema can change.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use sluice_core::load::LOGICAL_TYPE_KEY;

use super::json_row::write_row;

/// Why a row was put aside.
pub(super) struct Reason {
    /// The column, by its name at the source; nested fields after a dot.
    pub(super) column: String,
    /// What is wrong with its value.
    pub(super) reason: String,
}

/// The columns of every quarantine table: `_sluice_row` (number of the row as it came from the source, from 1),
/// `_sluice_column`, `_sluice_reason`, and `_sluice_record`, the row at the source as JSON.
pub fn quarantine_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let json = HashMap::from([(LOGICAL_TYPE_KEY.to_owned(), "json".to_owned())]);
        Arc::new(Schema::new(vec![
            Field::new("_sluice_row", DataType::Int64, false),
            Field::new("_sluice_column", DataType::Utf8, false),
            Field::new("_sluice_reason", DataType::Utf8, false),
            Field::new("_sluice_record", DataType::Utf8, false).with_metadata(json),
        ]))
    });
    Arc::clone(&SCHEMA)
}

/// The rows put aside of one batch; `first_row` is the number of the batch's first row.
pub(super) fn batch(
    source: &RecordBatch,
    rows: &BTreeMap<usize, Reason>,
    first_row: u64,
) -> Result<RecordBatch, ArrowError> {
    let mut records = Vec::with_capacity(rows.len());
    for row in rows.keys() {
        let mut record = String::new();
        write_row(&mut record, source, *row)?;
        records.push(record);
    }
    let number = |row: &usize| i64::try_from(first_row.saturating_add(*row as u64)).unwrap_or(i64::MAX);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.keys().map(number))),
        Arc::new(StringArray::from_iter_values(rows.values().map(|reason| &reason.column))),
        Arc::new(StringArray::from_iter_values(rows.values().map(|reason| &reason.reason))),
        Arc::new(StringArray::from_iter_values(records)),
    ];
    RecordBatch::try_new(quarantine_schema(), columns)
}
