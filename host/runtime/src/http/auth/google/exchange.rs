//! The token endpoint: an assertion in, an access token out (RFC 7523, RFC 6749 section 5).
//!
//! The request goes through a client of the host's own, under the same rules as the guest's: the operator's deny list,
//! resolved and pinned addresses, no credentials without TLS outside of a granted network.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use serde::Deserialize;
use sluice_core::RunError;
use tokio::sync::Semaphore;
use wasmtime_wasi_http::{Error, WasiBody};

use super::super::super::client::{HttpClient, HttpSettings};
use super::super::super::failure::Failure;
use super::super::super::origin::Origin;
use super::super::{Configured, Credentials};
use super::refusal;
use crate::net::egress::{HostPattern, HostRule};
use crate::net::{EgressPolicy, NetErrorKind};
use crate::text::printable;

/// Google's own.
const GOOGLE: &str = "https://oauth2.googleapis.com/token";

/// Longest answer that is read.
const MAX_ANSWER: usize = 64 << 10;

/// Where assertions are exchanged.
pub(super) struct Endpoint {
    url: String,
    client: HttpClient,
}

/// A token that was issued.
pub(super) struct Issued {
    pub(super) access_token: String,
    pub(super) lifetime_seconds: u32,
}

#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    expires_in: Option<u32>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Endpoint {
    /// Google's endpoint, or the one that the operator grants, which may then be in a private network.
    pub(super) fn new(configured: Configured<'_>) -> Result<Self, RunError> {
        let granted = configured.grants.google_token_endpoint.as_deref();
        let url = granted.unwrap_or(GOOGLE).to_owned();
        let wrong = |reason: String| RunError::config("source.grants.google_token_endpoint", reason);
        let uri: Uri = url.parse().map_err(|_| wrong("this is not a URL".to_owned()))?;
        let origin = Origin::of(&uri).map_err(|failure| wrong(failure.detail.message))?;
        let own = granted.is_some();
        let rule = HostRule { pattern: HostPattern::Exact(origin.host), port: Some(origin.port), own };
        let policy = EgressPolicy::new(vec![rule], own).with_deny(configured.environment.deny.clone());
        let credentials = Credentials::confidential();
        let client = HttpClient::assemble(policy, configured.environment, credentials, HttpSettings::default());
        Ok(Self { url, client })
    }

    /// Whom an assertion is for.
    pub(super) fn audience(&self) -> &str {
        &self.url
    }

    /// `field` is what a refusal names.
    pub(super) async fn exchange(&self, assertion: &str, field: &str) -> Result<Issued, Failure> {
        let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
        // An assertion has letters, digits, `-`, `_` and dots only.
        let body = Bytes::from(format!("grant_type={grant}&assertion={assertion}"));
        let body: WasiBody = Full::new(body).map_err(|never| match never {}).boxed_unsync();
        let request = Request::post(&self.url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(body)
            .map_err(|_| refusal(NetErrorKind::Config, "the token endpoint's URL cannot be requested"))?;
        let response = self.send(request).await?;
        let status = response.status();
        let collected = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        let bytes = collected.map_err(|_| self.broken("its answer was cut off or is too long"))?.to_bytes();
        let answer: Option<Answer> = serde_json::from_slice(&bytes).ok();
        match answer {
            Some(Answer { access_token: Some(access_token), expires_in, .. }) if status == StatusCode::OK => {
                Ok(Issued { access_token, lifetime_seconds: expires_in.unwrap_or(0) })
            }
            Some(Answer { error: Some(error), error_description, .. }) if status.is_client_error() => {
                Err(self.refused(&error, error_description.as_deref(), field))
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

    fn refused(&self, error: &str, description: Option<&str>, field: &str) -> Failure {
        let reason = printable(error, 200);
        let more = description.map(|text| format!(" ({})", printable(text, 500))).unwrap_or_default();
        let message = format!(
            "{} refused the service account's key: {reason}{more}; check that the account and its key exist and that the \
             host's clock is right (field /{field})",
            self.url
        );
        refusal(NetErrorKind::Auth, message)
    }

    fn broken(&self, what: &str) -> Failure {
        let message = format!("no access token from {}: {what}", self.url);
        Failure::new(Error::ConnectionTerminated, NetErrorKind::Transient, message)
    }
}
