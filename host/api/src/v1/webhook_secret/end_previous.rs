//! `DELETE /v1/tenants/{tenant}/webhook-secret/previous`

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;

use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::IfMatch;
use crate::state::App;
use crate::v1::record::record;

/// End the earlier secret before its time
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/webhook-secret/previous", tag = "notifications",
    operation_id = "end_previous_webhook_secret",
    params(("tenant" = String, Path), IfMatch),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn end_previous(
    State(app): State<App>,
    member: Member,
    IfMatch(seen): IfMatch,
) -> Result<StatusCode, Problem> {
    app.store.end_previous_signing_secret(member.scope(), seen, app.now_us()).await?;
    record(&app, &member, "webhook-secret.end-previous", format!("tenant {}", member.tenant), json!({})).await?;
    Ok(StatusCode::NO_CONTENT)
}
