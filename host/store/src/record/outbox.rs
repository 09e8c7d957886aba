//! Notifications on their way out: recorded first, sent then, tried again until somebody gives up. A receiver may get one twice, and
//! knows it by its id.

use serde_json::Value;
use sluice_core::RunError;

use crate::db::{Row, Tx, built, sql};
use crate::value::to_json;
use crate::{Scope, Store};

/// A notification that is to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct NewNotification {
    /// Names it; ordered by time.
    pub id: String,
    /// What it tells of.
    pub kind: String,
    /// What it says, without secrets.
    pub payload: Value,
    /// Whom it is for.
    pub target: Value,
    /// Not before this: a digest waits.
    pub not_before_us: i64,
}

/// A notification.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// Whose it is.
    pub tenant: String,
    /// Names it.
    pub id: String,
    /// What it tells of.
    pub kind: String,
    /// What it says.
    pub payload: Value,
    /// Whom it is for.
    pub target: Value,
    /// When it was recorded.
    pub created_us: i64,
    /// How often it was tried, this time included.
    pub attempts: u32,
    /// When it is tried next.
    pub next_us: i64,
    /// When it arrived.
    pub delivered_us: Option<i64>,
    /// When it was given up.
    pub given_up_us: Option<i64>,
    /// Why it did not arrive the last time.
    pub last_error: Option<String>,
}

const COLUMNS: &str =
    "tenant, id, kind, payload, target, created_us, attempts, next_us, delivered_us, given_up_us, last_error";

impl Store {
    /// Records notifications, all or none. Recording one again changes nothing.
    ///
    /// # Errors
    /// If they cannot be stored.
    pub async fn notify(&self, scope: Scope<'_>, new: &[NewNotification], now_us: i64) -> Result<(), RunError> {
        let mut tx = self.db.begin("recording notifications").await?;
        for notification in new {
            insert(&mut tx, scope, notification, now_us).await?;
        }
        tx.commit().await
    }

    /// Takes notifications that are to be sent now, of all tenants but these, and keeps others from taking them until `until_us`:
    /// whoever takes them and dies is followed by another.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn take_notifications(
        &self,
        limit: u32,
        but: &[&str],
        until_us: i64,
        now_us: i64,
    ) -> Result<Vec<Notification>, RunError> {
        let mut tx = self.db.begin("taking notifications").await?;
        let lock = tx.dialect().skip_locked();
        let others: String = (0..but.len()).map(|n| format!(" AND tenant <> ${}", n + 4)).collect();
        let text = format!(
            "UPDATE outbox SET attempts = attempts + 1, next_us = $2 WHERE (tenant, id) IN (SELECT tenant, id FROM outbox \
             WHERE next_us <= $1 AND delivered_us IS NULL AND given_up_us IS NULL{others} ORDER BY next_us LIMIT $3{lock}) \
             RETURNING {COLUMNS}"
        );
        let take = built(text).bind(now_us).bind(until_us).bind(limit);
        let rows = but.iter().fold(take, |take, tenant| take.bind(*tenant)).all_in(&mut tx).await?;
        let mut taken = rows.iter().map(notification).collect::<Result<Vec<_>, _>>()?;
        tx.commit().await?;
        // The rows of a change come in no order.
        taken.sort_by(|a, b| (a.created_us, &a.id).cmp(&(b.created_us, &b.id)));
        Ok(taken)
    }

    /// When the next notification is to be sent; none if none waits.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn next_notification(&self) -> Result<Option<i64>, RunError> {
        let next = sql("SELECT MIN(next_us) AS next FROM outbox WHERE delivered_us IS NULL AND given_up_us IS NULL");
        next.one_on(&self.db, "looking for notifications").await?.map_or(Ok(None), |row| row.get("next"))
    }

    /// Records that a notification arrived.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn notification_delivered(&self, scope: Scope<'_>, id: &str, now_us: i64) -> Result<(), RunError> {
        let done = sql("UPDATE outbox SET delivered_us = $3, last_error = NULL WHERE tenant = $1 AND id = $2");
        done.bind(scope.tenant).bind(id).bind(now_us).run_on(&self.db, "recording a delivery").await.map(drop)
    }

    /// Records that a notification did not arrive, and when to try again; never again if `next_us` is none.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn notification_failed(
        &self,
        scope: Scope<'_>,
        id: &str,
        why: &str,
        next_us: Option<i64>,
        now_us: i64,
    ) -> Result<(), RunError> {
        sql("UPDATE outbox SET last_error = $3, next_us = COALESCE($4, next_us), given_up_us = $5 \
             WHERE tenant = $1 AND id = $2 AND delivered_us IS NULL")
        .bind(scope.tenant)
        .bind(id)
        .bind(why)
        .bind(next_us)
        .bind(next_us.is_none().then_some(now_us))
        .run_on(&self.db, "recording a failed delivery")
        .await
        .map(drop)
    }

    /// Notifications before this one, the newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn notifications(
        &self,
        scope: Scope<'_>,
        before: Option<(i64, &str)>,
        limit: u32,
    ) -> Result<Vec<Notification>, RunError> {
        let (at, id) = before.unwrap_or((i64::MAX, ""));
        let text = format!(
            "SELECT {COLUMNS} FROM outbox WHERE tenant = $1 AND (created_us, id) < ($2, $3) \
             ORDER BY created_us DESC, id DESC LIMIT $4"
        );
        let rows = built(text).bind(scope.tenant).bind(at).bind(id).bind(limit);
        rows.all_on(&self.db, "listing notifications").await?.iter().map(notification).collect()
    }

    /// Forgets notifications that arrived or were given up before this moment, of all tenants. How many.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn forget_notifications(&self, before_us: i64) -> Result<u64, RunError> {
        let gone = sql("DELETE FROM outbox WHERE delivered_us < $1 OR given_up_us < $1").bind(before_us);
        gone.run_on(&self.db, "forgetting old notifications").await
    }
}

/// Inserts a notification, unless it is there already.
pub(super) async fn insert(tx: &mut Tx, scope: Scope<'_>, new: &NewNotification, now_us: i64) -> Result<(), RunError> {
    sql("INSERT INTO outbox (tenant, id, kind, payload, target, created_us, attempts, next_us) \
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7) ON CONFLICT DO NOTHING")
    .bind(scope.tenant)
    .bind(&new.id)
    .bind(&new.kind)
    .bind(to_json(&new.payload)?)
    .bind(to_json(&new.target)?)
    .bind(now_us)
    .bind(new.not_before_us)
    .run_in(tx)
    .await
    .map(drop)
}

fn notification(row: &Row) -> Result<Notification, RunError> {
    Ok(Notification {
        tenant: row.text("tenant")?,
        id: row.text("id")?,
        kind: row.text("kind")?,
        payload: row.json("payload")?,
        target: row.json("target")?,
        created_us: row.number("created_us")?,
        attempts: row.small("attempts")?,
        next_us: row.number("next_us")?,
        delivered_us: row.get("delivered_us")?,
        given_up_us: row.get("given_up_us")?,
        last_error: row.get("last_error")?,
    })
}
