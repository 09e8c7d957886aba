//! Forgetting what is older than an operator wants to keep, a batch at a time: runs, their logs, audit entries.
//!
//! A run stays, whatever its age, as long as anything may still ask for it: the last ones of its pipeline, those that nobody was told of yet,
//! those with anything in the ledger that is not settled, and those whose mark stands on a table. States are never touched.

use sluice_core::RunError;

use super::{AuditEntry, audit_in};
use crate::db::{Sql, Tx, built, sql};
use crate::{Scope, Store};

/// Runs of a pipeline that are always kept: what came before is compared with the next one, and people look at the last ones.
const LAST: u32 = 100;

/// Successes of a pipeline that are always kept, for the same.
const LAST_GOOD: u32 = 50;

/// How far before the last one logs are looked at again: clocks differ.
const OVERLAP_US: i64 = 600 * 1_000_000;

/// What a run's attempts must not have, for it to be forgotten: `r` is the run.
const NOTHING_NEEDS_IT: &str = "NOT EXISTS (SELECT 1 FROM runs a \
     JOIN run_streams s ON s.tenant = a.tenant AND s.run_id = a.id WHERE a.tenant = r.tenant AND a.request = r.id AND (\
     EXISTS (SELECT 1 FROM artifacts f WHERE f.tenant = s.tenant AND f.load_id = s.load_id AND f.state IN ('open', 'finalized')) \
     OR EXISTS (SELECT 1 FROM commit_intents i WHERE i.tenant = s.tenant AND i.load_id = s.load_id) \
     OR EXISTS (SELECT 1 FROM planned_items p WHERE p.tenant = s.tenant AND p.load_id = s.load_id) \
     OR EXISTS (SELECT 1 FROM stream_state t WHERE t.tenant = s.tenant AND t.pipeline = s.pipeline AND t.stream = s.stream \
     AND t.planned_by = s.load_id) \
     OR EXISTS (SELECT 1 FROM table_marks m WHERE m.tenant = s.tenant AND m.pipeline = s.pipeline \
     AND s.load_id IN (m.last_load, m.intended_load, m.refused_load))))";

/// How far logs are forgotten: those of runs that ended before this, or at it with an id before this.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogsBefore {
    ended_us: i64,
    tenant: String,
    id: String,
}

