//! `POST /v1/tenants/{tenant}/connector-versions/{sha256}/reject`

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use sluice_core::connector::VersionStep;
use utoipa::ToSchema;

use super::decide::{decide, now, reason};
use super::view::VersionView;
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// Why a version is refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rejection {
    /// In words for who uploaded it.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Reject a version that nobody has approved
///
/// Its bytes are deleted. It may be uploaded again.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/connector-versions/{sha256}/reject", tag = "connector versions",
    operation_id = "reject_connector_version", params(("tenant" = String, Path), ("sha256" = String, Path)),
    request_body = Rejection,
    responses((status = 200, body = VersionView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn reject(
    State(app): State<App>,
    member: Member,
    Path((_, sha256)): Path<(String, String)>,
    Body(body): Body<Rejection>,
) -> Result<Json<VersionView>, Problem> {
    let reason = reason(&body.reason)?;
    decide(&app, &member, &sha256, (VersionStep::Reject, "connector.reject"), &reason).await?;
    Ok(Json(now(&app, &member, &sha256).await?))
}
