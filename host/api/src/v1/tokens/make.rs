//! What making a person's and a service's token have in common.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use sluice_core::access::Role;
use sluice_core::validate;
use sluice_store::{ApiToken, NewToken, Whose};
use utoipa::ToSchema;

use super::view::NewTokenView;
use crate::auth::principal::Member;
use crate::auth::token::{Purpose, Secret};
use crate::http::problem::{Problem, Slug};
use crate::state::App;
use crate::v1::record::record;
use crate::v1::session::RoleWord;

/// Good tokens at once: of one person in a tenant, and of a tenant's services.
const MOST: u64 = 100;

/// Days that a token is good for, if nothing is said, and at most.
const DAYS: u32 = 90;
const MOST_DAYS: u32 = 365;

const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// A token that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenBody {
    /// What people call it.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it may do, at most one's own role.
    role: RoleWord,
    /// How long it is good for.
    #[schema(minimum = 1, maximum = 365, default = 90)]
    expires_in_days: Option<u32>,
}

/// Makes a token of the member, who is signed in.
pub(super) async fn make(app: &App, member: &Member, service: bool, body: TokenBody) -> Result<Response, Problem> {
    let (_, user) = member.caller.session()?;
    let name = validate::name("name", &body.name)?;
    let role = Role::from(body.role);
    if role > member.role {
        let yours = member.role.as_str();
        return Err(Problem::field("role", format!("a token may do no more than who makes it: your role is {yours}")));
    }
    let days = body.expires_in_days.unwrap_or(DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Problem::field(
            "expires_in_days",
            format!("a token is good for 1 to {MOST_DAYS} days, not {days}"),
        ));
    }
    let now = app.now_us();
    let whose = if service { Whose::Services } else { Whose::Person(&user.id) };
    if app.store.good_tokens(member.scope(), whose, now).await? >= MOST {
        return Err(Problem::new(Slug::Refused, format!("there are {MOST} good tokens; revoke one that is not used")));
    }
    let secret = Secret::new(Purpose::Api, app.random.as_ref());
    let new = NewToken {
        id: app.ids.next(),
        user: (!service).then(|| user.id.clone()),
        name,
        token_hash: secret.hash().to_vec(),
        role,
        created_by: user.id.clone(),
        expires_us: Some(now.saturating_add(i64::from(days).saturating_mul(DAY_US))),
    };
    app.store.create_token(member.scope(), &new, now).await?;
    let detail = json!({"name": new.name, "role": role.as_str(), "days": days, "service": service});
    record(app, member, "token.create", format!("token {}", new.id), detail).await?;
    let kind = if service { "service-tokens" } else { "tokens" };
    let location = [(header::LOCATION, format!("/v1/tenants/{}/{kind}/{}", member.tenant, new.id))];
    let token = ApiToken {
        id: new.id,
        user: new.user,
        name: new.name,
        role,
        created_by: new.created_by,
        created_us: now,
        expires_us: new.expires_us,
        last_used_us: None,
        revoked_us: None,
    };
    let view = NewTokenView { secret: secret.expose().to_owned(), token: token.into() };
    Ok((StatusCode::CREATED, location, Json(view)).into_response())
}

