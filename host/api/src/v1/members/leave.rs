//! `DELETE /v1/tenants/{tenant}/membership`

use axum::extract::State;
use axum::http::StatusCode;

use super::change;
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::record::record;

/// Leave the tenant
///
/// Every member may; the only owner makes somebody else one first. One's tokens in the tenant are revoked with it.
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/membership", tag = "members", operation_id = "leave_tenant",
    params(("tenant" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn leave(State(app): State<App>, member: Member) -> Result<StatusCode, Problem> {
    let (_, user) = member.caller.session()?;
    app.store.remove_member(member.scope(), &user.id, member.role, app.now_us()).await?;
    record(&app, &member, "member.leave", format!("user {}", user.id), change(member.role, None)).await?;
    Ok(StatusCode::NO_CONTENT)
}
