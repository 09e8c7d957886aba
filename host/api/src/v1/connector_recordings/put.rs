//! `PUT /v1/tenants/{tenant}/connectors/{name}/recordings/{recording}`

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use serde_json::json;
use sluice_core::RunError;
use sluice_core::error::Actor;
use sluice_core::worker::Recorded;
use sluice_engine::service::components::digest;
use sluice_engine::service::examine::recorded;
use sluice_store::NewRecording;

use super::view::{RecordingView, connector, named, object, upgradable};
use crate::auth::principal::Member;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::upload::Upload;
use crate::state::App;
use crate::v1::record::record;

/// Keep a recording of a connector
///
/// The file is what `sluice connector record` writes. A version of the connector that is to take the installed one's place has to do what
/// is recorded. A recording of this name is replaced. A connector has at most 20.
#[utoipa::path(
    put, path = "/v1/tenants/{tenant}/connectors/{name}/recordings/{recording}", tag = "connector recordings",
    operation_id = "put_connector_recording",
    params(("tenant" = String, Path), ("name" = String, Path), ("recording" = String, Path)),
    request_body(content = String, content_type = "application/x-ndjson", description = "The recording, at most 16 MiB."),
    responses(
        (status = 201, body = RecordingView), (status = 200, body = RecordingView), (status = "4XX", body = ProblemBody),
        (status = "5XX", body = ProblemBody)
    )
)]
pub(super) async fn put(
    State(app): State<App>,
    member: Member,
    Path((_, name, recording)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<RecordingView>), Problem> {
    let scope = member.scope();
    upgradable(&connector(&app, scope, &name).await?)?;
    let recording = named(&recording)?;
    let too_large =
        format!("a recording that is kept has at most {} MiB; record fewer streams or rows", super::LARGEST >> 20);
    let wanted = Upload { kind: "application/x-ndjson", what: "the recording's file", too_large: &too_large };
    let bytes = wanted.read(&headers, body)?;
    let Recorded { connector, version, digest: component, calls, rows } = read(&app, &bytes).await?;
    if connector != name {
        let shown = connector.chars().take(100).collect::<String>().escape_debug().to_string();
        return Err(Problem::field("body", format!("it is a recording of the connector {shown}, not of {name}")));
    }
    let new = NewRecording {
        connector,
        name: recording.to_owned(),
        sha256: digest(&bytes),
        version,
        digest: component,
        calls,
        rows,
    };
    let is_new = app.store.put_connector_recording(scope, &new, &bytes, &member.caller.actor(), app.now_us()).await?;
    let detail = json!({"sha256": new.sha256, "version": new.version, "replaced": !is_new});
    record(&app, &member, "connector.recording-add", object(&name, recording), detail).await?;
    let kept = app.store.connector_recording(scope, &name, recording).await?;
    let kept = kept.ok_or_else(|| RunError::internal("a recording is not there after it was kept"))?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(kept.into())))
}

/// What the file says of itself. A worker reads it: anybody may have written it.
async fn read(app: &App, bytes: &Bytes) -> Result<Recorded, Problem> {
    let staged = app.resolver.components.stage(&digest(bytes), bytes.to_vec()).await?;
    recorded(&app.workers, staged.path()).await.map_err(|error| match error.actor {
        Actor::User => Problem::field("body", error.message),
        _ => error.into(),
    })
}
