//! Runs as they were asked for.

use sluice_core::RunError;
use sluice_core::request::{Cause, RequestState};

use crate::db::{Row, Sql, Tx, built, sql};
use crate::{Scope, Store};

/// A run that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRequest {
    /// Names the run for ever; ordered by time.
    pub id: String,
    /// The pipeline's id.
    pub pipeline: String,
    /// The pipeline's revision that is run.
    pub revision: u64,
    /// The connection's id.
    pub connection: String,
    /// Why there is a run.
    pub cause: Cause,
    /// The moment of the schedule that it is for.
    pub moment_us: Option<i64>,
    /// The day that catalog loads stand for; none for the day on which it starts.
    pub snapshot_date: Option<String>,
    /// Who asked.
    pub requested_by: String,
    /// Higher ones go first.
    pub priority: i64,
    /// It does not start before.
    pub not_before_us: i64,
    /// The trace that it belongs to, as W3C's `traceparent`; none if nobody follows it.
    pub traceparent: Option<String>,
}

/// A run as it was asked for, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRequest {
    /// Whose run it is.
    pub tenant: String,
    /// What was asked for.
    pub asked: NewRequest,
    /// Where it is.
    pub state: RequestState,
    /// Why it was skipped or cancelled.
    pub reason: Option<String>,
    /// When it was asked for.
    pub queued_us: i64,
    /// When its first attempt began.
    pub started_us: Option<i64>,
    /// When it ended.
    pub ended_us: Option<i64>,
    /// Attempts that were begun.
    pub attempts: u32,
    /// Those of them whose host died or was stopped before they came to an end.
    pub lost: u32,
    /// When somebody wanted it to end.
    pub cancel_us: Option<i64>,
    /// What the last attempt failed with.
    pub error: Option<RunError>,
}

impl RunRequest {
    /// Attempts that ended by themselves, well or badly, and the one under way.
    pub fn tried(&self) -> u32 {
        self.attempts.saturating_sub(self.lost)
    }
}

/// Which runs of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestFilter<'a> {
    /// Of this pipeline only.
    pub pipeline: Option<&'a str>,
    /// In this state only.
    pub state: Option<RequestState>,
    /// Older than this run: the last one of the page before.
    pub after: Option<&'a str>,
}

/// What a row of `run_requests` is read from.
pub(super) const COLUMNS: &str = "tenant, id, pipeline, revision, connection, cause, moment_us, snapshot_date, requested_by, \
     state, reason, priority, not_before_us, queued_us, started_us, ended_us, attempts, lost, cancel_us, error, traceparent";

impl Store {
    /// Puts a run into the queue.
    ///
    /// # Errors
    /// If the id was used before, or it cannot be stored.
    pub async fn ask_for_run(&self, scope: Scope<'_>, new: &NewRequest, now_us: i64) -> Result<(), RunError> {
        self.ask_for_runs(scope, std::slice::from_ref(new), now_us).await
    }

    /// Puts several runs into the queue: all, or none.
    ///
    /// # Errors
    /// If an id was used before, or they cannot be stored.
    pub async fn ask_for_runs(&self, scope: Scope<'_>, new: &[NewRequest], now_us: i64) -> Result<(), RunError> {
        let mut tx = self.db.begin("queueing runs").await?;
        for new in new {
            if !insert(&mut tx, scope, new, (RequestState::Queued, None), now_us).await? {
                return Err(RunError::internal(format!("the run {} was asked for before", new.id)));
            }
        }
        tx.commit().await
    }

