//! `GET /v1/tenants/{tenant}/audit`

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use sluice_store::AuditFilter;

use super::view::AuditView;
use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;

/// Which entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only those whose action, object, actor, address or detail contains this text; capital and small letters are alike.
    #[param(max_length = 100)]
    contains: Option<String>,
    /// Only those by this actor, as entries name it: `user ID`, `token ID`, `schedule`, `host`, `operator`.
    #[param(max_length = 100)]
    actor: Option<String>,
    /// Only those of this moment or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only those of before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// The newest entries first
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/audit", tag = "audit", operation_id = "list_audit",
    params(("tenant" = String, Path), Filter, PageQuery),
    responses((status = 200, body = Page<AuditView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    member: Member,
    Query(filter): Query<Filter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<AuditView>>, Problem> {
    let limit = page.limit()?;
    let before = page.after.as_deref().map(number).transpose()?;
    let filter = AuditFilter {
        before,
        actor: filter.actor.as_deref(),
        contains: filter.contains.as_deref(),
        from_us: filter.from.map(Timestamp::as_microsecond),
        until_us: filter.until.map(Timestamp::as_microsecond),
    };
    let found = app.store.audit_before(member.scope(), filter, limit + 1).await?;
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
    async fn of_the_whole_log_the_entries_are_found_that_somebody_looks_for() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let admin = service.token("acme", Role::Admin).await;
        for (number, actor) in (1..=3).zip(["host", "schedule", "host"]) {
            let entry = AuditEntry {
                actor: actor.into(),
                action: "secret.use".into(),
                object: format!("connection {number}"),
                address: None,
                detail: serde_json::json!({"for": format!("run {number}")}),
            };
            service.app.store.audit(Scope { tenant: "acme" }, &entry, START_US + number * 1_000_000).await.unwrap();
        }
        let ask = async |query: &str| {
            let path = format!("/v1/tenants/acme/audit?{query}");
            let body = service.call(Method::GET, &path, Some(&admin), None).await.body;
            let items = body["items"].as_array().unwrap_or(&Vec::new()).clone();
            items.iter().map(|one| one["seq"].as_u64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!((ask("contains=RUN%202").await, ask("contains=connection").await), (vec![2], vec![3, 2, 1]));
        assert_eq!((ask("actor=host").await, ask("actor=host&contains=run%203").await), (vec![3, 1], vec![3]));
        let second = |second: i64| jiff::Timestamp::from_microsecond(START_US + second * 1_000_000).unwrap();
        assert_eq!(ask(&format!("from={}&until={}", second(2), second(3))).await, [2]);
        let wrong = service.call(Method::GET, "/v1/tenants/acme/audit?from=monday", Some(&admin), None).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}");
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
