//! Writing down how runs and their loads begin and end.

use crate::db::{Tx, sql};
use crate::value::{to_json, to_sql};
use crate::{Lease, Scope, Store};
use sluice_core::RunError;
use sluice_core::load::{LoadId, TableName};
use sluice_core::notify::schema::changes;
use sluice_core::quality::Finding;
use sluice_core::run::{RunState, StreamCounts};
use sluice_core::worker::Column;

/// A run that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// Names the run for ever.
    pub id: String,
    /// The connector's name and version.
    pub connector: String,
    /// The sha256 of the component.
    pub connector_digest: String,
    /// The contract's version that it was written against.
    pub contract: String,
    /// A fingerprint of the pipeline's definition.
    pub pipeline_fingerprint: String,
    /// The run that was asked for and which attempt of it this is; none where nobody keeps a queue.
    pub request: Option<(String, u32)>,
}

/// A load that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStream {
    /// The run.
    pub run: String,
    /// The load; the key of everything that follows.
    pub load: LoadId,
    /// The stream.
    pub stream: String,
    /// The table.
    pub table: TableName,
    /// The table's columns as the load writes them; none if nobody asks how they change.
    pub columns: Option<Vec<Column>>,
}

/// Where a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadState {
    /// It is under way, or its process died.
    Running,
    /// Its rows are visible and its state is recorded.
    Committed,
    /// It failed, nothing of it is visible.
    Failed,
    /// It was stopped before anything could be committed.
    Stopped,
}

impl LoadState {
    /// The word for it, as the store and the summary have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Committed => "committed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Running, Self::Committed, Self::Failed, Self::Stopped].into_iter().find(|s| s.as_str() == text)
    }
}

impl Store {
    /// Records that a run of the leased pipeline begins. Runs of it that are still `running` belong to processes that
    /// died (the lease proves it) and are recorded as failed.
    ///
    /// # Errors
    /// If the id was used before, or it cannot be stored.
    pub async fn begin_run(&self, scope: Scope<'_>, lease: &Lease, run: &NewRun, now_us: i64) -> Result<(), RunError> {
        let doing = "recording a run";
        let died = to_json(&RunError::internal("the process that ran this ended before the run did"))?;
        let mut tx = self.begin_held(scope, lease, doing).await?;
        sql("UPDATE run_streams SET state = 'failed', error = $3, ended_us = $4 \
             WHERE tenant = $1 AND pipeline = $2 AND state = 'running' \
             AND NOT EXISTS (SELECT 1 FROM commit_intents i WHERE i.tenant = $1 AND i.load_id = run_streams.load_id)")
        .bind(scope.tenant)
        .bind(lease.pipeline())
        .bind(&died)
        .bind(now_us)
        .run_in(&mut tx)
        .await?;
        sql("UPDATE runs SET state = 'failed', error = $3, ended_us = $4 \
             WHERE tenant = $1 AND pipeline = $2 AND state = 'running'")
        .bind(scope.tenant)
        .bind(lease.pipeline())
        .bind(&died)
        .bind(now_us)
        .run_in(&mut tx)
        .await?;
        sql("INSERT INTO runs (tenant, id, pipeline, state, connector, connector_digest, contract, \
             pipeline_fingerprint, started_us, request, attempt) VALUES ($1, $2, $3, 'running', $4, $5, $6, $7, $8, $9, $10)")
        .bind(scope.tenant)
        .bind(&run.id)
        .bind(lease.pipeline())
        .bind(&run.connector)
        .bind(&run.connector_digest)
        .bind(&run.contract)
        .bind(&run.pipeline_fingerprint)
        .bind(now_us)
        .bind(run.request.as_ref().map(|(request, _)| request.as_str()))
        .bind(run.request.as_ref().map(|(_, attempt)| i64::from(*attempt)))
        .run_in(&mut tx)
        .await?;
        tx.commit().await
    }

    /// Records that a load begins, and how its columns differ from those of the load before. Must come before its first artifact.
    ///
    /// # Errors
    /// If the run was not begun or the load's id was used before, or it cannot be stored.
    pub async fn begin_stream(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        new: &NewStream,
        now_us: i64,
    ) -> Result<(), RunError> {
        let mut tx = self.begin_held(scope, lease, format!("recording the load {}", new.load)).await?;
        let changed = remember_columns(&mut tx, scope, lease.pipeline(), new).await?;
        let done = sql(
            "INSERT INTO run_streams (tenant, load_id, run_id, pipeline, stream, dataset_name, table_name, state, \
             rows_read, rows_quarantined, values_nulled, rows_sent, rows_finalized, rows_committed, bytes_read, \
             started_us, schema_changes) \
             SELECT $1, $2, $3, pipeline, $4, $5, $6, 'running', 0, 0, 0, 0, 0, 0, 0, $7, $8 \
             FROM runs WHERE tenant = $1 AND id = $3",
        )
        .bind(scope.tenant)
        .bind(new.load.as_str())
        .bind(&new.run)
        .bind(&new.stream)
        .bind(&new.table.dataset)
        .bind(&new.table.table)
        .bind(now_us)
        .bind(changed)
        .run_in(&mut tx)
        .await?;
        if done == 1 {
            return tx.commit().await;
        }
        Err(RunError::internal(format!("run {} of load {} was never begun", new.run, new.load)))
    }

