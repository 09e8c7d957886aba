//! `GET /v1/tenants/{tenant}/pipelines`

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::view::PipelineView;
use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;

/// Which pipelines.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only those of this connection.
    #[param(max_length = 100)]
    connection: Option<String>,
    /// Only the one of this name.
    #[param(max_length = 100)]
    name: Option<String>,
    /// Only those whose name contains this text; capital and small letters are alike. Not together with `name`.
    #[param(max_length = 100)]
    contains: Option<String>,
}

/// The tenant's pipelines, the oldest first
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/pipelines", tag = "pipelines", operation_id = "list_pipelines",
    params(("tenant" = String, Path), Filter, PageQuery),
    responses((status = 200, body = Page<PipelineView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    member: Member,
    Query(filter): Query<Filter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<PipelineView>>, Problem> {
    let limit = page.limit()?;
    let connection = filter.connection.as_deref();
    if filter.name.is_some() && filter.contains.is_some() {
        return Err(Problem::field("contains", "a name is asked for already; ask for one of the two"));
    }
    let found = match &filter.name {
        Some(name) => {
            let named = app.store.pipeline_by_name(member.scope(), name).await?.into_iter();
            let behind = |id: &str| page.after.as_deref().is_none_or(|after| id > after);
            let named = named.filter(|found| connection.is_none_or(|only| found.current.connection == only));
            named.filter(|found| behind(&found.id)).collect()
        }
        None => {
            let which = (connection, filter.contains.as_deref());
            app.store.pipelines(member.scope(), which, page.after.as_deref(), limit + 1).await?
        }
    };
    Ok(Json(Page::of(found, limit, |pipeline| pipeline.id.clone()).map(PipelineView::from)))
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn they_are_found_by_connection_and_name_page_by_page() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let (a, b) = (service.pipeline("acme", &editor).await, service.pipeline("acme", &editor).await);
        let one = service.call(Method::GET, &format!("/v1/tenants/acme/pipelines/{b}"), Some(&editor), None).await.body;
        let ask = async |query: &str| {
            let path = format!("/v1/tenants/acme/pipelines?{query}");
            let body = service.call(Method::GET, &path, Some(&editor), None).await.body;
            let ids = body["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
            (ids.collect::<Vec<_>>(), body["next"].as_str().map(str::to_owned))
        };
        assert_eq!(ask("limit=1").await, (vec![a.clone()], Some(a.clone())));
        assert_eq!(ask(&format!("after={a}")).await, (vec![b.clone()], None));
        assert_eq!(
            ask(&format!("connection={}", one["connection"].as_str().unwrap())).await.0,
            std::slice::from_ref(&b)
        );
        assert_eq!(
            ask(&format!("name={}", one["name"].as_str().unwrap().replace(' ', "%20"))).await.0,
            std::slice::from_ref(&b)
        );
        assert!(ask("name=other").await.0.is_empty());
        let part: String = one["name"].as_str().unwrap().chars().skip(2).collect();
        assert_eq!(ask(&format!("contains={}", part.to_uppercase().replace(' ', "%20"))).await.0.last(), Some(&b));
        assert!(ask("contains=other").await.0.is_empty());
    }
}
