//! `Idempotency-Key`: a request that may be sent again without being carried out twice. Whoever sends the same one with the same key
//! gets the first answer again, for a day.
//!
//! Only what succeeded is kept: a request that was refused, or failed, may be sent again with the same key. An operation whose answer
//! holds a secret has no such keys, because its answer must not be stored ([`Rules::answers_secret`](crate::auth::guard::Rules)).

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sluice_core::{RunError, hex};
use sluice_store::{Answer, Repeated, Scope};

use super::problem::{Problem, Slug};
use crate::state::App;

/// The header's name.
pub const HEADER: &str = "Idempotency-Key";

/// Longest key.
pub const LONGEST: usize = 200;

/// How long an answer is kept.
const KEPT_US: i64 = 24 * 3_600 * 1_000_000;

/// How long a key is held for a request that is being carried out. If the process dies meanwhile, the key is free after that.
const HELD_US: i64 = 5 * 60 * 1_000_000;

/// Largest answer that is kept, bytes.
const LARGEST: usize = 256 << 10;

/// What is needed to send an answer again.
#[derive(Serialize, Deserialize)]
struct Kept {
    headers: Vec<(String, String)>,
    body: String,
}

/// Carries the request out unless it was before.
///
/// # Errors
/// If the key is none, was used for something else, or its request is still being carried out.
pub(crate) async fn once(
    app: &App,
    tenant: &str,
    actor: &str,
    largest: usize,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(key) = key_of(request.headers())? else { return Ok(next.run(request).await) };
    let sent = key.to_owned();
    // A key is its sender's: another member never gets an answer that was not meant for them.
    let key = hex(&digest(&[actor.as_bytes(), sent.as_bytes()]));
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, largest).await;
    let body =
        body.map_err(|_| Problem::new(Slug::TooLarge, "the body cannot be read, or is larger than is taken here"))?;
    let print = fingerprint(&sent, &parts, &body);
    let now = app.now_us();
    match app.store.reserve_key(Scope { tenant }, &key, &print, now.saturating_add(HELD_US), now).await? {
        Repeated::First => {
            let request = Request::from_parts(parts, Body::from(body));
            let work = carry_out(app.clone(), tenant.to_owned(), key, request, next);
            // It goes on if the client goes away, so that there is an answer when it comes back.
            tokio::spawn(work).await.map_err(|e| RunError::internal(format!("a request ended: {e}")))?
        }
        Repeated::AtWork => {
            let detail = "the request with this key is still being carried out; send it again later";
            Err(Problem::new(Slug::Refused, detail).retry_after(1))
        }
        Repeated::Misused => Err(Problem::field(HEADER, "this key was used for another request; make a new one")),
        Repeated::Answered(answer) => again(&answer),
    }
}

fn key_of(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    let key = value.to_str().ok().map(str::trim).filter(|key| (1..=LONGEST).contains(&key.len()));
    let wrong = || Problem::field(HEADER, format!("a key has 1 to {LONGEST} plain characters; a UUID is a good one"));
    key.ok_or_else(wrong).map(Some)
}

/// Of what makes a request the same: method, address and body. A body may hold a password; the key as it was sent is stored nowhere and is
/// as good as random, so that nobody who reads the database can try passwords on the fingerprint.
fn fingerprint(key: &str, parts: &Parts, body: &Bytes) -> [u8; 32] {
    let address = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    digest(&[key.as_bytes(), parts.method.as_str().as_bytes(), address.as_bytes(), body])
}

/// Of the parts, each with its length so that none runs into the next.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

