//! OAuth 2.0 (RFC 6749): access tokens for a refresh token, or in the client's own name.
//!
//! Endpoints differ in how they want the client's own credentials: in a header, as the standard says, or in the form. The header is
//! tried first, and what an endpoint took is remembered.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::Response;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use sluice_core::RunError;

use super::super::failure::Failure;
use super::encode::encode;
use super::token::{Endpoint, Issued, Kept, Reply, refusal};
use super::{Configured, Outgoing, field};
use crate::net::NetErrorKind;

/// Names of configuration fields.
pub(super) struct Fields<'a> {
    /// A URL, or a field in braces that holds one.
    pub(super) token_url: &'a str,
    pub(super) client_id: &'a str,
    pub(super) client_secret: &'a str,
    pub(super) refresh_token: Option<&'a str>,
}

/// Authenticates requests with access tokens.
pub(super) struct Oauth2 {
    endpoint: Endpoint,
    client_id: String,
    client_secret: String,
    /// What the next token is asked for with; none to ask in the client's own name.
    refresh_token: Mutex<Option<String>>,
    scopes: String,
    /// What a refusal names.
    field: String,
    in_form: AtomicBool,
    kept: Kept,
}

impl Oauth2 {
    /// None without a client's secret: requests are anonymous.
    pub(super) fn make(
        configured: Configured<'_>,
        fields: &Fields<'_>,
        scopes: &[String],
    ) -> Result<Option<Self>, RunError> {
        let config = configured.config;
        let Some(secret) = field::text(config, fields.client_secret)? else { return Ok(None) };
        let client_id = field::needed(config, fields.client_id, fields.client_secret)?.to_owned();
        let refresh_token = match fields.refresh_token {
            Some(name) => field::word(config, name)?.map(str::to_owned),
            None => None,
        };
        let chosen = fields.token_url.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let (url, own, named) = match chosen {
            Some(name) => (field::needed(config, name, fields.client_secret)?, true, format!("/{name}")),
            None => (fields.token_url, false, "auth".to_owned()),
        };
        let private = own && configured.grants.private_network;
        let endpoint = Endpoint::new(url, own, private, &named, configured)?;
        let blamed = fields.refresh_token.filter(|_| refresh_token.is_some()).unwrap_or(fields.client_secret);
        Ok(Some(Self {
            endpoint,
            client_id,
            client_secret: secret.to_owned(),
            refresh_token: Mutex::new(refresh_token),
            scopes: scopes.join(" "),
            field: blamed.to_owned(),
            in_form: AtomicBool::new(false),
            kept: Kept::default(),
        }))
    }

    pub(super) async fn apply(&self, request: &mut Outgoing<'_>, now: Timestamp) -> Result<(), Failure> {
        let value = self.kept.get(now, self.fetch()).await?;
        request.parts.headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    /// A token that was refused is not used again.
    pub(super) fn refused<B>(&self, response: &Response<B>) {
        self.kept.refused(response);
    }

    async fn fetch(&self) -> Result<Issued, Failure> {
        let mut reply = self.ask(self.in_form.load(Ordering::Relaxed)).await?;
        if let Reply::Refused { code, .. } = &reply
            && code == "invalid_client"
            && !self.in_form.load(Ordering::Relaxed)
        {
            reply = self.ask(true).await?;
            self.in_form.store(matches!(reply, Reply::Issued(_)), Ordering::Relaxed);
        }
        match reply {
            Reply::Issued(issued) => {
                if let Some(next) = &issued.refresh_token {
                    self.rotate(next);
                }
                Ok(issued)
            }
            Reply::Refused { reason, .. } => {
                let message = format!(
                    "{} refused an access token: {reason}; check the client and what it was granted (field /{})",
                    self.endpoint.url(),
                    self.field
                );
                Err(refusal(NetErrorKind::Auth, message))
            }
        }
    }

    async fn ask(&self, in_form: bool) -> Result<Reply, Failure> {
        let refresh = self.refresh_token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut form = match &refresh {
            Some(token) => vec![("grant_type", "refresh_token"), ("refresh_token", token)],
            None => vec![("grant_type", "client_credentials")],
        };
        if !self.scopes.is_empty() {
            form.push(("scope", &self.scopes));
        }
        if in_form {
            form.extend([("client_id", self.client_id.as_str()), ("client_secret", &self.client_secret)]);
        }
        let pairs = form.iter().map(|(name, value)| format!("{name}={}", encode(value.as_bytes(), false)));
        let authorization = if in_form { None } else { Some(self.basic()?) };
        self.endpoint.ask(pairs.collect::<Vec<_>>().join("&"), authorization).await
    }

    /// The client's credentials, each encoded as forms are (RFC 6749, section 2.3.1).
    fn basic(&self) -> Result<HeaderValue, Failure> {
        let word = |text: &str| encode(text.as_bytes(), false);
        let pair = STANDARD.encode(format!("{}:{}", word(&self.client_id), word(&self.client_secret)));
        let value = HeaderValue::from_str(&format!("Basic {pair}"));
        let mut value = value.map_err(|_| refusal(NetErrorKind::Config, "the client's credentials cannot be sent"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Endpoints may hand out another refresh token each time. It is used from now on; where the old one ends with that, the configured
    /// one has to be renewed by a person before the next process asks.
    fn rotate(&self, next: &str) {
        let mut refresh = self.refresh_token.lock().unwrap_or_else(PoisonError::into_inner);
        if refresh.as_deref().is_some_and(|known| known != next) {
            tracing::warn!(
                field = self.field,
                "the token endpoint handed out another refresh token, which is kept in memory only"
            );
            *refresh = Some(next.to_owned());
        }
    }
}
