//! Commits: recorded before the sink is asked, applied in one transaction once it has answered.

use crate::db::{Row, Tx, sql};
use crate::value::{to_json, to_sql};
use crate::{Lease, Scope, Store};
use sluice_core::RunError;
use sluice_core::commit::CommitIntent;
use sluice_core::load::{CommitReceipt, LoadId};
use sluice_core::run::{ItemsAfter, StreamCounts, StreamState};

/// A commit that the sink is about to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIntent {
    /// What is to be committed.
    pub intent: CommitIntent,
    /// The state of the stream that holds once it is; `None` for a load that moves no state (quarantined rows).
    pub state_after: Option<StreamState>,
    /// What the stream remembers item by item from then on, put aside before ([`Store::plan_items`]).
    pub items_after: Option<ItemsAfter>,
    /// True if the load puts its mark on its table, for itself and for all that is recorded with it.
    pub marks: bool,
    /// The counts of the load so far; `committed` is filled in from the sink's receipt.
    pub counts: StreamCounts,
}

/// A recorded commit whose outcome is not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIntent {
    /// The run that was to commit it.
    pub run: String,
    /// The stream.
    pub stream: String,
    /// What is to be committed.
    pub intent: CommitIntent,
    /// The state that holds once it is.
    pub state_after: Option<StreamState>,
    /// What the stream remembers item by item from then on.
    pub items_after: Option<ItemsAfter>,
    /// The counts of the load before the commit.
    pub counts: StreamCounts,
    /// When it was recorded, in microseconds.
    pub recorded_us: i64,
}

impl Store {
    /// Records what the sink is about to be asked to commit; all or none. Recording a load again replaces its intent.
    ///
    /// Loads that belong together (a table and its quarantine, streams of one interleaved read) are recorded together and
    /// applied together.
    ///
    /// # Errors
    /// If the lease is lost, a load was never begun or is committed already, or it cannot be stored; the sink must not be asked
    /// then.
    pub async fn record_intents(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        intents: &[NewIntent],
        now_us: i64,
    ) -> Result<(), RunError> {
        let doing = "recording what is to be committed";
        let mut tx = self.begin_held(scope, lease, doing).await?;
        for new in intents {
            let done = sql(
                "INSERT INTO commit_intents (tenant, load_id, pipeline, run_id, stream, intent, state_after, counts, \
                 recorded_us, items_after) \
                 SELECT tenant, load_id, pipeline, run_id, stream, $3, $4, $5, $6, $7 FROM run_streams \
                 WHERE tenant = $1 AND load_id = $2 AND state <> 'committed' \
                 ON CONFLICT (tenant, load_id) DO UPDATE SET intent = excluded.intent, \
                 state_after = excluded.state_after, counts = excluded.counts, recorded_us = excluded.recorded_us, \
                 items_after = excluded.items_after",
            )
            .bind(scope.tenant)
            .bind(new.intent.load.as_str())
            .bind(to_json(&new.intent)?)
            .bind(new.state_after.as_ref().map(to_json).transpose()?)
            .bind(to_json(&new.counts)?)
            .bind(now_us)
            .bind(new.items_after.as_ref().map(to_json).transpose()?)
            .run_in(&mut tx)
            .await?;
            if done != 1 {
                let what = format!("load {} was never begun or is committed already", new.intent.load);
                return Err(RunError::internal(what));
            }
            if new.marks {
                self.intend_mark(&mut tx, scope, (&new.intent.load, &new.intent.table)).await?;
            }
        }
        tx.commit().await
    }

    /// Recorded commits of a pipeline whose outcome is not recorded, the oldest first. Each has to be settled with the sink
    /// before anything else of the pipeline happens.
    ///
    /// # Errors
    /// If the lease is lost, or the store cannot be read.
    pub async fn open_intents(&self, scope: Scope<'_>, lease: &Lease) -> Result<Vec<OpenIntent>, RunError> {
        let mut tx = self.begin_held(scope, lease, "reading open commits").await?;
        let rows =
            sql("SELECT run_id, stream, intent, state_after, items_after, counts, recorded_us FROM commit_intents \
             WHERE tenant = $1 AND pipeline = $2 ORDER BY recorded_us, load_id")
            .bind(scope.tenant)
            .bind(lease.pipeline())
            .all_in(&mut tx)
            .await?;
        rows.iter().map(intent).collect()
    }

    /// Records that the sink has made these loads visible, in **one** transaction: the state of their streams, their counts,
    /// their artifacts, and the end of their intents. All or nothing. Applying a load again changes nothing.
    ///
    /// # Errors
    /// If the lease is lost, a load has no intent, if the sink committed another number of rows than the intent holds (nothing is recorded
    /// then), or if it cannot be stored. The intents stay open in every case.
    pub async fn apply_commits(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        receipts: &[CommitReceipt],
        now_us: i64,
    ) -> Result<(), RunError> {
        let doing = "recording a commit";
        let mut tx = self.begin_held(scope, lease, doing).await?;
        for receipt in receipts {
            self.apply(&mut tx, scope, receipt, now_us).await?;
        }
        tx.commit().await
    }

