//! Writes one split: rows that the Write API takes go to a write stream, the others to a staging table.

use std::sync::Arc;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use google_cloud_bigquery_v2::model::TableFieldSchema;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::load::{Artifact, LoadStrategy, SplitReceipt, TableName};

use super::Shared;
use super::append::Appender;
use super::commit::finalize;
use super::staging::Staging;
use super::table::resource;
use super::types::has_time;
use super::window::{Divided, MICROS_PER_DAY, Window};
use super::wire::Wire;
use crate::{Load, NAMES, SplitWriter, names_schema};

/// The ledger hears of progress each time so many bytes are acknowledged.
const PROGRESS_BYTES: u64 = 64 << 20;

/// Where the rows of a load may go.
enum Route {
    /// All to a write stream.
    Stream,
    /// All to a staging table.
    Staging,
    /// By the value of this column.
    Divided { column: usize, window: Window },
}

/// What stays the same while a split is written.
struct Context {
    shared: Arc<Shared>,
    load: Load,
    split: String,
    table: Vec<TableFieldSchema>,
}

pub(crate) struct Writer {
    context: Context,
    route: Route,
    stream: Option<(Wire, Appender)>,
    staging: Option<Staging>,
    sent: u64,
    reported: u64,
}

impl Context {
    fn artifact(&self, name: String, rows: u64, bytes: u64, finalized: bool) -> Artifact {
        Artifact { load: self.load.id.clone(), split: self.split.clone(), name, rows, bytes, finalized }
    }

    /// Creates the stream and writes it down, before the first row.
    async fn open_stream(&self) -> Result<(Wire, Appender), RunError> {
        let request_bytes = self.shared.config.request_bytes;
        let schema = &self.load.spec.schema;
        let wire = Wire::new(schema, &self.table, request_bytes)?;
        let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        let table = resource(&self.shared.config.project, &self.load.spec.name);
        let connector = self.shared.connector.clone();
        let appender = Appender::create(connector, &table, wire.schema_message()?, columns, request_bytes).await?;
        self.load.ledger.opened(&self.artifact(appender.stream().to_owned(), 0, 0, false)).await?;
        Ok((wire, appender))
    }

    /// Creates the staging table and writes it down, before the first row.
    async fn open_staging(&self) -> Result<Staging, RunError> {
        let spec = &self.load.spec;
        let staging = Staging::create(&self.shared, &spec.name, &self.load.id, &spec.schema).await?;
        self.load.ledger.opened(&self.artifact(self.staged(staging.table()), 0, 0, false)).await?;
        Ok(staging)
    }

    fn staged(&self, table: &TableName) -> String {
        resource(&self.shared.config.project, table)
    }
}

impl Writer {
    pub(crate) async fn open(shared: Arc<Shared>, load: &Load, split: &str) -> Result<Self, RunError> {
        let name = &load.spec.name;
        let table = shared.rest.table(name).await.map_err(|f| f.into_run_error(&format!("reading table {name}")))?;
        let table = table.ok_or_else(|| {
            let text = format!("table {name} is gone since it was prepared; run the pipeline again");
            RunError::new(Kind::NotFound, Actor::Sink, text)
        })?;
        let route = route(load, table.time_partitioning.and_then(|p| p.field).as_deref(), (shared.config.clock)());
        let table = table.schema.map(|s| s.fields).unwrap_or_default();
        let context = Context { shared, load: load.clone(), split: split.to_owned(), table };
        Ok(Self { context, route, stream: None, staging: None, sent: 0, reported: 0 })
    }

    /// Writes the names of the files that a load replaces, to a staging table of their own.
    pub(crate) fn of_names(shared: Arc<Shared>, load: &Load) -> Self {
        let mut load = load.clone();
        load.spec.schema = names_schema();
        let context = Context { shared, load, split: NAMES.to_owned(), table: Vec::new() };
        Self { context, route: Route::Staging, stream: None, staging: None, sent: 0, reported: 0 }
    }

