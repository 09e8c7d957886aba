//! Going back to the version of a connector before, when the first run after an upgrade shows that it is broken.

use serde_json::json;
use sluice_core::RunError;
use sluice_core::connector::{AfterUpgrade, VersionState, falls_back};
use sluice_store::{AuditEntry, ChangeError, Claim, Scope, Store};

/// What an attempt ran with.
#[derive(Clone, Debug, Default)]
pub(super) struct RanWith {
    /// The connector's name.
    pub(super) connector: String,
    /// The digest of its component; none for one of the operator's folder.
    pub(super) digest: Option<String>,
}

/// Goes back if the failure asks for it; says so in the audit log. The sentence for the run's log, if one went back. What the operator has
/// installed stays: it is not one tenant's runs that decide about it.
///
/// # Errors
/// If the store does not answer.
pub(super) async fn go_back(
    store: &Store,
    claim: &Claim,
    ran: &RanWith,
    error: &RunError,
    now_us: i64,
) -> Result<Option<String>, RunError> {
    let Some(used) = &ran.digest else { return Ok(None) };
    let (scope, pipeline) = (Scope { tenant: &claim.request.tenant }, &claim.request.asked.pipeline);
    let Some(install) = store.connector_install(scope, &ran.connector).await? else { return Ok(None) };
    let Some(previous) = install.previous.as_deref() else { return Ok(None) };
    let before = store.connector_version(scope, previous).await?;
    let Some(before) = before.filter(|version| version.state == VersionState::Replaced) else { return Ok(None) };
    let facts = AfterUpgrade {
        error,
        used,
        installed: &install.sha256,
        previous: Some(previous),
        new_has_succeeded: store.has_succeeded_with(scope, pipeline, used).await?,
        old_succeeded: store.last_succeeded_with(scope, pipeline, previous).await?,
    };
    if !falls_back(&facts) {
        return Ok(None);
    }
    let run = format!("run {}", claim.request.asked.id);
    let reason = format!("{run} failed with it where the version before had succeeded: {}", error.message);
    match store.go_back_to_connector(scope, (&ran.connector, used), ("host", &reason), now_us).await {
        Ok(_) => {}
        // Somebody was faster.
        Err(ChangeError::Refused(_) | ChangeError::Missing { .. }) => return Ok(None),
        Err(ChangeError::Store(error)) => return Err(error),
        Err(other) => return Err(RunError::internal(other.to_string())),
    }
    let entry = AuditEntry {
        actor: "host".to_owned(),
        action: "connector.go-back".to_owned(),
        object: format!("connector {}", ran.connector),
        address: None,
        detail: json!({"from": used, "to": previous, "reason": reason}),
    };
    store.audit(scope, &entry, now_us).await?;
    Ok(Some(format!(
        "the connector {} was upgraded and this is its first run: it goes back to version {} (sha256:{previous}), with which the run is \
         tried again",
        ran.connector, before.new.version
    )))
}
