//! `GET /v1/tenants/{tenant}/pipelines/{pipeline}/revisions/{revision}`

use axum::Json;
use axum::extract::{Path, State};
use sluice_store::{PipelineRevision, Scope};

use super::revisions::number;
use super::view::RevisionView;
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// What a pipeline was at a revision
///
/// Also of a pipeline that was deleted: its runs name the revision that they were made from.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/revisions/{revision}", tag = "pipelines",
    operation_id = "get_pipeline_revision",
    params(("tenant" = String, Path), ("pipeline" = String, Path), ("revision" = u64, Path)),
    responses((status = 200, body = RevisionView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn revision(
    State(app): State<App>,
    member: Member,
    Path((_, id, which)): Path<(String, String, String)>,
) -> Result<Json<RevisionView>, Problem> {
    Ok(Json(RevisionView::from(at(&app, member.scope(), &id, &which).await?)))
}

/// The revision of an address.
pub(super) async fn at(app: &App, scope: Scope<'_>, id: &str, which: &str) -> Result<PipelineRevision, Problem> {
    let missing = || Problem::not_found("revision of the pipeline");
    let which = number(which).map_err(|()| missing())?;
    app.store.pipeline_revision(scope, id, which).await?.ok_or_else(missing)
}
