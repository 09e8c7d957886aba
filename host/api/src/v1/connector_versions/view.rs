//! What the API shows of a version, in the words in which somebody decides about it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sluice_core::connector::{
    Change, Difference, Effect, Permission, Subject, VersionState, difference, permissions, permissions_digest,
};
use sluice_core::manifest::Manifest;
use sluice_core::signature::PublicKey;
use sluice_engine::service::catalogue::{Origin, manifest_of};
use sluice_store::{ConnectorVersion, Scope};
use utoipa::ToSchema;

use crate::auth::principal::Member;
use crate::http::finding::{Finding, findings};
use crate::http::problem::Problem;
use crate::state::{App, instant};

/// A version of a connector.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::v1) struct VersionView {
    /// SHA-256 of the component, in hexadecimal digits; names the version for ever.
    sha256: String,
    /// The connector.
    name: String,
    /// Its own version.
    version: String,
    /// Whose it is: `tenant`, or `operator` for one that is installed for all tenants.
    #[schema(value_type = String)]
    origin: Origin,
    /// `valid` (nobody has decided yet), `installed`, `replaced`, `rejected` or `yanked`.
    #[schema(value_type = String)]
    state: VersionState,
    /// Who publishes it, by its own words; may be empty.
    publisher: String,
    /// The fingerprint of the key that it is signed with; null if it is not signed.
    signed_by: Option<String>,
    /// The fingerprint of the key that this publisher's connectors are signed with here; null if none was approved yet.
    publisher_key: Option<String>,
    /// What was found when it was looked at.
    report: Vec<Finding>,
    /// What was found when it was last tried on the tenant's connections; null if it never was.
    trial: Option<Vec<Finding>>,
    /// What it asks for.
    permissions: Vec<PermissionView>,
    /// Names exactly these permissions: an approval repeats it, so that nobody approves what was not read.
    permissions_digest: String,
    /// What would change against the version that is installed; null if none is, or this one.
    difference: Option<DifferenceView>,
    /// The component's manifest.
    #[schema(value_type = Object)]
    manifest: Value,
    /// When it was uploaded.
    #[schema(value_type = String, format = DateTime)]
    uploaded_at: Timestamp,
    /// By whom: `user ID`, `token ID` or `operator`.
    uploaded_by: String,
    /// When its state last changed; null while nobody has decided.
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
    /// Who changed it: `user ID`, `token ID`, `operator`, or `host` for the service itself.
    decided_by: Option<String>,
    /// Why, in their words.
    reason: Option<String>,
}

/// One thing that a connector asks for.
#[derive(Debug, Serialize, ToSchema)]
struct PermissionView {
    /// `host`, `secret`, `signing`, `folder` or `memory`.
    #[schema(value_type = String)]
    subject: Subject,
    /// Which one, in the manifest's words.
    name: String,
    /// What it means.
    detail: String,
}

/// What changes from the version that is installed.
#[derive(Debug, Serialize, ToSchema)]
struct DifferenceView {
    /// SHA-256 of the one that is installed.
    from: String,
    /// Its version.
    from_version: String,
    /// What it may do.
    permissions: Vec<ChangeView>,
    /// How it is configured.
    configuration: Vec<ChangeView>,
    /// What it can do.
    capabilities: Vec<ChangeView>,
}

/// One change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VersionChangeView)]
struct ChangeView {
    /// `widens` (it may do more), `narrows`, `breaks` (connections or pipelines may not fit any more) or `neutral`.
    #[schema(value_type = String)]
    effect: Effect,
    /// What changes.
    text: String,
}

/// A version of the tenant's own, or of the operator's.
pub(super) async fn find(app: &App, scope: Scope<'_>, sha256: &str) -> Result<(ConnectorVersion, Origin), Problem> {
    if let Some(found) = own(app, scope, sha256).await? {
        return Ok((found, Origin::Tenant));
    }
    let operators = app.store.connector_version(Scope::OPERATOR, sha256).await?;
    let operators = operators.filter(|one| one.state != VersionState::Valid && one.state != VersionState::Rejected);
    operators.map(|found| (found, Origin::Operator)).ok_or_else(missing)
}

/// A version of the tenant's own.
pub(super) async fn own(app: &App, scope: Scope<'_>, sha256: &str) -> Result<Option<ConnectorVersion>, Problem> {
    Ok(app.store.connector_version(scope, sha256).await?)
}

/// What is answered where there is none.
pub(super) fn missing() -> Problem {
    Problem::not_found("connector version")
}

/// What a version asks for.
pub(super) fn asked(version: &ConnectorVersion) -> Result<(Manifest, Vec<Permission>, String), Problem> {
    let manifest = manifest_of(version.new.manifest.clone())?;
    let all = permissions(&manifest);
    let digest = permissions_digest(&all);
    Ok((manifest, all, digest))
}

/// A version as it is shown, with what would change.
pub(in crate::v1) async fn shown(
    app: &App,
    member: &Member,
    version: ConnectorVersion,
    origin: Origin,
) -> Result<VersionView, Problem> {
    let scope = if origin == Origin::Operator { Scope::OPERATOR } else { member.scope() };
    let installed = app.store.installed_versions(scope, Some(&version.new.name)).await?.pop();
    let installed = installed.filter(|one| one.new.sha256 != version.new.sha256);
    let difference = match installed {
        Some(old) => Some(differs(old, &version)?),
        None => None,
    };
    let pinned = app.store.publisher(scope, &version.new.publisher).await?;
    let publisher_key = pinned.map(|one| PublicKey::from_pem(&one.key)).transpose()?.map(|key| key.fingerprint());
    Ok(VersionView { difference, publisher_key, ..plain(version, origin)? })
}

fn differs(old: ConnectorVersion, new: &ConnectorVersion) -> Result<DifferenceView, Problem> {
    let (before, after) = (manifest_of(old.new.manifest)?, manifest_of(new.new.manifest.clone())?);
    let Difference { permissions, configuration, capabilities } = difference(&before, &after);
    let each = |changes: Vec<Change>| -> Vec<ChangeView> {
        changes.into_iter().map(|Change { effect, text }| ChangeView { effect, text }).collect()
    };
    Ok(DifferenceView {
        from: old.new.sha256,
        from_version: old.new.version,
        permissions: each(permissions),
        configuration: each(configuration),
        capabilities: each(capabilities),
    })
}

/// A version as a list shows it.
pub(super) fn plain(version: ConnectorVersion, origin: Origin) -> Result<VersionView, Problem> {
    let (_, all, permissions_digest) = asked(&version)?;
    let each = all.into_iter().map(|Permission { subject, name, detail }| PermissionView { subject, name, detail });
    let signed_by = version.new.signature.as_ref().map(|(_, key)| PublicKey::from_pem(key)).transpose()?;
    Ok(VersionView {
        sha256: version.new.sha256,
        name: version.new.name,
        version: version.new.version,
        origin,
        state: version.state,
        publisher: version.new.publisher,
        signed_by: signed_by.map(|key| key.fingerprint()),
        publisher_key: None,
        report: findings(version.new.report),
        trial: version.trial.map(findings),
        permissions: each.collect(),
        permissions_digest,
        difference: None,
        manifest: version.new.manifest,
        uploaded_at: instant(version.uploaded_us),
        uploaded_by: version.uploaded_by,
        decided_at: version.decided.as_ref().map(|(at, _)| instant(*at)),
        decided_by: version.decided.map(|(_, by)| by),
        reason: version.reason,
    })
}
