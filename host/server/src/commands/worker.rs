//! `sluice worker`: one job for a host, in a process of its own. A job comes in on standard input, events go out on standard output,
//! each a line of JSON (`sluice_core::worker`).

mod confine;
mod conform;
mod examine;
mod recording;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::limits::RunLimits;
use sluice_core::pipeline::{Pipeline, SourceSpec};
use sluice_core::plan::DiscoverFilter;
use sluice_core::worker::{Column, Event, Job, MAX_LINE, Order, Phase, PlanJob, RunJob, StoreAddress, Summary};
use sluice_engine::{ForecastSetup, Progress, RunSetup, step};
use sluice_runtime::net::Watch;
use sluice_runtime::{Budget, Environment};
use sluice_store::{Settings, Store};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Stdin};
use tokio_util::sync::CancellationToken;
use tracing::{Span, field};

use super::preview;
use crate::cli::{Options, WorkerArgs};
use crate::events::tell;
use crate::show::printable;
use crate::show::run::memory;
use crate::{exit, telemetry, wire};

/// How often a run says how far it is.
const PROGRESS: Duration = Duration::from_millis(500);

/// Most text of a cell of a preview, bytes.
const MAX_CELL: usize = 4 << 10;

/// Hosts that are told while a connection is tried; a connector may ask for any number.
const MOST_HOSTS: usize = 50;

/// How much less of a busy processor a patient worker gets: a tenth of what the service does.
const PATIENT: i32 = 10;

/// What holds for the whole process. Before it has threads: each takes its priority from the one that starts it.
pub(crate) fn prepare(args: &WorkerArgs) {
    // A crash must not leave secrets in a file.
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    if args.patient {
        let _ = rustix::process::nice(PATIENT);
    }
}