impl Store {
    /// Takes a sweep until a moment, if nobody has it and its time has come. From where its logs go on; none if it is not to be done now.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn take_sweep(&self, name: &str, until_us: i64, now_us: i64) -> Result<Option<LogsBefore>, RunError> {
        let mut tx = self.db.begin("beginning to forget what is old").await?;
        // One statement, so that of two hosts at the same moment one gets it.
        let taken =
            sql("INSERT INTO sweeps (name, until_us, logs_us) VALUES ($1, $2, $4) ON CONFLICT (name) DO UPDATE SET \
                         until_us = excluded.until_us WHERE sweeps.until_us <= $3 RETURNING logs_us");
        let row = taken.bind(name).bind(until_us).bind(now_us).bind(0_i64).one_in(&mut tx).await?;
        tx.commit().await?;
        let logs = row.map(|row| row.number("logs_us")).transpose()?;
        Ok(logs.map(|logs_us| LogsBefore { ended_us: logs_us.saturating_sub(OVERLAP_US), ..LogsBefore::default() }))
    }

    /// Keeps a sweep that is under way, or sets when the next one begins.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn hold_sweep(&self, name: &str, until_us: i64) -> Result<(), RunError> {
        let held = sql("UPDATE sweeps SET until_us = $2 WHERE name = $1").bind(name).bind(until_us);
        held.run_on(&self.db, "forgetting what is old").await.map(drop)
    }

    /// Forgets the logs of some runs that ended before this, those first that ended first. How far it came; none at the end.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn forget_logs(
        &self,
        name: &str,
        from: &LogsBefore,
        before_us: i64,
        limit: u32,
    ) -> Result<Option<LogsBefore>, RunError> {
        let mut tx = self.db.begin("forgetting old logs").await?;
        let rows = sql("SELECT tenant, id, ended_us FROM run_requests WHERE ended_us < $1 AND ended_us >= $2 \
                        AND (ended_us, tenant, id) > ($2, $3, $4) ORDER BY ended_us, tenant, id LIMIT $5");
        let rows = rows.bind(before_us).bind(from.ended_us).bind(&from.tenant).bind(&from.id).bind(limit);
        let rows = rows.all_in(&mut tx).await?;
        for row in &rows {
            let gone = sql("DELETE FROM run_logs WHERE tenant = $1 AND request = $2");
            gone.bind(row.text("tenant")?).bind(row.text("id")?).run_in(&mut tx).await?;
        }
        let last = rows.last().map(|row| {
            Ok::<_, RunError>(LogsBefore {
                ended_us: row.number("ended_us")?,
                tenant: row.text("tenant")?,
                id: row.text("id")?,
            })
        });
        let last = last.transpose()?;
        if let Some(last) = &last {
            let done = sql("UPDATE sweeps SET logs_us = $2 WHERE name = $1 AND logs_us < $2");
            done.bind(name).bind(last.ended_us).run_in(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(last)
    }

    /// Pipelines of all tenants behind this one, also those that were deleted, as (tenant, pipeline).
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn pipelines_behind(
        &self,
        (tenant, pipeline): (&str, &str),
        limit: u32,
    ) -> Result<Vec<(String, String)>, RunError> {
        let rows = sql("SELECT tenant, id FROM pipelines WHERE (tenant, id) > ($1, $2) ORDER BY tenant, id LIMIT $3");
        let rows = rows.bind(tenant).bind(pipeline).bind(limit).all_on(&self.db, "listing pipelines").await?;
        rows.iter().map(|row| Ok((row.text("tenant")?, row.text("id")?))).collect()
    }

    /// Forgets some runs of a pipeline that ended before this, with their attempts and logs, but for those that are still needed. How
    /// many; fewer than the limit at the end.
    ///
    /// # Errors
    /// If it cannot be stored; none is forgotten then.
    pub async fn forget_runs(
        &self,
        scope: Scope<'_>,
        pipeline: &str,
        before_us: i64,
        limit: u32,
    ) -> Result<u64, RunError> {
        let bound = sql("SELECT queued_us, id FROM run_requests WHERE tenant = $1 AND pipeline = $2 \
                         ORDER BY queued_us DESC, id DESC LIMIT 1 OFFSET $3");
        let bound = bound.bind(scope.tenant).bind(pipeline).bind(LAST);
        let Some(bound) = bound.one_on(&self.db, "looking for old runs").await? else { return Ok(0) };
        let old = format!(
            "SELECT r.id FROM run_requests r WHERE r.tenant = $1 AND r.pipeline = $2 AND (r.queued_us, r.id) <= ($3, $4) \
             AND r.state NOT IN ('queued', 'running') AND r.ended_us < $5 AND r.news_us IS NULL \
             AND r.id NOT IN (SELECT g.id FROM run_requests g WHERE g.tenant = $1 AND g.pipeline = $2 AND g.state = 'succeeded' \
             ORDER BY g.ended_us DESC LIMIT $6) AND {NOTHING_NEEDS_IT} ORDER BY r.queued_us, r.id LIMIT $7"
        );
        let old = built(old)
            .bind(scope.tenant)
            .bind(pipeline)
            .bind(bound.number("queued_us")?)
            .bind(bound.text("id")?)
            .bind(before_us)
            .bind(LAST_GOOD)
            .bind(limit);
        let old = old.all_on(&self.db, "looking for old runs").await?;
        let ids = old.iter().map(|row| row.text("id")).collect::<Result<Vec<_>, _>>()?;
        if ids.is_empty() {
            return Ok(0);
        }
        let mut tx = self.db.begin("forgetting old runs").await?;
        let gone = delete_runs(&mut tx, scope, &ids).await?;
        tx.commit().await?;
        Ok(gone)
    }

    /// Tenants behind this one.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn tenants_behind(&self, tenant: &str, limit: u32) -> Result<Vec<String>, RunError> {
        let rows = sql("SELECT tenant FROM audit_heads WHERE tenant > $1 ORDER BY tenant LIMIT $2");
        let rows = rows.bind(tenant).bind(limit).all_on(&self.db, "listing tenants").await?;
        rows.iter().map(|row| row.text("tenant")).collect()
    }

    /// Forgets the first entries of a tenant's audit log, as long as they are from before this; that it was done is an entry itself, with
    /// `before` in words. How many; fewer than the limit at the end.
    ///
    /// # Errors
    /// If it cannot be stored; none is forgotten then.
    pub async fn forget_audit(
        &self,
        scope: Scope<'_>,
        (before_us, before): (i64, &str),
        limit: u32,
        now_us: i64,
    ) -> Result<u64, RunError> {
        let doing = "forgetting old audit entries";
        let first = sql("SELECT seq, at_us FROM audit_log WHERE tenant = $1 \
             AND seq >= (SELECT kept_from FROM audit_heads WHERE tenant = $1) ORDER BY seq LIMIT $2");
        let first = first.bind(scope.tenant).bind(limit).all_on(&self.db, doing).await?;
        let mut old = Vec::new();
        for row in &first {
            if row.number("at_us")? >= before_us {
                break;
            }
            old.push(row.number("seq")?);
        }
        let Some(kept_from) = old.last().map(|last| last.saturating_add(1)) else { return Ok(0) };
        let mut tx = self.db.begin(doing).await?;
        let detail = serde_json::json!({"before": before, "entries": old.len(), "kept_from": kept_from});
        let entry = AuditEntry {
            actor: "host".to_owned(),
            action: "audit.forget".to_owned(),
            object: format!("tenant {}", scope.tenant),
            address: None,
            detail,
        };
        // It locks the head, so of two hosts the second finds that it was done.
        audit_in(&mut tx, scope, &entry, now_us).await?;
        let moved = sql("UPDATE audit_heads SET kept_from = $2 WHERE tenant = $1 AND kept_from < $2");
        if moved.bind(scope.tenant).bind(kept_from).run_in(&mut tx).await? == 0 {
            return Ok(0);
        }
        let gone = sql("DELETE FROM audit_log WHERE tenant = $1 AND seq < $2").bind(scope.tenant).bind(kept_from);
        let gone = gone.run_in(&mut tx).await?;
        tx.commit().await?;
        Ok(gone)
    }
}

