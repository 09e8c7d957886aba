//! What a host and its worker processes say to each other: one JSON document a line, a job down, events up.
//!
//! A worker is `sluice worker`: the host writes one [`Job`] to its standard input and keeps it open. [`Order::Stop`] and
//! [`Order::Kill`] may follow; the end of the input means that the host is gone, and the worker ends at once. What it writes to its
//! standard output are [`Event`]s; the last one is [`Event::Done`] or [`Event::Failed`]. A worker that ends without one of these has
//! crashed. Nothing that a worker writes is trusted further than to be shown: rows are committed through the store.

use std::path::PathBuf;

use arrow_schema::Field;
use serde::{Deserialize, Serialize};

use crate::error::RunError;
use crate::forecast::StreamForecast;
use crate::limits::RunLimits;
use crate::pipeline::{Pipeline, SourceSpec};
use crate::plan::{CheckStep, DiscoverFilter, DiscoverPage, StreamKind};
use crate::quality::Finding;
use crate::run::{RunState, StreamCounts};
use crate::sample::SampledColumn;
use crate::trace::{Context, Span};

/// Longest line in either direction, bytes: a page of streams with wide tables is the longest there is.
pub const MAX_LINE: usize = 32 << 20;

/// What a worker does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "kebab-case")]
pub enum Job {
    /// One attempt of a run.
    Run(Box<RunJob>),
    /// Tries a connection, step by step.
    Check {
        /// The connection, its secrets filled in.
        source: SourceSpec,
        /// Bounds of the instance.
        limits: RunLimits,
    },
    /// One page of the streams of a connection.
    Discover {
        /// The connection, its secrets filled in.
        source: SourceSpec,
        /// Bounds of the instance.
        limits: RunLimits,
        /// Which streams.
        filter: DiscoverFilter,
        /// The page before's `next`.
        page: Option<String>,
    },
    /// What a run would do, without doing it.
    Plan(Box<PlanJob>),
    /// Looks at a component that somebody has uploaded: tells an [`Event::Step`] of each finding, and [`Event::Examined`] if it can be
    /// read. It ends there; nothing of the component is run.
    Examine {
        /// The component's file, the only one that is read.
        component: PathBuf,
    },
    /// Reads a recording that somebody has uploaded: tells an [`Event::Recorded`]. Nothing is run.
    Recording {
        /// The recording's file, the only one that is read.
        recording: PathBuf,
    },
    /// Runs a component against a recording, offline: tells one [`Event::Step`], which has failed where the component does something else.
    Replay {
        /// The connector's name.
        connector: String,
        /// SHA-256 of its component; what lies in the operator's folder without one.
        digest: Option<String>,
        /// The recording's file.
        recording: PathBuf,
    },
    /// Makes those checks of the conformance kit that read no rows: tells an [`Event::Step`] of each, by the check's name.
    Conform {
        /// The connection, its secrets filled in.
        source: SourceSpec,
        /// Bounds of each instance.
        limits: RunLimits,
        /// Streams that the connection must offer.
        streams: Vec<String>,
    },
    /// The first rows of a stream, as the sink would get them.
    Preview {
        /// The pipeline, its secrets filled in; nothing is written to its sink.
        pipeline: Box<Pipeline>,
        /// One of its streams.
        stream: String,
        /// At most this many rows.
        rows: usize,
    },
    /// The same, with what the casts lose; no value fails the job.
    Sample {
        /// The pipeline, its secrets filled in; nothing is written to its sink.
        pipeline: Box<Pipeline>,
        /// One of its streams.
        stream: String,
        /// At most this many rows.
        rows: usize,
    },
}

/// One attempt of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunJob {
    /// Whose run it is.
    pub tenant: String,
    /// The pipeline, its secrets filled in; its name is its id.
    pub pipeline: Pipeline,
    /// The run that was asked for.
    pub request: String,
    /// Counts from one.
    pub attempt: u32,
    /// Names the attempt for ever.
    pub run_id: String,
    /// The day that catalog loads stand for, `YYYY-MM-DD`.
    pub snapshot_date: String,
    /// Where state is kept.
    pub store: StoreAddress,
    /// The attempt's span, if its steps are to be told as [`Event::Spans`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Context>,
}

/// A run that is only planned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanJob {
    /// Whose pipeline it is.
    pub tenant: String,
    /// The pipeline, its secrets filled in; its name is its id.
    pub pipeline: Pipeline,
    /// The day that catalog loads would stand for, `YYYY-MM-DD`.
    pub snapshot_date: String,
    /// Where state is kept; it is only read.
    pub store: StoreAddress,
}

/// Where the store is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreAddress {
    /// An SQLite file.
    File(PathBuf),
    /// A PostgreSQL database; the address may hold a password.
    Postgres(String),
}

/// What a host may say after the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Stop at the next checkpoints and commit what is complete.
    Stop,
    /// End now; what is not committed is given up.
    Kill,
}

