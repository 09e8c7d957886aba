//! Rows on their way into a load job: a Parquet file in the temporary folder, which nobody else can see.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};

/// A row group is closed at this size, because it is held in memory until then.
const ROW_GROUP_BYTES: usize = 12 << 20;

/// A Parquet file that is being written.
pub(crate) struct Spool {
    writer: ArrowWriter<File>,
    rows: u64,
}

/// A whole Parquet file.
pub(crate) struct Spooled {
    pub(crate) file: File,
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
}

impl Spool {
    pub(crate) fn create(schema: SchemaRef) -> Result<Self, RunError> {
        let file = tempfile::tempfile().map_err(|e| on_disk(&e))?;
        let compression = Compression::ZSTD(ZstdLevel::try_new(1).map_err(|e| broken(&e))?);
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .set_data_page_size_limit(1 << 20)
            .set_dictionary_page_size_limit(512 * 1024)
            .set_coerce_types(true)
            .build();
        let writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(|e| broken(&e))?;
        Ok(Self { writer, rows: 0 })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), RunError> {
        self.writer.write(batch).map_err(|e| broken(&e))?;
        self.rows += batch.num_rows() as u64;
        if self.writer.in_progress_size() >= ROW_GROUP_BYTES {
            self.writer.flush().map_err(|e| broken(&e))?;
        }
        Ok(())
    }

    /// Bytes written so far, with what is still in memory.
    pub(crate) fn bytes(&self) -> u64 {
        (self.writer.bytes_written() + self.writer.in_progress_size()) as u64
    }

    pub(crate) fn finish(self) -> Result<Spooled, RunError> {
        let mut file = self.writer.into_inner().map_err(|e| broken(&e))?;
        let bytes = file.seek(SeekFrom::End(0)).map_err(|e| on_disk(&e))?;
        Ok(Spooled { file, bytes, rows: self.rows })
    }
}

impl Spooled {
    /// The bytes from `offset` on, at most `most`.
    pub(crate) fn part(&self, offset: u64, most: usize) -> std::io::Result<Vec<u8>> {
        let left = usize::try_from(self.bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut part = vec![0; left.min(most)];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(&mut part)?;
        Ok(part)
    }
}

pub(crate) fn on_disk(error: &std::io::Error) -> RunError {
    let text = format!("rows could not be spooled to the temporary folder {}: {error}", std::env::temp_dir().display());
    RunError::new(Kind::Resources, Actor::Host, text)
}

fn broken(error: &ParquetError) -> RunError {
    if let ParquetError::External(inner) = error
        && let Some(io) = inner.downcast_ref::<std::io::Error>()
    {
        return on_disk(io);
    }
    RunError::internal(format!("rows could not be written as Parquet: {error}"))
}
