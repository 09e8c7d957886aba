//! Where rows go: BigQuery, or a local warehouse of Parquet files.
//!
//! A sink makes rows durable without showing them ([`Sink::open`], [`SplitWriter`]), shows them all at once when it is
//! handed a permit ([`Sink::commit`]), and can tell after a crash what became of a commit ([`Sink::settle`]). It must not
//! know of connectors, runs, schedules or the state store; what it has to remember goes through the [`Ledger`] it is given.
//!
//! To add a sink: one folder here, an implementation of [`Sink`], and a call of [`contract`]'s suite in its tests.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a failed assertion is how a test fails"
    )
)]

pub mod bigquery;
pub mod cloud_scheduler;
pub mod contract;
pub mod google;
pub mod local;
pub mod null;
pub mod secret_manager;

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::commit::{CommitError, CommitIntent, CommitPermit, Settled};
use sluice_core::forecast::TableForecast;
use sluice_core::load::{Artifact, CommitReceipt, FILE_COLUMN, LoadId, SplitReceipt, TableName, TableSpec};
use sluice_core::mark::{Author, Standing};

/// Where a sink writes down what it has begun, so that another process can finish or forget it.
///
/// The state store implements it. Every call returns only when the entry is durable.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Records an artifact (0 rows, not finalized) before the first row goes into it.
    ///
    /// # Errors
    /// If it cannot be stored; nothing may be written to the artifact then.
    async fn opened(&self, artifact: &Artifact) -> Result<(), RunError>;

    /// Records how many rows the sink has acknowledged. A sink may call it rarely: it is a lower bound.
    ///
    /// # Errors
    /// If it cannot be stored.
    async fn progressed(&self, artifact: &Artifact) -> Result<(), RunError>;

    /// Records that the artifact is closed with exactly these rows.
    ///
    /// # Errors
    /// If it cannot be stored; the artifact must not be committed then.
    async fn finalized(&self, artifact: &Artifact) -> Result<(), RunError>;
}

/// A load that is about to write: a table that is ready, and what the writers need.
#[derive(Clone)]
pub struct Load {
    /// The load.
    pub id: LoadId,
    /// Its table, as prepared.
    pub spec: TableSpec,
    /// Where artifacts are written down.
    pub ledger: Arc<dyn Ledger>,
}

/// A place where rows go.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Finds out whether the sink can be reached and written to, for `sluice doctor`.
    ///
    /// # Errors
    /// Says what is wrong and who must act.
    async fn check(&self) -> Result<(), RunError>;

    /// The Arrow schema in which this sink wants the rows of a stream: types that it has no column for become the nearest
    /// type that loses nothing. The transform casts to it. Pure.
    ///
    /// # Errors
    /// Names the column whose type has no place here.
    fn native_schema(&self, schema: &SchemaRef) -> Result<SchemaRef, RunError>;

    /// Creates the table, or brings it up to the schema as the spec's policy allows. Doing it twice changes nothing.
    ///
    /// # Errors
    /// `schema-changed` where the policy does not allow the difference (every column named); others as the sink says.
    async fn prepare(&self, spec: &TableSpec) -> Result<(), RunError>;

    /// What [`Sink::prepare`] would do. Changes nothing.
    ///
    /// # Errors
    /// Those that it would have, as far as they can be known without changing anything.
    async fn foresee(&self, spec: &TableSpec) -> Result<TableForecast, RunError>;

    /// Opens a writer for one split of a load. Nothing that it writes is visible before the commit.
    ///
    /// # Errors
    /// As the sink says.
    async fn open(&self, load: &Load, split: &str) -> Result<Box<dyn SplitWriter>, RunError>;

    /// Opens a writer for the names of the files whose rows a load replaces: batches of [`names_schema`]. What it finalizes goes
    /// into the evidence as `replaced`; nothing changes before the commit. Only for loads whose strategy replaces files.
    ///
    /// # Errors
    /// As the sink says.
    async fn open_names(&self, load: &Load) -> Result<Box<dyn SplitWriter>, RunError>;

    /// Which load put an author's mark on a table last.
    ///
    /// # Errors
    /// If the sink does not answer; nothing is known then.
    async fn standing(&self, table: &TableName, author: &Author) -> Result<Standing, RunError>;

    /// Puts the mark of a load on a table, in place of the author's last one. Called before the load is committed, and durable when
    /// it returns. Marks of other authors stay, and so does this one whatever is committed or evolved. Doing it twice changes
    /// nothing.
    ///
    /// # Errors
    /// As the sink says; the load must not be committed then.
    async fn mark(&self, table: &TableName, author: &Author, load: &LoadId) -> Result<(), RunError>;

    /// Makes all rows of a load visible at once, and removes, in the same moment, those of the files that it replaces.
    ///
    /// # Errors
    /// [`CommitError::Refused`] if nothing became visible, [`CommitError::Unclear`] if that is not known.
    async fn commit(&self, permit: &CommitPermit) -> Result<CommitReceipt, CommitError>;

    /// Finds out what became of a recorded commit. Changes nothing, may be called any number of times.
    ///
    /// # Errors
    /// If the sink does not answer; nothing is known then.
    async fn settle(&self, intent: &CommitIntent) -> Result<Settled, RunError>;

    /// Gives up artifacts that will never be committed, as far as the sink can; what it cannot remove must never become
    /// visible. Doing it twice is fine.
    ///
    /// # Errors
    /// If the sink does not answer; nothing is lost by that.
    async fn abandon(&self, artifacts: &[Artifact]) -> Result<(), RunError>;
}

/// The split in whose name the names of replaced files are written.
pub const NAMES: &str = "replaced-files";

/// The one column of the names of replaced files.
pub fn names_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new(FILE_COLUMN, DataType::Utf8, false)]))
}

/// Writes the rows of one split. Dropped without [`SplitWriter::finish`], its artifacts stay invisible.
#[async_trait]
pub trait SplitWriter: Send {
    /// Takes a batch in the table's native schema. Returns when it is stored or when there is room for another.
    ///
    /// # Errors
    /// As the sink says; the writer must not be used again.
    async fn write(&mut self, batch: RecordBatch) -> Result<(), RunError>;

    /// Waits until all rows are stored, closes what was written and returns the proof.
    ///
    /// # Errors
    /// If a row is not stored, or the sink counts differently.
    async fn finish(self: Box<Self>) -> Result<SplitReceipt, RunError>;
}
