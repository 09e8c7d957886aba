//! `DELETE /v1/tenants/{tenant}/drafts/{draft}`

use axum::extract::{Path, State};
use axum::http::StatusCode;
use sluice_store::Owner;

use super::view::owner;
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::IfMatch;
use crate::state::App;

/// Delete a draft, and its secrets for good
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/drafts/{draft}", tag = "drafts", operation_id = "delete_draft",
    params(("tenant" = String, Path), ("draft" = String, Path), ("If-Match" = String, Header)),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn delete(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    IfMatch(seen): IfMatch,
) -> Result<StatusCode, Problem> {
    let owner = owner(&member);
    app.store.delete_draft(Owner { scope: member.scope(), owner: &owner }, &id, seen).await?;
    app.discovered().forget(&member.tenant, &id);
    Ok(StatusCode::NO_CONTENT)
}
