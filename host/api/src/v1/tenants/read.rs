//! `GET /v1/tenants/{tenant}`

use axum::Json;
use axum::extract::State;

use super::TenantView;
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::Tagged;
use crate::state::App;

/// A tenant
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}", tag = "tenants", operation_id = "read_tenant",
    params(("tenant" = String, Path)),
    responses((status = 200, body = TenantView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn read(State(app): State<App>, member: Member) -> Result<Tagged<Json<TenantView>>, Problem> {
    let tenant = app.store.tenant(member.scope()).await?.ok_or_else(|| Problem::not_found("tenant"))?;
    Ok(Tagged(tenant.revision, Json(tenant.into())))
}
