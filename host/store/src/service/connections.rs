//! Connectors configured for a tenant.

use std::collections::BTreeMap;

use serde_json::Value;
use sluice_core::RunError;

use super::vault::{self, Vault};
use crate::change::{inserted, lock_names, unchanged};
use crate::db::{Row, Tx, built, sql};
use crate::secrets::{Plain, Spot};
use crate::value::{containing, to_json, to_sql};
use crate::{ChangeError, Scope, Store};

/// A connection that is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct NewConnection {
    /// Names it for ever.
    pub id: String,
    /// What people call it; unique in the tenant.
    pub name: String,
    /// The connector's name.
    pub connector: String,
    /// Its configuration without the secrets.
    pub config: Value,
    /// What the operator lets it do.
    pub grants: Value,
}

/// A connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// Names it for ever.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The connector's name.
    pub connector: String,
    /// Its configuration without the secrets.
    pub config: Value,
    /// What the operator lets it do.
    pub grants: Value,
    /// Grows with every change.
    pub revision: u64,
    /// When it was made.
    pub created_us: i64,
    /// When it was last changed.
    pub updated_us: i64,
    /// The id of who changed it last.
    pub updated_by: String,
}

/// What a connection becomes; its connector stays.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionChange {
    /// What people call it.
    pub name: String,
    /// Its configuration without the secrets.
    pub config: Value,
    /// What the operator lets it do.
    pub grants: Value,
}

/// What becomes of one secret. Secrets that are not named stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretChange {
    /// JSON pointer into the configuration.
    pub field: String,
    /// What it becomes.
    pub value: SecretValue,
}

/// A field of a connection that has a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretField {
    /// JSON pointer into the configuration.
    pub field: String,
    /// Under which name it is kept elsewhere; none if it is sealed here.
    pub reference: Option<String>,
}

/// A secret on its way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretValue {
    /// To be sealed.
    Set(Plain),
    /// Kept elsewhere, under this name.
    Reference(String),
    /// To be forgotten.
    Remove,
}

/// How a change is signed.
const WHAT: &str = "connection";

const COLUMNS: &str = "id, name, connector, config, grants, revision, created_us, updated_us, updated_by";

impl Store {
    /// Makes a connection, with its secrets.
    ///
    /// # Errors
    /// If its id or name is taken, a secret cannot be sealed, or it cannot be stored; nothing is stored then.
    pub async fn create_connection(
        &self,
        scope: Scope<'_>,
        vault: &Vault,
        new: &NewConnection,
        secrets: &[SecretChange],
        by: &str,
        now_us: i64,
    ) -> Result<(), ChangeError> {
        let mut tx = self.db.begin("making a connection").await?;
        insert(&mut tx, scope, new, by, now_us).await?;
        change_secrets(&mut tx, scope, vault, &new.id, secrets, now_us).await?;
        Ok(tx.commit().await?)
    }

