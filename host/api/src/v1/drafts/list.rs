//! `GET /v1/tenants/{tenant}/drafts`

use axum::Json;
use axum::extract::State;
use sluice_store::Owner;

use super::view::{DraftView, owner, shown};
use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;

/// One's own drafts, the oldest first
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/drafts", tag = "drafts", operation_id = "list_drafts",
    params(("tenant" = String, Path), PageQuery),
    responses((status = 200, body = Page<DraftView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    member: Member,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<DraftView>>, Problem> {
    let (limit, owner) = (page.limit()?, owner(&member));
    let whose = Owner { scope: member.scope(), owner: &owner };
    let mut views = Vec::new();
    // At most twenty, so the secrets of each may be asked for by themselves.
    for draft in app.store.drafts(whose, page.after.as_deref(), limit + 1).await? {
        views.push(shown(&app, &member, draft).await?);
    }
    Ok(Json(Page::of(views, limit, |draft| draft.id.clone())))
}
