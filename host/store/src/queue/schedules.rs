//! Schedules: which moments have been decided about, and when the next one comes due.

use sluice_core::RunError;
use sluice_core::request::{Cause, RequestState};
use sluice_core::schedule::Schedule;

use super::requests::{NewRequest, cancel, insert};
use crate::db::{Row, Tx, sql};
use crate::value::{to_json, to_sql};
use crate::{Scope, Store};

/// The schedule of a pipeline's newest revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSchedule {
    /// The pipeline's id.
    pub pipeline: String,
    /// Its revision.
    pub revision: u64,
    /// Its connection.
    pub connection: String,
    /// When it runs.
    pub schedule: Schedule,
    /// The first moment that is to come.
    pub next_due_us: Option<i64>,
}

/// A schedule of which a moment has come due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Whose pipeline it is.
    pub tenant: String,
    /// The schedule.
    pub scheduled: NewSchedule,
    /// Up to when every moment has been decided about.
    pub decided_us: i64,
    /// Scheduled runs of the pipeline that have not ended, as (run, moment).
    pub unfinished: Vec<(String, i64)>,
}

/// What was decided about the moments of a schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moments {
    /// Runs that are queued.
    pub queue: Vec<NewRequest>,
    /// Moments that are recorded as skipped.
    pub skip: Vec<SkippedMoment>,
    /// Runs that are cancelled, and why.
    pub cancel: Vec<(String, String)>,
    /// Up to when every moment is decided about now.
    pub decided_us: i64,
    /// The next moment that comes due.
    pub next_due_us: Option<i64>,
}

/// A moment that got no run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedMoment {
    /// The record's id.
    pub id: String,
    /// The moment, or the first of several.
    pub moment_us: i64,
    /// Why.
    pub reason: String,
}

/// What was recorded of decisions about schedules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Runs that were queued.
    pub queued: Vec<String>,
    /// Records of moments that got no run.
    pub skipped: u64,
    /// Runs that waited and are cancelled.
    pub cancelled: u64,
}

impl Store {
    /// Sets the schedule of a pipeline, which holds from now on.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn set_schedule(&self, scope: Scope<'_>, new: &NewSchedule, now_us: i64) -> Result<(), RunError> {
        let mut tx = self.db.begin("recording a schedule").await?;
        set(&mut tx, scope, new, now_us).await?;
        tx.commit().await
    }

    /// Forgets the schedule of a pipeline.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn drop_schedule(&self, scope: Scope<'_>, pipeline: &str) -> Result<(), RunError> {
        let mut tx = self.db.begin("forgetting a schedule").await?;
        forget(&mut tx, scope, pipeline).await?;
        tx.commit().await
    }

    /// Schedules of all tenants of which a moment has come due, the longest overdue first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn due_schedules(&self, now_us: i64, limit: u32) -> Result<Vec<Due>, RunError> {
        let doing = "looking for schedules that have come due";
        let due =
            sql("SELECT tenant, pipeline, schedule, revision, connection, decided_us, next_due_us FROM schedules \
             WHERE next_due_us <= $1 ORDER BY next_due_us, tenant, pipeline LIMIT $2");
        let rows = due.bind(now_us).bind(limit).all_on(&self.db, doing).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            found.push(self.due(row, doing).await?);
        }
        Ok(found)
    }

    async fn due(&self, row: &Row, doing: &str) -> Result<Due, RunError> {
        let (tenant, scheduled) = (row.text("tenant")?, scheduled(row)?);
        let open = sql("SELECT id, moment_us FROM run_requests WHERE tenant = $1 AND pipeline = $2 \
             AND cause = 'scheduled' AND moment_us IS NOT NULL AND state IN ('queued', 'running') ORDER BY moment_us");
        let open = open.bind(&tenant).bind(&scheduled.pipeline).all_on(&self.db, doing).await?;
        let unfinished = open.iter().map(|row| Ok((row.text("id")?, row.number("moment_us")?)));
        let unfinished = unfinished.collect::<Result<_, RunError>>()?;
        Ok(Due { unfinished, tenant, scheduled, decided_us: row.number("decided_us")? })
    }

    /// The schedule of a pipeline, whether a moment has come due or not.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn schedule(&self, scope: Scope<'_>, pipeline: &str) -> Result<Option<Due>, RunError> {
        let doing = "looking for a schedule";
        let row =
            sql("SELECT tenant, pipeline, schedule, revision, connection, decided_us, next_due_us FROM schedules \
             WHERE tenant = $1 AND pipeline = $2");
        let row = row.bind(scope.tenant).bind(pipeline).one_on(&self.db, doing).await?;
        match row {
            Some(row) => self.due(&row, doing).await.map(Some),
            None => Ok(None),
        }
    }

    /// A page of the schedules of all tenants, as (tenant, schedule), in the order of tenant and pipeline, after one of them.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn schedules(
        &self,
        after: Option<(&str, &str)>,
        limit: u32,
    ) -> Result<Vec<(String, NewSchedule)>, RunError> {
        let (tenant, pipeline) = after.unwrap_or_default();
        let page =
            sql("SELECT tenant, pipeline, schedule, revision, connection, decided_us, next_due_us FROM schedules \
             WHERE tenant > $1 OR (tenant = $1 AND pipeline > $2) ORDER BY tenant, pipeline LIMIT $3");
        let rows = page.bind(tenant).bind(pipeline).bind(limit).all_on(&self.db, "looking at all schedules").await?;
        rows.iter().map(|row| Ok((row.text("tenant")?, scheduled(row)?))).collect()
    }

    /// When the next moment of any schedule comes due.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn next_due(&self) -> Result<Option<i64>, RunError> {
        let next =
            sql("SELECT MIN(next_due_us) AS next FROM schedules").one_on(&self.db, "looking at schedules").await?;
        next.map_or(Ok(None), |row| row.get("next"))
    }

    /// Records what was decided about the moments of schedules, in one transaction: of each schedule all of it, or nothing if another
    /// host was faster or the schedule was changed meanwhile. What came of it.
    ///
    /// # Errors
    /// If it cannot be stored; nothing is then.
    pub async fn record_moments(&self, decided: &[(Due, Moments)], now_us: i64) -> Result<Recorded, RunError> {
        let mut recorded = Recorded::default();
        if decided.is_empty() {
            return Ok(recorded);
        }
        let mut tx = self.db.begin("queueing scheduled runs").await?;
        for (due, moments) in decided {
            record(&mut tx, due, moments, &mut recorded, now_us).await?;
        }
        tx.commit().await?;
        Ok(recorded)
    }
}

