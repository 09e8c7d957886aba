//! `POST /v1/tenants/{tenant}/drafts/{draft}/check`

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;

use super::open::source;
use super::view::{content, find};
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::connections::{CheckView, PhaseView, tried};
use crate::v1::record::record;

/// Try what a draft reads from
///
/// A worker connects as a run would, for at most a minute. Reads no rows. A connector tells its steps when it is done with them.
/// As events where the client asks for them, as with a connection.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/drafts/{draft}/check", tag = "drafts", operation_id = "check_draft",
    params(("tenant" = String, Path), ("draft" = String, Path)),
    responses(
        (status = 200, content((CheckView = "application/json"), (PhaseView = "text/event-stream"))),
        (status = "4XX", body = ProblemBody), (status = "5XX", body = ProblemBody)
    )
)]
pub(super) async fn check(
    State(app): State<App>,
    member: Member,
    headers: HeaderMap,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let draft = find(&app, &member, &id).await?;
    let opened = source(&app, &member, (&draft, &content(&draft)?), "check").await?;
    record(&app, &member, "connection.check", format!("draft {id}"), json!({})).await?;
    tried(&app, &headers, opened.it, opened.redactor).await
}
