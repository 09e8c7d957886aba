//! Reading the warehouse back: for the CLI's `preview`, and for tests.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, RecordBatch};
use arrow_array::{StringArray, new_null_array};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::load::{SNAPSHOT_DATE_COLUMN, TableName};

use super::durable::{io_error, parquet_error};
use super::layout::Layout;
use super::marker::Marker;
use super::schema::{LayoutKind, Table};

/// A table of a warehouse.
#[derive(Clone, Debug)]
pub struct TableInfo {
    /// Its name.
    pub name: TableName,
    /// How its folders are made.
    pub layout: LayoutKind,
    /// Its columns, without the one that is in the path.
    pub schema: SchemaRef,
    /// Committed rows.
    pub rows: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Its committed loads or days, ordered by folder.
    pub partitions: Vec<PartitionInfo>,
}

/// A committed load, or a day of a catalog table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionInfo {
    /// The folder's name: `load=…` or `snapshot_date=…`.
    pub folder: String,
    /// The load that published it.
    pub load: String,
    /// Rows in it.
    pub rows: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Its files.
    pub files: usize,
}

/// Every table of a warehouse, ordered by name; none if the folder does not exist.
///
/// # Errors
/// If a folder or a file of Sluice in it cannot be read.
pub fn tables(root: &Path) -> Result<Vec<TableInfo>, RunError> {
    let mut found = Vec::new();
    for dataset in folders(root)? {
        for table in folders(&root.join(&dataset))? {
            // A folder whose name no table can have is somebody else's.
            let name = TableName { dataset: dataset.clone(), table };
            let Ok(layout) = Layout::new(root, &name) else { continue };
            if let Some(table) = Table::read(&layout)? {
                found.push(table_info(&layout, table)?);
            }
        }
    }
    Ok(found)
}

fn table_info(layout: &Layout, table: Table) -> Result<TableInfo, RunError> {
    let partitions: Vec<PartitionInfo> = published(layout)?
        .into_iter()
        .map(|(folder, marker)| PartitionInfo {
            folder,
            load: marker.load.to_string(),
            rows: marker.rows,
            bytes: marker.files.iter().map(|file| file.bytes).fold(0, u64::saturating_add),
            files: marker.files.len(),
        })
        .collect();
    Ok(TableInfo {
        name: layout.name.clone(),
        layout: table.layout,
        schema: table.schema,
        rows: partitions.iter().map(|p| p.rows).fold(0, u64::saturating_add),
        bytes: partitions.iter().map(|p| p.bytes).fold(0, u64::saturating_add),
        partitions,
    })
}

/// The first committed rows of a table, in the order of its folders and files, with the table's columns; a catalog
/// table also has `snapshot_date`.
///
/// # Errors
/// If there is no such table, or a file cannot be read.
pub fn preview(root: &Path, table: &TableName, limit: usize) -> Result<Vec<RecordBatch>, RunError> {
    let layout = Layout::new(root, table)?;
    let Some(known) = Table::read(&layout)? else {
        let message = format!("there is no table {table} in the warehouse {}", root.display());
        return Err(RunError::new(Kind::NotFound, Actor::User, message));
    };
    let mut batches = Vec::new();
    let mut left = limit;
    for (folder, marker) in published(&layout)? {
        for file in &marker.files {
            if left == 0 {
                return Ok(batches);
            }
            let path = layout.dir.join(&folder).join(&file.name);
            for batch in read_file(&path, left)? {
                let batch = to_table(&batch, &known, &folder).map_err(|e| {
                    RunError::new(
                        Kind::Protocol,
                        Actor::Sink,
                        format!("{} does not fit its table: {e}", path.display()),
                    )
                })?;
                left = left.saturating_sub(batch.num_rows());
                batches.push(batch);
            }
        }
    }
    Ok(batches)
}

fn read_file(path: &Path, limit: usize) -> Result<Vec<RecordBatch>, RunError> {
    let file = File::open(path).map_err(|e| io_error("reading", path, &e))?;
    let failed = |e| parquet_error("reading", path, &e);
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed)?;
    let reader = reader.with_limit(limit).with_batch_size(8192).build().map_err(failed)?;
    let batches: Result<Vec<_>, _> = reader.collect();
    batches.map_err(|e| RunError::new(Kind::Protocol, Actor::Sink, format!("reading {}: {e}", path.display())))
}

/// Older files lack columns that came later, or have narrower types.
fn to_table(batch: &RecordBatch, table: &Table, folder: &str) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let rows = batch.num_rows();
    let mut fields: Vec<_> = table.schema.fields().iter().cloned().collect();
    let mut columns = Vec::with_capacity(fields.len().saturating_add(1));
    for field in table.schema.fields() {
        columns.push(match batch.column_by_name(field.name()) {
            Some(column) => cast(column, field.data_type())?,
            None => new_null_array(field.data_type(), rows),
        });
    }
    if table.layout == LayoutKind::Catalog {
        let day = folder.strip_prefix(SNAPSHOT_DATE_COLUMN).and_then(|rest| rest.strip_prefix('=')).unwrap_or_default();
        let day: ArrayRef = Arc::new(StringArray::from(vec![day]));
        let day = cast(&day, &DataType::Date32)?;
        let days = arrow_array::cast::AsArray::as_primitive_opt::<arrow_array::types::Date32Type>(&day)
            .map(|days| Date32Array::from_iter(std::iter::repeat_n(days.iter().next().flatten(), rows)))
            .unwrap_or_else(|| Date32Array::new_null(rows));
        fields.push(Arc::new(Field::new(SNAPSHOT_DATE_COLUMN, DataType::Date32, true)));
        columns.push(Arc::new(days));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

/// Committed folders of a table and their markers, ordered by name.
fn published(layout: &Layout) -> Result<Vec<(String, Marker)>, RunError> {
    let mut found = Vec::new();
    for folder in folders(&layout.dir)? {
        if !folder.contains('=') {
            continue;
        }
        if let Some(marker) = Marker::read(&layout.dir.join(&folder))? {
            found.push((folder, marker));
        }
    }
    Ok(found)
}

/// Names of the folders in a folder, ordered.
fn folders(path: &Path) -> Result<Vec<String>, RunError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(io_error("reading", path, &e)),
    };
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut names: Vec<String> = paths
        .map_err(|e| io_error("reading", path, &e))?
        .into_iter()
        .filter(|path| path.is_dir())
        .filter_map(|path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}
