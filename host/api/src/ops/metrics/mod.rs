//! `GET /metrics`

mod process;
pub(crate) mod queue;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use sluice_core::metrics::Text;

use crate::http::problem::ProblemBody;
use crate::state::App;

/// What this process counts, as Prometheus reads it
///
/// Requests by route, runs, the queue, workers, notifications, the database, the process; never by tenant.
#[utoipa::path(
    get, path = "/metrics", tag = "operation", operation_id = "metrics",
    responses(
        (status = 200, description = "Prometheus's text format", body = String, content_type = "text/plain"),
        (status = "4XX", body = ProblemBody)
    )
)]
pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let mut text = Text::default();
    app.metrics.write(&mut text);
    queue::write(&app, &mut text).await;
    app.workers.write_metrics(&mut text);
    app.store.write_metrics(&mut text);
    app.traces.write_metrics(&mut text);
    process::write(&mut text);
    let requests = app.requests().render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], requests + &text.finish())
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::json;
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn what_waits_is_counted_and_no_tenant_is_named() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let pipeline = service.pipeline("acme", &editor).await;
        let run = service.run("acme", &editor, &pipeline).await;
        service.run("acme", &editor, &pipeline).await;
        service.pass(7);
        let read = async || service.call(Method::GET, "/metrics", None, None).await.body.as_str().unwrap().to_owned();
        let has = |text: &str, line: &str| assert!(text.lines().any(|have| have == line), "{line} is not in\n{text}");
        let text = read().await;
        for line in [
            "sluice_store_up 1",
            "sluice_runs{state=\"ready\"} 2",
            "sluice_runs{state=\"later\"} 0",
            "sluice_runs{state=\"running\"} 0",
            "sluice_queue_oldest_seconds 7",
            "sluice_scheduler_lag_seconds 0",
            "sluice_host_runs 0",
            "sluice_worker_crashes_total 0",
            "sluice_runs_ended_total{state=\"cancelled\",cause=\"manual\"} 0",
        ] {
            has(&text, line);
        }
        for name in ["process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"] {
            assert!(text.lines().any(|line| line.starts_with(&format!("{name} "))), "{name} is not in\n{text}");
        }
        let path = format!("/v1/tenants/acme/runs/{run}/cancel");
        service.call(Method::POST, &path, Some(&editor), Some(json!({}))).await;
        let text = read().await;
        has(&text, "sluice_runs_ended_total{state=\"cancelled\",cause=\"manual\"} 1");
        for id in ["acme", &pipeline, &run] {
            assert!(!text.contains(id), "{id} is in\n{text}");
        }
    }

    #[tokio::test]
    async fn a_database_that_does_not_answer_is_seen() {
        let service = Service::new().await;
        service.app.store.clone().close().await;
        let answer = service.call(Method::GET, "/metrics", None, None).await;
        let text = answer.body.as_str().unwrap();
        assert!(answer.status.is_success() && text.contains("\nsluice_store_up 0\n"), "{text}");
        assert!(text.contains("\nsluice_store_errors_total{operation=\"read\"} 1\n"), "{text}");
        assert!(!text.contains("sluice_runs{"), "what is not known is not told: {text}");
    }
}
