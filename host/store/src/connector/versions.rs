//! Versions of uploaded connectors, and their bytes.

use serde_json::Value;
use sluice_core::RunError;
use sluice_core::connector::{VersionState, VersionStep};
use sluice_core::plan::CheckStep;

use crate::change::inserted;
use crate::db::{Row, Tx, built, sql};
use crate::value::to_json;
use crate::{ChangeError, Scope, Store};

/// How a version is called in errors.
pub(super) const WHAT: &str = "connector version";

/// A component that was looked at and is valid.
#[derive(Clone, Debug, PartialEq)]
pub struct NewVersion {
    /// SHA-256 of the component, hexadecimal.
    pub sha256: String,
    /// The connector's name.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// Who publishes it; may be empty.
    pub publisher: String,
    /// What it says of itself.
    pub manifest: Value,
    /// What was found when it was looked at.
    pub report: Vec<CheckStep>,
    /// The detached signature, if it has one, and the key that it is by, in PEM.
    pub signature: Option<(Value, String)>,
}

/// A version of a connector.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectorVersion {
    /// What was uploaded.
    pub new: NewVersion,
    /// What was found when it was tried on the tenant's connections.
    pub trial: Option<Vec<CheckStep>>,
    /// Where it is.
    pub state: VersionState,
    /// When it was uploaded.
    pub uploaded_us: i64,
    /// By whom.
    pub uploaded_by: String,
    /// When its state was last changed, and by whom; none until somebody has decided.
    pub decided: Option<(i64, String)>,
    /// Why, in the words of whoever decided.
    pub reason: Option<String>,
}

/// A page of versions: those of one connector or of all, behind a digest.
#[derive(Clone, Copy, Debug, Default)]
pub struct VersionsBehind<'a> {
    /// Of this connector only.
    pub name: Option<&'a str>,
    /// Behind this digest.
    pub after: Option<&'a str>,
}

impl Store {
    /// Keeps a component that was found valid. False if there is a version of these very bytes already, which stays as it is; one that
    /// was rejected is looked at again.
    ///
    /// # Errors
    /// If another component has this name and version, or it cannot be stored.
    pub async fn add_connector_version(
        &self,
        scope: Scope<'_>,
        new: &NewVersion,
        bytes: &[u8],
        by: &str,
        now_us: i64,
    ) -> Result<bool, ChangeError> {
        let (manifest, report) = (to_json(&new.manifest)?, to_json(&new.report)?);
        let signature = new.signature.as_ref().map(|(signature, _)| to_json(signature)).transpose()?;
        let signed_by = new.signature.as_ref().map(|(_, key)| key.clone());
        let mut tx = self.db.begin("keeping a connector").await?;
        if let Some(known) = find(&mut tx, scope, &new.sha256).await? {
            if known.state != VersionState::Rejected {
                return Ok(false);
            }
            sql("DELETE FROM connector_versions WHERE tenant = $1 AND sha256 = $2")
                .bind(scope.tenant)
                .bind(&new.sha256)
                .run_in(&mut tx)
                .await?;
        }
        sql("INSERT INTO connector_components (sha256, bytes, created_us) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(&new.sha256)
            .bind(bytes)
            .bind(now_us)
            .run_in(&mut tx)
            .await?;
        let rows = sql("INSERT INTO connector_versions (tenant, sha256, name, version, publisher, manifest, report, signature, \
                        signed_by, state, uploaded_us, uploaded_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
                        ON CONFLICT DO NOTHING")
        .bind(scope.tenant)
        .bind(&new.sha256)
        .bind(&new.name)
        .bind(&new.version)
        .bind(&new.publisher)
        .bind(manifest)
        .bind(report)
        .bind(signature)
        .bind(signed_by)
        .bind(VersionState::Valid.as_str())
        .bind(now_us)
        .bind(by);
        inserted(rows.run_in(&mut tx).await?, "component", "name and version")?;
        tx.commit().await?;
        Ok(true)
    }

    /// A version.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn connector_version(
        &self,
        scope: Scope<'_>,
        sha256: &str,
    ) -> Result<Option<ConnectorVersion>, RunError> {
        let row = built(format!("{SELECT} WHERE tenant = $1 AND sha256 = $2")).bind(scope.tenant).bind(sha256);
        row.one_on(&self.db, "reading a connector").await?.map(|row| read(&row)).transpose()
    }

    /// Versions by digest, at most so many.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn connector_versions(
        &self,
        scope: Scope<'_>,
        page: VersionsBehind<'_>,
        limit: u32,
    ) -> Result<Vec<ConnectorVersion>, RunError> {
        let text =
            format!("{SELECT} WHERE tenant = $1 AND sha256 > $2 AND (name = $3 OR $4 = 1) ORDER BY sha256 LIMIT $5");
        let rows = built(text)
            .bind(scope.tenant)
            .bind(page.after.unwrap_or_default())
            .bind(page.name.unwrap_or_default())
            .bind(page.name.is_none())
            .bind(limit);
        rows.all_on(&self.db, "listing connectors").await?.iter().map(read).collect()
    }

