//! `POST /v1/tenants/{tenant}/pipelines/{pipeline}/disable`

use axum::extract::{Path, State};
use axum::response::Response;

use super::switch::switch;
use super::view::PipelineView;
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// Stop following a pipeline's schedule
///
/// What is under way or waits goes on; it can still be run by hand.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/disable", tag = "pipelines", operation_id = "disable_pipeline",
    params(("tenant" = String, Path), ("pipeline" = String, Path)),
    responses((status = 200, body = PipelineView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn disable(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    switch(&app, &member, &id, false).await
}
