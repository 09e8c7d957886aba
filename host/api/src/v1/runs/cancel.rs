//! `POST /v1/tenants/{tenant}/runs/{run}/cancel`

use axum::Json;
use axum::extract::{Path, State};
use serde_json::json;
use sluice_core::request::RequestState;

use super::view::{RunView, find};
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::state::App;
use crate::v1::record::record;

/// Cancel a run
///
/// One that waits is cancelled at once. One that is under way is told to end; `cancel_requested_at` says since when.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/runs/{run}/cancel", tag = "runs", operation_id = "cancel_run",
    params(("tenant" = String, Path), ("run" = String, Path)),
    responses((status = 200, body = RunView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn cancel(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<RunView>, Problem> {
    let before = find(&app, member.scope(), &id).await?;
    let why = format!("cancelled by {}", member.caller.actor());
    let done = app.store.cancel_run(member.scope(), &id, &why, app.now_us()).await?;
    let now = find(&app, member.scope(), &id).await?;
    if !done {
        let detail = format!("the run has ended already: it is {}", now.state.as_str());
        return Err(Problem::new(Slug::Refused, detail));
    }
    // One that is under way is counted by its host when it has ended.
    if before.state == RequestState::Queued && now.state == RequestState::Cancelled {
        app.metrics.ended(&now, now.state, app.now_us());
    }
    app.queued.notify_one();
    record(&app, &member, "run.cancel", format!("run {id}"), json!({})).await?;
    Ok(Json(RunView::from(now)))
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::json;
    use sluice_core::access::Role;
    use sluice_store::Scope;

    use crate::testing::{START_US, Service};

    #[tokio::test]
    async fn what_waits_ends_at_once_and_what_runs_is_told() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let pipeline = service.pipeline("acme", &editor).await;
        let (first, second) =
            (service.run("acme", &editor, &pipeline).await, service.run("acme", &editor, &pipeline).await);
        let ask = async |run: &str| {
            let path = format!("/v1/tenants/acme/runs/{run}/cancel");
            service.call(Method::POST, &path, Some(&editor), Some(json!({}))).await
        };
        let waiting = ask(&first).await;
        assert_eq!((waiting.status, &waiting.body["state"]), (StatusCode::OK, &"cancelled".into()), "{waiting:?}");
        assert!(waiting.body["reason"].as_str().unwrap().starts_with("cancelled by token "));
        let again = ask(&first).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "{again:?}");
        let claim =
            service.app.store.claim_run(Scope { tenant: "acme" }, &second, "host", START_US, START_US + 9).await;
        assert!(claim.unwrap().is_some());
        let running = ask(&second).await;
        assert_eq!(
            (&running.body["state"], running.body["cancel_requested_at"].is_string()),
            (&"running".into(), true)
        );
        let told = service.app.store.runs_to_cancel("host").await.unwrap();
        assert_eq!(told, [("acme".to_owned(), second)]);
        assert_eq!(service.actions("acme").await["run.cancel"], 2);
    }
}
