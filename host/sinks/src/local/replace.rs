//! The new content of a table some of whose files are replaced: what stays of the old one.
//!
//! Parquet files in which nothing changes are linked, not copied; one that holds rows of a replaced file is written again
//! without them. Which those are is known from the smallest and largest name in each, and then from the names themselves.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::file::statistics::Statistics;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::load::FILE_COLUMN;

use super::durable::{io_error, parquet_error};
use super::marker::{MarkedFile, Marker};
use super::writer::properties;

/// Rows that are looked at together.
const BATCH: usize = 8192;

/// The names in these files.
pub(super) fn names(files: &[PathBuf]) -> Result<BTreeSet<String>, RunError> {
    let mut names = BTreeSet::new();
    for path in files {
        for batch in read(path, false)? {
            let batch = batch.map_err(|e| damaged(path, &e))?;
            names.extend(files_of(&batch).into_iter().flatten().flatten().map(str::to_owned));
        }
    }
    Ok(names)
}

/// Brings what stays of a published folder into the staged one that will take its place.
pub(super) fn carry_over(
    marker: &Marker,
    published: &Path,
    staged: &Path,
    replaced: &BTreeSet<String>,
) -> Result<Vec<MarkedFile>, RunError> {
    let mut kept = Vec::with_capacity(marker.files.len());
    for file in &marker.files {
        let from = published.join(&file.name);
        // Every load calls its files alike; those of an earlier one say which it was.
        let name = match file.name.strip_prefix("part-") {
            Some(rest) => format!("from-{}-{rest}", marker.load),
            None => file.name.clone(),
        };
        let to = staged.join(&name);
        if !replaced.is_empty() && holds_any(&from, replaced)? {
            if let Some((rows, bytes)) = without(&from, &to, replaced)? {
                kept.push(MarkedFile { name, rows, bytes });
            }
        } else {
            link(&from, &to)?;
            kept.push(MarkedFile { name, ..file.clone() });
        }
    }
    Ok(kept)
}

fn link(from: &Path, to: &Path) -> Result<(), RunError> {
    match fs::hard_link(from, to) {
        Err(e)
            if matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::TooManyLinks | ErrorKind::PermissionDenied) =>
        {
            let copied = fs::copy(from, to).and_then(|_| File::open(to)?.sync_all());
            copied.map_err(|e| io_error("copying", to, &e))
        }
        other => other.map_err(|e| io_error("linking", to, &e)),
    }
}

/// Whether a Parquet file has a row of one of these files.
fn holds_any(path: &Path, replaced: &BTreeSet<String>) -> Result<bool, RunError> {
    let file = File::open(path).map_err(|e| io_error("reading", path, &e))?;
    let metadata =
        ArrowReaderMetadata::load(&file, Default::default()).map_err(|e| parquet_error("reading", path, &e))?;
    let footer = metadata.metadata();
    let leaves = footer.file_metadata().schema_descr();
    let Some(leaf) = (0..leaves.num_columns()).find(|at| leaves.column(*at).path().string() == FILE_COLUMN) else {
        return Ok(false);
    };
    let possible = footer.row_groups().iter().any(|group| match group.column(leaf).statistics() {
        Some(Statistics::ByteArray(seen)) => between(replaced, seen.min_bytes_opt(), seen.max_bytes_opt()),
        _ => true,
    });
    if !possible {
        return Ok(false);
    }
    for batch in read(path, true)? {
        let batch = batch.map_err(|e| damaged(path, &e))?;
        if files_of(&batch).into_iter().flatten().flatten().any(|name| replaced.contains(name)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether one of the names lies between two, as far as these are known: statistics may be cut, to bounds that hold all the same.
fn between(names: &BTreeSet<String>, min: Option<&[u8]>, max: Option<&[u8]>) -> bool {
    let (Some(min), Some(max)) = (min, max) else { return true };
    let (Ok(min), Ok(max)) = (std::str::from_utf8(min), std::str::from_utf8(max)) else { return true };
    min > max || names.range::<str, _>((Bound::Included(min), Bound::Included(max))).next().is_some()
}

/// Writes a Parquet file again without the rows of these files, durably; none, and no file, if no row is left.
fn without(from: &Path, to: &Path, replaced: &BTreeSet<String>) -> Result<Option<(u64, u64)>, RunError> {
    let failed = |e| parquet_error("writing", to, &e);
    let mut open: Option<ArrowWriter<File>> = None;
    for batch in read(from, false)? {
        let batch = batch.map_err(|e| damaged(from, &e))?;
        let stays: BooleanArray = match files_of(&batch) {
            Some(names) => names.map(|name| Some(name.is_none_or(|name| !replaced.contains(name)))).collect(),
            None => BooleanArray::from(vec![true; batch.num_rows()]),
        };
        let left = arrow_select::filter::filter_record_batch(&batch, &stays).map_err(|e| damaged(from, &e))?;
        if left.num_rows() == 0 {
            continue;
        }
        let mut writer = match open.take() {
            Some(writer) => writer,
            None => {
                let file = File::create_new(to).map_err(|e| io_error("creating", to, &e))?;
                ArrowWriter::try_new(file, left.schema(), Some(properties()?)).map_err(failed)?
            }
        };
        writer.write(&left).map_err(failed)?;
        if writer.in_progress_size() >= super::Settings::default().row_group_bytes {
            writer.flush().map_err(failed)?;
        }
        open = Some(writer);
    }
    let Some(mut writer) = open else { return Ok(None) };
    let rows = writer.finish().map_err(failed)?.file_metadata().num_rows();
    let file = writer.inner();
    let synced = file.sync_all().and_then(|()| file.metadata());
    let bytes = synced.map_err(|e| io_error("making durable", to, &e))?.len();
    Ok(Some((u64::try_from(rows).unwrap_or_default(), bytes)))
}

/// The files that the rows of a batch are of; none if it does not say.
fn files_of(batch: &RecordBatch) -> Option<impl Iterator<Item = Option<&str>>> {
    let column = batch.column_by_name(FILE_COLUMN)?;
    (*column.data_type() == DataType::Utf8).then(|| column.as_string::<i32>().iter())
}

fn read(path: &Path, names_only: bool) -> Result<ParquetRecordBatchReader, RunError> {
    let failed = |e| parquet_error("reading", path, &e);
    let file = File::open(path).map_err(|e| io_error("reading", path, &e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed)?;
    let mask = match names_only {
        true => ProjectionMask::columns(builder.parquet_schema(), [FILE_COLUMN]),
        false => ProjectionMask::all(),
    };
    builder.with_projection(mask).with_batch_size(BATCH).build().map_err(failed)
}

fn damaged(path: &Path, error: &arrow_schema::ArrowError) -> RunError {
    RunError::new(Kind::Protocol, Actor::Sink, format!("reading {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_outside_of_what_a_file_holds_are_not_looked_for() {
        let names: BTreeSet<String> = ["b", "m/ö", "x"].map(str::to_owned).into();
        assert!(between(&names, Some(b"a"), Some(b"c")));
        assert!(between(&names, Some("m/ö".as_bytes()), Some("m/ö".as_bytes())));
        assert!(!between(&names, Some(b"c"), Some(b"m/")));
        assert!(!between(&names, Some(b"y"), Some(b"z")));
        assert!(between(&names, None, Some(b"a")) && between(&names, Some(&[0xff]), Some(b"z")), "unknown is possible");
    }
}
