//! `PATCH /v1/tenants/{tenant}`

use axum::Json;
use axum::extract::State;
use serde_json::json;
use sluice_core::validate;

use super::{TenantBody, TenantView};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::{IfMatch, Tagged};
use crate::state::App;
use crate::v1::record::record;

/// Rename a tenant
#[utoipa::path(
    patch, path = "/v1/tenants/{tenant}", tag = "tenants", operation_id = "update_tenant",
    params(("tenant" = String, Path), IfMatch),
    request_body = TenantBody,
    responses((status = 200, body = TenantView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn update(
    State(app): State<App>,
    member: Member,
    IfMatch(seen): IfMatch,
    Body(body): Body<TenantBody>,
) -> Result<Tagged<Json<TenantView>>, Problem> {
    let name = validate::name("name", &body.name)?;
    let revision = app.store.rename_tenant(member.scope(), seen, &name).await?;
    let object = format!("tenant {}", member.tenant);
    record(&app, &member, "tenant.update", object, json!({"name": name})).await?;
    let tenant = app.store.tenant(member.scope()).await?.ok_or_else(|| Problem::not_found("tenant"))?;
    Ok(Tagged(revision, Json(tenant.into())))
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::json;
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn a_person_makes_tenants_and_renames_what_was_read() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let person = service.session("acme", Role::Viewer).await;
        let make =
            async || service.call(Method::POST, "/v1/tenants", Some(&person), Some(json!({"name": "Globex"}))).await;
        let made = make().await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        let path = made.headers["location"].to_str().unwrap().to_owned();
        let read = service.call(Method::GET, &path, Some(&person), None).await;
        assert_eq!((&read.body, &read.headers["etag"]), (&made.body, &made.headers["etag"]));
        let rename = async |tag: Option<&str>, name: &str| {
            let request = Service::request(Method::PATCH, &path, Some(&person));
            let request = tag.into_iter().fold(request, |request, tag| request.header("if-match", tag));
            service.finish(request, Some(json!({"name": name}))).await
        };
        assert_eq!(rename(None, "Initech").await.status, StatusCode::PRECONDITION_REQUIRED);
        let renamed = rename(Some("\"1\""), " Initech ").await;
        assert_eq!((&renamed.body["name"], &renamed.headers["etag"]), (&"Initech".into(), &"\"2\"".parse().unwrap()));
        assert_eq!(rename(Some("\"1\""), "Late").await.status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(rename(Some("\"2\""), "\u{202e}").await.body["field"], "name");
        let tenant = made.body["id"].as_str().unwrap();
        assert_eq!(
            service.audited(tenant).await,
            ["create", "update"].map(|verb| format!("tenant.{verb} tenant {tenant}"))
        );
        for _ in 1..10 {
            assert_eq!(make().await.status, StatusCode::CREATED);
        }
        assert_eq!(make().await.problem(), "refused");
    }
}
