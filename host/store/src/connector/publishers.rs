//! Publishers, and the key that each one's connectors are signed with.

use sluice_core::RunError;

use crate::db::{Row, Tx, built, sql};
use crate::{Scope, Store};

/// A publisher whose key is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// What its manifests call it.
    pub name: String,
    /// The public key, PEM.
    pub key: String,
    /// When it was pinned.
    pub pinned_us: i64,
    /// Who did.
    pub pinned_by: String,
}

impl Store {
    /// The publisher of this name, if a connector of it was approved.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn publisher(&self, scope: Scope<'_>, name: &str) -> Result<Option<Publisher>, RunError> {
        let row =
            sql("SELECT name, key_pem, pinned_us, pinned_by FROM connector_publishers WHERE tenant = $1 AND name = $2");
        let row = row.bind(scope.tenant).bind(name).one_on(&self.db, "reading a publisher").await?;
        row.map(|row| read(&row)).transpose()
    }
}

/// The publisher's key, locked until the transaction ends.
pub(super) async fn pinned(tx: &mut Tx, scope: Scope<'_>, name: &str) -> Result<Option<Publisher>, RunError> {
    let lock = tx.dialect().for_update();
    let row = built(format!(
        "SELECT name, key_pem, pinned_us, pinned_by FROM connector_publishers WHERE tenant = $1 AND name = $2{lock}"
    ));
    row.bind(scope.tenant).bind(name).one_in(tx).await?.map(|row| read(&row)).transpose()
}

/// Makes this the publisher's key.
pub(super) async fn pin(
    tx: &mut Tx,
    scope: Scope<'_>,
    name: &str,
    key: &str,
    by: &str,
    now_us: i64,
) -> Result<(), RunError> {
    sql("INSERT INTO connector_publishers (tenant, name, key_pem, pinned_us, pinned_by) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (tenant, name) DO UPDATE SET key_pem = excluded.key_pem, pinned_us = excluded.pinned_us, \
         pinned_by = excluded.pinned_by")
    .bind(scope.tenant)
    .bind(name)
    .bind(key)
    .bind(now_us)
    .bind(by)
    .run_in(tx)
    .await
    .map(drop)
}

fn read(row: &Row) -> Result<Publisher, RunError> {
    Ok(Publisher {
        name: row.text("name")?,
        key: row.text("key_pem")?,
        pinned_us: row.number("pinned_us")?,
        pinned_by: row.text("pinned_by")?,
    })
}
