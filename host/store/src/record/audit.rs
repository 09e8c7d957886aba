//! Who did what to which object, from where. Nothing changes an entry, and none is removed but by its age ([`super::retention`]): the database
//! refuses it.

use serde_json::Value;
use sluice_core::RunError;

use crate::db::{Row, Tx, sql};
use crate::value::{containing, to_json, to_sql};
use crate::{Scope, Store};

/// Something that was done.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Who did it: `user ID`, `token ID`, `schedule`, `host`, `operator`.
    pub actor: String,
    /// What: `connection.update`, `secret.use`, `rows.preview`.
    pub action: String,
    /// To what: `connection ID`.
    pub object: String,
    /// From where.
    pub address: Option<String>,
    /// More of it, without secrets.
    pub detail: Value,
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRecord {
    /// Counts from one in the tenant, without a gap.
    pub seq: u64,
    /// When it was done.
    pub at_us: i64,
    /// What was done.
    pub entry: AuditEntry,
}

/// Which entries of the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditFilter<'a> {
    /// Only those before this one.
    pub before: Option<u64>,
    /// Only those by this actor.
    pub actor: Option<&'a str>,
    /// Only those whose action, object, actor, address or detail contains this text. Capital and small letters are alike, as far as the
    /// database knows them.
    pub contains: Option<&'a str>,
    /// Only those of this moment or later.
    pub from_us: Option<i64>,
    /// Only those of before this moment.
    pub until_us: Option<i64>,
}

impl Store {
    /// Adds to the log. Its number.
    ///
    /// # Errors
    /// If it cannot be stored: what was to be done is not done then.
    pub async fn audit(&self, scope: Scope<'_>, entry: &AuditEntry, now_us: i64) -> Result<u64, RunError> {
        let mut tx = self.db.begin("writing the audit log").await?;
        let seq = audit_in(&mut tx, scope, entry, now_us).await?;
        tx.commit().await?;
        Ok(seq)
    }

    /// Entries behind this one, the oldest first: for an export.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn audit_after(&self, scope: Scope<'_>, after: u64, limit: u32) -> Result<Vec<AuditRecord>, RunError> {
        let rows = sql("SELECT seq, at_us, actor, action, object, address, detail FROM audit_log \
                        WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT $3")
        .bind(scope.tenant)
        .bind(to_sql(after)?)
        .bind(limit)
        .all_on(&self.db, "reading the audit log")
        .await?;
        rows.iter().map(record).collect()
    }

    /// Entries, the newest first: for a person.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn audit_before(
        &self,
        scope: Scope<'_>,
        filter: AuditFilter<'_>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, RunError> {
        let rows = sql("SELECT seq, at_us, actor, action, object, address, detail FROM audit_log \
                        WHERE tenant = $1 AND seq < $2 AND at_us >= $4 AND at_us < $5 AND ($6 = '' OR actor = $6) \
                        AND ($7 = '' OR lower(action) LIKE lower($7) ESCAPE '\\' OR lower(object) LIKE lower($7) ESCAPE '\\' \
                        OR lower(actor) LIKE lower($7) ESCAPE '\\' OR lower(address) LIKE lower($7) ESCAPE '\\' \
                        OR lower(detail) LIKE lower($7) ESCAPE '\\') ORDER BY seq DESC LIMIT $3")
        .bind(scope.tenant)
        .bind(filter.before.map_or(Ok(i64::MAX), to_sql)?)
        .bind(limit)
        .bind(filter.from_us.unwrap_or(i64::MIN))
        .bind(filter.until_us.unwrap_or(i64::MAX))
        .bind(filter.actor.unwrap_or_default())
        .bind(containing(filter.contains))
        .all_on(&self.db, "reading the audit log")
        .await?;
        rows.iter().map(record).collect()
    }
}

/// Adds to the log together with what is done in the same transaction. Last in it: the log's head is locked from then on, so numbers
/// come in the order in which entries become visible.
pub(crate) async fn audit_in(tx: &mut Tx, scope: Scope<'_>, entry: &AuditEntry, now_us: i64) -> Result<u64, RunError> {
    let head = sql("INSERT INTO audit_heads (tenant, seq) VALUES ($1, 1) \
                    ON CONFLICT (tenant) DO UPDATE SET seq = audit_heads.seq + 1 RETURNING seq")
    .bind(scope.tenant)
    .one_in(tx)
    .await?;
    let seq = head.map_or_else(|| Err(RunError::internal("the audit log gave no number")), |row| row.count("seq"))?;
    sql("INSERT INTO audit_log (tenant, seq, at_us, actor, action, object, address, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
    .bind(scope.tenant)
    .bind(to_sql(seq)?)
    .bind(now_us)
    .bind(&entry.actor)
    .bind(&entry.action)
    .bind(&entry.object)
    .bind(&entry.address)
    .bind(to_json(&entry.detail)?)
    .run_in(tx)
    .await?;
    Ok(seq)
}

fn record(row: &Row) -> Result<AuditRecord, RunError> {
    Ok(AuditRecord {
        seq: row.count("seq")?,
        at_us: row.number("at_us")?,
        entry: AuditEntry {
            actor: row.text("actor")?,
            action: row.text("action")?,
            object: row.text("object")?,
            address: row.get("address")?,
            detail: row.json("detail")?,
        },
    })
}
