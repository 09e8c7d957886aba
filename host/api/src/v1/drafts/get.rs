//! `GET /v1/tenants/{tenant}/drafts/{draft}`

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};

use super::view::{DraftView, find, shown};
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::Tagged;
use crate::state::App;

/// One of one's own drafts
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/drafts/{draft}", tag = "drafts", operation_id = "get_draft",
    params(("tenant" = String, Path), ("draft" = String, Path)),
    responses((status = 200, body = DraftView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let view = shown(&app, &member, find(&app, &member, &id).await?).await?;
    Ok(Tagged(view.revision, Json(view)).into_response())
}