    /// A run; none if the tenant has no such run.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn run_request(&self, scope: Scope<'_>, id: &str) -> Result<Option<RunRequest>, RunError> {
        let found = built(format!("SELECT {COLUMNS} FROM run_requests WHERE tenant = $1 AND id = $2"));
        let row = found.bind(scope.tenant).bind(id).one_on(&self.db, "reading a run").await?;
        row.as_ref().map(request).transpose()
    }

    /// Runs, the newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn run_requests(
        &self,
        scope: Scope<'_>,
        filter: RequestFilter<'_>,
        limit: u32,
    ) -> Result<Vec<RunRequest>, RunError> {
        // Ids are ordered by time, so a page that begins behind one needs no second key.
        let text = format!(
            "SELECT {COLUMNS} FROM run_requests WHERE tenant = $1 AND ($2 IS NULL OR pipeline = $2) \
             AND ($3 IS NULL OR state = $3) AND ($4 IS NULL OR (queued_us, id) < \
             (SELECT l.queued_us, l.id FROM run_requests l WHERE l.tenant = $1 AND l.id = $4)) \
             ORDER BY queued_us DESC, id DESC LIMIT $5"
        );
        let rows = built(text)
            .bind(scope.tenant)
            .bind(filter.pipeline)
            .bind(filter.state.map(RequestState::as_str))
            .bind(filter.after)
            .bind(limit)
            .all_on(&self.db, "listing runs")
            .await?;
        rows.iter().map(request).collect()
    }

    /// Asks a run to end. One that waits is cancelled at once; one that is under way is told by its host. False if it had ended, or the
    /// tenant has no such run.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn cancel_run(&self, scope: Scope<'_>, id: &str, why: &str, now_us: i64) -> Result<bool, RunError> {
        let mut tx = self.db.begin("cancelling a run").await?;
        let (waited, told) = cancel(&mut tx, scope, id, why, now_us).await?;
        tx.commit().await?;
        Ok(waited || told)
    }
}

/// Inserts a run, unless its moment has one already.
pub(super) async fn insert(
    tx: &mut Tx,
    scope: Scope<'_>,
    new: &NewRequest,
    (state, reason): (RequestState, Option<&str>),
    now_us: i64,
) -> Result<bool, RunError> {
    let ended = state.is_final().then_some(now_us);
    let done =
        sql("INSERT INTO run_requests (tenant, id, pipeline, revision, connection, cause, moment_us, snapshot_date, \
         requested_by, state, reason, priority, not_before_us, queued_us, ended_us, attempts, traceparent) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, $16) ON CONFLICT DO NOTHING")
        .bind(scope.tenant)
        .bind(&new.id)
        .bind(&new.pipeline)
        .bind(crate::value::to_sql(new.revision)?)
        .bind(&new.connection)
        .bind(new.cause.as_str())
        .bind(new.moment_us)
        .bind(&new.snapshot_date)
        .bind(&new.requested_by)
        .bind(state.as_str())
        .bind(reason)
        .bind(new.priority)
        .bind(new.not_before_us)
        .bind(now_us)
        .bind(ended)
        .bind(&new.traceparent)
        .run_in(tx)
        .await?;
    Ok(done == 1)
}

/// Cancels a run that waits, or notes that one under way should end; which of the two was done.
pub(super) async fn cancel(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &str,
    why: &str,
    now_us: i64,
) -> Result<(bool, bool), RunError> {
    let with = |statement: Sql| statement.bind(scope.tenant).bind(id).bind(why).bind(now_us);
    let waiting = with(sql("UPDATE run_requests SET state = 'cancelled', reason = $3, cancel_us = $4, ended_us = $4 \
         WHERE tenant = $1 AND id = $2 AND state = 'queued'"));
    let under_way = with(sql("UPDATE run_requests SET reason = $3, cancel_us = COALESCE(cancel_us, $4) \
         WHERE tenant = $1 AND id = $2 AND state = 'running'"));
    Ok((tx.run(waiting).await? > 0, tx.run(under_way).await? > 0))
}

pub(super) fn request(row: &Row) -> Result<RunRequest, RunError> {
    Ok(RunRequest {
        tenant: row.text("tenant")?,
        asked: NewRequest {
            id: row.text("id")?,
            pipeline: row.text("pipeline")?,
            revision: row.count("revision")?,
            connection: row.text("connection")?,
            cause: row.word("cause", Cause::parse)?,
            moment_us: row.get("moment_us")?,
            snapshot_date: row.get("snapshot_date")?,
            requested_by: row.text("requested_by")?,
            priority: row.number("priority")?,
            not_before_us: row.number("not_before_us")?,
            traceparent: row.get("traceparent")?,
        },
        state: row.word("state", RequestState::parse)?,
        reason: row.get("reason")?,
        queued_us: row.number("queued_us")?,
        started_us: row.get("started_us")?,
        ended_us: row.get("ended_us")?,
        attempts: row.small("attempts")?,
        lost: row.small("lost")?,
        cancel_us: row.get("cancel_us")?,
        error: row.optional_json("error")?,
    })
}
