//! `GET /v1/tenants/{tenant}/connectors/{name}/recordings/{recording}`

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::view::object;
use crate::auth::principal::Member;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::record::record;

/// The file of a recording, as it was sent: it has rows of the source
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/connectors/{name}/recordings/{recording}", tag = "connector recordings",
    operation_id = "get_connector_recording",
    params(("tenant" = String, Path), ("name" = String, Path), ("recording" = String, Path)),
    responses(
        (status = 200, description = "The file", body = String, content_type = "application/x-ndjson"),
        (status = "4XX", body = ProblemBody)
    )
)]
pub(super) async fn get(
    State(app): State<App>,
    member: Member,
    Path((_, name, recording)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let bytes = app.store.connector_recording_bytes(member.scope(), &name, &recording).await?;
    let bytes = bytes.ok_or_else(|| Problem::not_found("recording"))?;
    record(&app, &member, "connector.recording-read", object(&name, &recording), json!({})).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson".to_owned()),
        // No name of a recording has a quote.
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{recording}.jsonl\"")),
    ];
    Ok((headers, bytes).into_response())
}
