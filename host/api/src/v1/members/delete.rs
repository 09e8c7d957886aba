//! `DELETE /v1/tenants/{tenant}/members/{user}`

use axum::extract::State;
use axum::http::StatusCode;

use super::{change, may_grant};
use crate::auth::principal::Member;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::record::record;

/// Remove a member
///
/// The person's tokens in the tenant are revoked with it.
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/members/{user}", tag = "members", operation_id = "remove_member",
    params(("tenant" = String, Path), ("user" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn delete(
    State(app): State<App>,
    member: Member,
    Path((_, user)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let role = app.store.role_of(member.scope(), &user).await?.ok_or_else(|| Problem::not_found("member"))?;
    may_grant(&member, role)?;
    app.store.remove_member(member.scope(), &user, role, app.now_us()).await?;
    record(&app, &member, "member.delete", format!("user {user}"), change(role, None)).await?;
    Ok(StatusCode::NO_CONTENT)
}
