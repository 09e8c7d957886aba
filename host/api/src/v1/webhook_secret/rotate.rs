//! `POST /v1/tenants/{tenant}/webhook-secret`

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::SecretView;
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::{IfMatch, Tagged};
use crate::state::App;
use crate::v1::record::record;

/// How long the secret before signs as well if nothing is said, and at most, hours.
const OVERLAP: u32 = 24;
const LONGEST: u32 = 168;

const HOUR_US: i64 = 3_600_000_000;

/// How a secret is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateBody {
    /// How long the secret before signs beside the new one; 0 if it leaked.
    #[schema(minimum = 0, maximum = 168, default = 24)]
    overlap_hours: Option<u32>,
}

/// A secret that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = NewWebhookSecret)]
pub(super) struct NewSecretView {
    /// The secret itself. It is shown this once.
    #[schema(read_only)]
    secret: String,
    #[serde(flatten)]
    about: SecretView,
}

/// Make a secret that signs webhooks, in place of the one before
///
/// Only while signed in. While the secret before signs as well, each webhook carries two signatures, and receivers can be changed one
/// after another. Only one earlier secret signs: replacing the secret again ends the one before that.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/webhook-secret", tag = "notifications", operation_id = "rotate_webhook_secret",
    params(("tenant" = String, Path), IfMatch),
    request_body = RotateBody,
    responses((status = 201, body = NewSecretView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn rotate(
    State(app): State<App>,
    member: Member,
    IfMatch(seen): IfMatch,
    Body(body): Body<RotateBody>,
) -> Result<Response, Problem> {
    let hours = body.overlap_hours.unwrap_or(OVERLAP);
    if hours > LONGEST {
        let detail = format!("an earlier secret signs for at most {LONGEST} hours, not {hours}");
        return Err(Problem::field("overlap_hours", detail));
    }
    let (vault, now) = (&app.resolver.vault, app.now_us());
    let until = now.saturating_add(i64::from(hours).saturating_mul(HOUR_US));
    let made = app.store.replace_signing_secret(member.scope(), vault, seen, until, now).await?;
    let (object, detail) = (format!("tenant {}", member.tenant), json!({"overlap_hours": hours}));
    record(&app, &member, "webhook-secret.rotate", object, detail).await?;
    let secret = made.current.expose_text().unwrap_or_default().to_owned();
    let view = NewSecretView { secret, about: SecretView::from(&made) };
    let place = [(header::LOCATION, format!("/v1/tenants/{}/webhook-secret", member.tenant))];
    Ok(Tagged(made.revision, (StatusCode::CREATED, place, Json(view))).into_response())
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::{Value, json};
    use sluice_core::access::Role;
    use sluice_store::Scope;

    use crate::testing::{Answer, Service};

    const PATH: &str = "/v1/tenants/acme/webhook-secret";

    async fn rotate(service: &Service, by: &str, seen: u64, body: Value) -> Answer {
        let request = Service::request(Method::POST, PATH, Some(by)).header("if-match", format!("\"{seen}\""));
        service.finish(request, Some(body)).await
    }

    #[tokio::test]
    async fn a_secret_is_shown_once_and_signs_beside_the_next_one_for_a_while() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let (admin, token) = (service.session("acme", Role::Admin).await, service.token("acme", Role::Owner).await);
        let read = async || service.call(Method::GET, PATH, Some(&token), None).await;
        let none = read().await;
        assert_eq!((&none.body["hint"], &none.headers["etag"]), (&Value::Null, &"\"0\"".parse().unwrap()));
        let first = rotate(&service, &admin, 0, json!({})).await;
        assert_eq!(first.status.as_u16(), 201, "{first:?}");
        let secret = first.body["secret"].as_str().unwrap().to_owned();
        assert_eq!((secret.len(), &first.body["previous"]), (64, &Value::Null));
        let second = rotate(&service, &admin, 1, json!({"overlap_hours": 2})).await;
        let new = second.body["secret"].as_str().unwrap().to_owned();
        let hint = |secret: &str| format!("…{}", &secret[60..]);
        let ends = service.app.now() + jiff::SignedDuration::from_hours(2);
        assert_eq!(second.body["previous"], json!({"hint": hint(&secret), "ends_at": ends.to_string()}));
        let now = read().await;
        assert_eq!((&now.body["hint"], &now.headers["etag"]), (&hint(&new).into(), &"\"2\"".parse().unwrap()));
        assert!(!now.body.to_string().contains(&new[..60]) && now.body["secret"].is_null());
        assert_eq!(rotate(&service, &admin, 1, json!({})).await.problem(), "conflict");
        service.pass(2 * 3_600);
        assert_eq!(read().await.body["previous"], Value::Null);
        let log = service.app.store.audit_after(Scope { tenant: "acme" }, 0, 9).await.unwrap();
        let told: Vec<_> = log.iter().map(|one| (one.entry.action.as_str(), one.entry.detail.clone())).collect();
        let action = "webhook-secret.rotate";
        assert_eq!(told, [(action, json!({"overlap_hours": 24})), (action, json!({"overlap_hours": 2}))]);
        for secret in [&secret, &new] {
            assert_eq!(service.found_in_files(secret), Vec::<String>::new());
        }
    }

    #[tokio::test]
    async fn one_that_leaked_ends_at_once() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let admin = service.session("acme", Role::Admin).await;
        rotate(&service, &admin, 0, json!({})).await;
        let answer = rotate(&service, &admin, 1, json!({"overlap_hours": 0})).await;
        assert_eq!((answer.status.as_u16(), &answer.body["previous"]), (201, &Value::Null));
        let path = format!("{PATH}/previous");
        let end = async |seen: u64| {
            let request =
                Service::request(Method::DELETE, &path, Some(&admin)).header("if-match", format!("\"{seen}\""));
            service.finish(request, None).await
        };
        assert_eq!(end(2).await.problem(), "not-found");
        rotate(&service, &admin, 2, json!({"overlap_hours": 168})).await;
        assert_eq!((end(2).await.problem(), end(3).await.status.as_u16()), ("conflict", 204));
        let read = service.call(Method::GET, PATH, Some(&admin), None).await;
        assert_eq!((&read.body["previous"], &read.headers["etag"]), (&Value::Null, &"\"4\"".parse().unwrap()));
        assert_eq!(service.actions("acme").await["webhook-secret.end-previous"], 1);
        assert_eq!(rotate(&service, &admin, 4, json!({"overlap_hours": 169})).await.body["field"], "overlap_hours");
    }

    #[tokio::test]
    async fn no_token_and_no_editor_replaces_it() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let (owner, editor) = (service.token("acme", Role::Owner).await, service.session("acme", Role::Editor).await);
        for who in [&owner, &editor] {
            assert_eq!(rotate(&service, who, 0, json!({})).await.problem(), "forbidden");
        }
        assert_eq!(service.call(Method::GET, PATH, Some(&editor), None).await.problem(), "forbidden");
    }
}
