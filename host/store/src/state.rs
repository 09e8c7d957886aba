//! The committed state of streams.

use sluice_core::RunError;
use sluice_core::load::LoadId;
use sluice_core::run::StreamState;
use sqlx::{Row, SqliteConnection};

use crate::value::{from_json, from_sql, to_json};
use crate::{Scope, Store};

/// The state of a stream, and which commit it came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommittedState {
    /// The state; empty for a stream that was never committed.
    pub state: StreamState,
    /// How many commits have set it; 0 if none has.
    pub revision: u64,
    /// The run whose commit set it.
    pub updated_by_run: Option<String>,
    /// When that was, in microseconds.
    pub updated_us: Option<i64>,
}

impl Store {
    /// The state from which the next run of the stream starts.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn state_of(&self, scope: Scope<'_>, pipeline: &str, stream: &str) -> Result<CommittedState, RunError> {
        let doing = "reading the state of a stream";
        let row = sqlx::query(
            "SELECT state, revision, updated_by_run, updated_us FROM stream_state \
             WHERE tenant = $1 AND pipeline = $2 AND stream = $3",
        )
        .bind(scope.tenant)
        .bind(pipeline)
        .bind(stream)
        .fetch_optional(&self.pool)
        .await
        .map_err(|e| self.failed(doing, &e))?;
        let Some(row) = row else { return Ok(CommittedState::default()) };
        let bad = |e: sqlx::Error| self.failed(doing, &e);
        let what = "the state of a stream";
        Ok(CommittedState {
            state: from_json(&self.path, what, &row.try_get::<String, _>("state").map_err(bad)?)?,
            revision: from_sql(&self.path, what, row.try_get("revision").map_err(bad)?)?,
            updated_by_run: Some(row.try_get("updated_by_run").map_err(bad)?),
            updated_us: Some(row.try_get("updated_us").map_err(bad)?),
        })
    }

    /// Forgets the state of a stream and what it remembers item by item, so that the next run reads it from the beginning. True
    /// if there was anything.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn forget_state(&self, scope: Scope<'_>, pipeline: &str, stream: &str) -> Result<bool, RunError> {
        let doing = "forgetting the state of a stream";
        let mut transaction = self.pool.begin().await.map_err(|e| self.failed(doing, &e))?;
        self.release(&mut transaction, scope, (pipeline, stream)).await?;
        let done = sqlx::query("DELETE FROM stream_state WHERE tenant = $1 AND pipeline = $2 AND stream = $3")
            .bind(scope.tenant)
            .bind(pipeline)
            .bind(stream)
            .execute(&mut *transaction)
            .await
            .map_err(|e| self.failed(doing, &e))?;
        let items = self.forget_items(&mut transaction, scope, pipeline, stream).await?;
        transaction.commit().await.map_err(|e| self.failed(doing, &e))?;
        Ok(items || done.rows_affected() > 0)
    }

    /// Records a state that no commit brings about: a stopped run keeps back what it has read of a plan that expires, or a later
    /// one gives that up. Artifacts that the state holds are not unfinished ones; those that it held before and does not any
    /// more are. All or nothing.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn keep_back(
        &self,
        scope: Scope<'_>,
        owner: (&str, &str, &str),
        state: &StreamState,
        now_us: i64,
    ) -> Result<(), RunError> {
        let doing = "recording what an interrupted run keeps";
        let (pipeline, stream, _) = owner;
        let mut transaction = self.pool.begin().await.map_err(|e| self.failed(doing, &e))?;
        self.release(&mut transaction, scope, (pipeline, stream)).await?;
        for artifact in state.held().unwrap_or_default().iter().flat_map(|held| &held.intent.artifacts) {
            sqlx::query(
                "UPDATE artifacts SET state = 'held' \
                 WHERE tenant = $1 AND load_id = $2 AND name = $3 AND state = 'finalized'",
            )
            .bind(scope.tenant)
            .bind(artifact.load.as_str())
            .bind(&artifact.name)
            .execute(&mut *transaction)
            .await
            .map_err(|e| self.failed(doing, &e))?;
        }
        self.set_state(&mut transaction, scope, owner, state, now_us).await?;
        transaction.commit().await.map_err(|e| self.failed(doing, &e))
    }

    /// Makes what the stream's state holds unfinished artifacts again.
    async fn release(
        &self,
        connection: &mut SqliteConnection,
        scope: Scope<'_>,
        (pipeline, stream): (&str, &str),
    ) -> Result<(), RunError> {
        sqlx::query(
            "UPDATE artifacts SET state = 'finalized' WHERE tenant = $1 AND state = 'held' AND load_id IN \
             (SELECT load_id FROM run_streams WHERE tenant = $1 AND pipeline = $2 AND stream = $3)",
        )
        .bind(scope.tenant)
        .bind(pipeline)
        .bind(stream)
        .execute(connection)
        .await
        .map_err(|e| self.failed("giving up what an interrupted run kept", &e))?;
        Ok(())
    }

    /// Sets the state within a transaction.
    pub(crate) async fn set_state(
        &self,
        connection: &mut SqliteConnection,
        scope: Scope<'_>,
        owner: (&str, &str, &str),
        state: &StreamState,
        now_us: i64,
    ) -> Result<(), RunError> {
        let (pipeline, stream, run) = owner;
        let planned_by = state.pending.as_ref().and_then(|pending| Some(&pending.items.as_ref()?.plan));
        sqlx::query(
            "INSERT INTO stream_state (tenant, pipeline, stream, state, revision, updated_by_run, updated_us, \
             planned_by) VALUES ($1, $2, $3, $4, 1, $5, $6, $7) ON CONFLICT (tenant, pipeline, stream) DO UPDATE SET \
             state = excluded.state, revision = stream_state.revision + 1, \
             updated_by_run = excluded.updated_by_run, updated_us = excluded.updated_us, \
             planned_by = excluded.planned_by",
        )
        .bind(scope.tenant)
        .bind(pipeline)
        .bind(stream)
        .bind(to_json(state)?)
        .bind(run)
        .bind(now_us)
        .bind(planned_by.map(LoadId::as_str))
        .execute(connection)
        .await
        .map_err(|e| self.failed("recording the state of a stream", &e))?;
        Ok(())
    }
}
