//! `GET /v1/tenants/{tenant}/connections`

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::view::{ConnectionView, with_fields};
use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;

/// Which connections.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only those whose name contains this text; capital and small letters are alike.
    #[param(max_length = 100)]
    contains: Option<String>,
}

/// The tenant's connections, the oldest first, without their secrets
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/connections", tag = "connections", operation_id = "list_connections",
    params(("tenant" = String, Path), Filter, PageQuery),
    responses((status = 200, body = Page<ConnectionView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    member: Member,
    Query(filter): Query<Filter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ConnectionView>>, Problem> {
    let limit = page.limit()?;
    let contains = filter.contains.as_deref();
    let found = app.store.connections(member.scope(), contains, page.after.as_deref(), limit + 1).await?;
    let Page { items, next } = Page::of(found, limit, |connection| connection.id.clone());
    let (Some(first), Some(last)) = (items.first(), items.last()) else {
        return Ok(Json(Page { items: Vec::new(), next }));
    };
    let mut secrets = app.store.secret_fields_between(member.scope(), (&first.id, &last.id)).await?;
    let views = items.into_iter().map(|connection| {
        let fields = secrets.remove(&connection.id).unwrap_or_default();
        with_fields(connection, fields)
    });
    Ok(Json(Page { items: views.collect::<Result<_, Problem>>()?, next }))
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use sluice_core::access::Role;

    use crate::testing::{SECRET, Service};

    #[tokio::test]
    async fn they_come_page_by_page_and_never_with_a_secret_or_another_tenants() {
        let service = Service::new().await;
        service.tenant("acme").await;
        service.tenant("globex").await;
        let editor = service.token("acme", Role::Editor).await;
        let stranger = service.token("globex", Role::Editor).await;
        let first = service.connection("acme", &editor, "a").await;
        let second = service.connection("acme", &editor, "b").await;
        service.connection("globex", &stranger, "c").await;
        let page = service.call(Method::GET, "/v1/tenants/acme/connections?limit=1", Some(&editor), None).await;
        assert_eq!(
            (&page.body["items"][0]["id"], &page.body["next"]),
            (&first.as_str().into(), &first.as_str().into())
        );
        let path = format!("/v1/tenants/acme/connections?after={first}");
        let rest = service.call(Method::GET, &path, Some(&editor), None).await;
        assert_eq!(rest.body["items"].as_array().unwrap().len(), 1);
        let named = service.call(Method::GET, "/v1/tenants/acme/connections?contains=B", Some(&editor), None).await;
        assert_eq!(named.body["items"], rest.body["items"]);
        assert_eq!(rest.body["items"][0]["id"], second.as_str());
        assert_eq!(rest.body["items"][0]["secrets"], serde_json::json!(["/password"]));
        assert!(!rest.body.to_string().contains(SECRET) && rest.body["next"].is_null());
    }
}