    /// A connection.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn connection(&self, scope: Scope<'_>, id: &str) -> Result<Option<Connection>, RunError> {
        let text = format!("SELECT {COLUMNS} FROM connections WHERE tenant = $1 AND id = $2 AND deleted_us IS NULL");
        let row = built(text).bind(scope.tenant).bind(id).one_on(&self.db, "reading a connection").await?;
        row.as_ref().map(connection).transpose()
    }

    /// The connections after this one, in the order of their ids: all, or those whose name contains a text. Capital and small letters are
    /// alike, as far as the database knows them.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn connections(
        &self,
        scope: Scope<'_>,
        contains: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Connection>, RunError> {
        let text = format!(
            "SELECT {COLUMNS} FROM connections WHERE tenant = $1 AND id > $2 AND deleted_us IS NULL \
             AND ($4 = '' OR lower(name) LIKE lower($4) ESCAPE '\\') ORDER BY id LIMIT $3"
        );
        let rows = built(text).bind(scope.tenant).bind(after.unwrap_or_default()).bind(limit);
        let rows = rows.bind(containing(contains));
        rows.all_on(&self.db, "listing connections").await?.iter().map(connection).collect()
    }

    /// The fields of a connection that have a secret.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn secret_fields(&self, scope: Scope<'_>, connection: &str) -> Result<Vec<SecretField>, RunError> {
        let rows = sql("SELECT field, reference FROM connection_secrets WHERE tenant = $1 AND connection_id = $2 \
                        ORDER BY field");
        let rows = rows.bind(scope.tenant).bind(connection).all_on(&self.db, "listing secrets").await?;
        rows.iter().map(secret_field).collect()
    }

    /// The fields that have a secret, of every connection whose id lies between these two, which belong to the range.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn secret_fields_between(
        &self,
        scope: Scope<'_>,
        (first, last): (&str, &str),
    ) -> Result<BTreeMap<String, Vec<SecretField>>, RunError> {
        let rows = sql("SELECT connection_id, field, reference FROM connection_secrets \
             WHERE tenant = $1 AND connection_id >= $2 AND connection_id <= $3 ORDER BY connection_id, field");
        let rows = rows.bind(scope.tenant).bind(first).bind(last).all_on(&self.db, "listing secrets").await?;
        let mut fields: BTreeMap<String, Vec<SecretField>> = BTreeMap::new();
        for row in &rows {
            fields.entry(row.text("connection_id")?).or_default().push(secret_field(row)?);
        }
        Ok(fields)
    }

    /// Changes a connection and its secrets. Its new revision.
    ///
    /// # Errors
    /// If it was changed since it was read, its name is taken, a secret cannot be sealed, or it cannot be stored; nothing is then.
    #[allow(clippy::too_many_arguments, reason = "each of them says something else, and all are needed at once")]
    pub async fn update_connection(
        &self,
        scope: Scope<'_>,
        vault: &Vault,
        id: &str,
        seen: u64,
        change: &ConnectionChange,
        secrets: &[SecretChange],
        by: &str,
        now_us: i64,
    ) -> Result<u64, ChangeError> {
        let mut tx = self.db.begin("changing a connection").await?;
        let next = lock(&mut tx, scope, id, seen).await?;
        lock_names(&mut tx, scope).await?;
        let same_name =
            "SELECT id FROM connections WHERE tenant = $1 AND name = $2 AND id <> $3 AND deleted_us IS NULL";
        let same_name = sql(same_name).bind(scope.tenant).bind(&change.name).bind(id).one_in(&mut tx).await?;
        inserted(same_name.is_none().into(), WHAT, "name")?;
        sql("UPDATE connections SET name = $3, config = $4, grants = $5, revision = $6, updated_us = $7, updated_by = $8 \
             WHERE tenant = $1 AND id = $2")
        .bind(scope.tenant)
        .bind(id)
        .bind(&change.name)
        .bind(to_json(&change.config)?)
        .bind(to_json(&change.grants)?)
        .bind(to_sql(next)?)
        .bind(now_us)
        .bind(by)
        .run_in(&mut tx)
        .await?;
        change_secrets(&mut tx, scope, vault, id, secrets, now_us).await?;
        tx.commit().await?;
        Ok(next)
    }

    /// Deletes a connection, and its secrets for good.
    ///
    /// # Errors
    /// If it was changed since it was read, a pipeline uses it, or it cannot be stored.
    pub async fn delete_connection(
        &self,
        scope: Scope<'_>,
        id: &str,
        seen: u64,
        by: &str,
        now_us: i64,
    ) -> Result<(), ChangeError> {
        let mut tx = self.db.begin("deleting a connection").await?;
        let next = lock(&mut tx, scope, id, seen).await?;
        let used = "SELECT name FROM pipelines WHERE tenant = $1 AND connection_id = $2 AND deleted_us IS NULL \
                    ORDER BY name LIMIT 1";
        if let Some(row) = sql(used).bind(scope.tenant).bind(id).one_in(&mut tx).await? {
            let message =
                format!("pipeline {} uses the connection; delete it or give it another one first", row.text("name")?);
            return Err(ChangeError::Refused(message));
        }
        let secrets = sql("DELETE FROM connection_secrets WHERE tenant = $1 AND connection_id = $2");
        secrets.bind(scope.tenant).bind(id).run_in(&mut tx).await?;
        sql("UPDATE connections SET deleted_us = $3, revision = $4, updated_us = $3, updated_by = $5 \
             WHERE tenant = $1 AND id = $2")
        .bind(scope.tenant)
        .bind(id)
        .bind(now_us)
        .bind(to_sql(next)?)
        .bind(by)
        .run_in(&mut tx)
        .await?;
        Ok(tx.commit().await?)
    }
}

