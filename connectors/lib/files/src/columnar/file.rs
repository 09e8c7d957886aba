//! One Parquet file: its footer, checked before it is believed, and its row groups as batches.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch, new_null_array};
use arrow_schema::{Field, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use sluice_sdk::{Error, Result};

use super::chunks::Chunks;
use super::{text, widen::widen};
use crate::lines::{Reading, unknown_column};
use crate::objects::{Object, Objects};
use crate::options::OnMismatch;
use crate::spec::PartRange;

/// Largest footer that is read, bytes.
const MAX_FOOTER: u64 = 64 << 20;

/// Most rows of a batch.
const MAX_ROWS: u64 = 65_536;

/// Bytes of a page that are allowed; pages are decompressed as a whole.
const SMALLEST: u64 = 12;

/// A file's footer.
pub(crate) struct Footer {
    metadata: ArrowReaderMetadata,
    chunks: Chunks,
}

/// A row group's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

impl Footer {
    /// Reads a file's footer and checks that what it says of the file can be true.
    pub(crate) fn read(objects: &Arc<dyn Objects>, object: &Object) -> Result<Self> {
        let chunks = Chunks::new(objects, object);
        check_end(&chunks, object)?;
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::load(&chunks, options).map_err(|error| failed(&object.key, error))?;
        for (at, group) in metadata.metadata().row_groups().iter().enumerate() {
            let lie = |what: &str| {
                Error::protocol(format!("{}: the footer is wrong: row group {at} {what}; write it again", object.key))
            };
            if group.num_rows() < 0 || group.total_byte_size() < 0 {
                return Err(lie("has a negative size"));
            }
            for column in group.columns() {
                let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
                let end = u64::try_from(start)
                    .ok()
                    .zip(u64::try_from(column.compressed_size()).ok())
                    .and_then(|(start, length)| start.checked_add(length));
                if end.is_none_or(|end| end > object.size) || column.data_page_offset() < 0 {
                    return Err(lie("lies beyond the end of the file"));
                }
                if column.num_values() < 0 {
                    return Err(lie("has a negative number of values"));
                }
            }
        }
        Ok(Self { metadata, chunks })
    }

    /// The columns, all of which may be null: another file may lack them.
    pub(crate) fn schema(&self) -> Schema {
        let fields = self.metadata.schema().fields().iter();
        Schema::new(fields.map(|f| Field::new(f.name(), f.data_type().clone(), true)).collect::<Vec<_>>())
    }

    /// Where the columns of row groups are.
    fn columns(&self, groups: &[usize], mask: &ProjectionMask) -> Vec<Vec<Range<u64>>> {
        let groups = groups.iter().filter_map(|group| self.metadata.metadata().row_groups().get(*group));
        let wanted = |group: &RowGroupMetaData| {
            let columns = group.columns().iter().enumerate().filter(|(leaf, _)| mask.leaf_included(*leaf));
            columns
                .map(|(_, column)| {
                    let (start, length) = column.byte_range();
                    start..start.saturating_add(length)
                })
                .collect()
        };
        groups.map(wanted).collect()
    }

    /// The row groups' sizes.
    pub(crate) fn groups(&self) -> Vec<Group> {
        let groups = self.metadata.metadata().row_groups().iter();
        groups
            .map(|group| Group {
                rows: u64::try_from(group.num_rows()).unwrap_or_default(),
                bytes: u64::try_from(group.total_byte_size()).unwrap_or_default(),
            })
            .collect()
    }
}

/// The magic number and a footer that fits into the file.
fn check_end(chunks: &Chunks, object: &Object) -> Result<()> {
    use parquet::file::reader::ChunkReader;
    let wrong = |what: String| Error::protocol(format!("{} is not a Parquet file: {what}", object.key));
    if object.size < SMALLEST {
        return Err(wrong(format!("it has only {} bytes", object.size)));
    }
    let end = chunks.get_bytes(object.size - 8, 8).map_err(|error| failed(&object.key, error))?;
    let [a, b, c, d, magic @ ..] = end.as_ref() else { return Err(wrong("its end cannot be read".into())) };
    if magic == b"PARE" {
        return Err(Error::unsupported(format!("{} is encrypted; encrypted Parquet files are not read", object.key)));
    }
    if magic != b"PAR1" {
        return Err(wrong("it does not end with PAR1; it may have been cut off".into()));
    }
    let footer = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
    if footer > MAX_FOOTER || footer + 8 > object.size {
        return Err(wrong(format!("its footer is said to have {footer} bytes")));
    }
    Ok(())
}

fn failed(key: &str, error: ParquetError) -> Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(other) => Error::protocol(format!("{key} cannot be read as Parquet: {other}")),
        },
        other => Error::protocol(format!("{key} cannot be read as Parquet: {other}")),
    }
}

