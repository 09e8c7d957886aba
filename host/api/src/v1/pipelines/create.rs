//! `POST /v1/tenants/{tenant}/pipelines`

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sluice_store::NewPipeline;

use super::input::{PipelineBody, Ready, prepare};
use super::view::{PipelineView, find};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::Tagged;
use crate::state::App;
use crate::v1::record::record;

/// Make a pipeline
///
/// Its schedule, if it has one and is enabled, holds from now on.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/pipelines", tag = "pipelines", operation_id = "create_pipeline",
    params(("tenant" = String, Path)), request_body = PipelineBody,
    responses((status = 201, body = PipelineView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn create(
    State(app): State<App>,
    member: Member,
    Body(body): Body<PipelineBody>,
) -> Result<Response, Problem> {
    let id = app.ids.next();
    let ready = prepare(&app, member.scope(), &id, body).await?;
    save(&app, &member, id, ready, "pipeline.create").await
}

/// Stores a new pipeline, and answers with it.
pub(super) async fn save(
    app: &App,
    member: &Member,
    id: String,
    ready: Ready,
    action: &str,
) -> Result<Response, Problem> {
    let (scope, by, now) = (member.scope(), member.caller.actor(), app.now_us());
    let new = NewPipeline { id, first: ready.change };
    app.store.create_pipeline(scope, &new, ready.timing.as_ref(), &by, now).await?;
    let detail = json!({"name": new.first.name, "connection": new.first.connection, "enabled": new.first.enabled});
    record(app, member, action, format!("pipeline {}", new.id), detail).await?;
    let view = PipelineView::from(find(app, scope, &new.id).await?);
    let place = format!("/v1/tenants/{}/pipelines/{}", member.tenant, new.id);
    Ok(Tagged(1, (StatusCode::CREATED, [(header::LOCATION, place)], Json(view))).into_response())
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::{Value, json};
    use sluice_core::access::Role;

    use crate::testing::{START_US, Service};

    const PATH: &str = "/v1/tenants/acme/pipelines";

    #[tokio::test]
    async fn it_is_stored_as_it_was_written_and_its_schedule_holds_from_now_on() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let connection = service.connection("acme", &editor, "shop").await;
        let mut body = service.pipeline_body(&connection);
        body["definition"]["schedule"] = json!({"cron": "0 3 * * *", "time_zone": "Europe/Berlin"});
        let made = service.call(Method::POST, PATH, Some(&editor), Some(body.clone())).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        let id = made.body["id"].as_str().unwrap();
        assert_eq!(made.headers["location"], format!("{PATH}/{id}").as_str());
        assert_eq!((&made.body["enabled"], &made.body["revision"]), (&true.into(), &1.into()));
        // The tenant's own path, not the operator's.
        assert_eq!(made.body["definition"]["sink"]["path"], "sales");
        let due = service.app.store.next_due().await.unwrap().unwrap();
        assert!(due > START_US && due - START_US <= 24 * 3_600_000_000, "{due}");
        assert_eq!(service.audited("acme").await.last().unwrap(), &format!("pipeline.create pipeline {id}"));
        let again = service.call(Method::POST, PATH, Some(&editor), Some(body)).await;
        assert_eq!((again.status, &again.body["field"]), (StatusCode::CONFLICT, &"name".into()));
    }

    #[tokio::test]
    async fn what_is_wrong_is_named_by_its_path() {
        let service = Service::new().await;
        service.tenant("acme").await;
        service.tenant("globex").await;
        let editor = service.token("acme", Role::Editor).await;
        let stranger = service.token("globex", Role::Editor).await;
        let connection = service.connection("acme", &editor, "shop").await;
        let others = service.connection("globex", &stranger, "shop").await;
        let ask = async |change: &dyn Fn(&mut Value)| {
            let mut body = service.pipeline_body(&connection);
            change(&mut body);
            let answer = service.call(Method::POST, PATH, Some(&editor), Some(body)).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer:?}");
            answer.body["field"].as_str().unwrap().to_owned()
        };
        assert_eq!(ask(&|b| b["name"] = " ".into()).await, "name");
        assert_eq!(ask(&|b| b["connection"] = others.as_str().into()).await, "connection");
        assert_eq!(ask(&|b| b["definition"] = json!({"streams": []})).await, "definition");
        assert_eq!(ask(&|b| b["definition"]["streams"] = json!([])).await, "streams");
        let stream = |field: &'static str, value: Value| {
            move |b: &mut Value| b["definition"]["streams"][0][field] = value.clone()
        };
        assert_eq!(ask(&stream("load", json!("upsert"))).await, "streams[0].load");
        assert_eq!(ask(&stream("lode", json!(1))).await, "streams[0].lode");
        assert_eq!(ask(&stream("load", json!("catalog"))).await, "streams[0].read");
        assert_eq!(ask(&stream("filter", json!("id > 1"))).await, "streams[0].filter");
        assert_eq!(ask(&stream("cast", json!({"id": {"to": "INTEGERISH"}}))).await, "streams[0].cast.id.to");
        assert_eq!(ask(&stream("changed_files", json!("tail"))).await, "streams[0].changed_files");
        let cron = json!({"cron": "0 25 * * *"});
        assert_eq!(ask(&|b| b["definition"]["schedule"] = cron.clone()).await, "schedule.cron");
        assert_eq!(ask(&|b| b["definition"]["sink"]["path"] = "../globex".into()).await, "sink.path");
        let elsewhere = json!({"type": "bigquery", "project": "p", "dataset": "d"});
        assert_eq!(ask(&|b| b["definition"]["sink"] = elsewhere.clone()).await, "sink.dataset");
        assert!(service.app.store.next_due().await.unwrap().is_none());
    }
}
