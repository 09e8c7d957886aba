//! `POST /v1/setup`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use sluice_core::validate;
use sluice_store::{AuditEntry, NewTenant, NewUser, Scope};
use utoipa::ToSchema;

use crate::auth::password::hashed;
use crate::http::body::Body;
use crate::http::client::Client;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::http::security::not_cross_site;
use crate::state::App;
use crate::v1::session::{Me, signed_in};

/// The first person and the first tenant.
#[derive(Deserialize, ToSchema)]
#[schema(as = FirstPerson)]
#[serde(deny_unknown_fields)]
pub(super) struct First {
    /// What others see of the person.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(max_length = 254)]
    email: String,
    #[schema(min_length = 12, max_length = 256, format = Password, write_only)]
    password: String,
    /// What the organisation is called.
    #[schema(min_length = 1, max_length = 100)]
    tenant: String,
}

/// Make the first person, who owns the first tenant, and sign in
///
/// Refused once there is somebody: others are invited.
#[utoipa::path(
    post, path = "/v1/setup", tag = "setup", operation_id = "set_up",
    request_body = First,
    responses(
        (status = 201, body = Me, headers(("Set-Cookie" = String, description = "The session, for browsers"))),
        (status = "4XX", body = ProblemBody)
    )
)]
pub(super) async fn create(
    State(app): State<App>,
    client: Client,
    headers: HeaderMap,
    Body(first): Body<First>,
) -> Result<Response, Problem> {
    not_cross_site(&headers, &app.origin)?;
    // Asked before a password is hashed, which costs; decided when the person is made.
    if !app.store.has_no_users().await? {
        return Err(Problem::new(Slug::Refused, "there is a user already; ask an owner for an invitation"));
    }
    let name = validate::name("name", &first.name)?;
    let email = validate::email("email", &first.email)?;
    let tenant = NewTenant { id: app.ids.next(), name: validate::name("tenant", &first.tenant)? };
    validate::password("password", &first.password, &[&name, &email, &tenant.name])?;
    let password = Some(hashed(&app, first.password).await?);
    let user = NewUser { id: app.ids.next(), email, name, password };
    app.store.create_first_user(&tenant, &user, app.now_us()).await?;
    let entry = AuditEntry {
        actor: format!("user {}", user.id),
        action: "tenant.create".into(),
        object: format!("tenant {}", tenant.id),
        address: client.address(),
        detail: json!({"name": tenant.name, "first": true}),
    };
    app.store.audit(Scope { tenant: &tenant.id }, &entry, app.now_us()).await?;
    signed_in(&app, &user.id, &headers, client).await
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::{Value, json};

    use crate::testing::Service;

    fn first(email: &str) -> Option<Value> {
        Some(json!({"name": "Ann", "email": email, "password": "four words nobody says", "tenant": "Acme"}))
    }

    #[tokio::test]
    async fn the_first_person_owns_the_first_tenant_and_is_signed_in() {
        let service = Service::new().await;
        let needed = service.call(Method::GET, "/v1/setup", None, None).await;
        assert_eq!(needed.body, json!({"needed": true}));
        let made = service.call(Method::POST, "/v1/setup", None, first(" Ann@Example.com ")).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        let me = service.call(Method::GET, "/v1/session", Some(&made.session()), None).await;
        assert_eq!(me.body, made.body);
        assert_eq!(me.body["user"]["email"], "ann@example.com");
        assert_eq!((&me.body["tenants"][0]["name"], &me.body["tenants"][0]["role"]), (&"Acme".into(), &"owner".into()));
        let tenant = me.body["tenants"][0]["id"].as_str().unwrap();
        let user = me.body["user"]["id"].as_str().unwrap();
        assert_eq!(
            service.audited(tenant).await,
            [format!("tenant.create tenant {tenant}"), format!("session.create user {user}")]
        );
        let again = service.call(Method::POST, "/v1/setup", None, first("bob@example.com")).await;
        assert_eq!((again.status, again.problem()), (StatusCode::CONFLICT, "refused"));
        let needed = service.call(Method::GET, "/v1/setup", None, None).await;
        assert_eq!(needed.body, json!({"needed": false}));
    }

    #[tokio::test]
    async fn of_several_at_once_one_is_the_first() {
        let service = Service::new().await;
        let calls = (0..4).map(|n| service.call(Method::POST, "/v1/setup", None, first(&format!("p{n}@example.com"))));
        let mut answers: Vec<u16> =
            futures::future::join_all(calls.collect::<Vec<_>>()).await.iter().map(|one| one.status.as_u16()).collect();
        answers.sort_unstable();
        assert_eq!(answers, [201, 409, 409, 409]);
        assert_eq!(service.app.store.tenants(None, 9).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_password_that_is_guessed_at_once_is_refused_and_not_repeated() {
        let service = Service::new().await;
        let body = json!({"name": "Ann", "email": "a@example.com", "password": "password1234", "tenant": "Acme"});
        let refused = service.call(Method::POST, "/v1/setup", None, Some(body)).await;
        assert_eq!((refused.problem(), &refused.body["field"]), ("invalid", &"password".into()));
        assert!(!refused.body.to_string().contains("password1234"));
    }
}