pub(crate) async fn run(options: &Options) -> u8 {
    let mut input = BufReader::new(tokio::io::stdin());
    let done = match job(&mut input).await {
        Ok(job) => {
            telemetry::start_worker(options.verbose, matches!(&job, Job::Run(job) if job.traceparent.is_some()));
            carry_out(options, job, input).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => {
            tell(&Event::Done);
            0
        }
        Err(error) => {
            let code = exit::code(&error);
            tell(&Event::Failed(error));
            code
        }
    }
}

async fn job(input: &mut BufReader<Stdin>) -> Result<Job, RunError> {
    let wrong = |detail: String| {
        let message = format!("a worker is started by `sluice serve`, which writes its job to it: {detail}");
        RunError::new(Kind::Config, Actor::Host, message)
    };
    let mut line = Vec::new();
    let read = input.take(MAX_LINE as u64).read_until(b'\n', &mut line).await;
    read.map_err(|e| wrong(format!("its input cannot be read: {e}")))?;
    serde_json::from_slice(&line).map_err(|e| wrong(format!("there is no job on its input: {e}")))
}

async fn carry_out(options: &Options, job: Job, input: BufReader<Stdin>) -> Result<(), RunError> {
    let (stop, kill) = (CancellationToken::new(), CancellationToken::new());
    tokio::spawn(listen(input, stop.clone(), kill.clone()));
    let work = async {
        match job {
            Job::Run(job) => {
                let span = step("run");
                if let Some(parent) = &job.traceparent {
                    telemetry::below(&span, parent);
                }
                step::take(span.clone(), attempt(options, *job, &span, (stop, kill.clone()))).await
            }
            Job::Check { source, limits } => check(options, &source, &limits).await,
            Job::Discover { source, limits, filter, page } => discover(options, &source, &limits, filter, page).await,
            Job::Plan(job) => plan(options, *job).await,
            Job::Examine { component } => examine::run(options, &component).await,
            Job::Recording { recording } => recording::read(&recording),
            Job::Replay { connector, digest, recording } => {
                recording::replayed(options, &connector, digest.as_deref(), &recording).await
            }
            Job::Conform { source, limits, streams } => conform::run(options, &source, &limits, streams).await,
            Job::Preview { pipeline, stream, rows } => first_rows(options, &pipeline, &stream, rows).await,
            Job::Sample { pipeline, stream, rows } => sample(options, &pipeline, &stream, rows).await,
        }
    };
    work.await
}

/// Hears orders. The end of the input means that the host is gone: then nobody can tell how this ends, and what is not committed is
/// given up.
async fn listen(mut input: BufReader<Stdin>, stop: CancellationToken, kill: CancellationToken) {
    let mut line = String::new();
    while let Ok(1..) = input.read_line(&mut line).await {
        match serde_json::from_str(&line) {
            Ok(Order::Stop) => stop.cancel(),
            Ok(Order::Kill) | Err(_) => kill.cancel(),
        }
        line.clear();
    }
    kill.cancel();
    tokio::time::sleep(Duration::from_secs(5)).await;
    std::process::exit(i32::from(exit::STOPPED));
}

/// A step of the job, for its trace.
fn step(name: &str) -> Span {
    tracing::info_span!(
        target: step::TARGET,
        "step",
        otel.name = name,
        otel.status_code = field::Empty,
        otel.status_description = field::Empty,
        "error.type" = field::Empty,
    )
}

async fn attempt(
    options: &Options,
    job: RunJob,
    span: &Span,
    (stop, kill): (CancellationToken, CancellationToken),
) -> Result<(), RunError> {
    let RunJob { tenant, pipeline, request, attempt, run_id, snapshot_date, store, traceparent: _ } = job;
    let snapshot_date = day(&snapshot_date)?;
    let loading = async {
        let runtime = wire::runtime(options)?;
        wire::connection(options, &runtime, &pipeline.source, &pipeline.limits).await
    };
    let connection = step::take(step("connector"), loading).await?;
    let sink = wire::sink(&pipeline.sink).await?;
    let store = open(store).await?;
    let progress = Arc::new(Progress::default());
    let watched = tokio::spawn(watch(progress.clone()));
    let wall = pipeline.limits.wall_seconds;
    if wall > 0 {
        let stop = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(wall)).await;
            stop.cancel();
        });
    }
    let setup = RunSetup {
        tenant,
        request: Some((request, attempt)),
        budget: Budget::new(pipeline.limits.bytes_in_flight),
        pipeline,
        connection,
        sink,
        store: store.clone(),
        run_id,
        snapshot_date,
        accepts_tables: false,
        clock: Arc::new(wire::now_us),
        progress: progress.clone(),
        stop,
        kill,
    };
    let report = sluice_engine::run(setup).await;
    watched.abort();
    store.close().await;
    let report = report?;
    if let Some(error) = &report.error {
        step::failed(span, error);
    }
    tell_progress(&progress);
    let warnings = report.streams.iter();
    let warnings = warnings.flat_map(|stream| stream.warnings.iter().map(|text| (stream.stream.clone(), text.clone())));
    let findings = report.streams.iter();
    let findings =
        findings.flat_map(|stream| stream.findings.iter().map(|found| (stream.stream.clone(), found.clone())));
    tell(&Event::Ended(Summary {
        state: report.state,
        error: report.error.clone(),
        warnings: warnings.collect(),
        findings: findings.collect(),
        peak_memory_bytes: memory().1,
    }));
    Ok(())
}

async fn watch(progress: Arc<Progress>) {
    loop {
        tokio::time::sleep(PROGRESS).await;
        tell_progress(&progress);
    }
}

fn tell_progress(progress: &Progress) {
    let streams = progress.streams().iter().map(|stream| stream.snapshot()).collect();
    tell(&Event::Progress { streams, memory_bytes: memory().0 });
}

async fn check(options: &Options, source: &SourceSpec, limits: &RunLimits) -> Result<(), RunError> {
    tell(&Event::Phase(Phase::Loading));
    let runtime = wire::runtime(options)?;
    let told = Mutex::new(BTreeSet::new());
    // What is refused, the connector's own step says.
    let watch = Watch::new(move |host, port, declared| {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if declared && told.len() < MOST_HOSTS && told.insert((host.to_owned(), port)) {
            tell(&Event::Phase(Phase::Reaching { host: host.to_owned(), port }));
        }
    });
    let environment = Environment { watch: Some(watch), ..wire::environment(options)? };
    let connection = wire::connection_in(options, &runtime, source, limits, &environment).await?;
    let instance = connection.instance().await?;
    tell(&Event::Phase(Phase::Begun));
    let steps = instance.check().await?;
    steps.into_iter().for_each(|step| tell(&Event::Step(step)));
    Ok(())
}

