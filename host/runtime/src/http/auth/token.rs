//! Access tokens (RFC 6749): asked for at a token endpoint, kept until shortly before their end, sent as `Bearer`.
//!
//! A request for one goes through a client of the host's own, under the same rules as the guest's: the operator's deny list,
//! resolved and pinned addresses, no credentials without TLS outside of a granted network. The guest cannot reach the endpoint by
//! this, and never sees a token.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use sluice_core::RunError;
use tokio::sync::{Mutex, Semaphore};
use wasmtime_wasi_http::{Error, WasiBody};

use super::super::client::{HttpClient, HttpSettings};
use super::super::failure::Failure;
use super::super::origin::Origin;
use super::{Configured, Credentials};
use crate::net::egress::{HostPattern, HostRule};
use crate::net::{EgressPolicy, NetError, NetErrorKind};
use crate::text::printable;

/// How long before its end a token is renewed.
const MARGIN: SignedDuration = SignedDuration::from_mins(4);

/// How long before its end a token is not used any more, if renewing it fails.
const LAST_USE: SignedDuration = SignedDuration::from_secs(30);

/// Longest answer that is read.
const MAX_ANSWER: usize = 64 << 10;

/// Where tokens are asked for.
pub(super) struct Endpoint {
    url: String,
    client: HttpClient,
}

/// A token that was issued.
pub(super) struct Issued {
    pub(super) access_token: String,
    pub(super) lifetime_seconds: u32,
    /// What to ask for the next one with, where it takes the place of what was asked with.
    pub(super) refresh_token: Option<String>,
}

/// What the endpoint says.
pub(super) enum Reply {
    Issued(Issued),
    /// A refusal in its own words (RFC 6749, section 5.2): its code, and all of it.
    Refused {
        code: String,
        reason: String,
    },
}

#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    expires_in: Option<u32>,
    refresh_token: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Endpoint {
    /// An endpoint. `own` if a person chose it for this connection, so that it may be in a private network that was granted. `field` is
    /// what an error about the URL names.
    pub(super) fn new(
        url: &str,
        own: bool,
        private: bool,
        field: &str,
        configured: Configured<'_>,
    ) -> Result<Self, RunError> {
        let wrong = |reason: String| RunError::config(field, reason);
        let uri: Uri = url.parse().map_err(|_| wrong("this is not a URL".to_owned()))?;
        let origin = Origin::of(&uri).map_err(|failure| wrong(failure.detail.message))?;
        let rule = HostRule { pattern: HostPattern::Exact(origin.host), port: Some(origin.port), own };
        let policy = EgressPolicy::new(vec![rule], private).with_deny(configured.environment.deny.clone());
        let credentials = Credentials::confidential();
        let client = HttpClient::assemble(policy, configured.environment, credentials, HttpSettings::default());
        Ok(Self { url: url.to_owned(), client })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Sends a form, with the client's own credentials in a header where that is how they are sent.
    pub(super) async fn ask(&self, form: String, authorization: Option<HeaderValue>) -> Result<Reply, Failure> {
        let body: WasiBody = Full::new(Bytes::from(form)).map_err(|never| match never {}).boxed_unsync();
        let mut request = Request::post(&self.url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(body)
            .map_err(|_| refusal(NetErrorKind::Config, "the token endpoint's URL cannot be requested"))?;
        if let Some(authorization) = authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        let response = self.send(request).await?;
        let status = response.status();
        let collected = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        let bytes = collected.map_err(|_| self.broken("its answer was cut off or is too long"))?.to_bytes();
        let answer: Option<Answer> = serde_json::from_slice(&bytes).ok();
        match answer {
            Some(Answer { access_token: Some(access_token), expires_in, refresh_token, .. })
                if status == StatusCode::OK =>
            {
                Ok(Reply::Issued(Issued { access_token, lifetime_seconds: expires_in.unwrap_or(0), refresh_token }))
            }
            Some(Answer { error: Some(code), error_description, .. }) if status.is_client_error() => {
                let more = error_description.map(|text| format!(" ({})", printable(&text, 500))).unwrap_or_default();
                Ok(Reply::Refused { reason: format!("{}{more}", printable(&code, 200)), code })
            }
            _ if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(self.broken(&format!("it answered {status}")))
            }
            _ => {
                let message = format!("{} answered {status} and no access token", self.url);
                Err(refusal(NetErrorKind::Protocol, message))
            }
        }
    }

    /// Boxed, because a client's requests may need a token, which needs a client's request: a type of its own would
    /// hold itself.
    fn send(
        &self,
        request: Request<WasiBody>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<WasiBody>, Failure>> + Send + '_>> {
        Box::pin(async move {
            let permit = Arc::new(Semaphore::new(1)).acquire_owned().await;
            let permit = permit.map_err(|_| refusal(NetErrorKind::Limit, "the token endpoint's client is closed"))?;
            self.client.send(request, None, permit).await
        })
    }

    fn broken(&self, what: &str) -> Failure {
        let message = format!("no access token from {}: {what}", self.url);
        Failure::new(Error::ConnectionTerminated, NetErrorKind::Transient, message)
    }
}

/// A token and when it ends.
#[derive(Clone)]
struct Token {
    value: HeaderValue,
    ends: Timestamp,
}

/// The token at hand.
#[derive(Default)]
pub(super) struct Kept(Mutex<Option<Token>>);

impl Kept {
    /// The token at hand, or a new one. Whoever comes while one is fetched waits for that one.
    pub(super) async fn get(
        &self,
        now: Timestamp,
        fetch: impl Future<Output = Result<Issued, Failure>> + Send,
    ) -> Result<HeaderValue, Failure> {
        let mut token = self.0.lock().await;
        if let Some(known) = token.as_ref().filter(|known| now < ends_at(known, MARGIN)) {
            return Ok(known.value.clone());
        }
        match fetch.await {
            Ok(issued) => {
                let value = bearer(&issued.access_token)?;
                let lifetime = SignedDuration::from_secs(i64::from(issued.lifetime_seconds));
                *token = Some(Token { value: value.clone(), ends: now.saturating_add(lifetime).unwrap_or(now) });
                Ok(value)
            }
            Err(failure) => match token.as_ref().filter(|known| now < ends_at(known, LAST_USE)) {
                Some(known) => {
                    tracing::warn!(error = %failure.detail, "an access token is used on, because it cannot be renewed");
                    Ok(known.value.clone())
                }
                None => Err(failure),
            },
        }
    }

    /// A token that was refused is not used again: it may have been revoked before its end.
    pub(super) fn refused<B>(&self, response: &Response<B>) {
        if response.status() == StatusCode::UNAUTHORIZED
            && let Ok(mut token) = self.0.try_lock()
        {
            *token = None;
        }
    }
}

fn ends_at(token: &Token, margin: SignedDuration) -> Timestamp {
    token.ends.saturating_sub(margin).unwrap_or(token.ends)
}

/// `Bearer …`.
pub(super) fn bearer(token: &str) -> Result<HeaderValue, Failure> {
    let plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let value = HeaderValue::from_str(&format!("Bearer {token}")).ok().filter(|_| plain);
    let Some(mut value) = value else {
        return Err(refusal(NetErrorKind::Protocol, "the access token that was issued is none"));
    };
    value.set_sensitive(true);
    Ok(value)
}

pub(super) fn refusal(kind: NetErrorKind, message: impl Into<String>) -> Failure {
    Failure { code: Error::HttpRequestDenied, detail: NetError::new(kind, message) }
}
