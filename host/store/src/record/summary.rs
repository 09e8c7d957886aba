//! How a tenant's pipelines stand, for who opens the app: a few queries, however many pipelines there are.

use std::collections::{BTreeMap, HashMap};

use sluice_core::RunError;
use sluice_core::request::RequestState;
use sluice_core::schedule::Schedule;

use crate::db::{Row, sql};
use crate::{Scope, Store};

/// A day, microseconds.
pub const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// How a pipeline stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The pipeline.
    pub pipeline: String,
    /// What people call it.
    pub name: String,
    /// Whether its schedule is followed.
    pub enabled: bool,
    /// When it was last changed.
    pub updated_us: i64,
    /// The schedule that is followed, and when it comes due next.
    pub schedule: Option<(Schedule, Option<i64>)>,
    /// When the last run that succeeded began and ended.
    pub good: Option<(i64, i64)>,
    /// The last run that ended with anything to tell.
    pub last: Option<LastRun>,
    /// Runs that failed in the last day, and in the last week.
    pub failures: (u64, u64),
}

/// The last run of a pipeline that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct LastRun {
    /// The run.
    pub id: String,
    /// How it ended.
    pub state: RequestState,
    /// When.
    pub ended_us: i64,
    /// What it failed with.
    pub error: Option<RunError>,
}

/// What happened on a day (UTC).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Daily {
    /// Days since 1970-01-01.
    pub day: i64,
    /// Rows that became visible.
    pub rows: u64,
    /// Bytes that were read for them.
    pub bytes: u64,
    /// Runs that succeeded.
    pub succeeded: u64,
    /// Runs that failed.
    pub failed: u64,
}

impl Store {
    /// How the tenant's first pipelines stand, by their names.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn standings(&self, scope: Scope<'_>, now_us: i64, limit: u32) -> Result<Vec<Standing>, RunError> {
        let doing = "looking at how pipelines stand";
        // Each inner query goes backwards through one pipeline's runs and stops at the first that fits.
        let rows = sql("SELECT q.*, g.started_us AS good_from, g.ended_us AS good_to, \
             l.state AS last_state, l.ended_us AS last_us, l.error AS last_error FROM (\
             SELECT p.id, p.name, p.enabled, p.updated_us, s.schedule, s.next_due_us, \
             (SELECT r.id FROM run_requests r WHERE r.tenant = p.tenant AND r.pipeline = p.id AND r.state = 'succeeded' \
              ORDER BY r.queued_us DESC, r.id DESC LIMIT 1) AS good_id, \
             (SELECT r.id FROM run_requests r WHERE r.tenant = p.tenant AND r.pipeline = p.id \
              AND r.state IN ('succeeded', 'failed', 'stopped', 'cancelled') \
              ORDER BY r.queued_us DESC, r.id DESC LIMIT 1) AS last_id \
             FROM pipelines p LEFT JOIN schedules s ON s.tenant = p.tenant AND s.pipeline = p.id \
             WHERE p.tenant = $1 AND p.deleted_us IS NULL ORDER BY p.name, p.id LIMIT $2) q \
             LEFT JOIN run_requests g ON g.tenant = $1 AND g.id = q.good_id \
             LEFT JOIN run_requests l ON l.tenant = $1 AND l.id = q.last_id ORDER BY q.name, q.id");
        let rows = rows.bind(scope.tenant).bind(limit).all_on(&self.db, doing).await?;
        let failures =
            sql("SELECT pipeline, SUM(CASE WHEN ended_us >= $2 THEN 1 ELSE 0 END) AS day, COUNT(*) AS week \
             FROM run_requests WHERE tenant = $1 AND state = 'failed' AND ended_us >= $3 GROUP BY pipeline");
        let failures = failures.bind(scope.tenant).bind(now_us - DAY_US).bind(now_us - 7 * DAY_US);
        let failures = failures.all_on(&self.db, doing).await?;
        let failures = failures.iter().map(|row| Ok((row.text("pipeline")?, (row.count("day")?, row.count("week")?))));
        let failures = failures.collect::<Result<HashMap<_, _>, RunError>>()?;
        let all = rows.iter().map(|row| {
            let standing = standing(row)?;
            let failures = failures.get(&standing.pipeline).copied().unwrap_or_default();
            Ok(Standing { failures, ..standing })
        });
        all.collect()
    }

    /// What happened on each day from this one on, in their order; days on which nothing did are left out.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn daily(&self, scope: Scope<'_>, from_day: i64) -> Result<Vec<Daily>, RunError> {
        let (doing, from_us) = ("adding up what was loaded", from_day.saturating_mul(DAY_US));
        let loaded = sql("SELECT ended_us / 86400000000 AS day, CAST(SUM(rows_committed) AS BIGINT) AS rows, \
             CAST(SUM(CASE WHEN rows_committed > 0 THEN bytes_read ELSE 0 END) AS BIGINT) AS bytes \
             FROM run_streams WHERE tenant = $1 AND ended_us >= $2 GROUP BY ended_us / 86400000000");
        let ended =
            sql("SELECT ended_us / 86400000000 AS day, SUM(CASE WHEN state = 'succeeded' THEN 1 ELSE 0 END) AS good, \
             SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END) AS bad \
             FROM run_requests WHERE tenant = $1 AND ended_us >= $2 GROUP BY ended_us / 86400000000");
        let mut days = BTreeMap::<i64, Daily>::new();
        for row in loaded.bind(scope.tenant).bind(from_us).all_on(&self.db, doing).await? {
            let day = days.entry(row.number("day")?).or_default();
            (day.rows, day.bytes) = (row.count("rows")?, row.count("bytes")?);
        }
        for row in ended.bind(scope.tenant).bind(from_us).all_on(&self.db, doing).await? {
            let day = days.entry(row.number("day")?).or_default();
            (day.succeeded, day.failed) = (row.count("good")?, row.count("bad")?);
        }
        Ok(days.into_iter().map(|(day, of_it)| Daily { day, ..of_it }).collect())
    }
}

fn standing(row: &Row) -> Result<Standing, RunError> {
    let schedule = row.optional_json("schedule")?;
    let good = (row.get::<Option<i64>>("good_from")?, row.get::<Option<i64>>("good_to")?);
    let last = row.get::<Option<String>>("last_id")?.map(|id| {
        Ok::<_, RunError>(LastRun {
            id,
            state: row.word("last_state", RequestState::parse)?,
            ended_us: row.get::<Option<i64>>("last_us")?.unwrap_or_default(),
            error: row.optional_json("last_error")?,
        })
    });
    Ok(Standing {
        pipeline: row.text("id")?,
        name: row.text("name")?,
        enabled: row.flag("enabled")?,
        updated_us: row.number("updated_us")?,
        schedule: match schedule {
            Some(schedule) => Some((schedule, row.get("next_due_us")?)),
            None => None,
        },
        good: good.0.zip(good.1),
        last: last.transpose()?,
        failures: (0, 0),
    })
}
