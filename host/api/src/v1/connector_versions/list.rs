//! `GET /v1/tenants/{tenant}/connector-versions`

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use sluice_engine::service::catalogue::Origin;
use sluice_store::VersionsBehind;

use super::view::{VersionView, plain};
use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;

/// Which versions.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only those of this connector.
    #[param(max_length = 63)]
    connector: Option<String>,
}

/// The versions that the tenant has uploaded, by their digests
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/connector-versions", tag = "connector versions",
    operation_id = "list_connector_versions", params(("tenant" = String, Path), Filter, PageQuery),
    responses((status = 200, body = Page<VersionView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    member: Member,
    Query(filter): Query<Filter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<VersionView>>, Problem> {
    let limit = page.limit()?;
    let behind = VersionsBehind { name: filter.connector.as_deref(), after: page.after.as_deref() };
    let found = app.store.connector_versions(member.scope(), behind, limit.saturating_add(1)).await?;
    let page = Page::of(found, limit, |version| version.new.sha256.clone());
    let items: Result<Vec<_>, Problem> = page.items.into_iter().map(|one| plain(one, Origin::Tenant)).collect();
    Ok(Json(Page { items: items?, next: page.next }))
}
