//! A warehouse of Parquet files in a folder.
//!
//! ```text
//! <root>/<dataset>/<table>/_schema.json                               the table's columns
//!                         /_sluice_<author>.json                       which load of a stream came last
//!                         /load=<load id>/part-<split>-00000.parquet  a transactional load
//!                         /snapshot_date=2024-01-31/part-….parquet    a day of a catalog table
//!                         /files=current/….parquet                    all rows of a table whose files are replaced
//!                         /…/_sluice.json                             what the folder holds, and by which load
//!                         /_staging/<load id>/part-….parquet          not committed yet
//!                         /_staging/<load id>-names/part-….parquet    which files a load replaces
//! ```
//!
//! Committed rows are exactly those of `<root>/<dataset>/<table>/*/*.parquet`; a reader that takes `**` instead also
//! sees what is staged. `load`, `snapshot_date` and `files` are in the paths and not in the files.
//!
//! A commit is one rename of a folder (`publish.rs`), after everything in the folder was made durable; so it is atomic
//! under `kill -9` and survives a power cut. It needs a file system that can exchange two folders (ext4, xfs, btrfs, tmpfs,
//! apfs) if days or files are to be replaced.
//!
//! A table whose files are replaced has one folder. A load that replaces rows makes another one beside it, of hard links to the
//! Parquet files in which nothing changes, new copies of those that lose rows, and its own (`replace.rs`).
//!
//! Types go in as they are, with these exceptions, which lose nothing: `Interval(MonthDayNano)` becomes text, as the other
//! two kinds of interval are all that Parquet has; `Null` becomes `Utf8`, `Float16` `Float32`, `Date64` and timestamps and
//! times in seconds become milliseconds, 32- and 64-bit decimals 128-bit ones, dictionaries, views and run-end encodings
//! their plain type. Unions and structs without fields have no place. `Duration` is an integer to readers that do not know
//! Arrow. Partitioning and clustering of a spec mean nothing here.
//!
//! It does not know BigQuery, and it does not merge small files.

mod durable;
mod layout;
mod mark;
mod marker;
mod publish;
mod read;
mod replace;
mod schema;
mod types;
mod writer;

use std::path::{Path, PathBuf};

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::commit::{CommitError, CommitIntent, CommitPermit, Settled};
use sluice_core::forecast::TableForecast;
use sluice_core::load::{Artifact, CommitReceipt, LoadId, LoadStrategy, TableName, TableSpec};
use sluice_core::mark::{Author, Standing};

pub use self::read::{PartitionInfo, TableInfo, preview, tables};
pub use self::schema::LayoutKind;

use self::durable::{create_dirs, io_error};
use self::layout::Layout;
use self::schema::Table;
use self::writer::Writer;
use crate::{Load, NAMES, Sink, SplitWriter, names_schema};

/// How big things get before they are written out. The defaults are good; tests make them small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Encoded bytes in memory, per split, at which a row group ends.
    pub row_group_bytes: usize,
    /// Bytes at which a file ends and the next begins.
    pub file_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { row_group_bytes: 4 << 20, file_bytes: 512 << 20 }
    }
}

/// A warehouse of Parquet files in a folder. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LocalSink {
    root: PathBuf,
    settings: Settings,
}

impl LocalSink {
    /// The warehouse in this folder, which need not exist yet.
    pub fn new(root: PathBuf) -> Self {
        Self { root, settings: Settings::default() }
    }

    /// The same with other sizes.
    #[must_use]
    pub fn with_settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// The warehouse's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Runs file work off the async threads.
    async fn blocking<T, F>(&self, work: F) -> Result<T, RunError>
    where
        T: Send + 'static,
        F: FnOnce(&Path) -> T + Send + 'static,
    {
        let root = self.root.clone();
        let ended = tokio::task::spawn_blocking(move || work(&root)).await;
        ended.map_err(|e| RunError::internal(format!("work on the warehouse ended unexpectedly: {e}")))
    }
}

#[async_trait]
impl Sink for LocalSink {
    async fn check(&self) -> Result<(), RunError> {
        self.blocking(|root| {
            create_dirs(root)?;
            let probe = root.join(format!("_sluice-probe-{}", std::process::id()));
            std::fs::write(&probe, b"").map_err(|e| io_error("writing", &probe, &e))?;
            durable::remove_file(&probe)
        })
        .await?
    }

    fn native_schema(&self, schema: &SchemaRef) -> Result<SchemaRef, RunError> {
        types::native(schema)
    }

    async fn prepare(&self, spec: &TableSpec) -> Result<(), RunError> {
        let spec = spec.clone();
        self.blocking(move |root| {
            let layout = Layout::new(root, &spec.name)?;
            schema::prepare(&layout, &spec)?;
            publish::remove_replaced(&layout)?;
            match spec.strategy {
                LoadStrategy::Transactional => Ok(()),
                LoadStrategy::Catalog { .. } | LoadStrategy::Files => publish::probe_exchange(&layout),
            }
        })
        .await?
    }

    async fn foresee(&self, spec: &TableSpec) -> Result<TableForecast, RunError> {
        let spec = spec.clone();
        self.blocking(move |root| schema::foresee(&Layout::new(root, &spec.name)?, &spec)).await?
    }

    async fn open(&self, load: &Load, split: &str) -> Result<Box<dyn SplitWriter>, RunError> {
        let layout = Layout::new(&self.root, &load.spec.name)?;
        layout.staged(&load.id)?;
        let known = layout.clone();
        let table = self.blocking(move |_| Table::read(&known)).await??;
        let table = table.ok_or_else(|| {
            RunError::internal(format!("table {} must be prepared before it is written to", load.spec.name))
        })?;
        Ok(Box::new(Writer::start(load, split, load.id.clone(), layout, table.schema, self.settings)))
    }

    async fn open_names(&self, load: &Load) -> Result<Box<dyn SplitWriter>, RunError> {
        let layout = Layout::new(&self.root, &load.spec.name)?;
        let folder = layout::names_of(&load.id);
        layout.staged(&folder)?;
        Ok(Box::new(Writer::start(load, NAMES, folder, layout, names_schema(), self.settings)))
    }

    async fn standing(&self, table: &TableName, author: &Author) -> Result<Standing, RunError> {
        let (table, author) = (table.clone(), author.clone());
        self.blocking(move |root| mark::standing(&Layout::new(root, &table)?, &author)).await?
    }

    async fn mark(&self, table: &TableName, author: &Author, load: &LoadId) -> Result<(), RunError> {
        let (table, author, load) = (table.clone(), author.clone(), load.clone());
        self.blocking(move |root| mark::write(&Layout::new(root, &table)?, &author, &load)).await?
    }

    async fn commit(&self, permit: &CommitPermit) -> Result<CommitReceipt, CommitError> {
        let intent = permit.intent().clone();
        self.blocking(move |root| publish::commit(root, &intent)).await.map_err(CommitError::Unclear)?
    }

    async fn settle(&self, intent: &CommitIntent) -> Result<Settled, RunError> {
        let intent = intent.clone();
        self.blocking(move |root| publish::settle(root, &intent)).await?
    }

    async fn abandon(&self, artifacts: &[Artifact]) -> Result<(), RunError> {
        let artifacts = artifacts.to_vec();
        self.blocking(move |root| publish::abandon(root, &artifacts)).await?
    }
}
