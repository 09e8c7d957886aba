//! `GET /v1/tenants/{tenant}/connector-versions/{sha256}`

use axum::Json;
use axum::extract::State;

use super::view::{VersionView, find, shown};
use crate::auth::principal::Member;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// A version of a connector: what it asks for, what was found, and what would change if it took its place
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/connector-versions/{sha256}", tag = "connector versions",
    operation_id = "get_connector_version", params(("tenant" = String, Path), ("sha256" = String, Path)),
    responses((status = 200, body = VersionView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    member: Member,
    Path((_, sha256)): Path<(String, String)>,
) -> Result<Json<VersionView>, Problem> {
    let (found, origin) = find(&app, member.scope(), &sha256).await?;
    Ok(Json(shown(&app, &member, found, origin).await?))
}
