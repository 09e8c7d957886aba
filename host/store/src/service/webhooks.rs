//! What a tenant's webhooks are signed with: one secret of each tenant, made when it is first needed, sealed like those of connections;
//! and for a while after it was replaced the one before it.

use sluice_core::RunError;

use super::vault::{Vault, open, seal};
use crate::change::unchanged;
use crate::db::{Row, Tx, built, sql};
use crate::secrets::{Plain, Spot};
use crate::value::to_sql;
use crate::{ChangeError, Scope, Store};

/// How a change is signed.
const WHAT: &str = "signing secret";

/// What signs a tenant's webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningSecrets {
    /// The secret.
    pub current: Plain,
    /// The one before it, and until when it signs as well.
    pub previous: Option<(Plain, i64)>,
    /// Grows with every change.
    pub revision: u64,
    /// When the secret was made.
    pub created_us: i64,
}

impl Store {
    /// The secrets that sign a tenant's webhooks, in the clear; made if there is none. Whoever shows one to a person writes that down
    /// ([`Store::audit`]).
    ///
    /// # Errors
    /// If one does not open (its key is missing, its row was changed), or the store does not answer.
    pub async fn signing_secrets(
        &self,
        scope: Scope<'_>,
        vault: &Vault,
        now_us: i64,
    ) -> Result<SigningSecrets, RunError> {
        let mut tx = self.db.begin("reading the secret of webhooks").await?;
        let secrets = match find(&mut tx, scope, vault, now_us).await? {
            Some(secrets) => secrets,
            None => {
                let sealed = seal(&mut tx, vault, spot(scope), &vault.make_secret()?, now_us).await?;
                let made =
                    sql("INSERT INTO webhook_secrets (tenant, sealed, created_us, revision) VALUES ($1, $2, $3, 1) \
                                ON CONFLICT DO NOTHING");
                made.bind(scope.tenant).bind(sealed).bind(now_us).run_in(&mut tx).await?;
                // It may be another host's that was faster.
                let found = find(&mut tx, scope, vault, now_us).await?;
                found.ok_or_else(|| RunError::internal("the secret of webhooks is neither there nor can be made"))?
            }
        };
        tx.commit().await?;
        Ok(secrets)
    }

    /// The secrets that sign a tenant's webhooks, if there are any yet.
    ///
    /// # Errors
    /// As [`Store::signing_secrets`].
    pub async fn known_signing_secrets(
        &self,
        scope: Scope<'_>,
        vault: &Vault,
        now_us: i64,
    ) -> Result<Option<SigningSecrets>, RunError> {
        let mut tx = self.db.begin("reading the secret of webhooks").await?;
        find(&mut tx, scope, vault, now_us).await
    }

    /// Makes a new secret. The one before it signs as well until `until_us`; one before that, no more. `seen` is the revision of what
    /// is replaced, 0 for none.
    ///
    /// # Errors
    /// If it was changed since it was read, or cannot be stored.
    pub async fn replace_signing_secret(
        &self,
        scope: Scope<'_>,
        vault: &Vault,
        seen: u64,
        until_us: i64,
        now_us: i64,
    ) -> Result<SigningSecrets, ChangeError> {
        let mut tx = self.db.begin("replacing the secret of webhooks").await?;
        let now = revision(&mut tx, scope).await?;
        unchanged(WHAT, Some(now.unwrap_or(0)), seen)?;
        let sealed = seal(&mut tx, vault, spot(scope), &vault.make_secret()?, now_us).await?;
        let rows = match now {
            None => sql("INSERT INTO webhook_secrets (tenant, sealed, created_us, revision) VALUES ($1, $2, $3, 1) \
                         ON CONFLICT DO NOTHING")
            .bind(scope.tenant)
            .bind(sealed)
            .bind(now_us),
            Some(_) => sql("UPDATE webhook_secrets SET previous = CASE WHEN $5 > $3 THEN sealed END, \
                            previous_until_us = CASE WHEN $5 > $3 THEN $5 END, sealed = $2, created_us = $3, \
                            revision = revision + 1 WHERE tenant = $1 AND revision = $4")
            .bind(scope.tenant)
            .bind(sealed)
            .bind(now_us)
            .bind(to_sql(seen)?)
            .bind(until_us),
        };
        if rows.run_in(&mut tx).await? == 0 {
            // Another host was faster with the first one.
            return Err(ChangeError::Stale { what: WHAT, seen, now: seen.saturating_add(1) });
        }
        let made = find(&mut tx, scope, vault, now_us).await?;
        tx.commit().await?;
        made.ok_or_else(|| RunError::internal("the secret of webhooks is not there after it was made").into())
    }

