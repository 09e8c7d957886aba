//! Rows into a staging table, for what the Write API does not take.
//!
//! One table per split attempt, so that the rows of an attempt that failed are never part of another's commit. It has
//! no partitions (old and future dates are fine there) and expires by itself if nobody deletes it.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, FieldRef, Fields, Schema, SchemaRef};
use google_cloud_bigquery_v2::model::{Table, TableSchema};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::load::{LoadId, TableName};

use super::Shared;
use super::rest::Rest;
use super::schema::{Purpose, columns};
use super::spool::{Spool, Spooled};
use super::upload;
use super::wire::storable;

/// How long a staging table lives that nobody commits or abandons.
const LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// BigQuery's limit for a table's name.
const LONGEST_NAME: usize = 1024;

/// A staging table that is being filled.
pub(crate) struct Staging {
    table: TableName,
    schema: SchemaRef,
    file_bytes: u64,
    spool: Option<Spool>,
    files: u32,
    sent: u64,
    loaded: u64,
    bytes: u64,
}

impl Staging {
    /// Creates a staging table beside a table.
    pub(crate) async fn create(
        shared: &Shared,
        beside: &TableName,
        load: &LoadId,
        schema: &SchemaRef,
    ) -> Result<Self, RunError> {
        let schema = file_schema(schema);
        let suffix = format!("__sluice_{}_{}", load.as_str().replace('-', "_"), (shared.config.names)());
        let kept: String = beside.table.chars().take(LONGEST_NAME.saturating_sub(suffix.len()) / 4).collect();
        let table = TableName { dataset: beside.dataset.clone(), table: format!("{kept}{suffix}") };
        let life = i64::try_from(LIFE.as_millis()).unwrap_or(i64::MAX);
        let expires = ((shared.config.clock)() / 1000).saturating_add(life);
        let body = Table::new()
            .set_schema(TableSchema::new().set_fields(columns(&schema, Purpose::Staging)))
            .set_expiration_time(expires)
            .set_description(format!("Rows on their way into {beside}; deleted by itself"));
        shared
            .rest
            .create_table(&table, body)
            .await
            .map_err(|f| f.into_run_error(&format!("creating staging table {table}")))?;
        let file_bytes = shared.config.staging_file_bytes;
        Ok(Self { table, schema, file_bytes, spool: None, files: 0, sent: 0, loaded: 0, bytes: 0 })
    }

    pub(crate) fn table(&self) -> &TableName {
        &self.table
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Rows that load jobs have stored.
    pub(crate) fn loaded(&self) -> u64 {
        self.loaded
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Spools a batch; loads the file once it is large.
    pub(crate) async fn write(&mut self, rest: &Rest, batch: &RecordBatch) -> Result<(), RunError> {
        let mut spool = match self.spool.take() {
            Some(spool) => spool,
            None => Spool::create(self.schema.clone())?,
        };
        spool.write(&for_file(batch, &self.schema)?)?;
        self.sent += batch.num_rows() as u64;
        if spool.bytes() >= self.file_bytes {
            return self.load(rest, spool.finish()?).await;
        }
        self.spool = Some(spool);
        Ok(())
    }

    /// Loads what is left; afterwards the table holds exactly what was sent.
    pub(crate) async fn finish(&mut self, rest: &Rest) -> Result<(), RunError> {
        if let Some(spool) = self.spool.take() {
            self.load(rest, spool.finish()?).await?;
        }
        if self.loaded != self.sent {
            let text = format!(
                "staging table {} was sent {} rows and holds {}; nothing is committed, the split is read again",
                self.table, self.sent, self.loaded
            );
            return Err(RunError::new(Kind::Transient, Actor::Sink, text));
        }
        Ok(())
    }

    async fn load(&mut self, rest: &Rest, file: Spooled) -> Result<(), RunError> {
        // A table's name may hold characters that a job's id may not; its end is unique by itself.
        let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let table: String = self.table.table.chars().map(safe).collect();
        let job = format!("sluice_load_{table}_{}", self.files);
        self.files += 1;
        let rows = upload::load(rest, &job, &self.table, &file).await?;
        if rows != file.rows {
            let text = format!("job {job} was sent {} rows and stored {rows}; nothing is committed", file.rows);
            return Err(RunError::new(Kind::Transient, Actor::Sink, text));
        }
        self.loaded += rows;
        self.bytes += file.bytes;
        Ok(())
    }
}

/// The schema of the files. Decimals of more than 38 digits go as text, which every reader of Parquet understands
/// alike; the commit casts them.
fn file_schema(native: &SchemaRef) -> SchemaRef {
    let fields: Fields = native.fields().iter().map(file_field).collect();
    Arc::new(Schema::new(fields))
}

fn file_field(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Decimal256(..) => DataType::Utf8,
        DataType::List(item) => DataType::List(file_field(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(file_field).collect()),
        other => other.clone(),
    };
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

fn for_file(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, RunError> {
    let batch = storable(batch)?;
    let cast = |(column, field): (&ArrayRef, &FieldRef)| match column.data_type() == field.data_type() {
        true => Ok(column.clone()),
        false => arrow_cast::cast(column, field.data_type()),
    };
    let columns = batch.columns().iter().zip(schema.fields()).map(cast).collect::<Result<Vec<_>, _>>();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    columns
        .and_then(|columns| RecordBatch::try_new_with_options(schema.clone(), columns, &options))
        .map_err(|e| RunError::internal(format!("a batch could not be made ready for a load job: {e}")))
}
