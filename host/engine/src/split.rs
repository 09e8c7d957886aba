//! One split: an instance reads, the transform works, a writer sends.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::load::SplitReceipt;
use sluice_core::plan::{Cursor, Split};
use sluice_core::run::SplitEnd;
use sluice_runtime::{Budget, Connection, Level, ReadEnd, ReadEvent};
use sluice_sinks::{Load, Sink, SplitWriter};
use tokio_util::sync::CancellationToken;
use tracing::field;

use crate::failpoint;
use crate::progress::StreamProgress;
use crate::quality::{Checks, Meter};
use crate::step::{self, step};
use crate::transform::Transform;

/// What the splits of a stream share.
pub(crate) struct Shared {
    pub(crate) connection: Connection,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) stream: Arc<str>,
    pub(crate) schema: SchemaRef,
    pub(crate) transform: Transform,
    /// None where the stream has no checks.
    pub(crate) checks: Option<Arc<Checks>>,
    pub(crate) load: Load,
    pub(crate) quarantine: Load,
    pub(crate) quarantine_rows: u64,
    pub(crate) budget: Budget,
    pub(crate) progress: Arc<StreamProgress>,
    /// Asks reads to stop at their next checkpoint.
    pub(crate) stop: CancellationToken,
}

/// What became of a split that did not fail.
pub(crate) struct Outcome {
    pub(crate) end: SplitEnd,
    /// Rows that left the transform for the table.
    pub(crate) rows: u64,
    pub(crate) receipt: SplitReceipt,
    /// The same for the quarantine, if any row went there.
    pub(crate) quarantine: Option<SplitReceipt>,
    pub(crate) warnings: Vec<String>,
    /// What the checks counted.
    pub(crate) meter: Option<Meter>,
}

/// Reads a split as a step of the run's trace.
///
/// Its number is told, not its id, which may have values of rows in it.
pub(crate) async fn traced(
    shared: Arc<Shared>,
    (number, split): (usize, Split),
    start: Option<Cursor>,
) -> Result<Outcome, RunError> {
    let span = step!("part", sluice.part = step::number(number), sluice.rows = field::Empty);
    let outcome = step::take(span.clone(), run(&shared, &split, start)).await?;
    span.record("sluice.rows", step::number(outcome.rows));
    Ok(outcome)
}

/// Reads a split to its end, or to the checkpoint at which it is asked to stop.
async fn run(shared: &Shared, split: &Split, start: Option<Cursor>) -> Result<Outcome, RunError> {
    let instance = shared.connection.instance().await?;
    let planned = vec![(shared.stream.clone(), shared.schema.clone())];
    let mut read = instance.read(split.clone(), start, planned, shared.budget.clone()).await?;
    let stop = read.stop_handle();
    let mut writing = Writing::new(shared, split).await?;
    let mut asked = false;
    let mut last = None;
    loop {
        let event = tokio::select! {
            biased;
            () = shared.stop.cancelled(), if !asked => {
                asked = true;
                stop.stop();
                continue;
            }
            event = read.next() => event,
        };
        match event {
            None => break,
            Some(ReadEvent::Batch { batch, bytes, in_flight, .. }) => {
                shared.progress.on_read(batch.num_rows() as u64, bytes);
                failpoint::pass("batch.read");
                writing.take(shared, batch).await?;
                failpoint::pass("batch.written");
                drop(in_flight);
            }
            Some(ReadEvent::Checkpoint { cursor, .. }) => last = Some(cursor),
            Some(ReadEvent::SchemaChanged { .. }) => return Err(changed()),
        }
    }
    let ended = read.finish().await?;
    let warnings = instance.log().take().into_iter().filter(|line| line.level >= Level::Warn).map(|line| line.text);
    let warnings = warnings.take(20).collect();
    let end = match (ended, last) {
        (ReadEnd::Finished, last) => SplitEnd::Finished { last },
        (ReadEnd::Stopped, Some(cursor)) => SplitEnd::StoppedAt(cursor),
        (ReadEnd::Stopped, None) => SplitEnd::NotBegun,
    };
    let staging = step!("stage", sluice.rows = step::number(writing.rows));
    let (rows, receipt, quarantine, meter) = step::take(staging, writing.finish()).await?;
    shared.progress.on_split_done();
    Ok(Outcome { end, rows, receipt, quarantine, warnings, meter })
}

/// The writers of a split; the one for the quarantine is opened when it is needed.
struct Writing {
    transform: Transform,
    split: String,
    table: Box<dyn SplitWriter>,
    quarantine: Option<Box<dyn SplitWriter>>,
    rows: u64,
    meter: Option<Meter>,
}

impl Writing {
    async fn new(shared: &Shared, split: &Split) -> Result<Self, RunError> {
        let table = shared.sink.open(&shared.load, &split.id).await?;
        let (transform, meter) = (shared.transform.clone(), shared.checks.as_ref().map(Checks::meter));
        Ok(Self { transform, split: split.id.clone(), table, quarantine: None, rows: 0, meter })
    }

    async fn take(&mut self, shared: &Shared, batch: arrow_array::RecordBatch) -> Result<(), RunError> {
        let transformed = self.transform.apply(batch)?;
        let quarantined = transformed.quarantine.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        shared.progress.on_transformed(quarantined, transformed.nulled);
        if let Some(batch) = transformed.quarantine {
            self.set_aside(shared, batch).await?;
        }
        let rows = transformed.batch.num_rows() as u64;
        if rows > 0 {
            if let Some(meter) = &mut self.meter {
                meter.take(&transformed.batch)?;
            }
            self.table.write(transformed.batch).await?;
            self.rows += rows;
            shared.progress.on_sent(rows);
        }
        Ok(())
    }

    async fn set_aside(&mut self, shared: &Shared, batch: arrow_array::RecordBatch) -> Result<(), RunError> {
        let all = shared.progress.counts().quarantined;
        if all > shared.quarantine_rows {
            let message = format!(
                "more than limits.quarantine_rows = {} rows do not fit their types; nothing was committed. Change the casts, \
                 or raise the limit",
                shared.quarantine_rows
            );
            return Err(RunError::new(Kind::Data, Actor::User, message).with_field("limits.quarantine_rows"));
        }
        let mut writer = match self.quarantine.take() {
            Some(writer) => writer,
            None => {
                shared.sink.prepare(&shared.quarantine.spec).await?;
                shared.sink.open(&shared.quarantine, &self.split).await?
            }
        };
        writer.write(batch).await?;
        self.quarantine = Some(writer);
        Ok(())
    }

    async fn finish(self) -> Result<(u64, SplitReceipt, Option<SplitReceipt>, Option<Meter>), RunError> {
        let receipt = self.table.finish().await?;
        let quarantine = match self.quarantine {
            Some(writer) => Some(writer.finish().await?),
            None => None,
        };
        Ok((self.rows, receipt, quarantine, self.meter))
    }
}

fn changed() -> RunError {
    let message = "the stream's schema changed while it was read; nothing was committed, run the pipeline again to read it \
                   with its new schema";
    RunError::new(Kind::SchemaChanged, Actor::Source, message).with_retry(sluice_core::Retry::Later)
}
