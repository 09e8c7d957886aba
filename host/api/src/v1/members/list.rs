//! `GET /v1/tenants/{tenant}/members`

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::{App, instant};
use crate::v1::session::RoleWord;

/// A person in the tenant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub(super) struct MemberView {
    /// The person's id.
    user: String,
    email: String,
    name: String,
    role: RoleWord,
    /// Since when the person belongs to the tenant.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Whether the person may not sign in any more.
    disabled: bool,
}

/// Who belongs to the tenant
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/members", tag = "members", operation_id = "list_members",
    params(("tenant" = String, Path), PageQuery),
    responses((status = 200, body = Page<MemberView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    member: Member,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<MemberView>>, Problem> {
    let limit = page.limit()?;
    let found = app.store.members(member.scope(), page.after.as_deref(), limit + 1).await?;
    let view = |one: sluice_store::Member| MemberView {
        user: one.user,
        email: one.email,
        name: one.name,
        role: one.role.into(),
        since: instant(one.created_us),
        disabled: one.disabled_us.is_some(),
    };
    Ok(Json(Page::of(found, limit, |one| one.user.clone()).map(view)))
}