    async fn append(&mut self, batch: &RecordBatch) -> Result<(), RunError> {
        let (mut wire, mut appender) = match self.stream.take() {
            Some(open) => open,
            None => self.context.open_stream().await?,
        };
        let batch = wire.adapt(batch)?;
        let mut from = 0;
        while from < batch.num_rows() {
            let encoded = wire.next(&batch, from)?;
            from += encoded.rows;
            appender.push(encoded.rows, encoded.message).await?;
        }
        if appender.bytes() - self.reported >= PROGRESS_BYTES {
            self.reported = appender.bytes();
            let (rows, bytes) = (appender.acknowledged(), appender.bytes());
            let artifact = self.context.artifact(appender.stream().to_owned(), rows, bytes, false);
            self.context.load.ledger.progressed(&artifact).await?;
        }
        self.stream = Some((wire, appender));
        Ok(())
    }

    async fn stage(&mut self, batch: &RecordBatch) -> Result<(), RunError> {
        let context = &self.context;
        let mut staging = match self.staging.take() {
            Some(staging) => staging,
            None => context.open_staging().await?,
        };
        let before = staging.loaded();
        staging.write(&context.shared.rest, batch).await?;
        if staging.loaded() > before {
            let name = context.staged(staging.table());
            let artifact = context.artifact(name, staging.loaded(), staging.bytes(), false);
            context.load.ledger.progressed(&artifact).await?;
        }
        self.staging = Some(staging);
        Ok(())
    }

    async fn finish_stream(&mut self) -> Result<Option<Artifact>, RunError> {
        let Some((_, mut appender)) = self.stream.take() else { return Ok(None) };
        appender.drain().await?;
        let stream = appender.stream().to_owned();
        let rows = finalize(&self.context.shared.admin, &stream)
            .await
            .map_err(|f| f.into_run_error(&format!("closing write stream {stream}")))?;
        if rows != appender.sent() {
            let text = format!(
                "write stream {stream} was sent {} rows and holds {rows}; nothing is committed, the split is read again",
                appender.sent()
            );
            return Err(RunError::new(Kind::Transient, Actor::Sink, text));
        }
        Ok(Some(self.context.artifact(stream, rows, appender.bytes(), true)))
    }

    async fn finish_staging(&mut self) -> Result<Option<Artifact>, RunError> {
        let Some(mut staging) = self.staging.take() else { return Ok(None) };
        staging.finish(&self.context.shared.rest).await?;
        let name = self.context.staged(staging.table());
        Ok(Some(self.context.artifact(name, staging.sent(), staging.bytes(), true)))
    }
}

#[async_trait]
impl SplitWriter for Writer {
    async fn write(&mut self, batch: RecordBatch) -> Result<(), RunError> {
        let rows = batch.num_rows() as u64;
        if rows == 0 {
            return Ok(());
        }
        let divided = match self.route {
            Route::Stream => Divided { inside: Some(batch), outside: None },
            Route::Staging => Divided { inside: None, outside: Some(batch) },
            Route::Divided { column, window } => window.divide(batch, column)?,
        };
        if let Some(batch) = divided.inside {
            self.append(&batch).await?;
        }
        if let Some(batch) = divided.outside {
            self.stage(&batch).await?;
        }
        self.sent += rows;
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<SplitReceipt, RunError> {
        let mut artifacts = Vec::new();
        artifacts.extend(self.finish_stream().await?);
        artifacts.extend(self.finish_staging().await?);
        for artifact in &artifacts {
            self.context.load.ledger.finalized(artifact).await?;
        }
        Ok(SplitReceipt {
            split: self.context.split,
            rows_sent: self.sent,
            rows_finalized: artifacts.iter().map(|a| a.rows).sum(),
            bytes: artifacts.iter().map(|a| a.bytes).sum(),
            artifacts,
        })
    }
}

fn route(load: &Load, partition: Option<&str>, now_us: i64) -> Route {
    let schema = &load.spec.schema;
    // What was appended by the Write API cannot always be deleted soon after, and files that were just read may change at once.
    if matches!(load.spec.strategy, LoadStrategy::Catalog { .. } | LoadStrategy::Files)
        || schema.fields().iter().any(|field| has_time(field.data_type()))
    {
        return Route::Staging;
    }
    let column = partition.and_then(|name| schema.fields().iter().position(|f| f.name().eq_ignore_ascii_case(name)));
    match column {
        Some(column) => Route::Divided { column, window: Window::around(now_us.div_euclid(MICROS_PER_DAY)) },
        None => Route::Stream,
    }
}
