//! Counts rows and drops them: for measuring a source, and for trying a pipeline without keeping anything.
//!
//! It begins no artifacts, remembers nothing and shows nothing, so a commit is always done and never lost.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::commit::{CommitError, CommitIntent, CommitPermit, Settled};
use sluice_core::forecast::TableForecast;
use sluice_core::load::{Artifact, CommitReceipt, LoadId, SplitReceipt, TableName, TableSpec};
use sluice_core::mark::{Author, Standing};

use crate::{Load, NAMES, Sink, SplitWriter};

/// What a commit is called here.
const REFERENCE: &str = "dropped";

/// A sink that keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullSink;

#[async_trait]
impl Sink for NullSink {
    async fn check(&self) -> Result<(), RunError> {
        Ok(())
    }

    fn native_schema(&self, schema: &SchemaRef) -> Result<SchemaRef, RunError> {
        Ok(Arc::clone(schema))
    }

    async fn prepare(&self, _spec: &TableSpec) -> Result<(), RunError> {
        Ok(())
    }

    async fn foresee(&self, _spec: &TableSpec) -> Result<TableForecast, RunError> {
        Ok(TableForecast::default())
    }

    async fn open(&self, load: &Load, split: &str) -> Result<Box<dyn SplitWriter>, RunError> {
        Ok(Box::new(NullWriter { load: load.clone(), split: split.to_owned(), rows: 0, bytes: 0 }))
    }

    async fn open_names(&self, load: &Load) -> Result<Box<dyn SplitWriter>, RunError> {
        self.open(load, NAMES).await
    }

    async fn standing(&self, _table: &TableName, _author: &Author) -> Result<Standing, RunError> {
        Ok(Standing::NotKept)
    }

    async fn mark(&self, _table: &TableName, _author: &Author, _load: &LoadId) -> Result<(), RunError> {
        Ok(())
    }

    async fn commit(&self, permit: &CommitPermit) -> Result<CommitReceipt, CommitError> {
        let CommitIntent { load, rows, .. } = permit.intent().clone();
        Ok(CommitReceipt { load, rows_committed: rows, reference: REFERENCE.to_owned() })
    }

    async fn settle(&self, _intent: &CommitIntent) -> Result<Settled, RunError> {
        Ok(Settled::Committed { reference: REFERENCE.to_owned() })
    }

    async fn abandon(&self, _artifacts: &[Artifact]) -> Result<(), RunError> {
        Ok(())
    }
}

struct NullWriter {
    load: Load,
    split: String,
    rows: u64,
    bytes: u64,
}

#[async_trait]
impl SplitWriter for NullWriter {
    async fn write(&mut self, batch: RecordBatch) -> Result<(), RunError> {
        self.rows = self.rows.saturating_add(batch.num_rows() as u64);
        self.bytes = self.bytes.saturating_add(batch.get_array_memory_size() as u64);
        Ok(())
    }

    /// A receipt's rows are in its artifacts, so there is one here too: in name only.
    async fn finish(self: Box<Self>) -> Result<SplitReceipt, RunError> {
        let Self { load, split, rows, bytes } = *self;
        let name = format!("null/{}/{split}", load.id);
        let artifact = Artifact { load: load.id.clone(), split: split.clone(), name, rows, bytes, finalized: true };
        Ok(SplitReceipt { split, artifacts: vec![artifact], rows_sent: rows, rows_finalized: rows, bytes })
    }
}
