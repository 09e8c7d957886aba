//! What the API shows of a run.

use jiff::Timestamp;
use serde::Serialize;
use sluice_core::queue::Priority;
use sluice_core::request::{Cause, RequestState};
use sluice_core::run::RunState;
use sluice_store::{RunRecord, RunRequest, Scope, StreamRecord};
use utoipa::ToSchema;

use super::error::ErrorView;
use crate::http::problem::Problem;
use crate::state::{App, instant};

/// A run as it was asked for, and where it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct RunView {
    /// Names it for ever.
    id: String,
    /// The pipeline.
    pipeline: String,
    /// The revision of the pipeline that is run.
    pipeline_revision: u64,
    /// The connection that it reads from.
    connection: String,
    /// `manual`, `scheduled` or `backfill`.
    #[schema(value_type = String)]
    cause: Cause,
    /// `queued`, `running`, `succeeded`, `failed`, `stopped`, `cancelled` or `skipped`.
    #[schema(value_type = String)]
    state: RequestState,
    /// Why it was skipped or cancelled.
    reason: Option<String>,
    /// What the last attempt failed with.
    error: Option<ErrorView>,
    /// `low`, `normal` or `high`: how urgent it is among the tenant's runs.
    #[schema(value_type = String)]
    priority: Priority,
    /// The moment of the schedule that it is for.
    #[schema(value_type = Option<String>)]
    scheduled_for: Option<Timestamp>,
    /// The day that catalog loads stand for; none for the day on which it starts.
    snapshot_date: Option<String>,
    /// Who asked for it: `user ID`, `token ID` or `schedule`.
    requested_by: String,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    queued_at: Timestamp,
    /// It does not start before.
    #[schema(value_type = String, format = DateTime)]
    not_before: Timestamp,
    /// When its first attempt began.
    #[schema(value_type = Option<String>)]
    started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>)]
    ended_at: Option<Timestamp>,
    /// When somebody wanted it to end.
    #[schema(value_type = Option<String>)]
    cancel_requested_at: Option<Timestamp>,
    /// Attempts that were begun.
    attempts: u32,
}

impl From<RunRequest> for RunView {
    fn from(run: RunRequest) -> Self {
        let asked = run.asked;
        Self {
            id: asked.id,
            pipeline: asked.pipeline,
            pipeline_revision: asked.revision,
            connection: asked.connection,
            cause: asked.cause,
            state: run.state,
            reason: run.reason,
            error: run.error.map(ErrorView::from),
            priority: Priority::of_level(asked.priority),
            scheduled_for: asked.moment_us.map(instant),
            snapshot_date: asked.snapshot_date,
            requested_by: asked.requested_by,
            queued_at: instant(run.queued_us),
            not_before: instant(asked.not_before_us.max(run.queued_us)),
            started_at: run.started_us.map(instant),
            ended_at: run.ended_us.map(instant),
            cancel_requested_at: run.cancel_us.map(instant),
            attempts: run.attempts,
        }
    }
}

/// One try of a run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AttemptView {
    /// Names it for ever.
    id: String,
    /// `running`, `succeeded`, `failed` or `stopped`.
    #[schema(value_type = String)]
    state: RunState,
    /// The connector's name and version.
    connector: String,
    /// SHA-256 of the component that ran.
    connector_sha256: String,
    /// The version of the contract that it was written against.
    contract: String,
    /// A fingerprint of the pipeline's definition.
    pipeline_fingerprint: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>)]
    ended_at: Option<Timestamp>,
    /// Why it failed.
    error: Option<ErrorView>,
    /// What became of each stream.
    streams: Vec<LoadView>,
}

/// What became of a stream: the reconciliation record. A stream is a success only if the counts agree.
#[derive(Debug, Serialize, ToSchema)]
struct LoadView {
    /// Names the load for ever.
    load: String,
    /// The stream.
    stream: String,
    /// The table that it went to.
    table: String,
    /// `running`, `committed`, `failed` or `stopped`.
    state: &'static str,
    /// Rows that the connector read.
    rows_read: u64,
    /// Rows that went to quarantine instead of the table.
    rows_quarantined: u64,
    /// Rows that were sent to the sink.
    rows_sent: u64,
    /// Rows that the sink confirmed when it closed what it wrote to.
    rows_finalized: u64,
    /// Rows that became visible.
    rows_committed: u64,
    /// Values that became NULL because they did not fit.
    values_nulled: u64,
    /// Arrow bytes that the connector pushed.
    bytes_read: u64,
    /// Whether every row is accounted for: read = sent + quarantined, and sent = finalized = committed.
    reconciled: bool,
    /// The sink's own words for the commit.
    commit_reference: Option<String>,
    /// Why it failed.
    error: Option<ErrorView>,
    /// How the stream's columns differ from those of its load before, one sentence each.
    schema_changes: Vec<String>,
    /// What its data-quality checks found where they did not hold, one sentence each.
    findings: Vec<String>,
}

impl From<RunRecord> for AttemptView {
    fn from(run: RunRecord) -> Self {
        Self {
            id: run.id,
            state: run.state,
            connector: run.connector,
            connector_sha256: run.connector_digest,
            contract: run.contract,
            pipeline_fingerprint: run.pipeline_fingerprint,
            started_at: instant(run.started_us),
            ended_at: run.ended_us.map(instant),
            error: run.error.map(ErrorView::from),
            streams: run.streams.into_iter().map(LoadView::from).collect(),
        }
    }
}

impl From<StreamRecord> for LoadView {
    fn from(load: StreamRecord) -> Self {
        let counts = &load.counts;
        Self {
            reconciled: counts.reconciled(),
            rows_read: counts.read,
            rows_quarantined: counts.quarantined,
            rows_sent: counts.sent,
            rows_finalized: counts.finalized,
            rows_committed: counts.committed,
            values_nulled: counts.nulled,
            bytes_read: counts.bytes,
            load: load.load.as_str().to_owned(),
            stream: load.stream,
            table: load.table.to_string(),
            state: load.state.as_str(),
            commit_reference: load.commit_reference,
            error: load.error.map(ErrorView::from),
            schema_changes: load.schema_changes.iter().map(ToString::to_string).collect(),
            findings: load.findings.iter().map(|found| format!("{}: {}", found.label, found.message)).collect(),
        }
    }
}

/// The run of an address.
pub(super) async fn find(app: &App, scope: Scope<'_>, id: &str) -> Result<RunRequest, Problem> {
    app.store.run_request(scope, id).await?.ok_or_else(|| Problem::not_found("run"))
}