/// An open file.
pub(crate) struct Columnar<'a> {
    reading: &'a Reading<'a>,
    key: &'a str,
    reader: ParquetRecordBatchReader,
    columns: Vec<Option<usize>>,
    row: u64,
}

impl<'a> Columnar<'a> {
    /// Opens row groups of a file; `at` is the row among them where an earlier read stopped.
    pub(crate) fn open(
        objects: &Arc<dyn Objects>,
        reading: &'a Reading<'a>,
        object: &'a Object,
        range: Option<PartRange>,
        at: Option<u64>,
    ) -> Result<Self> {
        let footer = Footer::read(objects, object)?;
        let schema = footer.schema();
        let lenient = reading.options.on_mismatch == OnMismatch::Null;
        if let Some(extra) = schema.fields().iter().find(|f| reading.full.index_of(f.name()).is_err())
            && !lenient
        {
            return Err(unknown_column(&object.key, extra.name()));
        }
        let wanted: Vec<usize> =
            reading.schema.fields().iter().filter_map(|f| schema.index_of(f.name()).ok()).collect();
        let batch_rows = batch_rows(&footer, reading.spec.batch_bytes);
        let groups: Vec<usize> = match range {
            Some(range) => {
                (0..footer.groups().len()).filter(|g| (range.from..range.to).contains(&(*g as u64))).collect()
            }
            None => (0..footer.groups().len()).collect(),
        };
        let mask = ProjectionMask::roots(footer.metadata.parquet_schema(), wanted);
        footer.chunks.expect(footer.columns(&groups, &mask));
        let views = ArrowReaderOptions::new().with_schema(text::as_views(footer.metadata.schema()));
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(footer.metadata.metadata()), views)
            .map_err(|error| failed(&object.key, error))?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(footer.chunks, metadata)
            .with_projection(mask)
            .with_batch_size(batch_rows)
            .with_row_groups(groups)
            .with_offset(usize::try_from(at.unwrap_or_default()).unwrap_or(usize::MAX));
        let reader = builder.build().map_err(|error| failed(&object.key, error))?;
        let file: SchemaRef = {
            use arrow_array::RecordBatchReader;
            reader.schema()
        };
        let columns = reading.schema.fields().iter().map(|f| file.index_of(f.name()).ok()).collect();
        Ok(Self { reading, key: &object.key, reader, columns, row: at.unwrap_or_default() })
    }

    /// The row, among those of the part, that comes next.
    pub(crate) fn position(&self) -> u64 {
        self.row
    }

    /// The next batch; none at the end of the part.
    pub(crate) fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(batch) = self.reader.next() else { return Ok(None) };
        let batch = batch.map_err(|error| match error {
            arrow_schema::ArrowError::ParquetError(text) => {
                Error::protocol(format!("{} cannot be read as Parquet near row {}: {text}", self.key, self.row))
            }
            arrow_schema::ArrowError::ExternalError(inner) => match inner.downcast::<Error>() {
                Ok(ours) => *ours,
                Err(other) => Error::protocol(format!("{} cannot be read as Parquet: {other}", self.key)),
            },
            other => Error::protocol(format!("{} cannot be read as Parquet: {other}", self.key)),
        })?;
        let rows = batch.num_rows();
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (field, column) in self.reading.schema.fields().iter().zip(&self.columns) {
            arrays.push(match column {
                Some(at) => self.fit(batch.column(*at), field)?,
                None => new_null_array(field.data_type(), rows),
            });
        }
        self.row += rows as u64;
        Ok(Some(RecordBatch::try_new(Arc::clone(&self.reading.schema), arrays)?))
    }

    fn fit(&self, array: &ArrayRef, field: &Field) -> Result<ArrayRef> {
        let plain = match array.as_string_view_opt() {
            Some(views) => &(Arc::new(text::of_views(views)?) as ArrayRef),
            None => array,
        };
        widen(plain, field.data_type()).ok_or_else(|| {
            Error::protocol(format!(
                "{}, column {:?}: {} does not fit the stream's {}; read such files as a stream of their own, or set \
                 on_mismatch to skip-file",
                self.key,
                field.name(),
                plain.data_type(),
                field.data_type()
            ))
        })
    }
}

fn batch_rows(footer: &Footer, batch_bytes: u64) -> usize {
    let groups = footer.groups();
    let rows: u64 = groups.iter().map(|g| g.rows).sum();
    let bytes: u64 = groups.iter().map(|g| g.bytes).fold(0, u64::saturating_add);
    let per_row = bytes / rows.max(1) + 1;
    // Encoded pages are smaller than Arrow: half as many rows as the encoded size suggests.
    let wanted = (batch_bytes / per_row / 2).clamp(1, MAX_ROWS);
    usize::try_from(wanted).unwrap_or(1)
}
