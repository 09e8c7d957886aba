//! `DELETE /v1/tenants/{tenant}/connections/{connection}`

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::json;

use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::IfMatch;
use crate::state::App;
use crate::v1::record::record;

/// Delete a connection, and its secrets for good
///
/// Refused while a pipeline uses it.
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/connections/{connection}", tag = "connections",
    operation_id = "delete_connection",
    params(("tenant" = String, Path), ("connection" = String, Path), ("If-Match" = String, Header)),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn delete(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    IfMatch(seen): IfMatch,
) -> Result<StatusCode, Problem> {
    let (by, now) = (member.caller.actor(), app.now_us());
    app.store.delete_connection(member.scope(), &id, seen, &by, now).await?;
    app.discovered().forget(&member.tenant, &id);
    record(&app, &member, "connection.delete", format!("connection {id}"), json!({})).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use sluice_core::access::Role;
    use sluice_store::Scope;

    use crate::testing::Service;

    #[tokio::test]
    async fn it_goes_with_its_secrets_if_it_is_as_it_was_seen() {
        let service = Service::new().await;
        service.tenant("acme").await;
        service.tenant("globex").await;
        let editor = service.token("acme", Role::Editor).await;
        let stranger = service.token("globex", Role::Owner).await;
        let id = service.connection("acme", &editor, "shop").await;
        let path = format!("/v1/tenants/acme/connections/{id}");
        let ask = async |revision| service.change(Method::DELETE, &path, &editor, revision, None).await.status;
        assert_eq!(ask(None).await, StatusCode::PRECONDITION_REQUIRED);
        assert_eq!(ask(Some(7)).await, StatusCode::PRECONDITION_FAILED);
        let elsewhere = format!("/v1/tenants/globex/connections/{id}");
        let other = service.change(Method::DELETE, &elsewhere, &stranger, Some(1), None).await;
        assert_eq!(other.status, StatusCode::NOT_FOUND);
        assert_eq!(ask(Some(1)).await, StatusCode::NO_CONTENT);
        assert_eq!(ask(Some(1)).await, StatusCode::NOT_FOUND);
        assert!(service.app.store.secret_fields(Scope { tenant: "acme" }, &id).await.unwrap().is_empty());
        assert_eq!(service.actions("acme").await["connection.delete"], 1);
    }
}
