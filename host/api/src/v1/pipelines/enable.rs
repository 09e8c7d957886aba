//! `POST /v1/tenants/{tenant}/pipelines/{pipeline}/enable`

use axum::extract::{Path, State};
use axum::response::Response;

use super::switch::switch;
use super::view::PipelineView;
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// Follow a pipeline's schedule
///
/// The schedule holds from now on; what it missed while it was not followed is not made up for.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/enable", tag = "pipelines", operation_id = "enable_pipeline",
    params(("tenant" = String, Path), ("pipeline" = String, Path)),
    responses((status = 200, body = PipelineView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn enable(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    switch(&app, &member, &id, true).await
}
