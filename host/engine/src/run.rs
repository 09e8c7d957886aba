//! A run: recovery first, then one plan for all streams, then stream by stream.

use std::sync::{Arc, OnceLock};

use jiff::civil::Date;
use sluice_core::error::{Actor, Kind};
use sluice_core::load::TableName;
use sluice_core::pipeline::{Pipeline, SinkSpec};
use sluice_core::quality::Finding;
use sluice_core::run::{RunState, StreamCounts};
use sluice_core::{Retry, RunError};
use sluice_runtime::{Budget, Connection};
use sluice_sinks::Sink;
use sluice_store::{LoadState, NewRun, Store};
use tokio_util::sync::CancellationToken;
use tracing::field;

use crate::books::Books;
use crate::clock::Clock;
use crate::commit;
use crate::failpoint;
use crate::plan::Plans;
use crate::progress::Progress;
use crate::step::{self, step};
use crate::stream::{Ended, StreamRun};

/// Everything that a run needs. Made by the binary, which also decides ids and time.
pub struct RunSetup {
    /// Whose run it is.
    pub tenant: String,
    /// The run that was asked for and which attempt of it this is, counted from one; none where nobody keeps a queue.
    pub request: Option<(String, u32)>,
    /// What to run; validated.
    pub pipeline: Pipeline,
    /// The source.
    pub connection: Connection,
    /// The sink.
    pub sink: Arc<dyn Sink>,
    /// Where state is kept.
    pub store: Store,
    /// Names the run for ever; unique.
    pub run_id: String,
    /// The day that catalog loads stand for.
    pub snapshot_date: Date,
    /// Takes tables as they are, where they are not as the store expects them: a person has said so for this run.
    pub accepts_tables: bool,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where progress is shown.
    pub progress: Arc<Progress>,
    /// Arrow bytes that may be on their way at once.
    pub budget: Budget,
    /// Asks the run to stop at the next checkpoints and to commit what it has.
    pub stop: CancellationToken,
    /// Ends the run now; what is not committed is given up.
    pub kill: CancellationToken,
}

/// A run under its lease.
pub(crate) struct Run {
    setup: RunSetup,
    pub(crate) books: Books,
}

impl std::ops::Deref for Run {
    type Target = RunSetup;