fn scheduled(row: &Row) -> Result<NewSchedule, RunError> {
    Ok(NewSchedule {
        pipeline: row.text("pipeline")?,
        revision: row.count("revision")?,
        connection: row.text("connection")?,
        schedule: row.json("schedule")?,
        next_due_us: row.get("next_due_us")?,
    })
}

/// Records what was decided about one schedule.
async fn record(
    tx: &mut Tx,
    due: &Due,
    moments: &Moments,
    recorded: &mut Recorded,
    now_us: i64,
) -> Result<(), RunError> {
    let (scope, scheduled) = (Scope { tenant: &due.tenant }, &due.scheduled);
    let moved = sql("UPDATE schedules SET decided_us = $5, next_due_us = $6 \
             WHERE tenant = $1 AND pipeline = $2 AND revision = $3 AND decided_us = $4")
    .bind(scope.tenant)
    .bind(&scheduled.pipeline)
    .bind(to_sql(scheduled.revision)?)
    .bind(due.decided_us)
    .bind(moments.decided_us)
    .bind(moments.next_due_us);
    if tx.run(moved).await? != 1 {
        return Ok(());
    }
    for (run, why) in &moments.cancel {
        let (waited, _) = cancel(tx, scope, run, why, now_us).await?;
        recorded.cancelled += u64::from(waited);
    }
    for new in &moments.queue {
        if insert(tx, scope, new, (RequestState::Queued, None), now_us).await? {
            recorded.queued.push(new.id.clone());
        }
    }
    for skipped in &moments.skip {
        let new = NewRequest {
            id: skipped.id.clone(),
            pipeline: scheduled.pipeline.clone(),
            revision: scheduled.revision,
            connection: scheduled.connection.clone(),
            cause: Cause::Scheduled,
            moment_us: Some(skipped.moment_us),
            snapshot_date: None,
            requested_by: "schedule".into(),
            priority: 0,
            not_before_us: skipped.moment_us,
            traceparent: None,
        };
        let done = insert(tx, scope, &new, (RequestState::Skipped, Some(&skipped.reason)), now_us).await?;
        recorded.skipped += u64::from(done);
    }
    Ok(())
}

/// Sets a schedule within a transaction.
pub(crate) async fn set(tx: &mut Tx, scope: Scope<'_>, new: &NewSchedule, now_us: i64) -> Result<(), RunError> {
    sql("INSERT INTO schedules (tenant, pipeline, schedule, revision, connection, decided_us, next_due_us) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant, pipeline) DO UPDATE SET schedule = excluded.schedule, \
         revision = excluded.revision, connection = excluded.connection, decided_us = excluded.decided_us, \
         next_due_us = excluded.next_due_us")
    .bind(scope.tenant)
    .bind(&new.pipeline)
    .bind(to_json(&new.schedule)?)
    .bind(to_sql(new.revision)?)
    .bind(&new.connection)
    .bind(now_us)
    .bind(new.next_due_us)
    .run_in(tx)
    .await
    .map(drop)
}

/// Forgets a schedule within a transaction.
pub(crate) async fn forget(tx: &mut Tx, scope: Scope<'_>, pipeline: &str) -> Result<(), RunError> {
    let gone = sql("DELETE FROM schedules WHERE tenant = $1 AND pipeline = $2").bind(scope.tenant).bind(pipeline);
    gone.run_in(tx).await.map(drop)
}
