//! One stream of a run: prepared, read in splits, committed.

use std::sync::{Arc, OnceLock};

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use jiff::civil::Date;
use sluice_core::commit::{CommitPermit, Evidence, ExpectedSplit, Settled, permit};
use sluice_core::error::{Actor, Kind};
use sluice_core::load::{
    Artifact, CommitReceipt, FILE_COLUMN, LoadId, LoadStrategy, SplitReceipt, TableName, TableSpec,
};
use sluice_core::naming;
use sluice_core::pipeline::{LoadSpec, QUARANTINE_SUFFIX, ReadSpec, StreamSpec};
use sluice_core::plan::Split;
use sluice_core::quality::Finding;
use sluice_core::run::{Held, ItemsAfter, Next, SplitEnd, StreamCounts, StreamState, state_after};
use sluice_core::worker::Column;
use sluice_core::{Retry, RunError};
use sluice_sinks::{Load, names_schema};
use sluice_store::{NewIntent, NewStream};
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::commit;
use crate::failpoint;
use crate::ledger::StoreLedger;
use crate::mark;
use crate::plan::{Plans, Remembers, Work};
use crate::progress::StreamProgress;
use crate::quality::{Checks, judge};
use crate::run::Run;
use crate::split::{self, Outcome, Shared};
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

    /// Reads the splits, some at once. After a request to stop, none begins, and those under way end at their next checkpoint.
    async fn read(&self, work: &Work, shared: &Arc<Shared>) -> Result<Reading, RunError> {
        let parallel = self.setup.pipeline.limits.parallel.max(1) as usize;
        // A part of a snapshot is not a snapshot, nor a part of a file the file that it replaces, and what cannot be resumed must
        // not be committed in part.
        let whole = self.spec.load == LoadSpec::Catalog || self.spec.replaces_files();
        let divisible = !whole && work.splits.iter().all(|(split, _)| split.resumable);
        let mut waiting = work.splits.iter().enumerate();
        let mut running = JoinSet::new();
        let mut done: Vec<Option<Outcome>> = work.splits.iter().map(|_| None).collect();
        loop {
            let stopping = self.setup.stop.is_cancelled();
            while !stopping && running.len() < parallel {
                let Some((index, (split, start))) = waiting.next() else { break };
                let (shared, split, start) = (shared.clone(), split.clone(), start.clone());
                let part = split::traced(shared, (index, split), start).in_current_span();
                running.spawn(async move { (index, part.await) });
            }
            if stopping && !divisible && (!running.is_empty() || waiting.len() > 0) {
                running.shutdown().await;
                return Ok(Reading::GivenUp);
            }
            let finished = tokio::select! {
                finished = running.join_next() => finished,
                () = self.setup.stop.cancelled(), if !stopping => continue,
                () = self.setup.kill.cancelled() => {
                    running.shutdown().await;
                    return Ok(Reading::GivenUp);
                }
            };
            match finished {
                None => break,
                Some(Ok((index, outcome))) => {
                    let outcome = match outcome {
                        Ok(outcome) => outcome,
                        Err(error) => {
                            // None of the others may go on counting rows, or write to what is about to be given up.
                            running.shutdown().await;
                            return Err(error);
                        }
                    };
                    if let Some(slot) = done.get_mut(index) {
                        *slot = Some(outcome);
                    }
                }
                Some(Err(error)) => return Err(RunError::internal(format!("a split's task ended: {error}"))),
            }
        }
        let mut outcomes = Vec::new();
        let mut warnings = Vec::new();
        let mut ends = Vec::new();
        for ((split, start), outcome) in work.splits.iter().zip(done) {
            let Some(mut outcome) = outcome else {
                let end = start.clone().map_or(SplitEnd::NotBegun, SplitEnd::StoppedAt);
                ends.push((split.clone(), end));
                continue;
            };
            warnings.append(&mut outcome.warnings);
            ends.push((split.clone(), outcome.end.clone()));
            outcomes.push(outcome);
        }
        Ok(Reading::Done { ends, outcomes, warnings })
    }

    /// What an interrupted run stored of this work and did not show, ready to be committed with the rest.
    async fn held(&self, work: &Work) -> Result<Vec<(CommitPermit, NewIntent)>, RunError> {
        let mut loads = Vec::new();
        for Held { intent, counts } in work.before.held().unwrap_or_default() {
            let settled = self.setup.sink.settle(intent).await?;
            if let Settled::Lost { reason } = &settled {
                let message = format!("what load {} had stored is not there any more ({reason})", intent.load);
                return Err(RunError::new(Kind::Expired, Actor::Sink, message));
            }
            // Visible already: a sink that keeps nothing says so.
            let Some(permit) = CommitPermit::from_settled(intent.clone(), &settled) else { continue };
            loads.push((
                permit,
                NewIntent {
                    intent: intent.clone(),
                    state_after: None,
                    items_after: None,
                    marks: false,
                    counts: counts.clone(),
                },
            ));
        }
        Ok(loads)
    }

    /// Sets aside what a stopped run has read of a plan that expires: durable, but not visible before the rest is.
    async fn keep_back(
        &self,
        shared: &Shared,
        work: &Work,
        outcomes: Vec<Outcome>,
        state: &mut StreamState,
    ) -> Result<StreamCounts, RunError> {
        let setup = self.setup;
        let (counts, loads) = self.permits(shared, &outcomes, Vec::new())?;
        let new = loads.into_iter().map(|(_, NewIntent { intent, counts, .. })| Held { intent, counts });
        let new = new.filter(|held| !held.intent.artifacts.is_empty());
        let held: Vec<Held> = work.before.held().unwrap_or_default().iter().cloned().chain(new).collect();
        if let Some(pending) = &mut state.pending {
            pending.held = Some(held);
        }
        let (books, owner) = (&setup.books, (self.spec.id.as_str(), setup.run_id.as_str()));
        books.store.keep_back(books.scope(), &books.lease, owner, state, setup.clock.now_us()).await?;
        Ok(counts)
    }

    async fn commit(
        &self,
        shared: &Shared,
        work: &Work,
        outcomes: Vec<Outcome>,
        replaced: Vec<Artifact>,
        next: &Next,
        held: Vec<(CommitPermit, NewIntent)>,
    ) -> Result<StreamCounts, RunError> {
        let setup = self.setup;
        let (mut counts, mut loads) = self.permits(shared, &outcomes, replaced)?;
        if let Some((_, intent)) = loads.first_mut() {
            let moves_state = self.incremental() || work.before != next.state;
            intent.state_after = moves_state.then(|| next.state.clone());
            intent.items_after = next.items.clone();
        }
        loads.extend(held);
        let marks = mark::needed(loads.iter().map(|(permit, _)| permit.intent()));
        if let Some((_, intent)) = loads.first_mut() {
            intent.marks = marks;
        }
        let (sink, stream) = (setup.sink.as_ref(), self.spec.id.as_str());
        let receipts: Vec<CommitReceipt> =
            commit::commit(sink, &setup.books, setup.clock.as_ref(), stream, loads).await?;
        counts.committed = receipts.first().map_or(0, |receipt| receipt.rows_committed);
        if !counts.reconciled() {
            return Err(unreconciled(&counts));
        }
        Ok(counts)
    }

    /// The loads of the table and of its quarantine, in this order, if the counts of all steps agree.
    fn permits(
        &self,
        shared: &Shared,
        outcomes: &[Outcome],
        replaced: Vec<Artifact>,
    ) -> Result<(StreamCounts, Vec<(CommitPermit, NewIntent)>), RunError> {
        let mut counts = self.progress.counts();
        let expected = |receipt: &SplitReceipt, rows| ExpectedSplit { split: receipt.split.clone(), rows };
        let evidence = Evidence {
            load: shared.load.id.clone(),
            table: shared.load.spec.name.clone(),
            strategy: shared.load.spec.strategy,
            expected: outcomes.iter().map(|outcome| expected(&outcome.receipt, outcome.rows)).collect(),
            receipts: outcomes.iter().map(|outcome| outcome.receipt.clone()).collect(),
            replaced,
        };
        counts.finalized = evidence.receipts.iter().map(|receipt| receipt.rows_finalized).sum();
        let aside: Vec<SplitReceipt> = outcomes.iter().filter_map(|outcome| outcome.quarantine.clone()).collect();
        let table = permit(evidence)?;
        // Rows read must all be accounted for before anything becomes visible.
        if counts.read != counts.sent.saturating_add(counts.quarantined) || counts.sent != table.intent().rows {
            return Err(unreconciled(&counts));
        }
        let counted = counts.clone();
        let intent = NewIntent {
            intent: table.intent().clone(),
            state_after: None,
            items_after: None,
            marks: false,
            counts: counted,
        };
        let mut loads = vec![(table, intent)];
        if !aside.is_empty() {
            loads.push(quarantine_commit(shared, aside)?);
        }
        Ok((counts, loads))
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

enum Reading {
    Done {
        ends: Vec<(Split, SplitEnd)>,
        outcomes: Vec<Outcome>,
        warnings: Vec<String>,
    },
    /// Stopped in a way that leaves nothing to commit.
    GivenUp,
}

fn quarantine_commit(shared: &Shared, receipts: Vec<SplitReceipt>) -> Result<(CommitPermit, NewIntent), RunError> {
    let rows: u64 = receipts.iter().map(|receipt| receipt.rows_sent).sum();
    let permit = permit(Evidence {
        load: shared.quarantine.id.clone(),
        table: shared.quarantine.spec.name.clone(),
        strategy: LoadStrategy::Transactional,
        expected: receipts.iter().map(|r| ExpectedSplit { split: r.split.clone(), rows: r.rows_sent }).collect(),
        receipts,
        replaced: Vec::new(),
    })?;
    let counts = StreamCounts { read: rows, sent: rows, finalized: rows, ..StreamCounts::default() };
    let intent =
        NewIntent { intent: permit.intent().clone(), state_after: None, items_after: None, marks: false, counts };
    Ok((permit, intent))
}

fn unreconciled(counts: &StreamCounts) -> RunError {
    let message = format!(
        "the rows of this stream are not accounted for: {} read, {} in quarantine, {} sent, {} finalized, {} committed",
        counts.read, counts.quarantined, counts.sent, counts.finalized, counts.committed
    );
    RunError::new(Kind::Internal, Actor::Host, message).with_retry(Retry::Never)
}
