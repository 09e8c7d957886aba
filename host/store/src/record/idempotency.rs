//! Requests that may be sent again without being carried out twice.

use sluice_core::RunError;

use crate::db::{built, sql};
use crate::{Scope, Store};

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// What else is needed to send it again, in a form that the caller chooses.
    pub body: Vec<u8>,
}

/// Whether a request was sent before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// No: carry it out, then call [`Store::keep_answer`], or [`Store::forget_key`] if it may be tried again.
    First,
    /// Yes, and it is still being carried out.
    AtWork,
    /// Yes, and this was the answer.
    Answered(Answer),
    /// The key was used for another request.
    Misused,
}

impl Store {
    /// Reserves a key for a request, until it expires. Of several at once, one is the first.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn reserve_key(
        &self,
        scope: Scope<'_>,
        key: &str,
        fingerprint: &[u8],
        expires_us: i64,
        now_us: i64,
    ) -> Result<Repeated, RunError> {
        let mut tx = self.db.begin("looking for a repeated request").await?;
        let reserved = sql("INSERT INTO idempotency_keys (tenant, idempotency_key, fingerprint, expires_us) \
                            VALUES ($1, $2, $3, $4) ON CONFLICT (tenant, idempotency_key) DO UPDATE SET \
                            fingerprint = excluded.fingerprint, status = NULL, body = NULL, \
                            expires_us = excluded.expires_us WHERE idempotency_keys.expires_us <= $5")
        .bind(scope.tenant)
        .bind(key)
        .bind(fingerprint)
        .bind(expires_us)
        .bind(now_us)
        .run_in(&mut tx)
        .await?;
        if reserved == 1 {
            tx.commit().await?;
            return Ok(Repeated::First);
        }
        let lock = tx.dialect().for_share();
        let text = format!(
            "SELECT fingerprint, status, body FROM idempotency_keys WHERE tenant = $1 AND idempotency_key = $2{lock}"
        );
        let row = built(text).bind(scope.tenant).bind(key).one_in(&mut tx).await?;
        // Forgotten in this very moment: whoever sends it once more is the first.
        let Some(row) = row else { return Ok(Repeated::AtWork) };
        if row.get::<Vec<u8>>("fingerprint")? != fingerprint {
            return Ok(Repeated::Misused);
        }
        let Some(status) = row.get::<Option<i64>>("status")? else { return Ok(Repeated::AtWork) };
        let status = u16::try_from(status).map_err(|_| row.unreadable("status", &"it is no HTTP status"))?;
        Ok(Repeated::Answered(Answer { status, body: row.get::<Option<Vec<u8>>>("body")?.unwrap_or_default() }))
    }

    /// Keeps the answer until then for whoever sends the request again. The reservation itself may have been a shorter one, so that a
    /// key is free again soon after a crash.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn keep_answer(
        &self,
        scope: Scope<'_>,
        key: &str,
        answer: &Answer,
        expires_us: i64,
    ) -> Result<(), RunError> {
        sql("UPDATE idempotency_keys SET status = $3, body = $4, expires_us = $5 \
             WHERE tenant = $1 AND idempotency_key = $2")
        .bind(scope.tenant)
        .bind(key)
        .bind(i64::from(answer.status))
        .bind(answer.body.as_slice())
        .bind(expires_us)
        .run_on(&self.db, "keeping an answer")
        .await
        .map(drop)
    }

    /// Gives a key up whose request was not carried out.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn forget_key(&self, scope: Scope<'_>, key: &str) -> Result<(), RunError> {
        let gone = sql("DELETE FROM idempotency_keys WHERE tenant = $1 AND idempotency_key = $2 AND status IS NULL");
        gone.bind(scope.tenant).bind(key).run_on(&self.db, "giving a key up").await.map(drop)
    }

    /// Forgets keys that have expired, of all tenants. How many.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn forget_keys(&self, now_us: i64) -> Result<u64, RunError> {
        let gone = sql("DELETE FROM idempotency_keys WHERE expires_us <= $1").bind(now_us);
        gone.run_on(&self.db, "forgetting old keys").await
    }
}
