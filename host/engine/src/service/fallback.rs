//! Going back to the version of a connector before, when the first run after an upgrade shows that it is broken.

use serde_json::json;
use sluice_core::RunError;
use sluice_core::connector::{AfterUpgrade, VersionState, falls_back};
use sluice_store::{AuditEntry, ChangeError, Claim, Install, Scope, Store};

/// What an attempt ran with, and whether that brought its process down.
#[derive(Clone, Debug, Default)]
pub(super) struct RanWith {
    /// The connector's name.
    pub(super) connector: String,
    /// The digest of its component; none for one of the operator's folder.
    pub(super) digest: Option<String>,
    /// Whether the process ended before the attempt did.
    pub(super) crashed: bool,
}

/// Goes back if the failure asks for it; says so in the audit log. The sentence for the run's log, if one went back. From what the
/// operator has installed only this tenant goes back: it is not one tenant's runs that decide about it.
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
    let Some((install, whose)) = installed(store, scope, &ran.connector).await? else { return Ok(None) };
    let Some(previous) = install.previous.as_deref() else { return Ok(None) };
    let before = store.connector_version(whose, previous).await?;
    let Some(before) = before.filter(|version| version.state == VersionState::Replaced) else { return Ok(None) };
    let facts = AfterUpgrade {
        error,
        crashed: ran.crashed,
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
    let (from, by) = ((ran.connector.as_str(), used.as_str()), ("host", reason.as_str()));
    let gone = if whose == Scope::OPERATOR {
        store.hold_connector(scope, from, by, now_us).await.map(drop)
    } else {
        store.go_back_to_connector(scope, from, by, now_us).await.map(drop)
    };
    match gone {
        Ok(()) => {}
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

/// What is installed of a connector, and by whom: the tenant's own or, without one, the operator's.
async fn installed<'a>(
    store: &Store,
    scope: Scope<'a>,
    connector: &str,
) -> Result<Option<(Install, Scope<'a>)>, RunError> {
    for whose in [scope, Scope::OPERATOR] {
        if let Some(install) = store.connector_install(whose, connector).await? {
            return Ok(Some((install, whose)));
        }
    }
    Ok(None)
}
