//! What deciding about a version has in common.

use serde_json::json;
use sluice_core::RunError;
use sluice_core::connector::VersionStep;
use sluice_engine::service::catalogue::Origin;
use sluice_store::{Hold, Install};

use super::view::{VersionView, missing, own, shown};
use crate::auth::principal::Member;
use crate::http::problem::Problem;
use crate::state::App;
use crate::v1::record::record;

/// Longest reason, characters.
const LONGEST: usize = 500;

/// A reason, as somebody gives it.
pub(in crate::v1) fn reason(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST || text.chars().any(char::is_control) {
        let detail = format!("say why, in 1 to {LONGEST} characters on one line; others will read it");
        return Err(Problem::field("reason", detail));
    }
    Ok(text.to_owned())
}

/// Rejects or yanks a version of the tenant's own.
pub(super) async fn decide(
    app: &App,
    member: &Member,
    sha256: &str,
    (step, action): (VersionStep, &str),
    reason: &str,
) -> Result<(), Problem> {
    let (scope, by) = (member.scope(), member.caller.actor());
    let found = own(app, scope, sha256).await?.ok_or_else(missing)?;
    app.store.decide_connector_version(scope, sha256, step, (&by, reason), app.now_us()).await?;
    let detail = json!({"name": found.new.name, "version": found.new.version, "reason": reason});
    record(app, member, action, format!("connector sha256:{sha256}"), detail).await
}

/// Goes back from a version to the one before it, and records that; what the tenant's runs use then. Of the operator's, only this tenant
/// goes back.
pub(in crate::v1) async fn went_back(
    app: &App,
    member: &Member,
    (name, origin): (&str, Origin),
    from: &str,
    reason: &str,
) -> Result<Install, Problem> {
    let (scope, by) = (member.scope(), member.caller.actor());
    let (what, why) = ((name, from), (by.as_str(), reason));
    let install = if origin == Origin::Operator {
        let Hold { name, sha256, since_us, by, .. } = app.store.hold_connector(scope, what, why, app.now_us()).await?;
        Install { name, sha256, previous: None, since_us, by }
    } else {
        app.store.go_back_to_connector(scope, what, why, app.now_us()).await?
    };
    app.discovered().forget_all(scope.tenant);
    let detail = json!({"from": from, "to": install.sha256, "reason": reason});
    record(app, member, "connector.go-back", format!("connector {name}"), detail).await?;
    Ok(install)
}

/// A version of the tenant's own, as it is after something was done to it.
pub(super) async fn now(app: &App, member: &Member, sha256: &str) -> Result<VersionView, Problem> {
    let found = own(app, member.scope(), sha256).await?;
    let found = found.ok_or_else(|| RunError::internal("a version is gone after it was decided about"))?;
    shown(app, member, found, Origin::Tenant).await
}
