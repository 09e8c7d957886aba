//! `GET /metrics`

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::http::problem::ProblemBody;
use crate::state::App;

/// What this process counts, as Prometheus reads it
///
/// By route, never by tenant.
#[utoipa::path(
    get, path = "/metrics", tag = "operation", operation_id = "metrics",
    responses(
        (status = 200, description = "Prometheus's text format", body = String, content_type = "text/plain"),
        (status = "4XX", body = ProblemBody)
    )
)]
pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics().render())
}
