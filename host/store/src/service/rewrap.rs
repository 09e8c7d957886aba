//! Another master key for what there is: the tenants' keys are wrapped again, the secrets stay as they are.

use sluice_core::RunError;

use super::vault::{Vault, unwrap};
use crate::db::{built, sql};
use crate::record::{self, AuditEntry};
use crate::{Scope, Store};

/// Errors that are kept of those that came up.
const SHOWN: usize = 5;

/// What became of the tenants' keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Keys that were wrapped anew.
    pub done: u64,
    /// Keys that could not be: they are as they were.
    pub failed: u64,
    /// Why, of the first of them.
    pub errors: Vec<RunError>,
}

/// What became of one key.
struct Tried {
    tenant: String,
    number: i64,
    outcome: Result<(), RunError>,
}

impl Store {
    /// How many keys of tenants each master key wraps, by its name.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn wrapped_keys(&self) -> Result<Vec<(String, u64)>, RunError> {
        let rows = sql("SELECT master_id, COUNT(*) AS keys FROM data_keys GROUP BY master_id ORDER BY master_id");
        let rows = rows.all_on(&self.db, "counting keys").await?;
        rows.iter().map(|row| Ok((row.text("master_id")?, row.count("keys")?))).collect()
    }

    /// Wraps every tenant's keys again, with the master key that writes, each in a transaction of its own: whoever is interrupted goes
    /// on by calling it again, and nobody who opens a secret meanwhile notices. That it was done is in the tenant's audit log. `told`
    /// hears after each key how many were done.
    ///
    /// # Errors
    /// If the store does not answer. A key that cannot be unwrapped is passed over and told of in the result.
    pub async fn rewrap(
        &self,
        vault: &Vault,
        now_us: i64,
        mut told: impl FnMut(u64) + Send,
    ) -> Result<Rewrapped, RunError> {
        let mut all = Rewrapped::default();
        loop {
            all.failed = 0;
            all.errors.clear();
            let mut after = (String::new(), 0);
            while let Some(tried) = self.rewrap_after(vault, &after, now_us).await? {
                after = (tried.tenant, tried.number);
                match tried.outcome {
                    Ok(()) => {
                        all.done += 1;
                        told(all.done);
                    }
                    Err(error) => {
                        all.failed += 1;
                        if all.errors.len() < SHOWN {
                            all.errors.push(error);
                        }
                    }
                }
            }
            // A host that still writes with another key may have made one behind our back, and a key that another process was at work
            // on was passed over.
            let current = vault.keys();
            let wrapped = self.wrapped_keys().await?;
            let others = wrapped.iter().filter(|(id, _)| id != current.current());
            if others.map(|(_, count)| count).sum::<u64>() <= all.failed {
                return Ok(all);
            }
        }
    }

    /// Wraps the next key again that another master key has wrapped; which one it was, or none if there is none behind this one.
    async fn rewrap_after(
        &self,
        vault: &Vault,
        (tenant, number): &(String, i64),
        now_us: i64,
    ) -> Result<Option<Tried>, RunError> {
        let keys = vault.keys();
        let mut tx = self.db.begin("wrapping keys again").await?;
        let lock = tx.dialect().for_update();
        let next = format!(
            "SELECT tenant, number, master_id, wrapped FROM data_keys WHERE master_id <> $1 AND (tenant, number) > ($2, $3) \
             ORDER BY tenant, number LIMIT 1{lock}"
        );
        let row = built(next).bind(keys.current()).bind(tenant).bind(*number).one_in(&mut tx).await?;
        let Some(row) = row else { return Ok(None) };
        let tenant = row.text("tenant")?;
        let number = row.number("number")?;
        let scope = Scope { tenant: &tenant };
        let key = match unwrap(vault, scope, &row) {
            Ok(key) => key,
            Err(error) => return Ok(Some(Tried { outcome: Err(error), number, tenant })),
        };
        let wrapped = keys.wrap(vault.dice(), scope.tenant, &key)?;
        sql("UPDATE data_keys SET master_id = $3, wrapped = $4 WHERE tenant = $1 AND number = $2")
            .bind(scope.tenant)
            .bind(number)
            .bind(keys.current())
            .bind(wrapped)
            .run_in(&mut tx)
            .await?;
        let entry = AuditEntry {
            actor: "operator".to_owned(),
            action: "key.rewrap".to_owned(),
            object: format!("tenant {}", scope.tenant),
            address: None,
            detail: serde_json::json!({"from": row.text("master_id")?, "to": keys.current()}),
        };
        record::audit_in(&mut tx, scope, &entry, now_us).await?;
        tx.commit().await?;
        Ok(Some(Tried { outcome: Ok(()), number, tenant }))
    }
}
