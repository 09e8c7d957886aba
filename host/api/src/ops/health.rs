//! `GET /health`

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::problem::ProblemBody;

/// That it lives.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `alive` or `ready`.
    pub(super) status: &'static str,
}

/// Whether the process answers
#[utoipa::path(
    get, path = "/health", tag = "operation", operation_id = "health",
    responses((status = 200, body = Health), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn health() -> Json<Health> {
    Json(Health { status: "alive" })
}