    /// Ends the secret before the current one before its time. The new revision.
    ///
    /// # Errors
    /// If there is none, it was changed since it was read, or it cannot be stored.
    pub async fn end_previous_signing_secret(
        &self,
        scope: Scope<'_>,
        seen: u64,
        now_us: i64,
    ) -> Result<u64, ChangeError> {
        let mut tx = self.db.begin("ending a secret of webhooks").await?;
        unchanged(WHAT, revision(&mut tx, scope).await?, seen)?;
        let gone =
            sql("UPDATE webhook_secrets SET previous = NULL, previous_until_us = NULL, revision = revision + 1 \
                        WHERE tenant = $1 AND revision = $2 AND previous_until_us > $3");
        if gone.bind(scope.tenant).bind(to_sql(seen)?).bind(now_us).run_in(&mut tx).await? == 0 {
            return Err(ChangeError::Missing { what: "earlier signing secret" });
        }
        tx.commit().await?;
        Ok(seen.saturating_add(1))
    }

    /// Forgets secrets of all tenants that do not sign any more. How many.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn forget_signing_secrets(&self, now_us: i64) -> Result<u64, RunError> {
        sql("UPDATE webhook_secrets SET previous = NULL, previous_until_us = NULL WHERE previous_until_us <= $1")
            .bind(now_us)
            .run_on(&self.db, "forgetting secrets of webhooks")
            .await
    }
}

/// The revision of what there is, locked.
async fn revision(tx: &mut Tx, scope: Scope<'_>) -> Result<Option<u64>, RunError> {
    let lock = tx.dialect().for_update();
    let row = built(format!("SELECT revision FROM webhook_secrets WHERE tenant = $1{lock}"));
    row.bind(scope.tenant).one_in(tx).await?.map(|row| row.count("revision")).transpose()
}

async fn find(tx: &mut Tx, scope: Scope<'_>, vault: &Vault, now_us: i64) -> Result<Option<SigningSecrets>, RunError> {
    let row =
        sql("SELECT sealed, previous, previous_until_us, created_us, revision FROM webhook_secrets WHERE tenant = $1");
    let Some(row) = row.bind(scope.tenant).one_in(tx).await? else { return Ok(None) };
    let current = open(tx, vault, spot(scope), &row.get::<Vec<u8>>("sealed")?).await?;
    let previous = match previous(&row, now_us)? {
        Some((sealed, until)) => Some((open(tx, vault, spot(scope), &sealed).await?, until)),
        None => None,
    };
    Ok(Some(SigningSecrets {
        current,
        previous,
        revision: row.count("revision")?,
        created_us: row.number("created_us")?,
    }))
}

/// The sealed secret that signs as well, if it still does.
fn previous(row: &Row, now_us: i64) -> Result<Option<(Vec<u8>, i64)>, RunError> {
    let until: Option<i64> = row.get("previous_until_us")?;
    let sealed: Option<Vec<u8>> = row.get("previous")?;
    Ok(sealed.zip(until).filter(|(_, until)| *until > now_us))
}

/// No connection has an empty id.
fn spot(scope: Scope<'_>) -> Spot<'_> {
    Spot { tenant: scope.tenant, connection: "", field: "webhooks" }
}
