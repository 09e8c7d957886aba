//! `GET /v1/tenants/{tenant}/connectors`

use axum::Json;
use axum::extract::State;
use sluice_engine::service::catalogue::Installed;

use super::view::ConnectorView;
use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;

/// The connectors that are installed, by name
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/connectors", tag = "connectors", operation_id = "list_connectors",
    params(("tenant" = String, Path), PageQuery),
    responses((status = 200, body = Page<ConnectorView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    member: Member,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ConnectorView>>, Problem> {
    let limit = page.limit()?;
    let after = page.after.unwrap_or_default();
    let all = app.resolver.catalogue.all(member.scope()).await?;
    let behind = all.into_iter().filter(|connector| connector.manifest.name > after);
    let found: Vec<_> = behind.take(limit as usize + 1).collect();
    let page = Page::of(found, limit, |connector| connector.manifest.name.clone());
    let installs = app.store.connector_installs(member.scope()).await?;
    let shown = |found: Installed| {
        let install = installs.iter().find(|install| install.name == found.manifest.name);
        ConnectorView::of(found, install)
    };
    Ok(Json(page.map(shown)))
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn a_viewer_sees_what_is_installed_page_by_page() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let viewer = service.token("acme", Role::Viewer).await;
        let path = "/v1/tenants/acme/connectors?limit=1";
        let first = service.call(Method::GET, path, Some(&viewer), None).await;
        assert_eq!(first.status, StatusCode::OK, "{first:?}");
        assert_eq!((&first.body["items"][0]["name"], &first.body["next"]), (&"demo".into(), &"demo".into()));
        let rest = service.call(Method::GET, &format!("{path}&after=demo"), Some(&viewer), None).await;
        assert_eq!((&rest.body["items"][0]["name"], rest.body["next"].is_null()), (&"lake".into(), true));
    }
}