async fn discover(
    options: &Options,
    source: &SourceSpec,
    limits: &RunLimits,
    filter: DiscoverFilter,
    page: Option<String>,
) -> Result<(), RunError> {
    let runtime = wire::runtime(options)?;
    let connection = wire::connection(options, &runtime, source, limits).await?;
    let found = connection.instance().await?.discover(filter, page).await?;
    tell(&Event::Streams(found.into()));
    Ok(())
}

/// Says what a run would do. Nothing is written, neither to the sink nor to the store.
async fn plan(options: &Options, job: PlanJob) -> Result<(), RunError> {
    let PlanJob { tenant, pipeline, snapshot_date, store } = job;
    let snapshot_date = day(&snapshot_date)?;
    let runtime = wire::runtime(options)?;
    let connection = wire::connection(options, &runtime, &pipeline.source, &pipeline.limits).await?;
    let sink = wire::sink(&pipeline.sink).await?;
    let store = open(store).await?;
    let setup = ForecastSetup { tenant, pipeline, connection, sink, store: store.clone(), snapshot_date };
    let streams = sluice_engine::forecast(&setup).await;
    store.close().await;
    tell(&Event::Planned { streams: streams? });
    Ok(())
}

fn day(text: &str) -> Result<jiff::civil::Date, RunError> {
    text.parse().map_err(|e| RunError::new(Kind::Config, Actor::Host, format!("{text:?} is no day: {e}")))
}

async fn open(store: StoreAddress) -> Result<Store, RunError> {
    match store {
        StoreAddress::File(path) => Store::open(&path).await,
        StoreAddress::Postgres(url) => Store::connect(&url, Settings { connections: 2, ..Settings::default() }).await,
    }
}

async fn first_rows(options: &Options, pipeline: &Pipeline, stream: &str, rows: usize) -> Result<(), RunError> {
    let batches = preview::stream_rows(options, pipeline, Some(stream), rows).await?;
    let columns = batches
        .first()
        .map(|batch| batch.schema_ref().fields().iter().map(|field| Column::from(field.as_ref())).collect());
    let mut cells = Vec::new();
    for batch in &batches {
        as_text(batch, &mut cells)?;
    }
    tell(&Event::Rows { columns: columns.unwrap_or_default(), rows: cells });
    Ok(())
}

async fn sample(options: &Options, pipeline: &Pipeline, stream: &str, rows: usize) -> Result<(), RunError> {
    let (columns, batches) = preview::sampled(options, pipeline, stream, rows).await?;
    let mut cells = Vec::new();
    for batch in &batches {
        as_text(batch, &mut cells)?;
    }
    tell(&Event::Sampled { columns, rows: cells });
    Ok(())
}

/// Rows as a person reads them; a cell that is too long is cut.
fn as_text(batch: &RecordBatch, rows: &mut Vec<Vec<Option<String>>>) -> Result<(), RunError> {
    let batch = printable(batch)?;
    let options = FormatOptions::default();
    let failed = |e: arrow_schema::ArrowError| RunError::internal(format!("showing a row: {e}"));
    let columns: Result<Vec<_>, _> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options)).collect();
    let columns = columns.map_err(failed)?;
    for row in 0..batch.num_rows() {
        let mut cells = Vec::with_capacity(columns.len());
        for (column, formatter) in batch.columns().iter().zip(&columns) {
            let cell = if column.is_null(row) {
                None
            } else {
                let mut text = formatter.value(row).try_to_string().map_err(failed)?;
                if text.len() > MAX_CELL {
                    text.truncate(text.floor_char_boundary(MAX_CELL));
                    text.push('…');
                }
                Some(text)
            };
            cells.push(cell);
        }
        rows.push(cells);
    }
    Ok(())
}
