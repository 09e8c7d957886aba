//! `POST /v1/tenants/{tenant}/runs/{run}/retry`

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::tz::TimeZone;
use serde_json::json;
use sluice_core::queue::Priority;
use sluice_core::request::{Cause, RequestState};
use sluice_store::NewRequest;

use super::start::made;
use super::view::{RunView, find};
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::http::trace::traceparent;
use crate::state::{App, instant};
use crate::v1::pipelines::view::find as pipeline;
use crate::v1::record::record;

/// Run again what did not succeed
///
/// A new run of the same revision of the pipeline and of the same snapshot date, for one that failed, was stopped or cancelled.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/runs/{run}/retry", tag = "runs", operation_id = "retry_run",
    params(("tenant" = String, Path), ("run" = String, Path)),
    responses((status = 201, body = RunView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn retry(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let run = find(&app, member.scope(), &id).await?;
    if !matches!(run.state, RequestState::Failed | RequestState::Stopped | RequestState::Cancelled) {
        let detail = format!(
            "only a run that failed, was stopped or cancelled is run again; this one is {}. Start a new one instead",
            run.state.as_str()
        );
        return Err(Problem::new(Slug::Refused, detail));
    }
    if pipeline(&app, member.scope(), &run.asked.pipeline).await.is_err() {
        return Err(Problem::new(Slug::Refused, "its pipeline was deleted"));
    }
    // A run without a date stood for the day on which it started.
    let started = run.started_us.map(|us| instant(us).to_zoned(TimeZone::UTC).date().to_string());
    let new = NewRequest {
        id: app.ids.next(),
        cause: Cause::Manual,
        moment_us: None,
        snapshot_date: run.asked.snapshot_date.clone().or(started),
        requested_by: member.caller.actor(),
        priority: Priority::High.level(),
        not_before_us: 0,
        traceparent: traceparent(),
        ..run.asked
    };
    app.store.ask_for_run(member.scope(), &new, app.now_us()).await?;
    app.queued.notify_one();
    let detail = json!({"repeats": id, "pipeline": new.pipeline, "revision": new.revision});
    record(&app, &member, "run.retry", format!("run {}", new.id), detail).await?;
    made(&app, &member, &new.id).await
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::json;
    use sluice_core::RunError;
    use sluice_core::access::Role;
    use sluice_core::request::RequestState;
    use sluice_store::Scope;

    use crate::testing::{START_US, Service};

    #[tokio::test]
    async fn the_same_revision_runs_for_the_same_day() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let pipeline = service.pipeline("acme", &editor).await;
        let id = service.run("acme", &editor, &pipeline).await;
        let path = format!("/v1/tenants/acme/runs/{id}/retry");
        let ask = async || service.call(Method::POST, &path, Some(&editor), Some(json!({}))).await;
        assert_eq!(ask().await.status, StatusCode::CONFLICT, "it still waits");
        let (store, scope) = (&service.app.store, Scope { tenant: "acme" });
        let claim = store.claim_run(scope, &id, "host", START_US, START_US + 9).await.unwrap().unwrap();
        let error = RunError::config("streams[0].id", "there is no such table");
        store.finish_run(&claim, RequestState::Failed, Some(&error), START_US + 1).await.unwrap();
        let disable = format!("/v1/tenants/acme/pipelines/{pipeline}/disable");
        service.call(Method::POST, &disable, Some(&editor), None).await;
        service.pass(3 * 24 * 3600);
        let made = ask().await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        assert_eq!((&made.body["pipeline_revision"], &made.body["snapshot_date"]), (&1.into(), &"2026-09-21".into()));
        assert_eq!((&made.body["state"], &made.body["error"]), (&"queued".into(), &json!(null)));
        let failed = service.call(Method::GET, &format!("/v1/tenants/acme/runs/{id}"), Some(&editor), None).await;
        assert_eq!(
            (&failed.body["run"]["error"]["field"], &failed.body["run"]["error"]["actor"]),
            (&"streams[0].id".into(), &"user".into())
        );
        assert_eq!(service.actions("acme").await["run.retry"], 1);
    }
}
