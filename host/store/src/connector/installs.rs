//! Which version of an uploaded connector runs use: approved, and gone back from.

use sluice_core::RunError;
use sluice_core::connector::{VersionState, VersionStep};
use sluice_core::signature::PublicKey;

use super::publishers::{pin, pinned};
use super::versions::{locked, set_state};
use crate::change::lock_names;
use crate::db::{Row, Tx, built, sql};
use crate::{ChangeError, Scope, Store};

/// Which version of a connector runs use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Install {
    /// The connector.
    pub name: String,
    /// SHA-256 of the component that runs use.
    pub sha256: String,
    /// The one before it, which one can go back to.
    pub previous: Option<String>,
    /// Since when it is so.
    pub since_us: i64,
    /// Who made it so: `user ID`, `token ID`, `operator`, `host`.
    pub by: String,
}

/// A version that takes its place, as whoever approves it saw things.
#[derive(Clone, Copy, Debug)]
pub struct Approval<'a> {
    /// The version.
    pub sha256: &'a str,
    /// The digest that was installed when it was looked at.
    pub instead_of: Option<&'a str>,
    /// The fingerprint of a key that is to be the publisher's from now on, whatever it was.
    pub pin: Option<&'a str>,
}

impl Store {
    /// Lets runs use a version. The publisher's key is pinned where none was.
    ///
    /// # Errors
    /// If there is no such version, its state does not allow it, another one was installed meanwhile, or it is not signed with the
    /// publisher's key.
    pub async fn approve_connector(
        &self,
        scope: Scope<'_>,
        approval: Approval<'_>,
        by: &str,
        now_us: i64,
    ) -> Result<Install, ChangeError> {
        let mut tx = self.db.begin("approving a connector").await?;
        // Two first versions of one connector at once would not see each other.
        lock_names(&mut tx, scope).await?;
        let found = locked(&mut tx, scope, approval.sha256).await?;
        let state = found.state.after(VersionStep::Approve).map_err(ChangeError::Refused)?;
        let install = find(&mut tx, scope, &found.new.name).await?;
        if install.as_ref().map(|one| one.sha256.as_str()) != approval.instead_of {
            let message = "another version was installed since this one was looked at; look at it again".to_owned();
            return Err(ChangeError::Refused(message));
        }
        let key = found.new.signature.as_ref().map(|(_, key)| key.as_str());
        trust(&mut tx, scope, (&found.new.publisher, key), approval.pin, by, now_us).await?;
        let previous = replace(&mut tx, scope, install.as_ref(), by, now_us).await?;
        set_state(&mut tx, scope, approval.sha256, state, (by, None), now_us).await?;
        let made = Install {
            name: found.new.name,
            sha256: approval.sha256.to_owned(),
            previous,
            since_us: now_us,
            by: by.to_owned(),
        };
        put(&mut tx, scope, &made).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// Goes back from a version to the one before it. There is none before that one then.
    ///
    /// # Errors
    /// If `from` is not installed any more, there is nothing to go back to, or that may not be used.
    pub async fn go_back_to_connector(
        &self,
        scope: Scope<'_>,
        (name, from): (&str, &str),
        (by, reason): (&str, &str),
        now_us: i64,
    ) -> Result<Install, ChangeError> {
        let mut tx = self.db.begin("going back to a connector").await?;
        let install = find(&mut tx, scope, name).await?.ok_or(ChangeError::Missing { what: "installed connector" })?;
        if install.sha256 != from {
            return Err(ChangeError::Refused("another version is installed by now".to_owned()));
        }
        let Some(previous) = install.previous.clone() else {
            return Err(ChangeError::Refused("there is no version before this one to go back to".to_owned()));
        };
        let state = locked(&mut tx, scope, &previous).await?.state;
        let state = state.after(VersionStep::GoBack).map_err(ChangeError::Refused)?;
        let left = locked(&mut tx, scope, from).await?.state;
        let left = left.after(VersionStep::Replace).map_err(ChangeError::Refused)?;
        if left != VersionState::Yanked {
            set_state(&mut tx, scope, from, left, (by, Some(reason)), now_us).await?;
        }
        set_state(&mut tx, scope, &previous, state, (by, Some(reason)), now_us).await?;
        let made =
            Install { name: name.to_owned(), sha256: previous, previous: None, since_us: now_us, by: by.to_owned() };
        put(&mut tx, scope, &made).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// Which version of a connector runs use, if one was ever approved.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn connector_install(&self, scope: Scope<'_>, name: &str) -> Result<Option<Install>, RunError> {
        let row = sql(
            "SELECT name, sha256, previous, since_us, by_whom FROM connector_installs WHERE tenant = $1 AND name = $2",
        );
        let row = row.bind(scope.tenant).bind(name).one_on(&self.db, "reading an installed connector").await?;
        row.map(|row| read(&row)).transpose()
    }

    /// Every connector that is installed, by name.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn connector_installs(&self, scope: Scope<'_>) -> Result<Vec<Install>, RunError> {
        let rows = sql(
            "SELECT name, sha256, previous, since_us, by_whom FROM connector_installs WHERE tenant = $1 ORDER BY name",
        );
        let rows = rows.bind(scope.tenant).all_on(&self.db, "listing installed connectors").await?;
        rows.iter().map(read).collect()
    }
}

