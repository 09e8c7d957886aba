//! `GET /v1/tenants/{tenant}/audit`

use axum::Json;
use axum::extract::State;

use super::view::AuditView;
use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;

/// The newest entries first
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/audit", tag = "audit", operation_id = "list_audit",
    params(("tenant" = String, Path), PageQuery),
    responses((status = 200, body = Page<AuditView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    member: Member,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<AuditView>>, Problem> {
    let limit = page.limit()?;
    let before = page.after.as_deref().map(number).transpose()?;
    let found = app.store.audit_before(member.scope(), before, limit + 1).await?;
    Ok(Json(Page::of(found, limit, |entry| entry.seq.to_string()).map(AuditView::from)))
}

/// The `next` of a page: a number that the store can have given.
fn number(text: &str) -> Result<u64, Problem> {
    let number = text.parse::<u64>().ok().filter(|number| i64::try_from(*number).is_ok());
    number.ok_or_else(|| Problem::field("after", "it is no `next` of this list"))
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use sluice_core::access::Role;
    use sluice_store::{AuditEntry, Scope};

    use crate::testing::{START_US, Service};

    #[tokio::test]
    async fn an_admin_reads_the_log_page_by_page() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let admin = service.token("acme", Role::Admin).await;
        for number in 1..=3 {
            let entry = AuditEntry {
                actor: "host".into(),
                action: "secret.use".into(),
                object: format!("connection {number}"),
                address: None,
                detail: serde_json::json!({}),
            };
            service.app.store.audit(Scope { tenant: "acme" }, &entry, START_US).await.unwrap();
        }
        let path = "/v1/tenants/acme/audit?limit=2";
        let first = service.call(Method::GET, path, Some(&admin), None).await;
        assert_eq!(first.status, StatusCode::OK, "{first:?}");
        assert_eq!((&first.body["items"][0]["seq"], &first.body["next"]), (&3.into(), &"2".into()));
        let rest = service.call(Method::GET, &format!("{path}&after=2"), Some(&admin), None).await;
        assert_eq!((&rest.body["items"][0]["object"], rest.body["next"].is_null()), (&"connection 1".into(), true));
        for wrong in ["x", "-1", "18446744073709551615", "%00"] {
            let path = format!("/v1/tenants/acme/audit?after={wrong}");
            let wrong = service.call(Method::GET, &path, Some(&admin), None).await;
            assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn others_do_not() {
        let service = Service::new().await;
        service.tenant("acme").await;
        service.tenant("globex").await;
        let (editor, stranger) =
            (service.token("acme", Role::Editor).await, service.token("globex", Role::Owner).await);
        let ask = async |token: Option<&str>| service.call(Method::GET, "/v1/tenants/acme/audit", token, None).await;
        assert_eq!(ask(Some(&editor)).await.status, StatusCode::FORBIDDEN);
        assert_eq!(ask(Some(&stranger)).await.status, StatusCode::NOT_FOUND);
        assert_eq!(ask(None).await.status, StatusCode::UNAUTHORIZED);
    }
}
