//! `GET /openapi.json`

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::http::problem::ProblemBody;
use crate::state::App;

/// This document
#[utoipa::path(
    get, path = "/openapi.json", tag = "operation", operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1", body = Object), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn document(State(app): State<App>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], app.document().to_owned())
}
