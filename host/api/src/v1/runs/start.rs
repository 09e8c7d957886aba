//! `POST /v1/tenants/{tenant}/pipelines/{pipeline}/runs`

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;
use sluice_core::queue::Priority;
use sluice_core::request::Cause;
use sluice_store::{NewRequest, PipelineRecord};
use utoipa::ToSchema;

use super::view::{RunView, find};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::trace::traceparent;
use crate::state::App;
use crate::v1::pipelines::view::find as pipeline;
use crate::v1::record::record;

/// How a run is started.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StartBody {
    /// The day that catalog loads stand for, `YYYY-MM-DD`; the day on which it starts if this is left out.
    #[schema(format = Date)]
    snapshot_date: Option<String>,
}

/// Run a pipeline now
///
/// The run waits for its turn; `GET …/runs/{run}` and `…/events` tell how it is. Also where the pipeline is disabled: that is about its
/// schedule.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/runs", tag = "runs", operation_id = "start_run",
    params(("tenant" = String, Path), ("pipeline" = String, Path)), request_body = StartBody,
    responses((status = 201, body = RunView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn start(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    Body(body): Body<StartBody>,
) -> Result<Response, Problem> {
    let day = body.snapshot_date.as_deref().map(|text| day("snapshot_date", text)).transpose()?;
    let found = pipeline(&app, member.scope(), &id).await?;
    let new = asked(&app, &member, &found, day);
    app.store.ask_for_run(member.scope(), &new, app.now_us()).await?;
    app.queued.notify_one();
    let detail = json!({"pipeline": id, "revision": new.revision, "snapshot_date": new.snapshot_date});
    record(&app, &member, "run.start", format!("run {}", new.id), detail).await?;
    made(&app, &member, &new.id).await
}

/// A run that a person asks for.
pub(super) fn asked(app: &App, member: &Member, pipeline: &PipelineRecord, day: Option<Date>) -> NewRequest {
    NewRequest {
        id: app.ids.next(),
        pipeline: pipeline.id.clone(),
        revision: pipeline.revision,
        connection: pipeline.current.connection.clone(),
        cause: Cause::Manual,
        moment_us: None,
        snapshot_date: day.map(|day| day.to_string()),
        requested_by: member.caller.actor(),
        priority: Priority::High.level(),
        not_before_us: 0,
        traceparent: traceparent(),
    }
}

/// The answer to a run that was asked for.
pub(super) async fn made(app: &App, member: &Member, id: &str) -> Result<Response, Problem> {
    let view = RunView::from(find(app, member.scope(), id).await?);
    let place = format!("/v1/tenants/{}/runs/{id}", member.tenant);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(view)).into_response())
}

/// A day, of those that a table can have.
pub(super) fn day(field: &str, text: &str) -> Result<Date, Problem> {
    let parsed = text.parse::<Date>().ok().filter(|day| day.to_string() == text && (1900..=9999).contains(&day.year()));
    parsed.ok_or_else(|| Problem::field(field, "write a day as YYYY-MM-DD"))
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::json;
    use sluice_core::access::Role;

    use crate::testing::{START_US, Service};

    #[tokio::test]
    async fn it_waits_in_the_queue_before_what_is_scheduled() {
        let service = Service::new().await;
        service.tenant("acme").await;
        service.tenant("globex").await;
        let editor = service.token("acme", Role::Editor).await;
        let operator = service.token("acme", Role::Operator).await;
        let stranger = service.token("globex", Role::Owner).await;
        let id = service.pipeline("acme", &editor).await;
        let path = format!("/v1/tenants/acme/pipelines/{id}/runs");
        let day = json!({"snapshot_date": "2026-09-01"});
        let made = service.call(Method::POST, &path, Some(&operator), Some(day.clone())).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        let run = made.body["id"].as_str().unwrap();
        assert_eq!(made.headers["location"], format!("/v1/tenants/acme/runs/{run}").as_str());
        assert_eq!((&made.body["state"], &made.body["priority"]), (&"queued".into(), &"high".into()));
        assert_eq!((&made.body["cause"], &made.body["snapshot_date"]), (&"manual".into(), &"2026-09-01".into()));
        let waiting = service.app.store.queue_state(START_US).await.unwrap().waiting;
        assert_eq!((waiting.len(), waiting[0].id.as_str(), waiting[0].priority), (1, run, 1));
        assert!(service.audited("acme").await.contains(&format!("run.start run {run}")));
        let ask = async |text: &str| {
            service.call(Method::POST, &path, Some(&operator), Some(json!({"snapshot_date": text}))).await
        };
        for wrong in ["yesterday", "2026-02-30", "20260901", "2026-09-01T00:00", "-000001-01-01"] {
            assert_eq!(ask(wrong).await.body["field"], "snapshot_date", "{wrong}");
        }
        let elsewhere = path.replace("acme", "globex");
        let other = service.call(Method::POST, &elsewhere, Some(&stranger), Some(day)).await;
        assert_eq!(other.status, StatusCode::NOT_FOUND);
    }
}
