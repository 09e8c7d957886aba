//! Writes the rows of one split into staged Parquet files.
//!
//! Encoding is work for a processor, so it happens on a blocking thread of its own for each split; the channel to it is
//! short, so that a slow disk holds the source back and memory does not grow.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::{ArrayRef, RecordBatch, new_null_array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{Schema, SchemaRef};
use async_trait::async_trait;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::load::{Artifact, LoadId, SplitReceipt};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Settings;
use super::durable::{create_dirs, io_error, parquet_error, remove_file, sync_dir};
use super::layout::{Layout, part_name};
use crate::{Load, SplitWriter};

/// Batches between the split and its encoder. One is encoded while the next is made.
const QUEUED: usize = 1;

enum Message {
    Rows(RecordBatch),
    Finish,
}

/// The async half: hands batches to the encoder.
pub(super) struct Writer {
    split: String,
    sent: u64,
    messages: mpsc::Sender<Message>,
    given_up: Arc<AtomicBool>,
    encoder: Option<JoinHandle<Result<Vec<Artifact>, RunError>>>,
}

impl Writer {
    /// Starts the encoder, which writes into the staged folder of this name. No file is created before the first row comes.
    pub(super) fn start(
        load: &Load,
        split: &str,
        folder: LoadId,
        layout: Layout,
        schema: SchemaRef,
        settings: Settings,
    ) -> Self {
        let (messages, inbox) = mpsc::channel(QUEUED);
        let given_up = Arc::new(AtomicBool::new(false));
        let encoder = Encoder {
            load: load.clone(),
            split: split.to_owned(),
            folder,
            layout,
            schema,
            settings,
            runtime: Handle::current(),
            given_up: Arc::clone(&given_up),
            current: None,
            finished: Vec::new(),
            next_file: 0,
        };
        let encoder = Some(tokio::task::spawn_blocking(move || encoder.run(inbox)));
        Self { split: split.to_owned(), sent: 0, messages, given_up, encoder }
    }

    async fn outcome(&mut self) -> Result<Vec<Artifact>, RunError> {
        let Some(encoder) = self.encoder.take() else {
            return Err(RunError::internal("a writer was used after it had failed"));
        };
        encoder
            .await
            .unwrap_or_else(|e| Err(RunError::internal(format!("the Parquet encoder ended unexpectedly: {e}"))))
    }

    /// The encoder has hung up, which it only does after a failure.
    async fn failure(&mut self) -> RunError {
        self.outcome().await.err().unwrap_or_else(|| RunError::internal("the Parquet encoder stopped early"))
    }
}

