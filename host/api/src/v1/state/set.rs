//! `PUT /v1/tenants/{tenant}/pipelines/{pipeline}/state/{stream}`

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use sluice_core::run::StreamState;
use sluice_store::NewState;
use utoipa::ToSchema;

use super::editing::{begin, done};
use super::get::streams_of;
use super::view::{CursorBody, StateView};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::{IfMatch, Tagged};
use crate::state::App;
use crate::v1::pipelines::view::find;
use crate::v1::record::record;

/// Where the next run is to begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StateBody {
    /// The position.
    cursor: CursorBody,
}

/// Set where the next run of a stream begins
///
/// `If-Match` is the `revision` of the stream's state, `"0"` where it has none. What an interrupted read left over is given up.
#[utoipa::path(
    put, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/state/{stream}", tag = "state", operation_id = "set_state",
    params(
        ("tenant" = String, Path), ("pipeline" = String, Path), ("stream" = String, Path),
        ("If-Match" = String, Header)
    ),
    request_body = StateBody,
    responses((status = 200, body = StateView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn set(
    State(app): State<App>,
    member: Member,
    Path((_, id, stream)): Path<(String, String, String)>,
    IfMatch(seen): IfMatch,
    Body(body): Body<StateBody>,
) -> Result<Response, Problem> {
    let cursor = body.cursor.cursor()?;
    let pipeline = find(&app, member.scope(), &id).await?;
    if !streams_of(&pipeline).contains(&stream) {
        return Err(Problem::not_found("stream of the pipeline"));
    }
    let new = NewState {
        id: app.ids.next(),
        stream: stream.clone(),
        state: Some(StreamState { cursor: Some(cursor), pending: None }),
        seen,
        by: member.caller.actor(),
    };
    let lease = begin(&app, member.scope(), &id).await?;
    let outcome = app.store.change_state(member.scope(), &lease, &new, app.now_us()).await;
    done(&app, lease, outcome).await?;
    let detail = json!({"stream": stream, "change": new.id});
    record(&app, &member, "state.set", format!("pipeline {id}"), detail).await?;
    let now = app.store.state_of(member.scope(), &id, &stream).await?;
    Ok(Tagged(now.revision, Json(StateView::of(stream, true, &now))).into_response())
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::json;
    use sluice_core::access::Role;
    use sluice_store::Scope;

    use crate::testing::{START_US, Service};

    #[tokio::test]
    async fn a_position_is_set_reset_and_taken_back() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let id = service.pipeline("acme", &editor).await;
        let path = format!("/v1/tenants/acme/pipelines/{id}/state");
        let get = async || service.call(Method::GET, &path, Some(&editor), None).await.body["streams"][0].clone();
        let stream = format!("{path}/public.orders");
        let put = async |revision, text: &str| {
            let body = json!({"cursor": {"text": text}});
            service.change(Method::PUT, &stream, &editor, revision, Some(body)).await
        };
        let first = get().await;
        assert_eq!(
            (&first["stream"], &first["revision"], first["cursor"].is_null()),
            (&"public.orders".into(), &0.into(), true)
        );
        assert_eq!(put(None, "5").await.status, StatusCode::PRECONDITION_REQUIRED);
        assert_eq!(put(Some(4), "5").await.status, StatusCode::PRECONDITION_FAILED);
        let set = put(Some(0), "5").await;
        assert_eq!((set.status, set.headers["etag"].to_str().unwrap()), (StatusCode::OK, "\"1\""), "{set:?}");
        assert_eq!(set.body["cursor"], json!({"text": "5", "base64": "NQ=="}));
        service.pass(1);
        assert_eq!(put(Some(1), "9").await.body["revision"], 2);
        service.pass(1);
        let gone = service.change(Method::DELETE, &stream, &editor, Some(2), None).await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT, "{gone:?}");
        assert!(get().await["cursor"].is_null());

        let changes = format!("{path}-changes");
        let page = service.call(Method::GET, &format!("{changes}?limit=2"), Some(&editor), None).await.body;
        assert_eq!((&page["items"][0]["reset"], &page["items"][0]["before"]["text"]), (&true.into(), &"9".into()));
        let rest = format!("{changes}?limit=2&after={}", page["next"].as_str().unwrap());
        let rest = service.call(Method::GET, &rest, Some(&editor), None).await.body;
        assert_eq!((&rest["items"][0]["after"]["text"], rest["next"].is_null()), (&"5".into(), true), "{rest}");
        let undo = async |change: &serde_json::Value| {
            let path = format!("{changes}/{}/undo", change["id"].as_str().unwrap());
            service.call(Method::POST, &path, Some(&editor), Some(json!({}))).await
        };
        let late = undo(&page["items"][1]).await;
        assert_eq!(late.status, StatusCode::PRECONDITION_FAILED, "something happened since: {late:?}");
        let back = undo(&page["items"][0]).await;
        assert_eq!(back.status, StatusCode::OK, "{back:?}");
        assert_eq!(get().await["cursor"]["text"], "9");
        let all = service.call(Method::DELETE, &path, Some(&editor), None).await;
        assert_eq!((all.status, get().await["cursor"].is_null()), (StatusCode::NO_CONTENT, true), "{all:?}");
        let actions = service.actions("acme").await;
        assert_eq!((actions["state.set"], actions["state.reset"], actions["state.undo"]), (2, 2, 1));
    }

    #[tokio::test]
    async fn nothing_is_changed_under_a_run() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let id = service.pipeline("acme", &editor).await;
        let run = service.run("acme", &editor, &id).await;
        let (store, scope) = (&service.app.store, Scope { tenant: "acme" });
        let claim = store.claim_run(scope, &run, "host", START_US, START_US + 9).await.unwrap();
        let lease = store.lease(scope, &id, START_US).await.unwrap();
        let path = format!("/v1/tenants/acme/pipelines/{id}/state");
        let body = || Some(json!({"cursor": {"text": "5"}}));
        let set =
            async || service.change(Method::PUT, &format!("{path}/public.orders"), &editor, Some(0), body()).await;
        let refused = set().await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{refused:?}");
        assert!(refused.body["detail"].as_str().unwrap().contains(&format!("run {run} ")), "{refused:?}");
        let all = service.call(Method::DELETE, &path, Some(&editor), None).await;
        assert_eq!(all.status, StatusCode::CONFLICT);
        store.release(lease).await.unwrap();
        drop(claim);
        assert_eq!(set().await.status, StatusCode::OK);
    }

    #[tokio::test]
    async fn only_what_can_be_a_position_of_an_own_stream_is_taken() {
        let service = Service::new().await;
        service.tenant("acme").await;
        service.tenant("globex").await;
        let editor = service.token("acme", Role::Editor).await;
        let stranger = service.token("globex", Role::Owner).await;
        let id = service.pipeline("acme", &editor).await;
        let path = format!("/v1/tenants/acme/pipelines/{id}/state");
        let put = async |stream: &str, cursor: serde_json::Value| {
            let body = Some(json!({"cursor": cursor}));
            service.change(Method::PUT, &format!("{path}/{stream}"), &editor, Some(0), body).await
        };
        assert_eq!(put("public.orders", json!({})).await.body["field"], "cursor");
        assert_eq!(put("public.orders", json!({"text": ""})).await.body["field"], "cursor");
        assert_eq!(put("public.orders", json!({"text": "a", "base64": "YQ=="})).await.body["field"], "cursor");
        assert_eq!(put("public.orders", json!({"base64": "%"})).await.body["field"], "cursor.base64");
        assert_eq!(put("public%2Eothers", json!({"text": "a"})).await.status, StatusCode::NOT_FOUND);
        assert_eq!(put("public%2Eorders", json!({"base64": "/w=="})).await.body["cursor"]["text"], json!(null));
        let elsewhere = path.replace("acme", "globex");
        let below = [
            (Method::GET, ""),
            (Method::DELETE, ""),
            (Method::GET, "-changes"),
            (Method::DELETE, "/public.orders"),
            (Method::POST, "-changes/x/undo"),
        ];
        for (method, rest) in below {
            let body = (method == Method::POST).then(|| json!({}));
            let other = service.change(method, &format!("{elsewhere}{rest}"), &stranger, Some(1), body).await;
            assert_eq!(other.status, StatusCode::NOT_FOUND, "{rest}");
        }
    }
}
