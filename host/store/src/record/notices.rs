//! What targets of notifications were told. A run that ends is news until somebody has decided whom to tell what; the decision, what it
//! is based on and what is to be sent are one transaction, so nothing is told twice or forgotten, whoever dies.

use std::collections::BTreeMap;

use serde_json::Value;
use sluice_core::RunError;

use super::outbox::{NewNotification, insert};
use crate::change::lock_names;
use crate::db::{Row, Tx, built, sql};
use crate::value::to_json;
use crate::{Scope, Store};

/// Most events that a digest is made of by name; of the others it has the number.
const MOST_IN_DIGEST: u32 = 100;

const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// That a target was told of an event, or that the event waits for its digest.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Who was told.
    pub target: String,
    /// The event.
    pub id: String,
    /// What happened.
    pub kind: String,
    /// To which pipeline.
    pub pipeline: String,
    /// What tells the event from others of its kind.
    pub subject: String,
    /// When it happened.
    pub at_us: i64,
    /// When it was decided about.
    pub told_us: i64,
    /// `now` or `digest`.
    pub how: String,
    /// When the digest that it waits for is due; none if it waits for none.
    pub due_us: Option<i64>,
    /// What the digest says of it, without secrets.
    pub body: Value,
}

/// Whose notices a decision needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Names it.
    pub name: String,
    /// What it was told at once since then counts.
    pub since_us: i64,
}

/// What was decided about a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct News {
    /// Who was told what.
    pub notices: Vec<Notice>,
    /// What is to be sent.
    pub outbox: Vec<NewNotification>,
}

const COLUMNS: &str = "target, id, kind, pipeline, subject, at_us, told_us, how, due_us, body";

