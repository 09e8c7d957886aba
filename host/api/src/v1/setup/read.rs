//! `GET /v1/setup`

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// Whether somebody has to begin.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Setup {
    /// Whether the first person is still to be made.
    needed: bool,
}

/// Whether the first person is still to be made
#[utoipa::path(
    get, path = "/v1/setup", tag = "setup", operation_id = "read_setup",
    responses((status = 200, body = Setup), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn read(State(app): State<App>) -> Result<Json<Setup>, Problem> {
    Ok(Json(Setup { needed: app.store.has_no_users().await? }))
}
