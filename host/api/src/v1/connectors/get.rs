//! `GET /v1/tenants/{tenant}/connectors/{name}`

use axum::Json;
use axum::extract::{Path, State};

use super::view::ConnectorView;
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// A connector, with the schema of its configuration
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/connectors/{name}", tag = "connectors", operation_id = "get_connector",
    params(("tenant" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = ConnectorView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    member: Member,
    Path((_, name)): Path<(String, String)>,
) -> Result<Json<ConnectorView>, Problem> {
    let found = app.resolver.catalogue.find(member.scope(), &name).await?;
    let found = found.ok_or_else(|| Problem::not_found("connector"))?;
    let install = app.store.connector_install(member.scope(), &name).await?;
    Ok(Json(ConnectorView::of(found, install.as_ref())))
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn a_connector_shows_what_a_form_needs_and_what_an_admin_looks_at() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let viewer = service.token("acme", Role::Viewer).await;
        let found = service.call(Method::GET, "/v1/tenants/acme/connectors/demo", Some(&viewer), None).await;
        assert_eq!(found.status, StatusCode::OK, "{found:?}");
        assert_eq!(found.body["config"]["properties"]["password"]["writeOnly"], true);
        assert_eq!(found.body["secrets_inside"], serde_json::json!(["password"]));
        assert_eq!(found.body["hosts"], serde_json::json!(["{host}:{port}"]));
        assert_eq!(found.body["icon"], "data:image/svg+xml;base64,PHN2Zy8+");
        assert_eq!(found.body["capabilities"]["incremental"], true);
        assert_eq!(found.body["sha256"].as_str().unwrap().len(), 64);
        let missing = service.call(Method::GET, "/v1/tenants/acme/connectors/nope", Some(&viewer), None).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND);
    }
}
