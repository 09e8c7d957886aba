//! Pipelines, and every revision that each of them had.

use serde_json::Value;
use sluice_core::RunError;
use sluice_core::schedule::Schedule;

use crate::change::{inserted, lock_names, unchanged};
use crate::db::{Row, Tx, built, sql};
use crate::queue::{NewSchedule, schedules};
use crate::value::{containing, to_json, to_sql};
use crate::{ChangeError, Scope, Store};

/// A pipeline that is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct NewPipeline {
    /// Names it for ever; what its states and leases are kept under.
    pub id: String,
    /// What it is at first.
    pub first: PipelineChange,
}

/// What a person may change about a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct PipelineChange {
    /// What people call it; unique in the tenant.
    pub name: String,
    /// The connection that it reads from.
    pub connection: String,
    /// Everything else: streams, sink, schedule and so on.
    pub definition: Value,
    /// Whether its schedule is followed.
    pub enabled: bool,
}

/// When a pipeline runs by itself, which is recorded together with its change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The schedule.
    pub schedule: Schedule,
    /// The first moment that is to come.
    pub next_due_us: Option<i64>,
}

/// A pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct PipelineRecord {
    /// Names it for ever.
    pub id: String,
    /// What it is now.
    pub current: PipelineChange,
    /// Grows with every change.
    pub revision: u64,
    /// When it was made.
    pub created_us: i64,
    /// When it was last changed.
    pub updated_us: i64,
    /// The id of who changed it last.
    pub updated_by: String,
}

/// What a pipeline was at a revision.
#[derive(Clone, Debug, PartialEq)]
pub struct PipelineRevision {
    /// Which one.
    pub revision: u64,
    /// What it was.
    pub was: PipelineChange,
    /// Since when.
    pub changed_us: i64,
    /// The id of who changed it.
    pub changed_by: String,
}

const WHAT: &str = "pipeline";

const COLUMNS: &str = "id, name, connection_id, definition, enabled, revision, created_us, updated_us, updated_by";

impl Store {
    /// Makes a pipeline. Its schedule, if it is enabled and has one, holds from now on.
    ///
    /// # Errors
    /// If its id or name is taken, there is no such connection, or it cannot be stored.
    pub async fn create_pipeline(
        &self,
        scope: Scope<'_>,
        new: &NewPipeline,
        timing: Option<&Timing>,
        by: &str,
        now_us: i64,
    ) -> Result<(), ChangeError> {
        let mut tx = self.db.begin("making a pipeline").await?;
        insert(&mut tx, scope, new, timing, by, now_us).await?;
        Ok(tx.commit().await?)
    }

