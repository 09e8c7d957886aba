//! `GET /v1/tenants/{tenant}/connections/{connection}`

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};

use super::view::{ConnectionView, find, shown};
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::Tagged;
use crate::state::App;

/// A connection, without its secrets
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/connections/{connection}", tag = "connections", operation_id = "get_connection",
    params(("tenant" = String, Path), ("connection" = String, Path)),
    responses((status = 200, body = ConnectionView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let found = find(&app, member.scope(), &id).await?;
    let revision = found.revision;
    Ok(Tagged(revision, Json(shown(&app, member.scope(), found).await?)).into_response())
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::json;
    use sluice_core::access::Role;

    use crate::testing::{SECRET, Service};

    #[tokio::test]
    async fn it_is_shown_with_the_names_of_its_secrets_to_its_own_tenant_only() {
        let service = Service::new().await;
        service.tenant("acme").await;
        service.tenant("globex").await;
        let editor = service.token("acme", Role::Editor).await;
        let stranger = service.token("globex", Role::Owner).await;
        let id = service.connection("acme", &editor, "shop").await;
        let found = service.call(Method::GET, &format!("/v1/tenants/acme/connections/{id}"), Some(&editor), None).await;
        assert_eq!((found.status, found.headers["etag"].to_str().unwrap()), (StatusCode::OK, "\"1\""));
        assert_eq!(found.body["secrets"], json!(["/password"]));
        assert!(!found.body.to_string().contains(SECRET));
        let elsewhere = format!("/v1/tenants/globex/connections/{id}");
        let found = service.call(Method::GET, &elsewhere, Some(&stranger), None).await;
        assert_eq!(found.status, StatusCode::NOT_FOUND);
    }
}
