//! `DELETE /v1/tenants/{tenant}/pipelines/{pipeline}`

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::json;

use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::IfMatch;
use crate::state::App;
use crate::v1::record::record;

/// Delete a pipeline
///
/// It is not scheduled any more, and its runs that wait are cancelled. Its runs and revisions can still be seen, and its tables stay.
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/pipelines/{pipeline}", tag = "pipelines", operation_id = "delete_pipeline",
    params(("tenant" = String, Path), ("pipeline" = String, Path), ("If-Match" = String, Header)),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn delete(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    IfMatch(seen): IfMatch,
) -> Result<StatusCode, Problem> {
    app.store.delete_pipeline(member.scope(), &id, seen, &member.caller.actor(), app.now_us()).await?;
    app.queued.notify_one();
    record(&app, &member, "pipeline.delete", format!("pipeline {id}"), json!({})).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn it_is_gone_and_frees_its_connection() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let id = service.pipeline("acme", &editor).await;
        let path = format!("/v1/tenants/acme/pipelines/{id}");
        let found = service.call(Method::GET, &path, Some(&editor), None).await.body;
        let connection = format!("/v1/tenants/acme/connections/{}", found["connection"].as_str().unwrap());
        let used = service.change(Method::DELETE, &connection, &editor, Some(1), None).await;
        assert_eq!(used.status, StatusCode::CONFLICT, "{used:?}");
        let ask = async |revision| service.change(Method::DELETE, &path, &editor, revision, None).await.status;
        assert_eq!(ask(None).await, StatusCode::PRECONDITION_REQUIRED);
        assert_eq!(ask(Some(2)).await, StatusCode::PRECONDITION_FAILED);
        assert_eq!(ask(Some(1)).await, StatusCode::NO_CONTENT);
        assert_eq!(ask(Some(1)).await, StatusCode::NOT_FOUND);
        let free = service.change(Method::DELETE, &connection, &editor, Some(1), None).await;
        assert_eq!(free.status, StatusCode::NO_CONTENT);
    }
}