/// Whether the key that a version is signed with is its publisher's; pins it where none was, or where somebody says so.
async fn trust(
    tx: &mut Tx,
    scope: Scope<'_>,
    (publisher, key): (&str, Option<&str>),
    chosen: Option<&str>,
    by: &str,
    now_us: i64,
) -> Result<(), ChangeError> {
    let fingerprint = |pem: &str| PublicKey::from_pem(pem).map(|key| key.fingerprint());
    let own = key.map(fingerprint).transpose()?;
    if let Some(chosen) = chosen.filter(|chosen| own.as_deref() != Some(*chosen)) {
        let own = own.unwrap_or_else(|| "no key".to_owned());
        let message = format!("this version is signed with {own}, not with {chosen}");
        return Err(ChangeError::Refused(message));
    }
    if publisher.is_empty() {
        return Ok(());
    }
    let known = pinned(tx, scope, publisher).await?;
    match (known, key) {
        (None, None) => Ok(()),
        (Some(known), Some(key)) if known.key == key => Ok(()),
        (None, Some(key)) => Ok(pin(tx, scope, publisher, key, by, now_us).await?),
        (Some(_), Some(key)) if chosen.is_some() => Ok(pin(tx, scope, publisher, key, by, now_us).await?),
        (Some(known), _) => {
            let expected = fingerprint(&known.key)?;
            let by = own.map_or_else(|| "is not signed".to_owned(), |own| format!("is signed with {own}"));
            let message = format!(
                "connectors of {publisher} are signed with {expected}, and this one {by}; ask the publisher, and if the key has \
                 changed approve it with `pin` set to the new key's fingerprint"
            );
            Err(ChangeError::Refused(message))
        }
    }
}

/// Takes what is installed out of its place; what one can go back to then.
async fn replace(
    tx: &mut Tx,
    scope: Scope<'_>,
    install: Option<&Install>,
    by: &str,
    now_us: i64,
) -> Result<Option<String>, ChangeError> {
    let Some(install) = install else { return Ok(None) };
    let old = locked(tx, scope, &install.sha256).await?.state;
    let after = old.after(VersionStep::Replace).map_err(ChangeError::Refused)?;
    if after == VersionState::Yanked {
        // One does not go back to what was withdrawn, but perhaps to what was before it.
        return Ok(install.previous.clone());
    }
    set_state(tx, scope, &install.sha256, after, (by, None), now_us).await?;
    Ok(Some(install.sha256.clone()))
}

pub(super) async fn find(tx: &mut Tx, scope: Scope<'_>, name: &str) -> Result<Option<Install>, RunError> {
    let lock = tx.dialect().for_update();
    let row = built(format!(
        "SELECT name, sha256, previous, since_us, by_whom FROM connector_installs WHERE tenant = $1 AND name = $2{lock}"
    ));
    row.bind(scope.tenant).bind(name).one_in(tx).await?.map(|row| read(&row)).transpose()
}

async fn put(tx: &mut Tx, scope: Scope<'_>, install: &Install) -> Result<(), RunError> {
    sql("INSERT INTO connector_installs (tenant, name, sha256, previous, since_us, by_whom) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (tenant, name) DO UPDATE SET sha256 = excluded.sha256, previous = excluded.previous, \
         since_us = excluded.since_us, by_whom = excluded.by_whom")
    .bind(scope.tenant)
    .bind(&install.name)
    .bind(&install.sha256)
    .bind(&install.previous)
    .bind(install.since_us)
    .bind(&install.by)
    .run_in(tx)
    .await
    .map(drop)
}

fn read(row: &Row) -> Result<Install, RunError> {
    Ok(Install {
        name: row.text("name")?,
        sha256: row.text("sha256")?,
        previous: row.get("previous")?,
        since_us: row.number("since_us")?,
        by: row.text("by_whom")?,
    })
}
