//! `GET /v1/tenants/{tenant}/runs/{run}`

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::view::{AttemptView, RunView, find};
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// A run with everything that happened in it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunDetails {
    /// What was asked for, and where it is.
    run: RunView,
    /// Its attempts, the first one first, each with what became of every row.
    attempts: Vec<AttemptView>,
}

/// A run, its attempts, and what became of every row
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/runs/{run}", tag = "runs", operation_id = "get_run",
    params(("tenant" = String, Path), ("run" = String, Path)),
    responses((status = 200, body = RunDetails), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<RunDetails>, Problem> {
    let run = RunView::from(find(&app, member.scope(), &id).await?);
    let attempts = app.store.attempts_of(member.scope(), &id).await?;
    Ok(Json(RunDetails { run, attempts: attempts.into_iter().map(AttemptView::from).collect() }))
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use sluice_core::access::Role;
    use sluice_core::load::{LoadId, TableName};
    use sluice_core::run::{RunState, StreamCounts};
    use sluice_store::{LoadState, NewRun, NewStream, Scope};

    use crate::testing::{START_US, Service};

    #[tokio::test]
    async fn every_row_of_every_attempt_is_accounted_for() {
        let service = Service::new().await;
        service.tenant("acme").await;
        service.tenant("globex").await;
        let editor = service.token("acme", Role::Editor).await;
        let stranger = service.token("globex", Role::Owner).await;
        let pipeline = service.pipeline("acme", &editor).await;
        let id = service.run("acme", &editor, &pipeline).await;
        let (store, scope) = (&service.app.store, Scope { tenant: "acme" });
        let lease = store.lease(scope, &pipeline, START_US).await.unwrap();
        let new = NewRun {
            id: "attempt-1".into(),
            connector: "demo 1.2.3".into(),
            connector_digest: "5a".repeat(32),
            contract: "0.1".into(),
            pipeline_fingerprint: "f".into(),
            request: Some((id.clone(), 1)),
        };
        store.begin_run(scope, &lease, &new, START_US).await.unwrap();
        let table = TableName { dataset: "main".into(), table: "orders".into() };
        let load = LoadId::new("attempt-1", 0);
        let stream = NewStream {
            run: "attempt-1".into(),
            load: load.clone(),
            stream: "public.orders".into(),
            table,
            columns: None,
        };
        store.begin_stream(scope, &lease, &stream, START_US).await.unwrap();
        let counts = StreamCounts { read: 9, quarantined: 2, sent: 7, finalized: 7, ..StreamCounts::default() };
        store.end_stream(scope, &lease, &load, LoadState::Failed, &counts, None, START_US).await.unwrap();
        store.end_run(scope, &lease, "attempt-1", RunState::Failed, None, START_US).await.unwrap();

        let found = service.call(Method::GET, &format!("/v1/tenants/acme/runs/{id}"), Some(&editor), None).await;
        assert_eq!(found.status, StatusCode::OK, "{found:?}");
        let attempt = &found.body["attempts"][0];
        assert_eq!((&attempt["state"], &attempt["connector"]), (&"failed".into(), &"demo 1.2.3".into()));
        assert_eq!((&attempt["contract"], &found.body["run"]["pipeline_revision"]), (&"0.1".into(), &1.into()));
        let stream = &attempt["streams"][0];
        assert_eq!(
            (&stream["rows_read"], &stream["rows_sent"], &stream["rows_committed"]),
            (&9.into(), &7.into(), &0.into())
        );
        assert_eq!((&stream["reconciled"], &stream["table"]), (&false.into(), &"main.orders".into()));

        // Every operation on it, by somebody of another tenant.
        let below = [
            (Method::GET, ""),
            (Method::GET, "/logs"),
            (Method::GET, "/events"),
            (Method::POST, "/cancel"),
            (Method::POST, "/retry"),
        ];
        for (method, rest) in below {
            let body = (method == Method::POST).then(|| serde_json::json!({}));
            let path = format!("/v1/tenants/globex/runs/{id}{rest}");
            let other = service.call(method, &path, Some(&stranger), body).await;
            assert_eq!(other.status, StatusCode::NOT_FOUND, "{rest}");
        }
    }
}
