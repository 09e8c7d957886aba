//! The ledger: what a sink has begun to write to. Same shapes as the sinks' `Ledger`, which the engine adapts.
//!
//! An artifact is `open`, `finalized`, and then `committed` or `abandoned`; between these it may be `held` by the state of its
//! stream, which keeps it from being given up ([`Store::keep_back`]).

use crate::db::{Row, sql};
use crate::value::to_sql;
use crate::{Lease, Scope, Store};
use sluice_core::RunError;
use sluice_core::load::{Artifact, LoadId};

impl Store {
    /// Records an artifact before the first row goes into it. Recording it again changes nothing.
    ///
    /// # Errors
    /// If the load was not begun ([`Store::begin_stream`]), or the entry cannot be stored.
    pub async fn artifact_opened(&self, scope: Scope<'_>, lease: &Lease, artifact: &Artifact) -> Result<(), RunError> {
        let mut tx = self.begin_held(scope, lease, format!("recording the artifact {}", artifact.name)).await?;
        sql("INSERT INTO artifacts (tenant, load_id, name, split, row_count, byte_count, state) \
             VALUES ($1, $2, $3, $4, $5, $6, 'open') ON CONFLICT (tenant, load_id, name) DO NOTHING")
        .bind(scope.tenant)
        .bind(artifact.load.as_str())
        .bind(&artifact.name)
        .bind(&artifact.split)
        .bind(to_sql(artifact.rows)?)
        .bind(to_sql(artifact.bytes)?)
        .run_in(&mut tx)
        .await?;
        tx.commit().await
    }

    /// Records how many rows and bytes an open artifact has at least.
    ///
    /// # Errors
    /// If the artifact is not open, or the entry cannot be stored.
    pub async fn artifact_progressed(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        artifact: &Artifact,
    ) -> Result<(), RunError> {
        self.update_artifact(scope, lease, artifact, "open").await
    }

    /// Records that an artifact is closed with exactly these rows.
    ///
    /// # Errors
    /// If the artifact was never opened, was abandoned, or the entry cannot be stored.
    pub async fn artifact_finalized(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        artifact: &Artifact,
    ) -> Result<(), RunError> {
        self.update_artifact(scope, lease, artifact, "finalized").await
    }

    async fn update_artifact(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        artifact: &Artifact,
        state: &str,
    ) -> Result<(), RunError> {
        let mut tx = self.begin_held(scope, lease, format!("recording the artifact {}", artifact.name)).await?;
        // Finalizing again what was finalized is fine; going back to open, or out of abandoned or committed, is not.
        let done = sql("UPDATE artifacts SET row_count = $4, byte_count = $5, state = $6 \
             WHERE tenant = $1 AND load_id = $2 AND name = $3 AND (state = 'open' OR state = $6)")
        .bind(scope.tenant)
        .bind(artifact.load.as_str())
        .bind(&artifact.name)
        .bind(to_sql(artifact.rows)?)
        .bind(to_sql(artifact.bytes)?)
        .bind(state)
        .run_in(&mut tx)
        .await?;
        if done == 1 {
            return tx.commit().await;
        }
        let what = format!(
            "artifact {} of load {} is not open in the ledger, so it cannot be recorded as {state}",
            artifact.name, artifact.load
        );
        Err(RunError::internal(what))
    }

    /// What the pipeline's loads have begun and neither committed nor abandoned, oldest load first. Artifacts of a load
    /// with an open intent are left out: the sink has to be asked about that first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn unfinished_artifacts(&self, scope: Scope<'_>, lease: &Lease) -> Result<Vec<Artifact>, RunError> {
        let mut tx = self.begin_held(scope, lease, "reading unfinished artifacts").await?;
        let rows = sql("SELECT a.load_id, a.split, a.name, a.row_count, a.byte_count, a.state FROM artifacts a \
             JOIN run_streams s ON s.tenant = a.tenant AND s.load_id = a.load_id \
             WHERE a.tenant = $1 AND s.pipeline = $2 AND a.state IN ('open', 'finalized') \
             AND NOT EXISTS (SELECT 1 FROM commit_intents i WHERE i.tenant = a.tenant AND i.load_id = a.load_id) \
             ORDER BY s.started_us, a.load_id, a.name")
        .bind(scope.tenant)
        .bind(lease.pipeline())
        .all_in(&mut tx)
        .await?;
        rows.iter().map(artifact).collect()
    }

    /// Records that the sink has given these artifacts up. Committed ones are left as they are.
    ///
    /// # Errors
    /// If it cannot be stored; none is recorded then.
    pub async fn mark_abandoned(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        artifacts: &[Artifact],
    ) -> Result<(), RunError> {
        let doing = "recording abandoned artifacts";
        let mut tx = self.begin_held(scope, lease, doing).await?;
        for artifact in artifacts {
            sql("UPDATE artifacts SET state = 'abandoned' \
                 WHERE tenant = $1 AND load_id = $2 AND name = $3 AND state IN ('open', 'finalized')")
            .bind(scope.tenant)
            .bind(artifact.load.as_str())
            .bind(&artifact.name)
            .run_in(&mut tx)
            .await?;
        }
        tx.commit().await
    }
}

fn artifact(row: &Row) -> Result<Artifact, RunError> {
    Ok(Artifact {
        load: LoadId::from(row.text("load_id")?),
        split: row.text("split")?,
        name: row.text("name")?,
        rows: row.count("row_count")?,
        bytes: row.count("byte_count")?,
        finalized: row.text("state")? == "finalized",
    })
}
