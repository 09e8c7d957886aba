//! What a tenant's webhooks are signed with: one secret of each tenant, made when it is first needed, sealed like those of connections.

use sluice_core::RunError;

use super::vault::{Vault, open, seal};
use crate::db::{Tx, sql};
use crate::secrets::{Plain, Spot};
use crate::{Scope, Store};

impl Store {
    /// The secret that signs a tenant's webhooks, in the clear; made if there is none. Whoever shows it to a person writes that down
    /// ([`Store::audit`]).
    ///
    /// # Errors
    /// If it does not open (its key is missing, its row was changed), or the store does not answer.
    pub async fn signing_secret(&self, scope: Scope<'_>, vault: &Vault, now_us: i64) -> Result<Plain, RunError> {
        let mut tx = self.db.begin("reading the secret of webhooks").await?;
        let secret = match find(&mut tx, scope, vault).await? {
            Some(secret) => secret,
            None => {
                let sealed = seal(&mut tx, vault, spot(scope), &vault.make_secret()?, now_us).await?;
                let made = sql("INSERT INTO webhook_secrets (tenant, sealed, created_us) VALUES ($1, $2, $3) \
                                ON CONFLICT DO NOTHING");
                made.bind(scope.tenant).bind(sealed).bind(now_us).run_in(&mut tx).await?;
                // It may be another host's that was faster.
                let found = find(&mut tx, scope, vault).await?;
                found.ok_or_else(|| RunError::internal("the secret of webhooks is neither there nor can be made"))?
            }
        };
        tx.commit().await?;
        Ok(secret)
    }

    /// Makes a new secret; what is sent from now on is signed with it, and with nothing else.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn replace_signing_secret(
        &self,
        scope: Scope<'_>,
        vault: &Vault,
        now_us: i64,
    ) -> Result<Plain, RunError> {
        let mut tx = self.db.begin("replacing the secret of webhooks").await?;
        let secret = vault.make_secret()?;
        let sealed = seal(&mut tx, vault, spot(scope), &secret, now_us).await?;
        sql("INSERT INTO webhook_secrets (tenant, sealed, created_us) VALUES ($1, $2, $3) \
             ON CONFLICT (tenant) DO UPDATE SET sealed = excluded.sealed, created_us = excluded.created_us")
        .bind(scope.tenant)
        .bind(sealed)
        .bind(now_us)
        .run_in(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(secret)
    }
}

async fn find(tx: &mut Tx, scope: Scope<'_>, vault: &Vault) -> Result<Option<Plain>, RunError> {
    let row = sql("SELECT sealed FROM webhook_secrets WHERE tenant = $1").bind(scope.tenant).one_in(tx).await?;
    let Some(row) = row else { return Ok(None) };
    let sealed: Vec<u8> = row.get("sealed")?;
    open(tx, vault, spot(scope), &sealed).await.map(Some)
}

/// No connection has an empty id.
fn spot(scope: Scope<'_>) -> Spot<'_> {
    Spot { tenant: scope.tenant, connection: "", field: "webhooks" }
}