impl Store {
    /// Runs that ended and nobody was told of, as (tenant, run), those that ended first first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn untold_runs(&self, limit: u32) -> Result<Vec<(String, String)>, RunError> {
        let news = sql("SELECT tenant, id FROM run_requests WHERE news_us IS NOT NULL ORDER BY news_us, id LIMIT $1");
        let rows = news.bind(limit).all_on(&self.db, "looking for runs that ended").await?;
        rows.iter().map(|row| Ok((row.text("tenant")?, row.text("id")?))).collect()
    }

    /// Decides about a run that is news, once: `decide` gets what each target was told and gives what is to be. False if another host
    /// was faster. What is handed over of a target is all that a decision needs: what it was told at once since its time; of the
    /// pipeline the last recovery, the first failure after it and the last one; and of other events of the last day the latest.
    ///
    /// # Errors
    /// If it cannot be stored; what `decide` fails with.
    pub async fn tell(
        &self,
        scope: Scope<'_>,
        (run, pipeline): (&str, &str),
        targets: &[Target],
        now_us: i64,
        decide: impl FnOnce(&BTreeMap<String, Vec<Notice>>) -> Result<News, RunError> + Send,
    ) -> Result<bool, RunError> {
        let mut tx = self.db.begin("telling of a run").await?;
        // Two hosts that decide about one target at once would each tell it what should be told once.
        lock_names(&mut tx, scope).await?;
        let told = sql("UPDATE run_requests SET news_us = NULL WHERE tenant = $1 AND id = $2 AND news_us IS NOT NULL");
        if told.bind(scope.tenant).bind(run).run_in(&mut tx).await? == 0 {
            return Ok(false);
        }
        let mut known = BTreeMap::new();
        for target in targets {
            known.insert(target.name.clone(), known_of(&mut tx, scope, target, pipeline, now_us).await?);
        }
        let news = decide(&known)?;
        for notice in &news.notices {
            keep(&mut tx, scope, notice).await?;
        }
        for notification in &news.outbox {
            insert(&mut tx, scope, notification, now_us).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Targets whose digest is due, as (tenant, target).
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn due_digests(&self, now_us: i64, limit: u32) -> Result<Vec<(String, String)>, RunError> {
        let due = sql("SELECT DISTINCT tenant, target FROM notices WHERE due_us <= $1 LIMIT $2");
        let rows = due.bind(now_us).bind(limit).all_on(&self.db, "looking for digests").await?;
        rows.iter().map(|row| Ok((row.text("tenant")?, row.text("target")?))).collect()
    }

    /// Puts a digest that is due into the outbox: `make` gets the first events that wait for it and how many more there are. False if
    /// another host was faster.
    ///
    /// # Errors
    /// If it cannot be stored; what `make` fails with.
    pub async fn digest(
        &self,
        scope: Scope<'_>,
        target: &str,
        now_us: i64,
        make: impl FnOnce(&[Notice], u64) -> Result<NewNotification, RunError> + Send,
    ) -> Result<bool, RunError> {
        let mut tx = self.db.begin("making a digest").await?;
        lock_names(&mut tx, scope).await?;
        let due = sql("SELECT COUNT(*) AS count, MIN(due_us) AS due FROM notices \
                       WHERE tenant = $1 AND target = $2 AND due_us IS NOT NULL");
        let row = due.bind(scope.tenant).bind(target).one_in(&mut tx).await?;
        let (count, due) = match row {
            Some(row) => (row.count("count")?, row.get::<Option<i64>>("due")?),
            None => (0, None),
        };
        if due.is_none_or(|due| due > now_us) {
            return Ok(false);
        }
        let first = built(format!(
            "SELECT {COLUMNS} FROM notices WHERE tenant = $1 AND target = $2 AND due_us IS NOT NULL ORDER BY at_us, id LIMIT $3"
        ));
        let rows = first.bind(scope.tenant).bind(target).bind(MOST_IN_DIGEST).all_in(&mut tx).await?;
        let waiting = rows.iter().map(notice).collect::<Result<Vec<_>, _>>()?;
        let digest = make(&waiting, count.saturating_sub(waiting.len() as u64))?;
        insert(&mut tx, scope, &digest, now_us).await?;
        let told = sql("UPDATE notices SET due_us = NULL WHERE tenant = $1 AND target = $2 AND due_us IS NOT NULL");
        told.bind(scope.tenant).bind(target).run_in(&mut tx).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Forgets what was told before this moment, of all tenants, but for failures that nobody knows the end of: of those the first and
    /// the last stay. How many notices.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn forget_notices(&self, before_us: i64) -> Result<u64, RunError> {
        let gone = sql(
            "DELETE FROM notices WHERE told_us < $1 AND due_us IS NULL AND (kind NOT IN ('failure', 'recovery') \
             OR EXISTS (SELECT 1 FROM notices r WHERE r.tenant = notices.tenant AND r.target = notices.target \
                AND r.pipeline = notices.pipeline AND r.kind = 'recovery' AND r.at_us > notices.at_us) \
             OR (kind = 'failure' AND EXISTS (SELECT 1 FROM notices l WHERE l.tenant = notices.tenant \
                AND l.target = notices.target AND l.pipeline = notices.pipeline AND l.kind = 'failure' AND l.at_us > notices.at_us) \
                AND EXISTS (SELECT 1 FROM notices f WHERE f.tenant = notices.tenant AND f.target = notices.target \
                AND f.pipeline = notices.pipeline AND f.kind = 'failure' AND f.at_us < notices.at_us AND NOT EXISTS \
                (SELECT 1 FROM notices b WHERE b.tenant = f.tenant AND b.target = f.target AND b.pipeline = f.pipeline \
                AND b.kind = 'recovery' AND b.at_us > f.at_us))))",
        );
        gone.bind(before_us).run_on(&self.db, "forgetting what was told").await
    }

    /// Whether the run of this pipeline that ended last before this one failed. Runs that were stopped, cancelled or skipped say nothing.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn failed_before(
        &self,
        scope: Scope<'_>,
        pipeline: &str,
        run: &str,
        ended_us: i64,
    ) -> Result<bool, RunError> {
        let before =
            sql("SELECT state FROM run_requests WHERE tenant = $1 AND pipeline = $2 AND id <> $3 AND ended_us <= $4 \
                          AND state IN ('succeeded', 'failed') ORDER BY ended_us DESC, id DESC LIMIT 1");
        let before = before.bind(scope.tenant).bind(pipeline).bind(run).bind(ended_us);
        let row = before.one_on(&self.db, "looking at the run before").await?;
        row.map_or(Ok(false), |row| Ok(row.text("state")? == "failed"))
    }

    /// How many rows of a stream were committed by each of the last runs that succeeded before a moment, the newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn rows_before(
        &self,
        scope: Scope<'_>,
        (pipeline, stream): (&str, &str),
        before_us: i64,
        limit: u32,
    ) -> Result<Vec<u64>, RunError> {
        // What an attempt that failed has committed of a stream counts for its run. Loads of quarantines end in `-q`.
        let rows = sql("SELECT CAST(SUM(s.rows_committed) AS BIGINT) AS committed FROM \
             (SELECT tenant, id, ended_us FROM run_requests WHERE tenant = $1 AND pipeline = $2 AND state = 'succeeded' \
             AND ended_us < $4 ORDER BY ended_us DESC LIMIT $5) q \
             JOIN runs r ON r.tenant = q.tenant AND r.request = q.id \
             JOIN run_streams s ON s.tenant = r.tenant AND s.run_id = r.id \
             WHERE s.stream = $3 AND s.state = 'committed' AND s.load_id NOT LIKE '%-q' \
             GROUP BY q.id, q.ended_us ORDER BY q.ended_us DESC");
        let rows = rows.bind(scope.tenant).bind(pipeline).bind(stream).bind(before_us).bind(limit);
        let rows = rows.all_on(&self.db, "looking at the runs before").await?;
        rows.iter().map(|row| row.count("committed")).collect()
    }
}

