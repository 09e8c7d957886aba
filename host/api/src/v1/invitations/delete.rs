//! `DELETE /v1/tenants/{tenant}/invitations/{invitation}`

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;

use crate::auth::principal::Member;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::record::record;

/// Withdraw an invitation
///
/// One that was accepted is history and stays.
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/invitations/{invitation}", tag = "members",
    operation_id = "withdraw_invitation",
    params(("tenant" = String, Path), ("invitation" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn delete(
    State(app): State<App>,
    member: Member,
    Path((_, invitation)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    if !app.store.withdraw_invitation(member.scope(), &invitation).await? {
        return Err(Problem::not_found("invitation"));
    }
    record(&app, &member, "invitation.delete", format!("invitation {invitation}"), json!({})).await?;
    Ok(StatusCode::NO_CONTENT)
}
