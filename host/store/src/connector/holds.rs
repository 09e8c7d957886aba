//! Tenants that stay with the version before the one that the operator has installed for all of them.

use sluice_core::RunError;
use sluice_core::connector::{VersionState, VersionStep};

use super::installs::find;
use super::versions::locked;
use crate::change::found;
use crate::db::{Row, built, sql};
use crate::{ChangeError, Scope, Store};

/// That a tenant's runs stay with a version of the operator's connector. It holds for as long as `instead_of` is installed and `sha256`
/// may be used; the operator's next version ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The connector.
    pub name: String,
    /// SHA-256 of the component that the tenant's runs use.
    pub sha256: String,
    /// SHA-256 of the one that all other tenants use.
    pub instead_of: String,
    /// Since when it is so.
    pub since_us: i64,
    /// Who made it so: `user ID`, `token ID`, `host`.
    pub by: String,
    /// Why, in their words.
    pub reason: String,
}

impl Store {
    /// Lets a tenant's runs go back from the version of the operator's connector that is installed to the one before it. For all other
    /// tenants nothing changes.
    ///
    /// # Errors
    /// If `from` is not installed any more, there is nothing to go back to, or that may not be used.
    pub async fn hold_connector(
        &self,
        scope: Scope<'_>,
        (name, from): (&str, &str),
        (by, reason): (&str, &str),
        now_us: i64,
    ) -> Result<Hold, ChangeError> {
        let mut tx = self.db.begin("staying with a connector").await?;
        let install = find(&mut tx, Scope::OPERATOR, name).await?;
        let install = install.ok_or(ChangeError::Missing { what: "installed connector" })?;
        if install.sha256 != from {
            return Err(ChangeError::Refused("another version is installed by now".to_owned()));
        }
        let Some(sha256) = install.previous else {
            return Err(ChangeError::Refused("there is no version before this one to go back to".to_owned()));
        };
        let state = locked(&mut tx, Scope::OPERATOR, &sha256).await?.state;
        state.after(VersionStep::GoBack).map_err(ChangeError::Refused)?;
        let hold = Hold {
            name: name.to_owned(),
            sha256,
            instead_of: from.to_owned(),
            since_us: now_us,
            by: by.to_owned(),
            reason: reason.to_owned(),
        };
        sql("INSERT INTO connector_holds (tenant, name, sha256, instead_of, since_us, by_whom, reason) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant, name) DO UPDATE SET sha256 = excluded.sha256, \
             instead_of = excluded.instead_of, since_us = excluded.since_us, by_whom = excluded.by_whom, reason = excluded.reason")
        .bind(scope.tenant)
        .bind(&hold.name)
        .bind(&hold.sha256)
        .bind(&hold.instead_of)
        .bind(hold.since_us)
        .bind(&hold.by)
        .bind(&hold.reason)
        .run_in(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(hold)
    }

    /// Lets a tenant's runs follow the operator's version again.
    ///
    /// # Errors
    /// If they do, or it cannot be stored.
    pub async fn follow_connector(&self, scope: Scope<'_>, name: &str) -> Result<(), ChangeError> {
        let deleted = sql("DELETE FROM connector_holds WHERE tenant = $1 AND name = $2").bind(scope.tenant).bind(name);
        found(deleted.run_on(&self.db, "following a connector").await?, "connector that is held")
    }

    /// What holds now for a tenant, by the connectors' names: of one connector, or of all.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn connector_holds(&self, scope: Scope<'_>, name: Option<&str>) -> Result<Vec<Hold>, RunError> {
        // What was withdrawn, and what is instead of another version than the one that is installed, holds no more.
        let text = format!(
            "SELECT h.name, h.sha256, h.instead_of, h.since_us, h.by_whom, h.reason FROM connector_holds h \
             JOIN connector_installs i ON i.tenant = $1 AND i.name = h.name AND i.sha256 = h.instead_of \
             JOIN connector_versions v ON v.tenant = $1 AND v.sha256 = h.sha256 AND v.state = '{}' \
             WHERE h.tenant = $2 AND (h.name = $3 OR $4 = 1) ORDER BY h.name",
            VersionState::Replaced.as_str()
        );
        let rows = built(text).bind(Scope::OPERATOR.tenant).bind(scope.tenant);
        let rows = rows.bind(name.unwrap_or_default()).bind(name.is_none());
        rows.all_on(&self.db, "reading connectors that are held").await?.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<Hold, RunError> {
    Ok(Hold {
        name: row.text("name")?,
        sha256: row.text("sha256")?,
        instead_of: row.text("instead_of")?,
        since_us: row.number("since_us")?,
        by: row.text("by_whom")?,
        reason: row.text("reason")?,
    })
}
