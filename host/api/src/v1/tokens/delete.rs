//! `DELETE /v1/tenants/{tenant}/tokens/{token}`

use axum::extract::State;
use axum::http::StatusCode;
use sluice_store::Whose;

use super::make::revoke;
use crate::auth::principal::Member;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// Revoke a token of one's own
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/tokens/{token}", tag = "tokens", operation_id = "revoke_token",
    params(("tenant" = String, Path), ("token" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn delete(
    State(app): State<App>,
    member: Member,
    Path((_, token)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let user = member.caller.user().ok_or_else(|| Problem::not_found("token"))?;
    revoke(&app, &member, Whose::Person(user), &token).await
}
