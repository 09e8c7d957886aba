//! `POST /v1/tenants/{tenant}/connector-versions/{sha256}/yank`

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use sluice_core::connector::VersionStep;
use sluice_engine::service::catalogue::Origin;
use utoipa::ToSchema;

use super::decide::{decide, now, reason, went_back};
use super::view::{VersionView, missing, own};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// Why a version is withdrawn.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Withdrawal {
    /// In words for whose runs will fail.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// Whether runs go back to the version before, if this one is installed. Otherwise they fail until another one is approved.
    #[serde(default)]
    go_back: bool,
}

/// Yank a version
///
/// No run may use it any more, and it is never approved again. If it is installed, runs fail with an error that says so, unless they are
/// to go back to the version before.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/connector-versions/{sha256}/yank", tag = "connector versions",
    operation_id = "yank_connector_version", params(("tenant" = String, Path), ("sha256" = String, Path)),
    request_body = Withdrawal,
    responses((status = 200, body = VersionView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn yank(
    State(app): State<App>,
    member: Member,
    Path((_, sha256)): Path<(String, String)>,
    Body(body): Body<Withdrawal>,
) -> Result<Json<VersionView>, Problem> {
    let reason = reason(&body.reason)?;
    let found = own(&app, member.scope(), &sha256).await?.ok_or_else(missing)?;
    let install = app.store.connector_install(member.scope(), &found.new.name).await?;
    decide(&app, &member, &sha256, (VersionStep::Yank, "connector.yank"), &reason).await?;
    if body.go_back && install.is_some_and(|install| install.sha256 == sha256) {
        went_back(&app, &member, (&found.new.name, Origin::Tenant), &sha256, &reason).await?;
    }
    Ok(Json(now(&app, &member, &sha256).await?))
}
