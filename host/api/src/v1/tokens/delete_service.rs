//! `DELETE /v1/tenants/{tenant}/service-tokens/{token}`

use axum::extract::State;
use axum::http::StatusCode;
use sluice_store::Whose;

use super::make::revoke;
use crate::auth::principal::Member;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// Revoke a token of a service
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/service-tokens/{token}", tag = "tokens", operation_id = "revoke_service_token",
    params(("tenant" = String, Path), ("token" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn delete_service(
    State(app): State<App>,
    member: Member,
    Path((_, token)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    revoke(&app, &member, Whose::Services, &token).await
}
