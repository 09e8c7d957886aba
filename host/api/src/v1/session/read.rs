//! `GET /v1/session`

use axum::Json;
use axum::extract::State;

use super::Me;
use crate::auth::principal::Caller;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// Who one is, and where one may do what
#[utoipa::path(
    get, path = "/v1/session", tag = "session", operation_id = "read_session",
    responses((status = 200, body = Me), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn read(State(app): State<App>, caller: Caller) -> Result<Json<Me>, Problem> {
    Ok(Json(Me::of(&app, &caller).await?))
}
