//! `DELETE /v1/tenants/{tenant}/connectors/{name}/recordings/{recording}`

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;

use super::view::object;
use crate::auth::principal::Member;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::record::record;

/// Delete a recording: no version has to do what it says any more
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/connectors/{name}/recordings/{recording}", tag = "connector recordings",
    operation_id = "delete_connector_recording",
    params(("tenant" = String, Path), ("name" = String, Path), ("recording" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn delete(
    State(app): State<App>,
    member: Member,
    Path((_, name, recording)): Path<(String, String, String)>,
) -> Result<StatusCode, Problem> {
    app.store.delete_connector_recording(member.scope(), &name, &recording).await?;
    record(&app, &member, "connector.recording-delete", object(&name, &recording), json!({})).await?;
    Ok(StatusCode::NO_CONTENT)
}
