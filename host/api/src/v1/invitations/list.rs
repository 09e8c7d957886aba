//! `GET /v1/tenants/{tenant}/invitations`

use axum::Json;
use axum::extract::State;

use super::InvitationView;
use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;

/// Who was asked to belong to the tenant
///
/// Accepted and expired invitations as well.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/invitations", tag = "members", operation_id = "list_invitations",
    params(("tenant" = String, Path), PageQuery),
    responses((status = 200, body = Page<InvitationView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    member: Member,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<InvitationView>>, Problem> {
    let limit = page.limit()?;
    let found = app.store.invitations(member.scope(), page.after.as_deref(), limit + 1).await?;
    Ok(Json(Page::of(found, limit, |one| one.id.clone()).map(InvitationView::from)))
}