    /// Records how a load ended that was not committed: its counts as far as they are known, and why.
    /// A load that is committed stays as it is.
    ///
    /// # Errors
    /// If it cannot be stored.
    #[allow(clippy::too_many_arguments, reason = "each of them says something else, and all are needed at once")]
    pub async fn end_stream(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        load: &LoadId,
        state: LoadState,
        counts: &StreamCounts,
        error: Option<&RunError>,
        now_us: i64,
    ) -> Result<(), RunError> {
        let mut tx = self.begin_held(scope, lease, format!("recording the end of load {load}")).await?;
        sql("UPDATE run_streams SET state = $3, rows_read = $4, rows_quarantined = $5, values_nulled = $6, \
             rows_sent = $7, rows_finalized = $8, rows_committed = $9, bytes_read = $10, error = $11, ended_us = $12 \
             WHERE tenant = $1 AND load_id = $2 AND state <> 'committed'")
        .bind(scope.tenant)
        .bind(load.as_str())
        .bind(state.as_str())
        .bind(to_sql(counts.read)?)
        .bind(to_sql(counts.quarantined)?)
        .bind(to_sql(counts.nulled)?)
        .bind(to_sql(counts.sent)?)
        .bind(to_sql(counts.finalized)?)
        .bind(to_sql(counts.committed)?)
        .bind(to_sql(counts.bytes)?)
        .bind(error.map(to_json).transpose()?)
        .bind(now_us)
        .run_in(&mut tx)
        .await?;
        tx.commit().await
    }

    /// Records what the checks of a load found, before it is committed: whoever dies then has not forgotten it.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn note_findings(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        load: &LoadId,
        findings: &[Finding],
    ) -> Result<(), RunError> {
        let mut tx = self.begin_held(scope, lease, format!("recording what the checks of load {load} found")).await?;
        let noted = sql("UPDATE run_streams SET findings = $3 WHERE tenant = $1 AND load_id = $2");
        noted.bind(scope.tenant).bind(load.as_str()).bind(to_json(findings)?).run_in(&mut tx).await?;
        tx.commit().await
    }

    /// Records how a run ended.
    ///
    /// # Errors
    /// If the run was not begun, or it cannot be stored.
    pub async fn end_run(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        run: &str,
        state: RunState,
        error: Option<&RunError>,
        now_us: i64,
    ) -> Result<(), RunError> {
        let mut tx = self.begin_held(scope, lease, format!("recording the end of run {run}")).await?;
        let done = sql("UPDATE runs SET state = $3, error = $4, ended_us = $5 WHERE tenant = $1 AND id = $2")
            .bind(scope.tenant)
            .bind(run)
            .bind(state_word(state))
            .bind(error.map(to_json).transpose()?)
            .bind(now_us)
            .run_in(&mut tx)
            .await?;
        if done == 1 {
            return tx.commit().await;
        }
        Err(RunError::internal(format!("run {run} was never begun, so it cannot end")))
    }
}

/// Compares a load's columns with those that are remembered, and remembers them; the changes as JSON, if there are any.
async fn remember_columns(
    tx: &mut Tx,
    scope: Scope<'_>,
    pipeline: &str,
    new: &NewStream,
) -> Result<Option<String>, RunError> {
    let Some(columns) = &new.columns else { return Ok(None) };
    let before = sql("SELECT columns FROM stream_columns WHERE tenant = $1 AND pipeline = $2 AND stream = $3");
    let before = before.bind(scope.tenant).bind(pipeline).bind(&new.stream).one_in(tx).await?;
    let before: Option<Vec<Column>> = before.map(|row| row.json("columns")).transpose()?;
    if before.as_ref() == Some(columns) {
        return Ok(None);
    }
    sql("INSERT INTO stream_columns (tenant, pipeline, stream, columns) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (tenant, pipeline, stream) DO UPDATE SET columns = excluded.columns")
    .bind(scope.tenant)
    .bind(pipeline)
    .bind(&new.stream)
    .bind(to_json(columns)?)
    .run_in(tx)
    .await?;
    let changed = before.map(|before| changes(&before, columns)).filter(|changed| !changed.is_empty());
    changed.as_ref().map(to_json).transpose()
}

pub(super) fn state_word(state: RunState) -> &'static str {
    match state {
        RunState::Running => "running",
        RunState::Succeeded => "succeeded",
        RunState::Failed => "failed",
        RunState::Stopped => "stopped",
    }
}
