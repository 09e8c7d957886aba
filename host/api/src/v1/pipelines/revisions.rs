//! `GET /v1/tenants/{tenant}/pipelines/{pipeline}/revisions`

use axum::Json;
use axum::extract::{Path, State};

use super::view::{RevisionView, find};
use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;

/// What a pipeline was, the newest revision first
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/revisions", tag = "pipelines",
    operation_id = "list_pipeline_revisions", params(("tenant" = String, Path), ("pipeline" = String, Path), PageQuery),
    responses((status = 200, body = Page<RevisionView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn revisions(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<RevisionView>>, Problem> {
    let limit = page.limit()?;
    let before = page.after.as_deref().map(number).transpose();
    let before = before.map_err(|()| Problem::field("after", "it is no `next` of this list"))?;
    find(&app, member.scope(), &id).await?;
    let found = app.store.pipeline_revisions(member.scope(), &id, before, limit + 1).await?;
    Ok(Json(Page::of(found, limit, |revision| revision.revision.to_string()).map(RevisionView::from)))
}

/// The number of a revision. Larger ones than a database counts are none.
pub(super) fn number(text: &str) -> Result<u64, ()> {
    text.parse::<u64>().ok().filter(|number| i64::try_from(*number).is_ok()).ok_or(())
}
