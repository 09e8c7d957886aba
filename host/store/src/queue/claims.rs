//! Which host runs what: a claim on a run, which another host takes over when its holder is not heard of any more.

use sluice_core::RunError;
use sluice_core::request::RequestState;

use super::requests::{COLUMNS, RunRequest, request};
use crate::db::{built, sql};
use crate::value::to_json;
use crate::{Scope, Store};

/// Most waiting runs that are looked at when the next ones are chosen: of each pipeline the one whose turn it is, of which only one
/// can start. However many runs a tenant has queued, they hide nobody else's.
const MOST_WAITING: u32 = 5_000;

/// A run that this host carries out.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The run.
    pub request: RunRequest,
    /// Who carries it out.
    pub host: String,
}

/// A run that could start now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimable {
    /// Whose run it is.
    pub tenant: String,
    /// The run.
    pub id: String,
    /// Its pipeline.
    pub pipeline: String,
    /// Its connection.
    pub connection: String,
    /// Higher ones go first.
    pub priority: i64,
    /// When it was asked for.
    pub queued_us: i64,
}

/// What the next runs are chosen from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueState {
    /// Runs that could start now, of each pipeline the one whose turn it is; the most urgent first, then the longest waiting.
    pub waiting: Vec<Claimable>,
    /// Runs under way on any host.
    pub running: Vec<Claimable>,
}

/// How an attempt ended that is followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It failed.
    Failed,
    /// Its host died or was stopped; that says nothing about the run.
    Lost,
}

/// How many runs wait and run, on all hosts, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Runs under way.
    pub running: u64,
    /// Runs that could start now.
    pub ready: u64,
    /// Runs whose time has not come: with jitter, or before another attempt.
    pub later: u64,
    /// Since when the longest waiting run could have started.
    pub oldest_us: Option<i64>,
}