async fn keep(tx: &mut Tx, scope: Scope<'_>, notice: &Notice) -> Result<(), RunError> {
    sql("INSERT INTO notices (tenant, target, id, kind, pipeline, subject, at_us, told_us, how, due_us, body) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING")
    .bind(scope.tenant)
    .bind(&notice.target)
    .bind(&notice.id)
    .bind(&notice.kind)
    .bind(&notice.pipeline)
    .bind(&notice.subject)
    .bind(notice.at_us)
    .bind(notice.told_us)
    .bind(&notice.how)
    .bind(notice.due_us)
    .bind(to_json(&notice.body)?)
    .run_in(tx)
    .await
    .map(drop)
}

/// See [`Store::tell`].
async fn known_of(
    tx: &mut Tx,
    scope: Scope<'_>,
    target: &Target,
    pipeline: &str,
    now_us: i64,
) -> Result<Vec<Notice>, RunError> {
    let mut known = BTreeMap::new();
    let mut take = |rows: Vec<Row>| {
        rows.iter().map(notice).try_for_each(|notice| {
            let notice = notice?;
            known.insert(notice.id.clone(), notice);
            Ok::<_, RunError>(())
        })
    };
    let at_once = format!(
        "SELECT {COLUMNS} FROM notices WHERE tenant = $1 AND target = $2 AND how = 'now' AND told_us > $3 \
         ORDER BY told_us DESC LIMIT 100"
    );
    take(built(at_once).bind(scope.tenant).bind(&target.name).bind(target.since_us).all_in(tx).await?)?;
    let turn = |which: &str, order: &str| {
        let text = format!(
            "SELECT {COLUMNS} FROM notices WHERE tenant = $1 AND target = $2 AND pipeline = $3 AND {which} \
             ORDER BY at_us {order} LIMIT 1"
        );
        built(text).bind(scope.tenant).bind(&target.name).bind(pipeline)
    };
    take(turn("kind = 'recovery'", "DESC").all_in(tx).await?)?;
    take(turn("kind = 'failure'", "DESC").all_in(tx).await?)?;
    let since_recovery = "kind = 'failure' AND at_us > COALESCE((SELECT MAX(r.at_us) FROM notices r WHERE r.tenant = $1 \
         AND r.target = $2 AND r.pipeline = $3 AND r.kind = 'recovery'), -1)";
    take(turn(since_recovery, "ASC").all_in(tx).await?)?;
    let mut known: Vec<Notice> = known.into_values().collect();
    let others = sql("SELECT kind, subject, MAX(told_us) AS told_us FROM notices WHERE tenant = $1 AND target = $2 \
         AND pipeline = $3 AND kind NOT IN ('failure', 'recovery') AND told_us > $4 GROUP BY kind, subject");
    let others = others.bind(scope.tenant).bind(&target.name).bind(pipeline).bind(now_us.saturating_sub(DAY_US));
    for row in others.all_in(tx).await? {
        known.push(Notice {
            target: target.name.clone(),
            id: String::new(),
            kind: row.text("kind")?,
            pipeline: pipeline.to_owned(),
            subject: row.text("subject")?,
            at_us: row.number("told_us")?,
            told_us: row.number("told_us")?,
            // Whichever it was: those that were told at once are above, and must not count twice.
            how: "digest".to_owned(),
            due_us: None,
            body: Value::Null,
        });
    }
    Ok(known)
}

fn notice(row: &Row) -> Result<Notice, RunError> {
    Ok(Notice {
        target: row.text("target")?,
        id: row.text("id")?,
        kind: row.text("kind")?,
        pipeline: row.text("pipeline")?,
        subject: row.text("subject")?,
        at_us: row.number("at_us")?,
        told_us: row.number("told_us")?,
        how: row.text("how")?,
        due_us: row.get("due_us")?,
        body: row.json("body")?,
    })
}
