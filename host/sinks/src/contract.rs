//! The behaviour that every sink must show, as a library: support for tests, not used by the product.
//!
//! A sink's test makes a [`Subject`] (the sink, a way to read committed rows back, a dataset of its own), calls
//! [`run`], and asserts that [`Report::failed`] is empty. What does not apply to a sink is skipped by declaring it with
//! the reason; an undeclared skip does not exist, and a skip of a case that does not exist is a failure.
//!
//! To add a case: a function in `contract/cases.rs` whose name is the sentence that must hold, and its line in `CASES`.

mod cases;

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::commit::{CommitPermit, Evidence, ExpectedSplit, permit};
use sluice_core::load::{Artifact, Evolution, FILE_COLUMN, LoadId, LoadStrategy, SplitReceipt, TableName, TableSpec};

use crate::{Ledger, Load, Sink, SplitWriter, names_schema};

/// Reads back what a sink shows to its users.
#[async_trait]
pub trait Readback: Send + Sync {
    /// The values of the column `id` of all committed rows, in any order. With `day` (`2024-01-31`), only those of that
    /// snapshot date. None for a table without rows.
    ///
    /// # Errors
    /// If the sink cannot be read.
    async fn ids(&self, table: &TableName, day: Option<&str>) -> Result<Vec<i64>, RunError>;

    /// The names of the table's columns.
    ///
    /// # Errors
    /// If the sink cannot be read.
    async fn columns(&self, table: &TableName) -> Result<Vec<String>, RunError>;
}

/// What is tested.
pub struct Subject<'a> {
    /// The sink.
    pub sink: &'a dyn Sink,
    /// Its readback.
    pub readback: &'a dyn Readback,
    /// A dataset whose tables the suite may make; one for each case.
    pub dataset: String,
    /// Begins every load's id, so that two executions against one server do not share loads. At most 30 characters.
    pub prefix: String,
}

/// A case that does not apply to a sink.
#[derive(Clone, Copy, Debug)]
pub struct Skip {
    /// The case's name.
    pub case: &'static str,
    /// Why it does not apply.
    pub reason: &'static str,
}

/// How the suite ended.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Cases that hold.
    pub passed: Vec<&'static str>,
    /// Cases that were declared not to apply, and why.
    pub skipped: Vec<(&'static str, &'static str)>,
    /// Cases that do not hold, and what was seen.
    pub failed: Vec<(String, String)>,
}

/// Runs every case against the subject, except those that are declared not to apply.
pub async fn run(subject: &Subject<'_>, skips: &[Skip]) -> Report {
    let mut report = Report::default();
    for (number, (name, case)) in cases::CASES.iter().enumerate() {
        if let Some(skip) = skips.iter().find(|skip| skip.case == *name) {
            report.skipped.push((name, skip.reason));
            continue;
        }
        match case(&Ground { subject, number }).await {
            Ok(()) => report.passed.push(name),
            Err(why) => report.failed.push(((*name).to_owned(), why.0)),
        }
    }
    for skip in skips.iter().filter(|skip| !cases::CASES.iter().any(|(name, _)| *name == skip.case)) {
        report.failed.push((skip.case.to_owned(), "there is no such case to skip".to_owned()));
    }
    report
}

/// Names of all cases, in their order.
pub fn names() -> impl Iterator<Item = &'static str> {
    cases::CASES.iter().map(|(name, _)| *name)
}

/// What was seen that must not be.
struct Broken(String);

impl From<RunError> for Broken {
    fn from(error: RunError) -> Self {
        Self(error.to_string())
    }
}

impl From<sluice_core::commit::CommitError> for Broken {
    fn from(error: sluice_core::commit::CommitError) -> Self {
        Self(error.to_string())
    }
}

impl From<arrow_schema::ArrowError> for Broken {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self(error.to_string())
    }
}

/// Compares what was seen with what must be.
fn must<T: PartialEq + std::fmt::Debug>(what: &str, seen: &T, expected: &T) -> Result<(), Broken> {
    if seen == expected { Ok(()) } else { Err(Broken(format!("{what}: {seen:?} was seen, {expected:?} must be"))) }
}

/// One case's own table and loads.
struct Ground<'a> {
    subject: &'a Subject<'a>,
    number: usize,
}

