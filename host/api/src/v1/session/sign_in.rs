//! `POST /v1/session`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use sluice_core::validate;
use utoipa::ToSchema;

use super::{Me, signed_in};
use crate::auth::throttle::Try;
use crate::http::body::Body;
use crate::http::client::Client;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::http::security::not_cross_site;
use crate::state::App;

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    #[schema(max_length = 254)]
    email: String,
    #[schema(max_length = 256, format = Password, write_only)]
    password: String,
}

/// Sign in with e-mail and password
///
/// Sets the session's cookie. Whether there is an account with this address is not told; after a few failures one has to wait.
#[utoipa::path(
    post, path = "/v1/session", tag = "session", operation_id = "sign_in",
    request_body = SignIn,
    responses(
        (status = 201, body = Me, headers(("Set-Cookie" = String, description = "The session, for browsers"))),
        (status = "4XX", body = ProblemBody)
    )
)]
pub(super) async fn sign_in(
    State(app): State<App>,
    client: Client,
    headers: HeaderMap,
    Body(asked): Body<SignIn>,
) -> Result<Response, Problem> {
    not_cross_site(&headers, &app.origin)?;
    let email = validate::email("email", &asked.email)?;
    if asked.password.chars().count() > 256 {
        return Err(Problem::field("password", "a password has at most 256 characters"));
    }
    let attempt = Try::begin(&app, &email, client).await?;
    let user = app.store.user_by_email(&email).await?.filter(|user| user.disabled_us.is_none());
    let hash = user.as_ref().and_then(|user| user.password.clone()).map(|hash| hash.0);
    let right = app.passwords.verify(asked.password, hash).await?;
    let Some(user) = user.filter(|_| right) else {
        attempt.failed(&app).await?;
        // Not whose account was tried: people type passwords into the wrong field.
        tracing::warn!(address = client.address(), "somebody could not sign in");
        let detail = "e-mail and password do not belong together; whoever comes in through a provider has no password";
        return Err(Problem::new(Slug::WrongCredentials, detail));
    };
    attempt.succeeded(&app).await?;
    signed_in(&app, &user.id, &headers, client).await
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::json;
    use sluice_core::access::Role;
    use sluice_store::PasswordHash;

    use crate::testing::{Answer, Service};

    const PASSWORD: &str = "four words nobody says";

    /// A person with a password in the tenant `acme`.
    async fn with_ann() -> (Service, String) {
        let service = Service::new().await;
        service.tenant("acme").await;
        let ann = service.member("acme", Role::Editor).await;
        let hash = service.app.passwords.hash(PASSWORD.into(), [1; 16]).await.unwrap();
        service.app.store.set_password(&ann, Some(&PasswordHash(hash))).await.unwrap();
        (service, ann)
    }

    async fn sign_in(service: &Service, user: &str, password: &str) -> Answer {
        let body = json!({"email": format!("{user}@example.com"), "password": password});
        service.call(Method::POST, "/v1/session", None, Some(body)).await
    }

    #[tokio::test]
    async fn each_session_has_a_secret_of_its_own_and_ends_the_one_before() {
        let (service, ann) = with_ann().await;
        let first = sign_in(&service, &ann, PASSWORD).await;
        assert_eq!((first.status, &first.headers["location"]), (StatusCode::CREATED, &"/v1/session".parse().unwrap()));
        assert!(!first.body.to_string().contains("slus_"), "the secret is for the cookie only");
        let request = Service::request(Method::POST, "/v1/session", Some(&first.session()));
        let body = json!({"email": format!("{ann}@example.com"), "password": PASSWORD});
        let second = service.finish(request, Some(body)).await;
        assert_ne!(first.session(), second.session());
        let ask = async |session: &str| service.call(Method::GET, "/v1/session", Some(session), None).await.status;
        assert_eq!(
            (ask(&first.session()).await, ask(&second.session()).await),
            (StatusCode::UNAUTHORIZED, StatusCode::OK)
        );
        let out = service.call(Method::DELETE, "/v1/session", Some(&second.session()), None).await;
        assert_eq!((out.status, ask(&second.session()).await), (StatusCode::NO_CONTENT, StatusCode::UNAUTHORIZED));
        let did = ["session.create", "session.create", "session.delete"].map(|action| format!("{action} user {ann}"));
        assert_eq!(service.audited("acme").await, did);
    }

    #[tokio::test]
    async fn a_wrong_password_and_an_unknown_address_get_one_answer() {
        let (service, ann) = with_ann().await;
        let wrong = sign_in(&service, &ann, "another four words").await;
        let unknown = sign_in(&service, "nobody", PASSWORD).await;
        let without = sign_in(&service, &service.member("acme", Role::Owner).await, PASSWORD).await;
        service.app.store.disable_user(&ann, true, 1).await.unwrap();
        let disabled = sign_in(&service, &ann, PASSWORD).await;
        assert_eq!((wrong.status, wrong.problem()), (StatusCode::UNAUTHORIZED, "wrong-credentials"));
        for other in [unknown, without, disabled] {
            assert_eq!((wrong.status, &wrong.body), (other.status, &other.body));
            assert!(!other.headers.contains_key("set-cookie"));
        }
    }

    #[tokio::test]
    async fn guessing_has_to_wait_longer_and_longer_and_so_has_the_right_password() {
        let (service, ann) = with_ann().await;
        for user in [&ann, "nobody"] {
            for _ in 0..5 {
                assert_eq!(sign_in(&service, user, "another four words").await.status, StatusCode::UNAUTHORIZED);
            }
            let right = sign_in(&service, user, PASSWORD).await;
            assert_eq!((right.problem(), &right.headers["retry-after"]), ("too-many-requests", &"2".parse().unwrap()));
        }
        service.pass(2);
        assert_eq!(sign_in(&service, &ann, "another four words").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(sign_in(&service, &ann, PASSWORD).await.headers["retry-after"], "2", "four seconds after the first");
        service.pass(2);
        assert_eq!(sign_in(&service, &ann, PASSWORD).await.status, StatusCode::CREATED);
        assert_eq!(sign_in(&service, &ann, "another four words").await.status, StatusCode::UNAUTHORIZED, "begins anew");
    }

    #[tokio::test]
    async fn one_address_cannot_try_many_accounts() {
        let (service, ann) = with_ann().await;
        for number in 0..20 {
            let answer = sign_in(&service, &format!("nobody{number}"), PASSWORD).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        }
        assert_eq!(sign_in(&service, &ann, PASSWORD).await.problem(), "too-many-requests");
        service.pass(3_601);
        assert_eq!(sign_in(&service, &ann, PASSWORD).await.status, StatusCode::CREATED);
    }

    #[tokio::test]
    async fn another_sites_page_signs_nobody_in() {
        let (service, ann) = with_ann().await;
        let request = Service::request(Method::POST, "/v1/session", None).header("origin", "https://evil.example");
        let body = json!({"email": format!("{ann}@example.com"), "password": PASSWORD});
        assert_eq!(service.finish(request, Some(body)).await.problem(), "cross-site");
    }
}