    fn deref(&self) -> &RunSetup {
        &self.setup
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct RunReport {
    /// The run.
    pub run_id: String,
    /// How it ended.
    pub state: RunState,
    /// Every stream of the pipeline that the run got to.
    pub streams: Vec<StreamReport>,
    /// Commits of an earlier run whose outcome this run settled.
    pub recovered: usize,
    /// Why it failed, if it did: the first error.
    pub error: Option<RunError>,
}

/// How a stream ended.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamReport {
    /// The stream.
    pub stream: String,
    /// The table.
    pub table: TableName,
    /// What became of its load.
    pub state: LoadState,
    /// What happened to every row.
    pub counts: StreamCounts,
    /// What the connector and the data-quality checks warned of.
    pub warnings: Vec<String>,
    /// What the data-quality checks found, those that warn and those that fail.
    pub findings: Vec<Finding>,
    /// Why it failed, if it did.
    pub error: Option<RunError>,
}

/// Runs a pipeline. A stream that fails does not keep others from being loaded; the run fails then all the same.
///
/// # Errors
/// If the run could not begin: another process runs the pipeline, the store or the sink do not answer. Everything later is in
/// the report.
pub async fn run(setup: RunSetup) -> Result<RunReport, RunError> {
    setup.pipeline.suits(setup.connection.connector().manifest())?;
    let now = setup.clock.now_us();
    let books = Books::open(setup.store.clone(), &setup.tenant, &setup.pipeline.name, now).await?;
    let kept = books.keep(setup.clock.clone(), setup.kill.clone());
    let run = Run { setup, books };
    let report = under_lease(&run).await;
    kept.stop().await;
    run.books.close().await;
    report
}

async fn under_lease(setup: &Run) -> Result<RunReport, RunError> {
    let (pipeline, books) = (&setup.pipeline, &setup.books);
    let recovering = commit::recover(setup.sink.as_ref(), books, setup.clock.as_ref(), setup.accepts_tables);
    let recovered = step::take(step!("recover"), recovering).await?;
    let connector = setup.connection.connector();
    let new = NewRun {
        id: setup.run_id.clone(),
        connector: format!("{}@{}", connector.manifest().name, connector.manifest().version),
        connector_digest: connector.digest().to_owned(),
        contract: connector.manifest().contract.clone(),
        pipeline_fingerprint: fingerprint(pipeline)?,
        request: setup.request.clone(),
    };
    books.store.begin_run(books.scope(), &books.lease, &new, setup.clock.now_us()).await?;
    failpoint::pass("run.begun");
    let mut report = RunReport {
        run_id: setup.run_id.clone(),
        state: RunState::Succeeded,
        streams: Vec::new(),
        recovered: recovered.len(),
        error: None,
    };
    let planning = step!("plan", sluice.streams = step::number(pipeline.streams.len()));
    let Some(mut plans) = step::take(planning, Plans::make(setup)).await? else {
        report.state = RunState::Stopped;
        return end(setup, report).await;
    };
    for (index, spec) in pipeline.streams.iter().enumerate() {
        if setup.stop.is_cancelled() || setup.kill.is_cancelled() {
            report.state = RunState::Stopped;
            break;
        }
        let table = table_of(&pipeline.sink, spec);
        let progress = setup.progress.begin(&spec.id, &table.table);
        let findings = OnceLock::new();
        let mut stream = StreamRun { setup, spec, index, anew: false, progress, table, findings };
        let ended = traced(&mut stream, &mut plans).await?;
        stream.progress.on_end();
        take(&mut report, ended);
    }
    plans.close().await;
    if report.error.is_some() {
        report.state = RunState::Failed;
    }
    end(setup, report).await
}

/// Records how the run ended.
async fn end(setup: &Run, report: RunReport) -> Result<RunReport, RunError> {
    let (books, now) = (&setup.books, setup.clock.now_us());
    let (lease, error) = (&books.lease, report.error.as_ref());
    books.store.end_run(books.scope(), lease, &setup.run_id, report.state, error, now).await?;
    Ok(report)
}

/// Runs a stream as a step of the run's trace.
async fn traced(stream: &mut StreamRun<'_>, plans: &mut Plans) -> Result<StreamReport, RunError> {
    let span = step!(
        "stream",
        sluice.stream = stream.spec.id,
        sluice.table = stream.table.table,
        sluice.rows.read = field::Empty,
        sluice.rows.committed = field::Empty,
        sluice.bytes = field::Empty,
    );
    let report = step::take(span.clone(), one_stream(stream, plans)).await?;
    span.record("sluice.rows.read", step::number(report.counts.read));
    span.record("sluice.rows.committed", step::number(report.counts.committed));
    span.record("sluice.bytes", step::number(report.counts.bytes));
    if let Some(error) = &report.error {
        step::failed(&span, error);
    }
    Ok(report)
}

/// Runs a stream and records how it ended. Fails only if that cannot be recorded.
async fn one_stream(stream: &mut StreamRun<'_>, plans: &mut Plans) -> Result<StreamReport, RunError> {
    let setup = stream.setup;
    let mut ended = stream.run(plans).await;
    if let Err(error) = &ended
        && is_over(error)
        && let Some(warning) = plans.anew(setup, stream.spec, error).await?
    {
        give_up(stream, LoadState::Failed, &stream.progress.counts(), Some(error)).await?;
        stream.progress.restart();
        stream.anew = true;
        stream.findings = OnceLock::new();
        ended = stream.run(plans).await.map(|ended| ended.warned(warning));
    }
    let ended = ended.map_err(|error| error.with_stream(&stream.spec.id));
    let (state, counts, warnings, error) = match ended {
        Ok(Ended { counts, complete: true, warnings, .. }) => (LoadState::Committed, counts, warnings, None),
        Ok(Ended { counts, warnings, .. }) => (LoadState::Stopped, counts, warnings, None),
        Err(error) => (LoadState::Failed, stream.progress.counts(), Vec::new(), Some(error)),
    };
    if state != LoadState::Committed {
        give_up(stream, state, &counts, error.as_ref()).await?;
    }
    let findings = stream.findings.get().cloned().unwrap_or_default();
    let (stream, table) = (stream.spec.id.clone(), stream.table.clone());
    Ok(StreamReport { stream, table, state, counts, warnings, findings, error })
}

/// Whether reading what an interrupted run left over would fail in the same way again.
fn is_over(error: &RunError) -> bool {
    match error.kind {
        Kind::Expired => true,
        Kind::Cancelled => false,
        _ => error.actor == Actor::Source && error.retry == Retry::Never,
    }
}

/// Records how a load ended that was not committed, and gives up what it has begun, unless that is kept for the next run.
async fn give_up(
    stream: &StreamRun<'_>,
    state: LoadState,
    counts: &StreamCounts,
    error: Option<&RunError>,
) -> Result<(), RunError> {
    let setup = stream.setup;
    let now = setup.clock.now_us();
    let books = &setup.books;
    books.store.end_stream(books.scope(), &books.lease, &stream.load_id(), state, counts, error, now).await?;
    // A commit whose outcome is unknown keeps its artifacts: the store does not list them as unfinished.
    commit::abandon(setup.sink.as_ref(), books).await;
    Ok(())
}

fn take(report: &mut RunReport, stream: StreamReport) {
    told(&stream);
    if stream.state == LoadState::Stopped {
        report.state = RunState::Stopped;
    }
    if report.error.is_none() {
        report.error.clone_from(&stream.error);
    }
    report.streams.push(stream);
}

/// Says how a stream ended, for the run's log.
fn told(stream: &StreamReport) {
    let (name, table, counts) = (&stream.stream, &stream.table.table, &stream.counts);
    match (&stream.error, stream.state) {
        (Some(error), _) => tracing::error!(stream = name, table, %error, "the stream failed"),
        (None, LoadState::Committed) => {
            let (rows, bytes) = (counts.committed, counts.bytes);
            tracing::info!(stream = name, table, rows.committed = rows, arrow.bytes = bytes, "the stream is committed");
        }
        (None, _) => {
            tracing::info!(
                stream = name,
                table,
                rows.committed = counts.committed,
                "the stream stopped at a checkpoint"
            );
        }
    }
    for warning in &stream.warnings {
        tracing::warn!(stream = name, "{warning}");
    }
}

/// The table that a stream goes to.
pub fn table_of(sink: &SinkSpec, spec: &sluice_core::pipeline::StreamSpec) -> TableName {
    let dataset = match sink {
        SinkSpec::Local { dataset, .. } | SinkSpec::Bigquery { dataset, .. } => dataset.clone(),
        SinkSpec::Null => "null".into(),
    };
    TableName { dataset, table: spec.table_name() }
}

/// A fingerprint of the pipeline's definition, for the run's record.
fn fingerprint(pipeline: &Pipeline) -> Result<String, RunError> {
    use sha2::{Digest, Sha256};
    // The configuration may hold secrets: only the digest is kept.
    let text = serde_json::to_vec(pipeline)
        .map_err(|e| RunError::new(Kind::Internal, Actor::Host, format!("the pipeline cannot be written down: {e}")))?;
    Ok(sluice_core::hex(Sha256::digest(&text).get(..16).unwrap_or_default()))
}
