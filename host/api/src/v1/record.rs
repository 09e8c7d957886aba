//! The audit log's one entrance: who did what to which object, from where. Written before the answer is sent; what cannot be recorded
//! is answered as a failure.

use serde_json::Value;
use sluice_store::{AuditEntry, Scope};

use crate::auth::principal::{Caller, Member};
use crate::http::client::Client;
use crate::http::problem::Problem;
use crate::state::App;

/// Records what a member did: `action` as `resource.verb`, `object` as `resource ID`, `detail` without secrets.
pub(crate) async fn record(
    app: &App,
    member: &Member,
    action: &str,
    object: String,
    detail: Value,
) -> Result<(), Problem> {
    record_of(app, member.scope(), &member.caller, action, object, detail).await
}

/// Records what somebody did in a tenant.
pub(crate) async fn record_of(
    app: &App,
    scope: Scope<'_>,
    caller: &Caller,
    action: &str,
    object: String,
    detail: Value,
) -> Result<(), Problem> {
    let address = caller.address.clone();
    let entry = AuditEntry { actor: caller.actor(), action: action.to_owned(), object, address, detail };
    app.store.audit(scope, &entry, app.now_us()).await?;
    Ok(())
}

/// Records what a person did to the account itself, such as signing in, in every tenant that the person is a member of.
pub(crate) async fn record_everywhere(app: &App, user: &str, client: Client, action: &str) -> Result<(), Problem> {
    for membership in app.store.memberships_of(user).await? {
        let entry = AuditEntry {
            actor: format!("user {user}"),
            action: action.to_owned(),
            object: format!("user {user}"),
            address: client.address(),
            detail: Value::Object(serde_json::Map::new()),
        };
        app.store.audit(Scope { tenant: &membership.tenant }, &entry, app.now_us()).await?;
    }
    Ok(())
}