/// What a worker tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// How far a run is; every stream that has begun.
    Progress {
        /// In the order in which they began.
        streams: Vec<StreamProgress>,
        /// Resident memory of the worker, bytes.
        memory_bytes: u64,
    },
    /// Something worth keeping with the run.
    Log {
        /// `error`, `warn`, `info` or `debug`.
        level: LogLevel,
        /// One line, without secrets and without rows.
        message: String,
    },
    /// Steps of a run that are over, for its trace.
    Spans {
        /// In the order in which they ended.
        spans: Vec<Span>,
    },
    /// What a check is at.
    Phase(Phase),
    /// A step of a check.
    Step(CheckStep),
    /// What a component says of itself.
    Examined(Box<Examined>),
    /// What a recording says of itself.
    Recorded(Recorded),
    /// A page of streams.
    Streams(StreamPage),
    /// What a run would do.
    Planned {
        /// Each stream of the pipeline, in its order.
        streams: Vec<StreamForecast>,
    },
    /// The first rows of a stream.
    Rows {
        /// Names and types of the columns, as the sink has them.
        columns: Vec<Column>,
        /// Rows of cells, each as text; none is NULL.
        rows: Vec<Vec<Option<String>>>,
    },
    /// The first rows of a stream, and what its casts lose of them.
    Sampled {
        /// The columns, as the sink has them.
        columns: Vec<SampledColumn>,
        /// Rows of cells, each as text; none is NULL.
        rows: Vec<Vec<Option<String>>>,
    },
    /// A run has ended, well or badly.
    Ended(Summary),
    /// The job is done.
    Done,
    /// The job could not be done.
    Failed(RunError),
}

/// What a check is at, as far as the host sees it: a connector tells its own steps when it is done with all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "kebab-case")]
pub enum Phase {
    /// The component is loaded, and compiled if this machine has not done that before.
    Loading,
    /// The connector has begun.
    Begun,
    /// It asks for a host that it may reach.
    Reaching {
        /// The host's name or address.
        host: String,
        /// The port there.
        port: u16,
    },
}

/// What can be read of a component without running it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Examined {
    /// The manifest's bytes, which are JSON.
    pub manifest: String,
    /// The interfaces that it imports.
    pub imports: Vec<String>,
}

/// What a recording says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The connector that was recorded.
    pub connector: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its component, by the recording's words.
    pub digest: String,
    /// Calls in it.
    pub calls: u64,
    /// Rows that they delivered.
    pub rows: u64,
}

/// How loud a line of a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// For who looks for a defect.
    Debug,
    /// What happened.
    Info,
    /// What somebody should look at.
    Warn,
    /// What failed.
    Error,
}

/// A column, of a stream or of a preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its Arrow type, as text.
    pub r#type: String,
    /// Whether it may be NULL.
    pub nullable: bool,
}

impl From<&Field> for Column {
    fn from(field: &Field) -> Self {
        Self { name: field.name().clone(), r#type: field.data_type().to_string(), nullable: field.is_nullable() }
    }
}

/// A page of streams, in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamPage {
    /// Ordered by id.
    pub streams: Vec<Stream>,
    /// For the next page; none on the last one.
    pub next: Option<String>,
}

/// A stream that a connection offers, in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Unique and stable within the connection.
    pub id: String,
    /// What it is.
    pub kind: StreamKind,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Columns that identify a row.
    pub primary_key: Vec<String>,
    /// Columns that an incremental read could use, the best first.
    pub cursor_candidates: Vec<String>,
    /// Estimated rows.
    pub rows: Option<u64>,
    /// Estimated bytes.
    pub bytes: Option<u64>,
    /// The source's own comment.
    pub description: Option<String>,
}

impl From<DiscoverPage> for StreamPage {
    fn from(page: DiscoverPage) -> Self {
        let streams = page.streams.into_iter().map(|stream| Stream {
            columns: stream.schema.fields().iter().map(|field| Column::from(field.as_ref())).collect(),
            id: stream.id,
            kind: stream.kind,
            primary_key: stream.primary_key,
            cursor_candidates: stream.cursor_candidates,
            rows: stream.rows,
            bytes: stream.bytes,
            description: stream.description,
        });
        Self { streams: streams.collect(), next: page.next }
    }
}

/// How far a stream is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamProgress {
    /// The stream.
    pub stream: String,
    /// Its table.
    pub table: String,
    /// The counts so far.
    pub counts: StreamCounts,
    /// Rows that the connector expects.
    pub rows_estimated: Option<u64>,
    /// Splits that are read to their end.
    pub splits_done: u64,
    /// All splits.
    pub splits: u64,
    /// Whether it has ended, well or badly.
    pub ended: bool,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// How it ended.
    pub state: RunState,
    /// Why it failed, if it did.
    pub error: Option<RunError>,
    /// Warnings, each with its stream.
    pub warnings: Vec<(String, String)>,
    /// What data-quality checks found, each with its stream.
    #[serde(default)]
    pub findings: Vec<(String, Finding)>,
    /// Peak memory of the worker, bytes.
    pub peak_memory_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_it_is() {
        let line = serde_json::to_string(&Event::Log { level: LogLevel::Warn, message: "m".into() }).unwrap();
        assert_eq!(line, r#"{"event":"log","level":"warn","message":"m"}"#);
        assert_eq!(serde_json::to_string(&Order::Stop).unwrap(), r#""stop""#);
        let phase = serde_json::to_string(&Event::Phase(Phase::Reaching { host: "db".into(), port: 5432 })).unwrap();
        assert_eq!(phase, r#"{"event":"phase","phase":"reaching","host":"db","port":5432}"#);
        let failed = serde_json::to_string(&Event::Failed(RunError::internal("x"))).unwrap();
        assert!(matches!(serde_json::from_str(&failed).unwrap(), Event::Failed(error) if error.message == "x"));
    }
}
