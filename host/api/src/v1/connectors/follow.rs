//! `POST /v1/tenants/{tenant}/connectors/{name}/follow`

use axum::Json;
use axum::extract::State;
use serde_json::json;
use sluice_core::RunError;

use super::view::ConnectorView;
use crate::auth::principal::Member;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::state::App;
use crate::v1::record::record;

/// Follow the operator's version of a connector again
///
/// Of a connector that the operator has installed for all tenants, and with whose version before this tenant has stayed since it went back.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/connectors/{name}/follow", tag = "connectors", operation_id = "follow_connector",
    params(("tenant" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = ConnectorView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn follow(
    State(app): State<App>,
    member: Member,
    Path((_, name)): Path<(String, String)>,
) -> Result<Json<ConnectorView>, Problem> {
    let scope = member.scope();
    let found = app.resolver.catalogue.find(scope, &name).await?.ok_or_else(|| Problem::not_found("connector"))?;
    let Some(hold) = found.held else {
        let detail = "runs use what is installed; nothing has to be done";
        return Err(Problem::new(Slug::Refused, detail));
    };
    app.store.follow_connector(scope, &name).await?;
    app.discovered().forget_all(scope.tenant);
    let detail = json!({"from": hold.sha256, "to": hold.instead_of});
    record(&app, &member, "connector.follow", format!("connector {name}"), detail).await?;
    let now = app.resolver.catalogue.find(scope, &name).await?;
    let now = now.ok_or_else(|| RunError::internal("a connector is gone after one followed it"))?;
    Ok(Json(ConnectorView::of(now, None)))
}