impl Ground<'_> {
    fn table(&self) -> TableName {
        TableName { dataset: self.subject.dataset.clone(), table: format!("case_{:02}", self.number) }
    }

    fn load(&self, index: usize) -> LoadId {
        LoadId::new(&format!("{}-c{:02}", self.subject.prefix, self.number), index)
    }

    /// The case's table with `id` and, after it, nullable text columns.
    fn spec(&self, strategy: LoadStrategy, texts: &[&str]) -> Result<TableSpec, Broken> {
        let mut fields = vec![Field::new("id", DataType::Int64, false)];
        fields.extend(texts.iter().map(|name| Field::new(*name, DataType::Utf8, true)));
        Ok(TableSpec {
            name: self.table(),
            schema: self.subject.sink.native_schema(&Arc::new(Schema::new(fields)))?,
            strategy,
            partitioning: None,
            clustering: Vec::new(),
            evolution: Evolution::Evolve,
        })
    }

    async fn writer(
        &self,
        load: &LoadId,
        spec: &TableSpec,
        split: &str,
        ledger: &Arc<MemoryLedger>,
    ) -> Result<Box<dyn SplitWriter>, Broken> {
        let ledger: Arc<dyn Ledger> = Arc::clone(ledger) as Arc<dyn Ledger>;
        let load = Load { id: load.clone(), spec: spec.clone(), ledger };
        Ok(self.subject.sink.open(&load, split).await?)
    }

    /// Prepares the table and writes splits, each with the ids of its range, in two batches.
    async fn stage(
        &self,
        load: &LoadId,
        spec: &TableSpec,
        splits: &[(&str, std::ops::Range<i64>)],
    ) -> Result<CommitPermit, Broken> {
        self.subject.sink.prepare(spec).await?;
        let ledger = Arc::new(MemoryLedger::default());
        let (mut expected, mut receipts) = (Vec::new(), Vec::new());
        for (split, ids) in splits {
            let mut writer = self.writer(load, spec, split, &ledger).await?;
            let middle = ids.start.midpoint(ids.end);
            for part in [ids.start..middle, middle..ids.end] {
                writer.write(batch(&spec.schema, part)?).await?;
            }
            receipts.push(writer.finish().await?);
            let rows = u64::try_from(ids.end.saturating_sub(ids.start)).unwrap_or_default();
            expected.push(ExpectedSplit { split: (*split).to_owned(), rows });
        }
        let (load, table, strategy, replaced) = (load.clone(), spec.name.clone(), spec.strategy, Vec::new());
        Ok(permit(Evidence { load, table, strategy, expected, receipts, replaced })?)
    }

    /// Prepares the table and writes the rows of files, each file's with the ids of its range, and names of replaced files.
    async fn stage_files(
        &self,
        load: &LoadId,
        files: &[(&str, std::ops::Range<i64>)],
        replaced: &[&str],
    ) -> Result<CommitPermit, Broken> {
        let spec = self.spec(LoadStrategy::Files, &["text", FILE_COLUMN])?;
        self.subject.sink.prepare(&spec).await?;
        let ledger = Arc::new(MemoryLedger::default());
        let mut names = Vec::new();
        if !replaced.is_empty() {
            let ledger: Arc<dyn Ledger> = Arc::clone(&ledger) as Arc<dyn Ledger>;
            let load = Load { id: load.clone(), spec: spec.clone(), ledger };
            let mut writer = self.subject.sink.open_names(&load).await?;
            for part in replaced.chunks(1000) {
                let column: ArrayRef = Arc::new(StringArray::from_iter_values(part));
                writer.write(RecordBatch::try_new(names_schema(), vec![column])?).await?;
            }
            let receipt = writer.finish().await?;
            let count = u64::try_from(replaced.len()).unwrap_or_default();
            must("names that are stored", &confirmed(&receipt), &(count, count))?;
            names = receipt.artifacts;
        }
        let mut writer = self.writer(load, &spec, "a", &ledger).await?;
        let mut rows = 0;
        for (file, ids) in files {
            rows += u64::try_from(ids.end.saturating_sub(ids.start)).unwrap_or_default();
            writer.write(batch_of(&spec.schema, ids.clone(), file)?).await?;
        }
        Ok(permit(Evidence {
            load: load.clone(),
            table: spec.name.clone(),
            strategy: spec.strategy,
            expected: vec![ExpectedSplit { split: "a".to_owned(), rows }],
            receipts: vec![writer.finish().await?],
            replaced: names,
        })?)
    }

    async fn ids(&self, day: Option<&str>) -> Result<Vec<i64>, Broken> {
        let mut ids = self.subject.readback.ids(&self.table(), day).await?;
        ids.sort_unstable();
        Ok(ids)
    }
}

/// Rows with these ids, and a text for each other column.
fn batch(schema: &SchemaRef, ids: std::ops::Range<i64>) -> Result<RecordBatch, Broken> {
    batch_of(schema, ids, "")
}

/// Rows of a file.
fn batch_of(schema: &SchemaRef, ids: std::ops::Range<i64>, file: &str) -> Result<RecordBatch, Broken> {
    let column = |field: &Field| -> ArrayRef {
        if field.name() == "id" {
            return Arc::new(Int64Array::from_iter_values(ids.clone()));
        }
        if field.name() == FILE_COLUMN {
            return Arc::new(StringArray::from_iter_values(ids.clone().map(|_| file)));
        }
        Arc::new(StringArray::from_iter_values(ids.clone().map(|id| format!("{} {id}", field.name()))))
    };
    let columns: Result<Vec<_>, _> = schema.fields().iter().map(|f| cast(&column(f), f.data_type())).collect();
    Ok(RecordBatch::try_new(Arc::clone(schema), columns?)?)
}

/// What a [`MemoryLedger`] was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// An artifact was opened.
    Opened(Artifact),
    /// Rows of it were acknowledged.
    Progressed(Artifact),
    /// It was closed.
    Finalized(Artifact),
}

/// A ledger in memory, which can also refuse.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    told: Mutex<Vec<Told>>,
    refuses: bool,
}

impl MemoryLedger {
    /// A ledger that can store nothing.
    pub fn refusing() -> Self {
        Self { told: Mutex::default(), refuses: true }
    }

    /// What it was told, in order.
    pub fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn tell(&self, told: Told) -> Result<(), RunError> {
        if self.refuses {
            return Err(RunError::internal("this ledger refuses"));
        }
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(told);
        Ok(())
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn opened(&self, artifact: &Artifact) -> Result<(), RunError> {
        self.tell(Told::Opened(artifact.clone()))
    }

    async fn progressed(&self, artifact: &Artifact) -> Result<(), RunError> {
        self.tell(Told::Progressed(artifact.clone()))
    }

    async fn finalized(&self, artifact: &Artifact) -> Result<(), RunError> {
        self.tell(Told::Finalized(artifact.clone()))
    }
}

/// Artifacts of receipts, for `abandon`.
fn artifacts(permit: &CommitPermit) -> Vec<Artifact> {
    permit.intent().all_artifacts().cloned().collect()
}

/// Rows that a receipt confirms.
fn confirmed(receipt: &SplitReceipt) -> (u64, u64) {
    (receipt.rows_sent, receipt.rows_finalized)
}
