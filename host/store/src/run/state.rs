//! The committed state of streams.

use std::collections::BTreeMap;

use crate::db::{Row, Tx, sql};
use crate::value::to_json;
use crate::{Lease, Scope, Store};
use sluice_core::RunError;
use sluice_core::load::LoadId;
use sluice_core::run::StreamState;

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
        let row = sql("SELECT state, revision, updated_by_run, updated_us FROM stream_state \
             WHERE tenant = $1 AND pipeline = $2 AND stream = $3")
        .bind(scope.tenant)
        .bind(pipeline)
        .bind(stream)
        .one_on(&self.db, doing)
        .await?;
        row.as_ref().map_or_else(|| Ok(CommittedState::default()), committed)
    }

    /// The states of all streams of a pipeline that have one, by the stream; also of those that it does not read any more.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn states_of(
        &self,
        scope: Scope<'_>,
        pipeline: &str,
    ) -> Result<BTreeMap<String, CommittedState>, RunError> {
        let rows = sql("SELECT stream, state, revision, updated_by_run, updated_us FROM stream_state \
             WHERE tenant = $1 AND pipeline = $2");
        let rows = rows.bind(scope.tenant).bind(pipeline).all_on(&self.db, "reading the states of a pipeline").await?;
        rows.iter().map(|row| Ok((row.text("stream")?, committed(row)?))).collect()
    }

    /// Forgets the state of a stream and what it remembers item by item, so that the next run reads it from the beginning. True
    /// if there was anything.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn forget_state(&self, scope: Scope<'_>, lease: &Lease, stream: &str) -> Result<bool, RunError> {
        let pipeline = lease.pipeline();
        let doing = "forgetting the state of a stream";
        let mut tx = self.begin_held(scope, lease, doing).await?;
        self.give_up_held(&mut tx, scope, (pipeline, stream)).await?;
        let done = sql("DELETE FROM stream_state WHERE tenant = $1 AND pipeline = $2 AND stream = $3")
            .bind(scope.tenant)
            .bind(pipeline)
            .bind(stream)
            .run_in(&mut tx)
            .await?;
        let items = self.forget_items(&mut tx, scope, pipeline, stream).await?;
        tx.commit().await?;
        Ok(items || done > 0)
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
        lease: &Lease,
        (stream, run): (&str, &str),
        state: &StreamState,
        now_us: i64,
    ) -> Result<(), RunError> {
        let doing = "recording what an interrupted run keeps";
        let pipeline = lease.pipeline();
        let owner = (pipeline, stream, run);
        let mut tx = self.begin_held(scope, lease, doing).await?;
        self.give_up_held(&mut tx, scope, (pipeline, stream)).await?;
        for artifact in state.held().unwrap_or_default().iter().flat_map(|held| &held.intent.artifacts) {
            sql("UPDATE artifacts SET state = 'held' \
                 WHERE tenant = $1 AND load_id = $2 AND name = $3 AND state = 'finalized'")
            .bind(scope.tenant)
            .bind(artifact.load.as_str())
            .bind(&artifact.name)
            .run_in(&mut tx)
            .await?;
        }
        self.set_state(&mut tx, scope, owner, state, now_us).await?;
        tx.commit().await
    }

    /// Makes what the stream's state holds unfinished artifacts again.
    pub(crate) async fn give_up_held(
        &self,
        tx: &mut Tx,
        scope: Scope<'_>,
        (pipeline, stream): (&str, &str),
    ) -> Result<(), RunError> {
        sql("UPDATE artifacts SET state = 'finalized' WHERE tenant = $1 AND state = 'held' AND load_id IN \
             (SELECT load_id FROM run_streams WHERE tenant = $1 AND pipeline = $2 AND stream = $3)")
        .bind(scope.tenant)
        .bind(pipeline)
        .bind(stream)
        .run_in(tx)
        .await?;
        Ok(())
    }

    /// Sets the state within a transaction.
    pub(crate) async fn set_state(
        &self,
        tx: &mut Tx,
        scope: Scope<'_>,
        owner: (&str, &str, &str),
        state: &StreamState,
        now_us: i64,
    ) -> Result<(), RunError> {
        let (pipeline, stream, run) = owner;
        let planned_by = state.pending.as_ref().and_then(|pending| Some(&pending.items.as_ref()?.plan));
        sql("INSERT INTO stream_state (tenant, pipeline, stream, state, revision, updated_by_run, updated_us, \
             planned_by) VALUES ($1, $2, $3, $4, 1, $5, $6, $7) ON CONFLICT (tenant, pipeline, stream) DO UPDATE SET \
             state = excluded.state, revision = stream_state.revision + 1, \
             updated_by_run = excluded.updated_by_run, updated_us = excluded.updated_us, \
             planned_by = excluded.planned_by")
        .bind(scope.tenant)
        .bind(pipeline)
        .bind(stream)
        .bind(to_json(state)?)
        .bind(run)
        .bind(now_us)
        .bind(planned_by.map(LoadId::as_str))
        .run_in(tx)
        .await?;
        Ok(())
    }
}

fn committed(row: &Row) -> Result<CommittedState, RunError> {
    Ok(CommittedState {
        state: row.json("state")?,
        revision: row.count("revision")?,
        updated_by_run: row.get("updated_by_run")?,
        updated_us: row.get("updated_us")?,
    })
}
