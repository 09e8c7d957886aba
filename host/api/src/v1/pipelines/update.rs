//! `PUT /v1/tenants/{tenant}/pipelines/{pipeline}`

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::input::{PipelineBody, Ready, prepare};
use super::view::{PipelineView, find};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::{IfMatch, Tagged};
use crate::state::App;
use crate::v1::record::record;

/// Change a pipeline
///
/// The body is the pipeline as it is to be. The revision before is kept. A schedule that stays as it is goes on where it was.
#[utoipa::path(
    put, path = "/v1/tenants/{tenant}/pipelines/{pipeline}", tag = "pipelines", operation_id = "update_pipeline",
    params(("tenant" = String, Path), ("pipeline" = String, Path), ("If-Match" = String, Header)),
    request_body = PipelineBody,
    responses((status = 200, body = PipelineView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn update(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    IfMatch(seen): IfMatch,
    Body(body): Body<PipelineBody>,
) -> Result<Response, Problem> {
    find(&app, member.scope(), &id).await?;
    let ready = prepare(&app, member.scope(), &id, body).await?;
    save(&app, &member, (&id, seen), ready, "pipeline.update").await
}

/// Stores a change of a pipeline, and answers with what it is now.
pub(super) async fn save(
    app: &App,
    member: &Member,
    (id, seen): (&str, u64),
    Ready { change, timing, .. }: Ready,
    action: &str,
) -> Result<Response, Problem> {
    let (scope, by, now) = (member.scope(), member.caller.actor(), app.now_us());
    let revision = app.store.update_pipeline(scope, id, seen, &change, timing.as_ref(), &by, now).await?;
    let detail = json!({
        "name": change.name, "connection": change.connection, "enabled": change.enabled, "revision": revision
    });
    record(app, member, action, format!("pipeline {id}"), detail).await?;
    Ok(Tagged(revision, Json(PipelineView::from(find(app, scope, id).await?))).into_response())
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::json;
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn it_is_changed_as_it_was_seen_and_its_revisions_can_be_restored() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let id = service.pipeline("acme", &editor).await;
        let path = format!("/v1/tenants/acme/pipelines/{id}");
        let first = service.call(Method::GET, &path, Some(&editor), None).await.body;
        let mut body = json!({"name": "renamed", "connection": first["connection"], "definition": first["definition"]});
        body["definition"]["schedule"] = json!({"cron": "@hourly"});
        let put = async |revision| service.change(Method::PUT, &path, &editor, revision, Some(body.clone())).await;
        assert_eq!(put(None).await.status, StatusCode::PRECONDITION_REQUIRED);
        assert_eq!(put(Some(3)).await.status, StatusCode::PRECONDITION_FAILED);
        let changed = put(Some(1)).await;
        assert_eq!((changed.status, changed.headers["etag"].to_str().unwrap()), (StatusCode::OK, "\"2\""));
        let due = service.app.store.next_due().await.unwrap();
        assert!(due.is_some());
        service.pass(600);
        assert_eq!(put(Some(2)).await.status, StatusCode::OK);
        assert_eq!(service.app.store.next_due().await.unwrap(), due, "the same schedule goes on");

        let all = service.call(Method::GET, &format!("{path}/revisions?limit=2"), Some(&editor), None).await;
        assert_eq!((&all.body["items"][0]["revision"], &all.body["next"]), (&3.into(), &"2".into()));
        let old = service.call(Method::GET, &format!("{path}/revisions/1"), Some(&editor), None).await;
        assert_eq!(old.body["name"], first["name"]);
        let missing = service.call(Method::GET, &format!("{path}/revisions/9"), Some(&editor), None).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND);

        let restore = format!("{path}/revisions/1/restore");
        let stale = service.change(Method::POST, &restore, &editor, Some(1), None).await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
        let back = service.change(Method::POST, &restore, &editor, Some(3), None).await;
        assert_eq!((back.status, &back.body["revision"]), (StatusCode::OK, &4.into()), "{back:?}");
        assert_eq!((&back.body["name"], &back.body["definition"]), (&first["name"], &first["definition"]));
        assert_eq!(service.app.store.next_due().await.unwrap(), None, "the first revision had no schedule");
        let actions = service.actions("acme").await;
        assert_eq!((actions["pipeline.update"], actions["pipeline.restore"]), (2, 1));
    }
}
