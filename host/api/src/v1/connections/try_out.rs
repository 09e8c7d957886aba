//! `POST /v1/tenants/{tenant}/connections/check`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;
use sluice_core::pipeline::SourceSpec;
use sluice_core::secret::{Redactor, join};

use super::input::{ConnectionBody, fits, given, read};
use super::tried::{CheckView, PhaseView, tried};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::record::record;

/// Try a connection that is not saved
///
/// The body is the one that would make it. Nothing of it is kept. As events where the client asks for them, as with one that is saved.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/connections/check", tag = "connections",
    operation_id = "check_unsaved_connection", params(("tenant" = String, Path)), request_body = ConnectionBody,
    responses(
        (status = 200, content((CheckView = "application/json"), (PhaseView = "text/event-stream"))),
        (status = "4XX", body = ProblemBody), (status = "5XX", body = ProblemBody)
    )
)]
pub(super) async fn try_out(
    State(app): State<App>,
    member: Member,
    headers: HeaderMap,
    Body(body): Body<ConnectionBody>,
) -> Result<Response, Problem> {
    let sent = read(&app, member.scope(), body).await?;
    let object = format!("connector {}", sent.manifest.name);
    let whole = given(&app, &member, &sent.parts.secrets, (object, "check")).await?;
    fits(&sent.manifest, &sent.parts.public, &whole)?;
    let mut grants = sent.grants;
    app.resolver.offers.lend(&sent.manifest.name, &mut grants)?;
    let config = join(&sent.parts.public, &whole);
    let digest = app.resolver.component(member.scope(), &sent.manifest.name).await?;
    let source = SourceSpec { connector: sent.manifest.name.clone(), config, grants, digest };
    let detail = json!({"name": sent.name});
    record(&app, &member, "connection.check", format!("connector {}", sent.manifest.name), detail).await?;
    tried(&app, &headers, source, Redactor::new(&whole)).await
}
