//! One stream of a run: prepared, read in splits, committed.

mod finish;
mod parts;

use std::sync::{Arc, OnceLock};

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use jiff::civil::Date;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::load::{Artifact, FILE_COLUMN, LoadId, LoadStrategy, TableName, TableSpec};
use sluice_core::naming;
use sluice_core::pipeline::{LoadSpec, QUARANTINE_SUFFIX, ReadSpec, StreamSpec};
use sluice_core::quality::Finding;
use sluice_core::run::{ItemsAfter, SplitEnd, StreamCounts, state_after};
use sluice_core::worker::Column;
use sluice_sinks::{Load, names_schema};
use sluice_store::NewStream;

use self::parts::Reading;
use crate::failpoint;
use crate::ledger::StoreLedger;
use crate::plan::{Plans, Remembers, Work};
use crate::progress::StreamProgress;
use crate::quality::{Checks, judge};
use crate::run::Run;
use crate::split::Shared;
use crate::step::{self, step};
use crate::transform::{Transform, quarantine_schema};

/// A stream on its way through a run.
pub(crate) struct StreamRun<'a> {
    pub(crate) setup: &'a Run,
    pub(crate) spec: &'a StreamSpec,
    pub(crate) index: usize,
    /// True once the stream had to be planned anew: the load that was begun before is given up, and this is another.
    pub(crate) anew: bool,
    pub(crate) progress: Arc<StreamProgress>,
    pub(crate) table: TableName,
    /// What its checks found, once they were judged.
    pub(crate) findings: OnceLock<Vec<Finding>>,
}

/// How a stream ended that did not fail.
pub(crate) struct Ended {
    pub(crate) counts: StreamCounts,
    /// Read to its end; otherwise stopped, with what was checkpointed committed.
    pub(crate) complete: bool,
    pub(crate) warnings: Vec<String>,
}

impl Ended {
    /// With a warning before all others.
    pub(crate) fn warned(mut self, warning: String) -> Self {
        self.warnings.insert(0, warning);
        self
    }
}

/// The table that a load of the stream writes to.
pub(crate) fn table_spec(spec: &StreamSpec, name: TableName, schema: SchemaRef, snapshot_date: Date) -> TableSpec {
    let strategy = match spec.load {
        LoadSpec::Transactional if spec.replaces_files() => LoadStrategy::Files,
        LoadSpec::Transactional => LoadStrategy::Transactional,
        LoadSpec::Catalog => LoadStrategy::Catalog { snapshot_date },
    };
    TableSpec {
        name,
        schema,
        strategy,
        partitioning: spec.partition.clone(),
        clustering: spec.cluster.clone(),
        evolution: spec.evolution,
    }
}

