//! Reading a local warehouse back, with nothing of Sluice's own reader.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// All visible Parquet files of a table: what a reader of hive-style folders sees, which passes over names that begin with
/// `_` or `.`.
///
/// # Panics
/// If a folder cannot be read.
pub fn files(table: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(table) else { return found };
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('_') || name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else if name.ends_with(".parquet") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every batch of a table.
///
/// # Panics
/// If a file is not valid Parquet.
pub fn batches(table: &Path) -> Vec<RecordBatch> {
    let mut all = Vec::new();
    for path in files(table) {
        let file = File::open(&path).expect("a Parquet file");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").build().expect("a reader");
        all.extend(reader.map(|batch| batch.expect("a batch")));
    }
    all
}

/// The values of an INT64 column, sorted.
///
/// # Panics
/// If a batch has no such column.
pub fn integers(table: &Path, column: &str) -> Vec<i64> {
    let mut values: Vec<i64> = batches(table)
        .iter()
        .flat_map(|batch| {
            let column = batch.column_by_name(column).unwrap_or_else(|| panic!("no column {column}"));
            column.as_primitive::<Int64Type>().iter().map(|value| value.expect("a value")).collect::<Vec<_>>()
        })
        .collect();
    values.sort_unstable();
    values
}

/// A column whose zones Arrow can print without a table of zones: UTC as an offset, within lists and records too.
///
/// # Panics
/// If Arrow cannot cast it.
pub fn with_offset_zone(column: &ArrayRef) -> ArrayRef {
    arrow_cast::cast(column, &offset_zones(column.data_type())).expect("the same values")
}

fn offset_zones(data_type: &DataType) -> DataType {
    let inside = |field: &Field| field.clone().with_data_type(offset_zones(field.data_type()));
    match data_type {
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
            DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()))
        }
        DataType::List(item) => DataType::List(Arc::new(inside(item))),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| inside(field)).collect()),
        other => other.clone(),
    }
}