    async fn apply(&self, tx: &mut Tx, scope: Scope<'_>, receipt: &CommitReceipt, now_us: i64) -> Result<(), RunError> {
        let row = sql(
            "SELECT s.state AS load_state, s.pipeline, s.run_id, s.stream, i.intent, i.state_after, i.items_after, \
             i.counts, i.recorded_us FROM run_streams s \
             LEFT JOIN commit_intents i ON i.tenant = s.tenant AND i.load_id = s.load_id \
             WHERE s.tenant = $1 AND s.load_id = $2",
        )
        .bind(scope.tenant)
        .bind(receipt.load.as_str())
        .one_in(tx)
        .await?
        .ok_or_else(|| RunError::internal(format!("load {} was committed but never begun", receipt.load)))?;
        if row.text("load_state")? == "committed" {
            return Ok(());
        }
        if row.get::<Option<String>>("intent")?.is_none() {
            let what = format!("load {} was committed, but what was to be committed was never recorded", receipt.load);
            return Err(RunError::internal(what));
        }
        let open = intent(&row)?;
        if open.intent.rows != receipt.rows_committed {
            return Err(RunError::internal(format!(
                "load {} into {} was to commit {} rows, but the sink reports {}; its state was not moved",
                receipt.load, open.intent.table, open.intent.rows, receipt.rows_committed
            )));
        }
        let pipeline = row.text("pipeline")?;
        if let Some(state) = &open.state_after {
            self.set_state(tx, scope, (&pipeline, &open.stream, &open.run), state, now_us).await?;
        }
        if let Some(items) = &open.items_after {
            self.apply_items(tx, scope, (&pipeline, &open.stream), items).await?;
        }
        self.mark_made(tx, scope, (&pipeline, &open.stream, &receipt.load)).await?;
        self.close_load(tx, scope, receipt, &open, now_us).await
    }

    async fn close_load(
        &self,
        tx: &mut Tx,
        scope: Scope<'_>,
        receipt: &CommitReceipt,
        open: &OpenIntent,
        now_us: i64,
    ) -> Result<(), RunError> {
        let counts = &open.counts;
        let load = receipt.load.as_str();
        sql("UPDATE run_streams SET state = 'committed', rows_read = $3, rows_quarantined = $4, values_nulled = $5, \
             rows_sent = $6, rows_finalized = $7, rows_committed = $8, bytes_read = $9, commit_reference = $10, \
             error = NULL, ended_us = $11 WHERE tenant = $1 AND load_id = $2")
        .bind(scope.tenant)
        .bind(load)
        .bind(to_sql(counts.read)?)
        .bind(to_sql(counts.quarantined)?)
        .bind(to_sql(counts.nulled)?)
        .bind(to_sql(counts.sent)?)
        .bind(to_sql(counts.finalized)?)
        .bind(to_sql(receipt.rows_committed)?)
        .bind(to_sql(counts.bytes)?)
        .bind(&receipt.reference)
        .bind(now_us)
        .run_in(tx)
        .await?;
        // By name: what an earlier attempt of the load left behind is not part of the commit and stays to be abandoned.
        for artifact in open.intent.all_artifacts() {
            sql("UPDATE artifacts SET state = 'committed' WHERE tenant = $1 AND load_id = $2 AND name = $3")
                .bind(scope.tenant)
                .bind(load)
                .bind(&artifact.name)
                .run_in(tx)
                .await?;
        }
        sql("DELETE FROM commit_intents WHERE tenant = $1 AND load_id = $2")
            .bind(scope.tenant)
            .bind(load)
            .run_in(tx)
            .await?;
        Ok(())
    }

    /// Forgets an intent that the sink says can never be committed, and records the load as failed. Its artifacts become
    /// unfinished ones again, to be abandoned.
    ///
    /// # Errors
    /// If the lease is lost, or it cannot be stored.
    pub async fn drop_intent(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        load: &LoadId,
        why: &RunError,
        now_us: i64,
    ) -> Result<(), RunError> {
        let doing = "forgetting a commit that cannot be made";
        let mut tx = self.begin_held(scope, lease, doing).await?;
        sql("DELETE FROM commit_intents WHERE tenant = $1 AND load_id = $2")
            .bind(scope.tenant)
            .bind(load.as_str())
            .run_in(&mut tx)
            .await?;
        sql("UPDATE run_streams SET state = 'failed', error = $3, ended_us = $4 \
             WHERE tenant = $1 AND load_id = $2 AND state <> 'committed'")
        .bind(scope.tenant)
        .bind(load.as_str())
        .bind(to_json(why)?)
        .bind(now_us)
        .run_in(&mut tx)
        .await?;
        tx.commit().await
    }
}

fn intent(row: &Row) -> Result<OpenIntent, RunError> {
    Ok(OpenIntent {
        run: row.text("run_id")?,
        stream: row.text("stream")?,
        intent: row.json("intent")?,
        state_after: row.optional_json("state_after")?,
        items_after: row.optional_json("items_after")?,
        counts: row.json("counts")?,
        recorded_us: row.number("recorded_us")?,
    })
}