/// Deletes runs from the inside out. Of the ledger only what is settled is left of them.
async fn delete_runs(tx: &mut Tx, scope: Scope<'_>, ids: &[String]) -> Result<u64, RunError> {
    let list: Vec<String> = (0..ids.len()).map(|n| format!("${}", n.saturating_add(2))).collect();
    let list = list.join(", ");
    let of = |text: String| -> Sql { ids.iter().fold(built(text).bind(scope.tenant), |sql, id| sql.bind(id)) };
    let attempts = format!("SELECT id FROM runs WHERE tenant = $1 AND request IN ({list})");
    let loads = format!("SELECT load_id FROM run_streams WHERE tenant = $1 AND run_id IN ({attempts})");
    of(format!("DELETE FROM artifacts WHERE tenant = $1 AND load_id IN ({loads})")).run_in(tx).await?;
    of(format!("DELETE FROM run_streams WHERE tenant = $1 AND run_id IN ({attempts})")).run_in(tx).await?;
    of(format!("DELETE FROM runs WHERE tenant = $1 AND request IN ({list})")).run_in(tx).await?;
    of(format!("DELETE FROM run_logs WHERE tenant = $1 AND request IN ({list})")).run_in(tx).await?;
    of(format!("DELETE FROM run_requests WHERE tenant = $1 AND id IN ({list})")).run_in(tx).await
}