/// A new connection, without its secrets.
pub(super) async fn insert(
    tx: &mut Tx,
    scope: Scope<'_>,
    new: &NewConnection,
    by: &str,
    now_us: i64,
) -> Result<(), ChangeError> {
    let rows = sql("INSERT INTO connections (tenant, id, name, connector, config, grants, revision, created_us, \
                    updated_us, updated_by) VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7, $8) ON CONFLICT DO NOTHING")
    .bind(scope.tenant)
    .bind(&new.id)
    .bind(&new.name)
    .bind(&new.connector)
    .bind(to_json(&new.config)?)
    .bind(to_json(&new.grants)?)
    .bind(now_us)
    .bind(by)
    .run_in(tx)
    .await?;
    inserted(rows, WHAT, "name")
}

/// A secret as it is kept: sealed, or where it is; none if it is to be forgotten.
pub(super) async fn kept(
    tx: &mut Tx,
    vault: &Vault,
    (scope, connection, field): (Scope<'_>, &str, &str),
    value: &SecretValue,
    now_us: i64,
) -> Result<Option<(Option<Vec<u8>>, Option<String>)>, RunError> {
    Ok(match value {
        SecretValue::Set(plain) => {
            let spot = Spot { tenant: scope.tenant, connection, field };
            Some((Some(vault::seal(tx, vault, spot, plain, now_us).await?), None))
        }
        SecretValue::Reference(name) => Some((None, Some(name.clone()))),
        SecretValue::Remove => None,
    })
}

/// Locks the row for a change, if it is as it was seen; the revision after it.
async fn lock(tx: &mut Tx, scope: Scope<'_>, id: &str, seen: u64) -> Result<u64, ChangeError> {
    let lock = tx.dialect().for_update();
    let text = format!("SELECT revision FROM connections WHERE tenant = $1 AND id = $2 AND deleted_us IS NULL{lock}");
    let row = built(text).bind(scope.tenant).bind(id).one_in(tx).await?;
    unchanged(WHAT, row.map(|row| row.count("revision")).transpose()?, seen)?;
    Ok(seen.saturating_add(1))
}

async fn change_secrets(
    tx: &mut Tx,
    scope: Scope<'_>,
    vault: &Vault,
    connection: &str,
    changes: &[SecretChange],
    now_us: i64,
) -> Result<(), RunError> {
    for SecretChange { field, value } in changes {
        let Some((sealed, reference)) = kept(tx, vault, (scope, connection, field), value, now_us).await? else {
            let gone = "DELETE FROM connection_secrets WHERE tenant = $1 AND connection_id = $2 AND field = $3";
            sql(gone).bind(scope.tenant).bind(connection).bind(field).run_in(tx).await?;
            continue;
        };
        sql("INSERT INTO connection_secrets (tenant, connection_id, field, sealed, reference, updated_us) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant, connection_id, field) DO UPDATE SET \
             sealed = excluded.sealed, reference = excluded.reference, updated_us = excluded.updated_us")
        .bind(scope.tenant)
        .bind(connection)
        .bind(field)
        .bind(sealed)
        .bind(reference)
        .bind(now_us)
        .run_in(tx)
        .await?;
    }
    Ok(())
}

fn secret_field(row: &Row) -> Result<SecretField, RunError> {
    Ok(SecretField { field: row.text("field")?, reference: row.get("reference")? })
}

fn connection(row: &Row) -> Result<Connection, RunError> {
    Ok(Connection {
        id: row.text("id")?,
        name: row.text("name")?,
        connector: row.text("connector")?,
        config: row.json("config")?,
        grants: row.json("grants")?,
        revision: row.count("revision")?,
        created_us: row.number("created_us")?,
        updated_us: row.number("updated_us")?,
        updated_by: row.text("updated_by")?,
    })
}