    /// A pipeline.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn pipeline(&self, scope: Scope<'_>, id: &str) -> Result<Option<PipelineRecord>, RunError> {
        let text = format!("SELECT {COLUMNS} FROM pipelines WHERE tenant = $1 AND id = $2 AND deleted_us IS NULL");
        let row = built(text).bind(scope.tenant).bind(id).one_on(&self.db, "reading a pipeline").await?;
        row.as_ref().map(pipeline).transpose()
    }

    /// A pipeline by the name that people call it.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn pipeline_by_name(&self, scope: Scope<'_>, name: &str) -> Result<Option<PipelineRecord>, RunError> {
        let text = format!("SELECT {COLUMNS} FROM pipelines WHERE tenant = $1 AND name = $2 AND deleted_us IS NULL");
        let row = built(text).bind(scope.tenant).bind(name).one_on(&self.db, "reading a pipeline").await?;
        row.as_ref().map(pipeline).transpose()
    }

    /// The pipelines after this one in the order of their ids: all, those of a connection, those whose name contains a text. Capital and
    /// small letters are alike, as far as the database knows them.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn pipelines(
        &self,
        scope: Scope<'_>,
        (connection, contains): (Option<&str>, Option<&str>),
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<PipelineRecord>, RunError> {
        let which = if connection.is_some() { "AND connection_id = $5" } else { "" };
        let text = format!(
            "SELECT {COLUMNS} FROM pipelines WHERE tenant = $1 AND id > $2 {which} AND deleted_us IS NULL \
             AND ($4 = '' OR lower(name) LIKE lower($4) ESCAPE '\\') ORDER BY id LIMIT $3"
        );
        let rows = built(text).bind(scope.tenant).bind(after.unwrap_or_default()).bind(limit);
        let mut rows = rows.bind(containing(contains));
        if let Some(connection) = connection {
            rows = rows.bind(connection);
        }
        rows.all_on(&self.db, "listing pipelines").await?.iter().map(pipeline).collect()
    }

    /// Changes a pipeline. Its new revision; the one before is kept. `timing` is the schedule of the new definition, if it has one:
    /// if it is the one of before, no moment is lost or repeated; otherwise it holds from now on.
    ///
    /// # Errors
    /// If it was changed since it was read, its name is taken, there is no such connection, or it cannot be stored.
    #[allow(clippy::too_many_arguments, reason = "each of them says something else, and all are needed at once")]
    pub async fn update_pipeline(
        &self,
        scope: Scope<'_>,
        id: &str,
        seen: u64,
        change: &PipelineChange,
        timing: Option<&Timing>,
        by: &str,
        now_us: i64,
    ) -> Result<u64, ChangeError> {
        let mut tx = self.db.begin("changing a pipeline").await?;
        let next = lock(&mut tx, scope, id, seen).await?;
        connection_exists(&mut tx, scope, &change.connection).await?;
        lock_names(&mut tx, scope).await?;
        let same_name = "SELECT id FROM pipelines WHERE tenant = $1 AND name = $2 AND id <> $3 AND deleted_us IS NULL";
        let same_name = sql(same_name).bind(scope.tenant).bind(&change.name).bind(id).one_in(&mut tx).await?;
        inserted(same_name.is_none().into(), WHAT, "name")?;
        sql("UPDATE pipelines SET name = $3, connection_id = $4, definition = $5, enabled = $6, revision = $7, \
             updated_us = $8, updated_by = $9 WHERE tenant = $1 AND id = $2")
        .bind(scope.tenant)
        .bind(id)
        .bind(&change.name)
        .bind(&change.connection)
        .bind(to_json(&change.definition)?)
        .bind(change.enabled)
        .bind(to_sql(next)?)
        .bind(now_us)
        .bind(by)
        .run_in(&mut tx)
        .await?;
        keep_revision(&mut tx, scope, (id, next), change, (by, now_us)).await?;
        time(&mut tx, scope, (id, next), change, timing, now_us).await?;
        tx.commit().await?;
        Ok(next)
    }

    /// Deletes a pipeline: it is not scheduled any more, and what waits in the queue is cancelled. Its runs and revisions stay.
    ///
    /// # Errors
    /// If it was changed since it was read, or it cannot be stored.
    pub async fn delete_pipeline(
        &self,
        scope: Scope<'_>,
        id: &str,
        seen: u64,
        by: &str,
        now_us: i64,
    ) -> Result<(), ChangeError> {
        let mut tx = self.db.begin("deleting a pipeline").await?;
        let next = lock(&mut tx, scope, id, seen).await?;
        sql("UPDATE pipelines SET deleted_us = $3, enabled = 0, revision = $4, updated_us = $3, updated_by = $5 \
             WHERE tenant = $1 AND id = $2")
        .bind(scope.tenant)
        .bind(id)
        .bind(now_us)
        .bind(to_sql(next)?)
        .bind(by)
        .run_in(&mut tx)
        .await?;
        schedules::forget(&mut tx, scope, id).await?;
        sql("UPDATE run_requests SET state = 'cancelled', reason = $4, cancel_us = $3, ended_us = $3 \
             WHERE tenant = $1 AND pipeline = $2 AND state = 'queued'")
        .bind(scope.tenant)
        .bind(id)
        .bind(now_us)
        .bind("the pipeline was deleted")
        .run_in(&mut tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// What a pipeline was before this revision, the newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn pipeline_revisions(
        &self,
        scope: Scope<'_>,
        id: &str,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<PipelineRevision>, RunError> {
        let rows = sql("SELECT revision, name, connection_id, definition, enabled, changed_us, changed_by \
                        FROM pipeline_revisions WHERE tenant = $1 AND pipeline_id = $2 AND revision < $3 \
                        ORDER BY revision DESC LIMIT $4")
        .bind(scope.tenant)
        .bind(id)
        .bind(before.map_or(Ok(i64::MAX), to_sql)?)
        .bind(limit)
        .all_on(&self.db, "listing the revisions of a pipeline")
        .await?;
        rows.iter().map(revision).collect()
    }

    /// What a pipeline was at a revision, also one that is deleted: what a run of then was made from.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn pipeline_revision(
        &self,
        scope: Scope<'_>,
        id: &str,
        number: u64,
    ) -> Result<Option<PipelineRevision>, RunError> {
        let row = sql("SELECT revision, name, connection_id, definition, enabled, changed_us, changed_by \
                       FROM pipeline_revisions WHERE tenant = $1 AND pipeline_id = $2 AND revision = $3")
        .bind(scope.tenant)
        .bind(id)
        .bind(to_sql(number)?)
        .one_on(&self.db, "reading a revision of a pipeline")
        .await?;
        row.as_ref().map(revision).transpose()
    }
}