impl StreamRun<'_> {
    pub(crate) fn load_id(&self) -> LoadId {
        let load = LoadId::new(&self.setup.run_id, self.index);
        if self.anew { LoadId::from(format!("{load}-anew")) } else { load }
    }

    fn quarantine_id(&self) -> LoadId {
        LoadId::from(format!("{}-q", self.load_id()))
    }

    fn incremental(&self) -> bool {
        matches!(self.spec.read, ReadSpec::Incremental(_))
    }

    /// Runs the stream. Whatever fails, nothing of it is visible and its state is where it was.
    pub(crate) async fn run(&self, plans: &mut Plans) -> Result<Ended, RunError> {
        let mut work = plans.take(&self.spec.id)?;
        let held = self.held(&work).await?;
        self.progress.planned(work.splits.len(), work.stream.rows);
        failpoint::pass("stream.planned");
        let shared = Arc::new(step::take(step!("prepare"), self.prepare(&work)).await?);
        let items = self.put_aside(&mut work).await?;
        let replaced = name_replaced(&shared, &mut work).await?;
        failpoint::pass("stream.prepared");
        let (ends, mut outcomes, mut warnings) =
            match step::take(step!("read", sluice.parts = step::number(work.splits.len())), self.read(&work, &shared))
                .await?
            {
                Reading::Done { ends, outcomes, warnings } => (ends, outcomes, warnings),
                Reading::GivenUp => {
                    return Ok(Ended { counts: self.progress.counts(), complete: false, warnings: vec![] });
                }
            };
        let complete = ends.iter().all(|(_, end)| matches!(end, SplitEnd::Finished { .. }));
        warnings.extend(judge(self, &shared, &work, &mut outcomes, complete).await?);
        let mut next = state_after(&work.before, work.state_after.as_ref(), items.as_ref(), ends, self.incremental())?;
        if !complete && work.expires {
            let counts = self.keep_back(&shared, &work, outcomes, &mut next.state).await?;
            return Ok(Ended { counts, complete, warnings });
        }
        let committing = self.commit(&shared, &work, outcomes, replaced, &next, held);
        let counts = step::take(step!("commit"), committing).await?;
        if let (true, Some(cursor)) = (complete, &next.state.cursor) {
            plans.acknowledge(&self.spec.id, cursor.clone()).await;
        }
        Ok(Ended { counts, complete, warnings })
    }

    /// Names columns, makes the table ready and records that the load begins.
    async fn prepare(&self, work: &Work) -> Result<Shared, RunError> {
        let setup = self.setup;
        let (books, stream) = (&setup.books, &self.spec.id);
        let remembered = books.store.names_of(books.scope(), &setup.pipeline.name, stream).await?;
        let names = naming::assign_fields(
            &remembered,
            work.stream.schema.fields(),
            &self.spec.rename,
            self.spec.reserved_columns(),
        )?;
        if self.spec.replaces_files() {
            tells_files(work, &names)?;
        }
        let native = |schema: &SchemaRef| setup.sink.native_schema(schema);
        let transform = Transform::new(self.spec, &work.stream.schema, &names, native)?;
        let checks = Checks::plan(&self.spec.checks, &transform.output_schema(), &setup.run_id)?;
        // Remembered before the table is touched, so that a crash in between cannot lead to other names.
        books.store.save_names(books.scope(), &books.lease, stream, &names).await?;
        let schema = transform.output_schema().clone();
        let spec = table_spec(self.spec, self.table.clone(), schema, setup.snapshot_date);
        setup.sink.prepare(&spec).await?;
        let quarantine_name = TableName {
            dataset: self.table.dataset.clone(),
            table: format!("{}{QUARANTINE_SUFFIX}", self.table.table),
        };
        let quarantine = TableSpec {
            name: quarantine_name,
            schema: setup.sink.native_schema(&quarantine_schema())?,
            strategy: LoadStrategy::Transactional,
            partitioning: None,
            clustering: Vec::new(),
            evolution: sluice_core::load::Evolution::Evolve,
        };
        let now = setup.clock.now_us();
        let columns = spec.schema.fields().iter().map(|field| Column::from(field.as_ref())).collect();
        let loads = [(self.load_id(), &spec.name, Some(columns)), (self.quarantine_id(), &quarantine.name, None)];
        for (load, table, columns) in loads {
            let (run, table) = (setup.run_id.clone(), table.clone());
            let new = NewStream { run, load, stream: stream.clone(), table, columns };
            books.store.begin_stream(books.scope(), &books.lease, &new, now).await?;
        }
        let ledger = Arc::new(StoreLedger { books: books.clone() });
        Ok(Shared {
            connection: setup.connection.clone(),
            sink: setup.sink.clone(),
            stream: stream.as_str().into(),
            schema: work.stream.schema.clone(),
            transform,
            checks,
            load: Load { id: self.load_id(), spec, ledger: ledger.clone() },
            quarantine: Load { id: self.quarantine_id(), spec: quarantine, ledger },
            quarantine_rows: setup.pipeline.limits.quarantine_rows,
            budget: setup.budget.clone(),
            progress: self.progress.clone(),
            stop: setup.stop.clone(),
        })
    }

    /// Makes durable what the plan wants remembered, before anything is read: whoever finishes the plan, after whatever crash or
    /// stop, remembers exactly that. Says what to name in the commit.
    async fn put_aside(&self, work: &mut Work) -> Result<Option<ItemsAfter>, RunError> {
        match &mut work.remembers {
            Remembers::Stored(items) => Ok(items.clone()),
            Remembers::Planned { items, anew: false } if items.is_empty() => Ok(None),
            Remembers::Planned { items, anew } => {
                let (books, plan) = (&self.setup.books, self.load_id());
                books.store.plan_items(books.scope(), &books.lease, &plan, std::mem::take(items)).await?;
                Ok(Some(ItemsAfter { plan, anew: *anew }))
            }
        }
    }
}

/// Makes sure that every row says which file it is of.
fn tells_files(work: &Work, names: &naming::Names) -> Result<(), RunError> {
    let column = work.stream.schema.field_with_name(FILE_COLUMN);
    if !column.is_ok_and(|column| *column.data_type() == arrow_schema::DataType::Utf8 && !column.is_nullable()) {
        let message =
            format!("the connector replaces files, but planned no column {FILE_COLUMN} that says of which each row is");
        return Err(RunError::internal(message));
    }
    if names.get(FILE_COLUMN).map(String::as_str) != Some(FILE_COLUMN) {
        let message =
            format!("another column has the name {FILE_COLUMN}, which tells which rows are replaced; rename it");
        return Err(RunError::config("rename", message));
    }
    Ok(())
}

/// Tells the sink which files' rows go when the load is committed, before anything is read.
async fn name_replaced(shared: &Shared, work: &mut Work) -> Result<Vec<Artifact>, RunError> {
    /// Names in a batch.
    const AT_ONCE: usize = 65_536;
    let Some(names) = work.replaced.take().filter(|names| !names.is_empty()) else { return Ok(Vec::new()) };
    let mut writer = shared.sink.open_names(&shared.load).await?;
    for from in (0..names.len()).step_by(AT_ONCE) {
        let part: ArrayRef = Arc::new(names.slice(from, AT_ONCE.min(names.len() - from)));
        let batch = RecordBatch::try_new(names_schema(), vec![part]);
        writer.write(batch.map_err(|e| RunError::internal(format!("names of files are no column: {e}")))?).await?;
    }
    let receipt = writer.finish().await?;
    if receipt.rows_finalized != names.len() as u64 {
        let what = format!("{} files are replaced, but the sink stored {} names", names.len(), receipt.rows_finalized);
        return Err(RunError::new(Kind::Internal, Actor::Sink, what));
    }
    Ok(receipt.artifacts)
}
