//! `GET /v1/tenants/{tenant}/pipelines/{pipeline}`

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};

use super::view::{PipelineView, find};
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::Tagged;
use crate::state::App;

/// A pipeline
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/pipelines/{pipeline}", tag = "pipelines", operation_id = "get_pipeline",
    params(("tenant" = String, Path), ("pipeline" = String, Path)),
    responses((status = 200, body = PipelineView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let found = find(&app, member.scope(), &id).await?;
    Ok(Tagged(found.revision, Json(PipelineView::from(found))).into_response())
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn it_is_shown_to_its_own_tenant_only() {
        let service = Service::new().await;
        service.tenant("acme").await;
        service.tenant("globex").await;
        let editor = service.token("acme", Role::Editor).await;
        let viewer = service.token("acme", Role::Viewer).await;
        let stranger = service.token("globex", Role::Owner).await;
        let id = service.pipeline("acme", &editor).await;
        let found = service.call(Method::GET, &format!("/v1/tenants/acme/pipelines/{id}"), Some(&viewer), None).await;
        assert_eq!(
            (found.status, &found.body["definition"]["streams"][0]["id"]),
            (StatusCode::OK, &"public.orders".into())
        );
        assert_eq!(found.headers["etag"], "\"1\"");
        // Every operation on it, by somebody of another tenant.
        let below = [
            (Method::GET, ""),
            (Method::GET, "/revisions"),
            (Method::GET, "/revisions/1"),
            (Method::GET, "/schedule"),
            (Method::GET, "/export"),
            (Method::POST, "/enable"),
            (Method::POST, "/disable"),
            (Method::DELETE, ""),
            (Method::POST, "/revisions/1/restore"),
        ];
        for (method, rest) in below {
            let path = format!("/v1/tenants/globex/pipelines/{id}{rest}");
            let other = service.change(method.clone(), &path, &stranger, Some(1), None).await;
            assert_eq!(other.status, StatusCode::NOT_FOUND, "{method} {rest}");
        }
        let path = format!("/v1/tenants/globex/pipelines/{id}");
        let body = Some(service.pipeline_body(found.body["connection"].as_str().unwrap()));
        let other = service.change(Method::PUT, &path, &stranger, Some(1), body).await;
        assert_eq!(other.status, StatusCode::NOT_FOUND);
    }
}