#[async_trait]
impl SplitWriter for Writer {
    async fn write(&mut self, batch: RecordBatch) -> Result<(), RunError> {
        let rows = batch.num_rows() as u64;
        if rows == 0 {
            return Ok(());
        }
        if self.messages.send(Message::Rows(batch)).await.is_err() {
            return Err(self.failure().await);
        }
        self.sent = self.sent.saturating_add(rows);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<SplitReceipt, RunError> {
        if self.messages.send(Message::Finish).await.is_err() {
            return Err(self.failure().await);
        }
        let artifacts = self.outcome().await?;
        let sum = |of: fn(&Artifact) -> u64| artifacts.iter().map(of).fold(0_u64, u64::saturating_add);
        let (rows_finalized, bytes) = (sum(|a| a.rows), sum(|a| a.bytes));
        if rows_finalized != self.sent {
            let what =
                format!("split {}: {} rows were written, its files hold {rows_finalized}", self.split, self.sent);
            return Err(RunError::internal(what));
        }
        Ok(SplitReceipt { split: self.split.clone(), artifacts, rows_sent: self.sent, rows_finalized, bytes })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

/// The blocking half: encodes batches, rolls files, closes them durably.
struct Encoder {
    load: Load,
    split: String,
    folder: LoadId,
    layout: Layout,
    schema: SchemaRef,
    settings: Settings,
    runtime: Handle,
    given_up: Arc<AtomicBool>,
    current: Option<OpenFile>,
    finished: Vec<Artifact>,
    next_file: u32,
}

struct OpenFile {
    path: PathBuf,
    artifact: Artifact,
    writer: ArrowWriter<File>,
    rows: u64,
}

impl Encoder {
    fn run(mut self, mut inbox: mpsc::Receiver<Message>) -> Result<Vec<Artifact>, RunError> {
        let ended = self.encode(&mut inbox);
        if let Some(open) = self.current.take() {
            // Its rows will not be committed; what cannot be removed now is in the ledger, to be abandoned.
            if let Err(e) = remove_file(&open.path) {
                tracing::debug!(error = %e, "a staged file stays until it is abandoned");
            }
        }
        ended?;
        Ok(self.finished)
    }

    fn encode(&mut self, inbox: &mut mpsc::Receiver<Message>) -> Result<(), RunError> {
        loop {
            let message = inbox.blocking_recv();
            if self.given_up.load(Ordering::Relaxed) {
                return Err(RunError::new(Kind::Cancelled, Actor::Host, "the split was given up"));
            }
            match message {
                Some(Message::Rows(batch)) => self.write(&batch)?,
                Some(Message::Finish) => return self.close_file(),
                None => return Err(RunError::new(Kind::Cancelled, Actor::Host, "the split was given up")),
            }
        }
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), RunError> {
        let batch = align(batch, &self.schema)?;
        if self.current.is_none() {
            self.current = Some(self.open_file()?);
        }
        let Some(open) = &mut self.current else { return Err(RunError::internal("no file is open")) };
        let failed = |e| parquet_error("writing", &open.path, &e);
        open.writer.write(&batch).map_err(failed)?;
        open.rows = open.rows.saturating_add(batch.num_rows() as u64);
        if open.writer.memory_size() >= self.settings.row_group_bytes {
            open.writer.flush().map_err(failed)?;
        }
        if open.writer.bytes_written() >= self.settings.file_bytes {
            self.close_file()?;
        }
        Ok(())
    }

    fn open_file(&mut self) -> Result<OpenFile, RunError> {
        let folder = self.layout.staged(&self.folder)?;
        // An earlier attempt may have left files of this split, which the ledger knows; they are never written to again.
        let (name, path) = loop {
            let name = part_name(&self.split, self.next_file);
            let path = folder.join(&name);
            self.next_file = self.next_file.saturating_add(1);
            if !path.exists() {
                break (name, path);
            }
        };
        let artifact = Artifact {
            load: self.load.id.clone(),
            split: self.split.clone(),
            name: self.layout.artifact(&self.folder, &name),
            rows: 0,
            bytes: 0,
            finalized: false,
        };
        self.runtime.block_on(self.load.ledger.opened(&artifact))?;
        create_dirs(&folder)?;
        let file = File::create_new(&path).map_err(|e| io_error("creating", &path, &e))?;
        let writer = ArrowWriter::try_new(file, Arc::clone(&self.schema), Some(properties()?));
        let writer = writer.map_err(|e| parquet_error("creating", &path, &e))?;
        Ok(OpenFile { path, artifact, writer, rows: 0 })
    }

    /// Closes the file, makes it durable, and only then tells the ledger.
    fn close_file(&mut self) -> Result<(), RunError> {
        let Some(open) = &mut self.current else { return Ok(()) };
        let metadata = open.writer.finish().map_err(|e| parquet_error("closing", &open.path, &e))?;
        let counted = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or_default();
        if counted != open.rows {
            let what = format!("{} holds {counted} rows, {} were written", open.path.display(), open.rows);
            return Err(RunError::internal(what));
        }
        let file = open.writer.inner();
        let synced = file.sync_all().and_then(|()| file.metadata());
        let bytes = synced.map_err(|e| io_error("making durable", &open.path, &e))?.len();
        sync_dir(open.path.parent().unwrap_or(Path::new(".")))?;
        let artifact = Artifact { rows: counted, bytes, finalized: true, ..open.artifact.clone() };
        self.runtime.block_on(self.load.ledger.finalized(&artifact))?;
        self.current = None;
        self.finished.push(artifact);
        Ok(())
    }
}

pub(super) fn properties() -> Result<WriterProperties, RunError> {
    let level = ZstdLevel::try_new(1).map_err(|e| RunError::internal(format!("zstd has no level 1: {e}")))?;
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_created_by(concat!("sluice ", env!("CARGO_PKG_VERSION")).to_owned())
        // Row groups are small, so the statistics of pages add more bytes than they save.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        // Each column of each split keeps a dictionary and a page, which `memory_size` counts only in part: what is lost to smaller
        // ones is little beside row groups of a few megabytes.
        .set_dictionary_page_size_limit(256 << 10)
        .set_data_page_size_limit(256 << 10)
        // Row groups end by bytes, see `Settings::row_group_bytes`.
        .set_max_row_group_row_count(None)
        .build())
}

/// Brings a batch to the table's columns: their order, wider types, NULL for what the stream does not have.
fn align(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, RunError> {
    let fits = |schema: &Schema| {
        schema.fields().len() == batch.num_columns()
            && schema
                .fields()
                .iter()
                .zip(batch.schema_ref().fields())
                .all(|(table, stream)| table.name() == stream.name() && table.data_type() == stream.data_type())
    };
    let columns = if fits(schema) { batch.columns().to_vec() } else { convert(batch, schema)? };
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|e| {
        RunError::new(Kind::Data, Actor::Source, format!("a batch does not fit the columns of its table: {e}"))
    })
}

fn convert(batch: &RecordBatch, schema: &SchemaRef) -> Result<Vec<ArrayRef>, RunError> {
    if let Some(stranger) = batch.schema_ref().fields().iter().find(|f| schema.field_with_name(f.name()).is_err()) {
        let what = format!("a batch has a column {} that the table was not prepared for", stranger.name());
        return Err(RunError::internal(what));
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let cast = |field: &arrow_schema::Field| match batch.column_by_name(field.name()) {
        None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        Some(column) => cast_with_options(column, field.data_type(), &strict).map_err(|_| {
            // The library's message would show the value.
            let what = format!("column {}: a value does not fit {}, the table's type", field.name(), field.data_type());
            RunError::new(Kind::Data, Actor::Source, what)
        }),
    };
    schema.fields().iter().map(|field| cast(field)).collect()
}