/// Revokes one of these tokens.
pub(super) async fn revoke(app: &App, member: &Member, whose: Whose<'_>, id: &str) -> Result<StatusCode, Problem> {
    if !app.store.revoke_token(member.scope(), whose, id, app.now_us()).await? {
        return Err(Problem::not_found("token"));
    }
    record(app, member, "token.revoke", format!("token {id}"), json!({})).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::{Value, json};
    use sluice_core::access::Role;
    use sluice_store::Scope;

    use crate::testing::{Answer, Service};

    const OWN: &str = "/v1/tenants/acme/tokens";
    const SERVICE: &str = "/v1/tenants/acme/service-tokens";

    async fn make(service: &Service, by: &str, path: &str, role: &str, days: Option<u32>) -> Answer {
        let body = json!({"name": "nightly", "role": role, "expires_in_days": days});
        service.call(Method::POST, path, Some(by), Some(body)).await
    }

    #[tokio::test]
    async fn a_secret_is_shown_once_and_is_good_until_the_token_ends() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let admin = service.session("acme", Role::Admin).await;
        for path in [OWN, SERVICE] {
            let made = make(&service, &admin, path, "editor", Some(2)).await;
            let secret = made.body["secret"].as_str().unwrap();
            assert!(made.status.as_u16() == 201 && secret.starts_with("slua_"), "{made:?}");
            let list = service.call(Method::GET, path, Some(&admin), None).await;
            assert!(!list.body.to_string().contains(secret));
            assert_eq!((&list.body["items"][0]["id"], &list.body["items"][1]), (&made.body["id"], &Value::Null));
            let ask = async || service.call(Method::GET, "/v1/session", Some(secret), None).await;
            let me = ask().await;
            assert_eq!((&me.body["tenants"][0]["role"], &me.body["token"]), (&"editor".into(), &made.body["id"]));
            assert_eq!(me.body["user"].is_null(), path == SERVICE);
            service.pass(2 * 24 * 3_600 - 1);
            assert_eq!(ask().await.status.as_u16(), 200);
            service.pass(1);
            assert_eq!(ask().await.status.as_u16(), 401);
            service.pass(-2 * 24 * 3_600);
            let location = made.headers["location"].to_str().unwrap();
            let other = location.replace(path, if path == OWN { SERVICE } else { OWN });
            assert_eq!(service.call(Method::DELETE, &other, Some(&admin), None).await.problem(), "not-found");
            assert_eq!(service.call(Method::DELETE, location, Some(&admin), None).await.status.as_u16(), 204);
            assert_eq!(ask().await.status.as_u16(), 401);
        }
        let log = service.app.store.audit_after(Scope { tenant: "acme" }, 0, 9).await.unwrap();
        assert_eq!(log.len(), 4);
        assert!(log.iter().all(|one| !one.entry.detail.to_string().contains("slua_")));
    }

    #[tokio::test]
    async fn a_token_is_no_stronger_and_no_longer_lived_than_its_maker_may_make_it() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let admin = service.member("acme", Role::Admin).await;
        let session = service.session_of(&admin).await;
        for path in [OWN, SERVICE] {
            assert_eq!(make(&service, &session, path, "owner", None).await.body["field"], "role");
            for days in [0, 366] {
                assert_eq!(make(&service, &session, path, "viewer", Some(days)).await.body["field"], "expires_in_days");
            }
            let made = make(&service, &session, path, "admin", None).await;
            let ninety = service.app.now() + jiff::SignedDuration::from_hours(90 * 24);
            assert_eq!(made.body["expires_at"], ninety.to_string());
            let token = made.body["secret"].as_str().unwrap();
            for path in [OWN, SERVICE] {
                assert_eq!(make(&service, token, path, "viewer", Some(1)).await.problem(), "forbidden");
            }
        }
        let editor = service.session("acme", Role::Editor).await;
        assert_eq!(make(&service, &editor, SERVICE, "viewer", None).await.problem(), "forbidden");
        assert_eq!(make(&service, &editor, OWN, "admin", None).await.body["field"], "role");
        let made = make(&service, &session, OWN, "admin", None).await;
        let scope = Scope { tenant: "acme" };
        service.app.store.set_role(scope, &admin, Role::Admin, Role::Viewer).await.unwrap();
        let me = service.call(Method::GET, "/v1/session", made.body["secret"].as_str(), None).await;
        assert_eq!(me.body["tenants"][0]["role"], "viewer", "who is demoted has tokens that are");
    }

    #[tokio::test]
    async fn tokens_are_ones_own_and_not_without_number() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let (ann, bob) = (service.session("acme", Role::Editor).await, service.session("acme", Role::Owner).await);
        let made = make(&service, &ann, OWN, "viewer", None).await;
        let location = made.headers["location"].to_str().unwrap();
        assert_eq!(service.call(Method::DELETE, location, Some(&bob), None).await.problem(), "not-found");
        assert_eq!(service.call(Method::GET, OWN, Some(&bob), None).await.body["items"], json!([]));
        for _ in 1..100 {
            assert_eq!(make(&service, &ann, OWN, "viewer", None).await.status.as_u16(), 201);
        }
        assert_eq!(make(&service, &ann, OWN, "viewer", None).await.problem(), "refused");
        service.pass(1);
        assert_eq!(make(&service, &bob, OWN, "viewer", None).await.status.as_u16(), 201);
    }
}