/// A new pipeline, with its first revision and its schedule.
pub(super) async fn insert(
    tx: &mut Tx,
    scope: Scope<'_>,
    new: &NewPipeline,
    timing: Option<&Timing>,
    by: &str,
    now_us: i64,
) -> Result<(), ChangeError> {
    connection_exists(tx, scope, &new.first.connection).await?;
    let rows =
        sql("INSERT INTO pipelines (tenant, id, name, connection_id, definition, enabled, revision, created_us, \
                    updated_us, updated_by) VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7, $8) ON CONFLICT DO NOTHING")
        .bind(scope.tenant)
        .bind(&new.id)
        .bind(&new.first.name)
        .bind(&new.first.connection)
        .bind(to_json(&new.first.definition)?)
        .bind(new.first.enabled)
        .bind(now_us)
        .bind(by)
        .run_in(tx)
        .await?;
    inserted(rows, WHAT, "name")?;
    keep_revision(tx, scope, (&new.id, 1), &new.first, (by, now_us)).await?;
    Ok(time(tx, scope, (&new.id, 1), &new.first, timing, now_us).await?)
}

/// Locks the row for a change, if it is as it was seen; the revision after it.
async fn lock(tx: &mut Tx, scope: Scope<'_>, id: &str, seen: u64) -> Result<u64, ChangeError> {
    let lock = tx.dialect().for_update();
    let text = format!("SELECT revision FROM pipelines WHERE tenant = $1 AND id = $2 AND deleted_us IS NULL{lock}");
    let row = built(text).bind(scope.tenant).bind(id).one_in(tx).await?;
    unchanged(WHAT, row.map(|row| row.count("revision")).transpose()?, seen)?;
    Ok(seen.saturating_add(1))
}

/// Keeps the connection from being deleted until the transaction ends.
async fn connection_exists(tx: &mut Tx, scope: Scope<'_>, id: &str) -> Result<(), ChangeError> {
    let lock = tx.dialect().for_share();
    let text = format!("SELECT id FROM connections WHERE tenant = $1 AND id = $2 AND deleted_us IS NULL{lock}");
    let row = built(text).bind(scope.tenant).bind(id).one_in(tx).await?;
    row.map(drop).ok_or(ChangeError::Missing { what: "connection" })
}

async fn keep_revision(
    tx: &mut Tx,
    scope: Scope<'_>,
    (id, revision): (&str, u64),
    change: &PipelineChange,
    (by, now_us): (&str, i64),
) -> Result<(), RunError> {
    sql("INSERT INTO pipeline_revisions (tenant, pipeline_id, revision, name, connection_id, definition, enabled, \
         changed_us, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .bind(scope.tenant)
    .bind(id)
    .bind(to_sql(revision)?)
    .bind(&change.name)
    .bind(&change.connection)
    .bind(to_json(&change.definition)?)
    .bind(change.enabled)
    .bind(now_us)
    .bind(by)
    .run_in(tx)
    .await
    .map(drop)
}

/// A schedule that changed holds from now on; one that did not goes on from where it was.
async fn time(
    tx: &mut Tx,
    scope: Scope<'_>,
    (id, revision): (&str, u64),
    change: &PipelineChange,
    timing: Option<&Timing>,
    now_us: i64,
) -> Result<(), RunError> {
    let Some(Timing { schedule, next_due_us }) = timing.filter(|_| change.enabled) else {
        return schedules::forget(tx, scope, id).await;
    };
    let same = sql("UPDATE schedules SET revision = $4, connection = $5 \
                    WHERE tenant = $1 AND pipeline = $2 AND schedule = $3")
    .bind(scope.tenant)
    .bind(id)
    .bind(to_json(schedule)?)
    .bind(to_sql(revision)?)
    .bind(&change.connection)
    .run_in(tx)
    .await?;
    if same == 1 {
        return Ok(());
    }
    let new = NewSchedule {
        pipeline: id.to_owned(),
        revision,
        connection: change.connection.clone(),
        schedule: schedule.clone(),
        next_due_us: *next_due_us,
    };
    schedules::set(tx, scope, &new, now_us).await
}

fn pipeline(row: &Row) -> Result<PipelineRecord, RunError> {
    Ok(PipelineRecord {
        id: row.text("id")?,
        current: change(row)?,
        revision: row.count("revision")?,
        created_us: row.number("created_us")?,
        updated_us: row.number("updated_us")?,
        updated_by: row.text("updated_by")?,
    })
}

fn revision(row: &Row) -> Result<PipelineRevision, RunError> {
    Ok(PipelineRevision {
        revision: row.count("revision")?,
        was: change(row)?,
        changed_us: row.number("changed_us")?,
        changed_by: row.text("changed_by")?,
    })
}

fn change(row: &Row) -> Result<PipelineChange, RunError> {
    Ok(PipelineChange {
        name: row.text("name")?,
        connection: row.text("connection_id")?,
        definition: row.json("definition")?,
        enabled: row.flag("enabled")?,
    })
}
