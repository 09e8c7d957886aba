//! `POST /v1/tenants/{tenant}/pipelines/{pipeline}/revisions/{revision}/restore`

use axum::extract::{Path, State};
use axum::response::Response;

use super::input::{PipelineBody, prepare};
use super::revision::at;
use super::update::save;
use super::view::{PipelineView, find};
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::IfMatch;
use crate::state::App;

/// Make a pipeline what it was at a revision
///
/// That is a change like any other: it is checked, and makes a new revision.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/revisions/{revision}/restore", tag = "pipelines",
    operation_id = "restore_pipeline_revision",
    params(
        ("tenant" = String, Path), ("pipeline" = String, Path), ("revision" = u64, Path), ("If-Match" = String, Header)
    ),
    responses((status = 200, body = PipelineView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn restore(
    State(app): State<App>,
    member: Member,
    Path((_, id, which)): Path<(String, String, String)>,
    IfMatch(seen): IfMatch,
) -> Result<Response, Problem> {
    find(&app, member.scope(), &id).await?;
    let was = at(&app, member.scope(), &id, &which).await?.was;
    let body =
        PipelineBody { name: was.name, connection: was.connection, enabled: was.enabled, definition: was.definition };
    let ready = prepare(&app, member.scope(), &id, body).await?;
    save(&app, &member, (&id, seen), ready, "pipeline.restore").await
}