async fn carry_out(app: App, tenant: String, key: String, request: Request, next: Next) -> Result<Response, Problem> {
    let scope = Scope { tenant: &tenant };
    let (parts, body) = next.run(request).await.into_parts();
    let body =
        to_bytes(body, 16 << 20).await.map_err(|e| RunError::internal(format!("an answer cannot be read: {e}")))?;
    let kept = if parts.status.is_success() { keep(&parts.headers, &body) } else { None };
    let outcome = match kept {
        Some(body) => {
            let answer = Answer { status: parts.status.as_u16(), body };
            app.store.keep_answer(scope, &key, &answer, app.now_us().saturating_add(KEPT_US)).await
        }
        None => app.store.forget_key(scope, &key).await,
    };
    // It was carried out: that is what the client has to know.
    if let Err(error) = outcome {
        tracing::error!(error = %error, "an answer could not be kept for who sends the request again");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn keep(headers: &HeaderMap, body: &Bytes) -> Option<Vec<u8>> {
    let text = |name: &HeaderName| headers.get(name)?.to_str().ok().map(|value| (name.to_string(), value.to_owned()));
    let headers = [header::CONTENT_TYPE, header::LOCATION, header::ETAG].iter().filter_map(text).collect();
    let body = String::from_utf8(body.to_vec()).ok().filter(|body| body.len() <= LARGEST)?;
    serde_json::to_vec(&Kept { headers, body }).ok()
}

fn again(answer: &Answer) -> Result<Response, Problem> {
    let unreadable =
        |e: &dyn std::fmt::Display| RunError::internal(format!("an answer that was kept is unreadable: {e}"));
    let kept: Kept = serde_json::from_slice(&answer.body).map_err(|e| unreadable(&e))?;
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(|e| unreadable(&e))?;
    let headers = response.headers_mut();
    for (name, value) in kept.headers {
        let name = HeaderName::try_from(name).map_err(|e| unreadable(&e))?;
        headers.insert(name, HeaderValue::try_from(value).map_err(|e| unreadable(&e))?);
    }
    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::{Value, json};
    use sluice_core::access::Role;

    use super::*;
    use crate::testing::{Answer, Service};

    async fn make(service: &Service, by: &str, key: &str, body: Value) -> Answer {
        let request = Service::request(Method::POST, "/v1/tenants", Some(by)).header(HEADER, key);
        service.finish(request, Some(body)).await
    }

    #[tokio::test]
    async fn a_request_that_is_sent_again_is_answered_again_and_not_carried_out() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let (ann, bob) = (service.session("acme", Role::Viewer).await, service.session("acme", Role::Viewer).await);
        let first = make(&service, &ann, "k1", json!({"name": "Globex"})).await;
        assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
        let again = make(&service, &ann, "k1", json!({"name": "Globex"})).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        for header in ["location", "etag", "content-type"] {
            assert_eq!(again.headers[header], first.headers[header]);
        }
        assert_eq!(again.headers["idempotency-replayed"], "true");
        let other = make(&service, &ann, "k1", json!({"name": "Initech"})).await;
        assert_eq!((other.problem(), &other.body["field"]), ("invalid", &HEADER.into()));
        let bobs = make(&service, &bob, "k1", json!({"name": "Globex"})).await;
        assert_ne!(bobs.body["id"], first.body["id"], "a key is its sender's");
        assert_eq!(service.app.store.tenants(None, 9).await.unwrap().len(), 3);
        for bad in ["", &"x".repeat(201)] {
            assert_eq!(make(&service, &ann, bad, json!({"name": "Globex"})).await.body["field"], HEADER);
        }
        service.pass(24 * 3_600 - 1);
        let ann = service.session_of(first_user(&service, &ann).await.as_str()).await;
        assert_eq!(make(&service, &ann, "k1", json!({"name": "Globex"})).await.body, first.body);
        service.pass(1);
        assert_ne!(
            make(&service, &ann, "k1", json!({"name": "Globex"})).await.body["id"],
            first.body["id"],
            "for a day"
        );
    }

    async fn first_user(service: &Service, session: &str) -> String {
        let hash = crate::auth::token::hash_of(crate::auth::token::Purpose::Session, session).unwrap();
        service.app.store.session(&hash, crate::testing::START_US).await.unwrap().unwrap().1.id
    }

    #[tokio::test]
    async fn of_many_equal_requests_at_once_one_is_carried_out() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let ann = service.session("acme", Role::Viewer).await;
        let all = (0..6).map(|_| make(&service, &ann, "k", json!({"name": "Globex"})));
        let all = futures::future::join_all(all.collect::<Vec<_>>()).await;
        for answer in &all {
            match answer.status {
                StatusCode::CREATED => assert_eq!(answer.body["name"], "Globex"),
                _ => assert_eq!((answer.problem(), &answer.headers["retry-after"]), ("refused", &"1".parse().unwrap())),
            }
        }
        assert!(all.iter().any(|answer| answer.status == StatusCode::CREATED));
        assert_eq!(service.app.store.tenants(None, 9).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn what_was_refused_may_be_sent_again() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let ann = service.session("acme", Role::Viewer).await;
        assert_eq!(make(&service, &ann, "k", json!({"name": ""})).await.problem(), "invalid");
        assert_eq!(make(&service, &ann, "k", json!({"name": "Globex"})).await.status, StatusCode::CREATED);
    }

    #[tokio::test]
    async fn no_answer_with_a_secret_is_kept() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let ann = service.session("acme", Role::Owner).await;
        let token = json!({"name": "x", "role": "viewer"});
        let invitation = json!({"email": "a@example.com", "role": "viewer"});
        let paths = [("tokens", &token), ("service-tokens", &token), ("invitations", &invitation)];
        for (path, body) in paths {
            let path = format!("/v1/tenants/acme/{path}");
            let send = async || {
                let request = Service::request(Method::POST, &path, Some(&ann)).header(HEADER, "k");
                service.finish(request, Some(body.clone())).await
            };
            let (first, second) = (send().await, send().await);
            assert_ne!(first.body["secret"], second.body["secret"], "{path}");
        }
        assert_eq!(service.app.store.forget_keys(i64::MAX).await.unwrap(), 0, "no key was ever reserved");
        let document = serde_json::to_value(crate::document(&service.app)).unwrap();
        let takes = |path: &str| document["paths"][path]["post"]["parameters"].to_string().contains(HEADER);
        assert!(takes("/v1/tenants"));
        for (path, _) in paths {
            assert!(!takes(&format!("/v1/tenants/{{tenant}}/{path}")), "{path}");
        }
        assert!(!takes("/v1/session") && !takes("/v1/setup"));
    }
}