    /// How many versions wait for somebody to decide.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn undecided_versions(&self, scope: Scope<'_>) -> Result<u64, RunError> {
        let row = sql("SELECT COUNT(*) AS waiting FROM connector_versions WHERE tenant = $1 AND state = 'valid'");
        let row = row.bind(scope.tenant).one_on(&self.db, "counting connectors").await?;
        row.map_or(Ok(0), |row| row.count("waiting"))
    }

    /// The versions that runs use, by the connectors' names: of one connector, or of all.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn installed_versions(
        &self,
        scope: Scope<'_>,
        name: Option<&str>,
    ) -> Result<Vec<ConnectorVersion>, RunError> {
        let text = format!(
            "{SELECT} WHERE tenant = $1 AND sha256 IN (SELECT i.sha256 FROM connector_installs i WHERE i.tenant = $1 \
             AND (i.name = $2 OR $3 = 1)) ORDER BY name"
        );
        let rows = built(text).bind(scope.tenant).bind(name.unwrap_or_default()).bind(name.is_none());
        rows.all_on(&self.db, "reading installed connectors").await?.iter().map(read).collect()
    }

    /// The bytes of a version.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn connector_bytes(&self, scope: Scope<'_>, sha256: &str) -> Result<Option<Vec<u8>>, RunError> {
        let row = sql(
            "SELECT c.bytes AS bytes FROM connector_components c JOIN connector_versions v ON v.sha256 = c.sha256 \
                       WHERE v.tenant = $1 AND v.sha256 = $2",
        );
        let row = row.bind(scope.tenant).bind(sha256).one_on(&self.db, "reading a connector").await?;
        row.map(|row| row.get("bytes")).transpose()
    }

    /// Rejects or yanks a version, with a reason. What was rejected loses its bytes, unless somebody else has them too.
    ///
    /// # Errors
    /// If there is none, its state does not allow it, or it cannot be stored.
    pub async fn decide_connector_version(
        &self,
        scope: Scope<'_>,
        sha256: &str,
        step: VersionStep,
        (by, reason): (&str, &str),
        now_us: i64,
    ) -> Result<(), ChangeError> {
        let mut tx = self.db.begin("deciding about a connector").await?;
        let found = locked(&mut tx, scope, sha256).await?;
        let state = found.state.after(step).map_err(ChangeError::Refused)?;
        set_state(&mut tx, scope, sha256, state, (by, Some(reason)), now_us).await?;
        if state == VersionState::Rejected {
            sql("DELETE FROM connector_components WHERE sha256 = $1 AND NOT EXISTS \
                 (SELECT 1 FROM connector_versions v WHERE v.sha256 = $1 AND v.state <> 'rejected')")
            .bind(sha256)
            .run_in(&mut tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Keeps what was found when a version was tried.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn keep_connector_trial(
        &self,
        scope: Scope<'_>,
        sha256: &str,
        trial: &[CheckStep],
    ) -> Result<(), RunError> {
        sql("UPDATE connector_versions SET trial = $3 WHERE tenant = $1 AND sha256 = $2")
            .bind(scope.tenant)
            .bind(sha256)
            .bind(to_json(trial)?)
            .run_on(&self.db, "keeping what was tried")
            .await
            .map(drop)
    }
}

const SELECT: &str = "SELECT sha256, name, version, publisher, manifest, report, trial, signature, signed_by, state, uploaded_us, \
                      uploaded_by, decided_us, decided_by, reason FROM connector_versions";

/// A version, locked until the transaction ends.
pub(super) async fn locked(tx: &mut Tx, scope: Scope<'_>, sha256: &str) -> Result<ConnectorVersion, ChangeError> {
    find(tx, scope, sha256).await?.ok_or(ChangeError::Missing { what: WHAT })
}

async fn find(tx: &mut Tx, scope: Scope<'_>, sha256: &str) -> Result<Option<ConnectorVersion>, RunError> {
    let lock = tx.dialect().for_update();
    let row = built(format!("{SELECT} WHERE tenant = $1 AND sha256 = $2{lock}")).bind(scope.tenant).bind(sha256);
    row.one_in(tx).await?.map(|row| read(&row)).transpose()
}

pub(super) async fn set_state(
    tx: &mut Tx,
    scope: Scope<'_>,
    sha256: &str,
    state: VersionState,
    (by, reason): (&str, Option<&str>),
    now_us: i64,
) -> Result<(), RunError> {
    sql("UPDATE connector_versions SET state = $3, decided_us = $4, decided_by = $5, reason = $6 \
         WHERE tenant = $1 AND sha256 = $2")
    .bind(scope.tenant)
    .bind(sha256)
    .bind(state.as_str())
    .bind(now_us)
    .bind(by)
    .bind(reason)
    .run_in(tx)
    .await
    .map(drop)
}

fn read(row: &Row) -> Result<ConnectorVersion, RunError> {
    let signature: Option<Value> = row.optional_json("signature")?;
    let signed_by: Option<String> = row.get("signed_by")?;
    let (decided_us, decided_by): (Option<i64>, Option<String>) = (row.get("decided_us")?, row.get("decided_by")?);
    Ok(ConnectorVersion {
        new: NewVersion {
            sha256: row.text("sha256")?,
            name: row.text("name")?,
            version: row.text("version")?,
            publisher: row.text("publisher")?,
            manifest: row.json("manifest")?,
            report: row.json("report")?,
            signature: signature.zip(signed_by),
        },
        trial: row.optional_json("trial")?,
        state: row.word("state", VersionState::parse)?,
        uploaded_us: row.number("uploaded_us")?,
        uploaded_by: row.text("uploaded_by")?,
        decided: decided_us.zip(decided_by),
        reason: row.get("reason")?,
    })
}