impl Store {
    /// How much waits and runs, of all tenants.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn queue_counts(&self, now_us: i64) -> Result<QueueCounts, RunError> {
        let counts = sql("SELECT COUNT(CASE WHEN state = 'running' THEN 1 END) AS running, \
             COUNT(CASE WHEN state = 'queued' AND not_before_us <= $1 THEN 1 END) AS ready, \
             COUNT(CASE WHEN state = 'queued' AND not_before_us > $1 THEN 1 END) AS later, \
             MIN(CASE WHEN state = 'queued' AND not_before_us <= $1 THEN \
             CASE WHEN not_before_us > queued_us THEN not_before_us ELSE queued_us END END) AS oldest \
             FROM run_requests WHERE state IN ('queued', 'running')");
        let row = counts.bind(now_us).one_on(&self.db, "counting what waits").await?;
        let Some(row) = row else { return Ok(QueueCounts::default()) };
        Ok(QueueCounts {
            running: row.count("running")?,
            ready: row.count("ready")?,
            later: row.count("later")?,
            oldest_us: row.get("oldest")?,
        })
    }

    /// What waits and what runs, of all tenants.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn queue_state(&self, now_us: i64) -> Result<QueueState, RunError> {
        let doing = "looking at the queue";
        let columns = "tenant, id, pipeline, connection, priority, queued_us";
        let waiting = built(format!(
            "SELECT {columns} FROM (SELECT {columns}, ROW_NUMBER() OVER \
             (PARTITION BY tenant, pipeline ORDER BY priority DESC, queued_us, id) AS place \
             FROM run_requests WHERE state = 'queued' AND not_before_us <= $1) q WHERE place = 1 \
             ORDER BY priority DESC, queued_us, id LIMIT $2"
        ));
        let running = built(format!("SELECT {columns} FROM run_requests WHERE state = 'running'"));
        let read = |row: &crate::db::Row| {
            Ok(Claimable {
                tenant: row.text("tenant")?,
                id: row.text("id")?,
                pipeline: row.text("pipeline")?,
                connection: row.text("connection")?,
                priority: row.number("priority")?,
                queued_us: row.number("queued_us")?,
            })
        };
        let waiting = waiting.bind(now_us).bind(MOST_WAITING).all_on(&self.db, doing).await?;
        let running = running.all_on(&self.db, doing).await?;
        Ok(QueueState {
            waiting: waiting.iter().map(read).collect::<Result<_, RunError>>()?,
            running: running.iter().map(read).collect::<Result<_, RunError>>()?,
        })
    }

    /// When the next waiting run may start that may not start now; none if there is none.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn next_start(&self, now_us: i64) -> Result<Option<i64>, RunError> {
        let next =
            sql("SELECT MIN(not_before_us) AS next FROM run_requests WHERE state = 'queued' AND not_before_us > $1");
        let row = next.bind(now_us).one_on(&self.db, "looking at the queue").await?;
        row.map_or(Ok(None), |row| row.get("next"))
    }

    /// Takes a waiting run and begins an attempt of it. None if another host was faster, if it was cancelled, or if a run of the same pipeline
    /// is under way.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn claim_run(
        &self,
        scope: Scope<'_>,
        id: &str,
        host: &str,
        now_us: i64,
        expires_us: i64,
    ) -> Result<Option<Claim>, RunError> {
        let text = format!(
            "UPDATE run_requests SET state = 'running', claimed_by = $3, claim_expires_us = $5, attempts = attempts + 1, \
             started_us = COALESCE(started_us, $4) WHERE tenant = $1 AND id = $2 AND state = 'queued' AND NOT EXISTS \
             (SELECT 1 FROM run_requests o WHERE o.tenant = $1 AND o.pipeline = run_requests.pipeline AND o.state = 'running') \
             RETURNING {COLUMNS}"
        );
        let mut tx = self.db.begin("taking a run").await?;
        // Two hosts that take two runs of one pipeline at once would each see none under way: its open runs are locked first.
        let lock = tx.dialect().for_update();
        let open = format!(
            "SELECT id FROM run_requests WHERE tenant = $1 AND state IN ('queued', 'running') AND pipeline = \
             (SELECT r.pipeline FROM run_requests r WHERE r.tenant = $1 AND r.id = $2) ORDER BY id{lock}"
        );
        tx.all(built(open).bind(scope.tenant).bind(id)).await?;
        let taken = built(text).bind(scope.tenant).bind(id).bind(host).bind(now_us).bind(expires_us);
        let row = tx.one(taken).await?;
        let claim = row.as_ref().map(request).transpose()?;
        tx.commit().await?;
        Ok(claim.map(|request| Claim { request, host: host.to_owned() }))
    }

    /// Keeps every claim of a host for as long again.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn keep_claims(&self, host: &str, expires_us: i64) -> Result<u64, RunError> {
        let kept = sql("UPDATE run_requests SET claim_expires_us = $2 WHERE state = 'running' AND claimed_by = $1");
        kept.bind(host).bind(expires_us).run_on(&self.db, "keeping claims").await
    }

    /// Runs of a host that somebody wants to end, as (tenant, run).
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn runs_to_cancel(&self, host: &str) -> Result<Vec<(String, String)>, RunError> {
        let asked = sql(
            "SELECT tenant, id FROM run_requests WHERE state = 'running' AND claimed_by = $1 AND cancel_us IS NOT NULL",
        );
        let rows = asked.bind(host).all_on(&self.db, "looking for cancelled runs").await?;
        rows.iter().map(|row| Ok((row.text("tenant")?, row.text("id")?))).collect()
    }

    /// Runs whose host is not heard of any more: every claim that expired at or before `now_us`. They are claimed by `host` from now
    /// on, so that only one host settles them.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn take_over(&self, host: &str, now_us: i64, expires_us: i64) -> Result<Vec<Claim>, RunError> {
        let text = format!(
            "UPDATE run_requests SET claimed_by = $1, claim_expires_us = $3 \
             WHERE state = 'running' AND claim_expires_us <= $2 RETURNING {COLUMNS}"
        );
        let mut tx = self.db.begin("taking over runs").await?;
        let rows = tx.all(built(text).bind(host).bind(now_us).bind(expires_us)).await?;
        let claims = rows.iter().map(|row| Ok(Claim { request: request(row)?, host: host.to_owned() }));
        let claims = claims.collect::<Result<Vec<_>, RunError>>()?;
        tx.commit().await?;
        Ok(claims)
    }

    /// Ends a run; from then on it is news ([`Store::untold_runs`]). False if the claim is another host's by now: then nothing is recorded.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn finish_run(
        &self,
        claim: &Claim,
        state: RequestState,
        error: Option<&RunError>,
        now_us: i64,
    ) -> Result<bool, RunError> {
        let ended = sql(
            "UPDATE run_requests SET state = $5, error = $6, ended_us = $7, news_us = $8, claimed_by = NULL, claim_expires_us = NULL \
             WHERE tenant = $1 AND id = $2 AND state = 'running' AND claimed_by = $3 AND attempts = $4",
        )
        .bind(&claim.request.tenant)
        .bind(&claim.request.asked.id)
        .bind(&claim.host)
        .bind(claim.request.attempts)
        .bind(state.as_str())
        .bind(error.map(to_json).transpose()?)
        .bind(now_us)
        .bind(is_news(state).then_some(now_us));
        Ok(ended.run_on(&self.db, "ending a run").await? == 1)
    }

    /// Puts a run back into the queue for another attempt; `tried` says how the last one ended. False if the claim is another host's by now.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn retry_run(
        &self,
        claim: &Claim,
        not_before_us: i64,
        error: Option<&RunError>,
        tried: Tried,
    ) -> Result<bool, RunError> {
        let again = sql("UPDATE run_requests SET state = 'queued', error = $6, not_before_us = $5, lost = lost + $7, \
             claimed_by = NULL, claim_expires_us = NULL WHERE tenant = $1 AND id = $2 AND state = 'running' AND claimed_by = $3 AND attempts = $4")
            .bind(&claim.request.tenant)
            .bind(&claim.request.asked.id)
            .bind(&claim.host)
            .bind(claim.request.attempts)
            .bind(not_before_us)
            .bind(error.map(to_json).transpose()?)
            .bind(i64::from(tried == Tried::Lost));
        Ok(again.run_on(&self.db, "putting a run back into the queue").await? == 1)
    }
}

/// Whether somebody may want to hear of an end like this.
fn is_news(state: RequestState) -> bool {
    matches!(state, RequestState::Succeeded | RequestState::Failed)
}
