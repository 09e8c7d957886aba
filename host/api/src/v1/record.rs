//! The audit log's entry for something that a member did.

use serde_json::Value;
use sluice_store::AuditEntry;

use crate::auth::principal::Member;
use crate::http::problem::Problem;
use crate::state::App;

/// Writes down what a member did: `action` is `resource.verb`, `object` is `resource ID`, `detail` has no secrets. To be called before
/// the answer is sent.
///
/// # Errors
/// If it cannot be stored.
pub(crate) async fn record(
    app: &App,
    member: &Member,
    action: &str,
    object: String,
    detail: Value,
) -> Result<(), Problem> {
    let entry = AuditEntry {
        actor: member.caller.actor(),
        action: action.to_owned(),
        object,
        address: member.caller.address.clone(),
        detail,
    };
    app.store.audit(member.scope(), &entry, app.now_us()).await?;
    Ok(())
}
