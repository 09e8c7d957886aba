//! `POST /v1/tenants/{tenant}/connectors/{name}/rollback`

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use sluice_core::RunError;
use sluice_engine::service::catalogue::Origin;
use utoipa::ToSchema;

use super::view::ConnectorView;
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::state::App;
use crate::v1::connector_versions::went_back;

/// From which version one goes back, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rollback {
    /// SHA-256 of the version that is installed now; another one is not touched.
    from: String,
    /// In words for who approved it.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Go back to the version before
///
/// Runs that begin from now on use it; those that are under way end with the version that they began with. Of a connector that the
/// operator has installed for all tenants, only this tenant goes back, until the operator installs another version or the tenant follows
/// again.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/connectors/{name}/rollback", tag = "connectors", operation_id = "roll_back_connector",
    params(("tenant" = String, Path), ("name" = String, Path)), request_body = Rollback,
    responses((status = 200, body = ConnectorView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn rollback(
    State(app): State<App>,
    member: Member,
    Path((_, name)): Path<(String, String)>,
    Body(body): Body<Rollback>,
) -> Result<Json<ConnectorView>, Problem> {
    let found = app.resolver.catalogue.find(member.scope(), &name).await?;
    let found = found.ok_or_else(|| Problem::not_found("connector"))?;
    if found.origin == Origin::BuiltIn {
        let detail = "this connector comes with the service; whoever operates it decides about its version";
        return Err(Problem::new(Slug::Refused, detail));
    }
    let reason = crate::v1::connector_versions::reason(&body.reason)?;
    went_back(&app, &member, (&name, found.origin), &body.from, &reason).await?;
    let now = app.resolver.catalogue.find(member.scope(), &name).await?;
    let now = now.ok_or_else(|| RunError::internal("a connector is gone after one went back to it"))?;
    let install = app.store.connector_install(member.scope(), &name).await?;
    Ok(Json(ConnectorView::of(now, install.as_ref())))
}
