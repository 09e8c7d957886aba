//! Google's access tokens: fetched by the host for a service account's key, or lent from the host's own identity.
//!
//! The token endpoint is Google's own and fixed. A key file names one as well (`token_uri`), but whoever writes the
//! configuration writes that, and the host would send it what proves the account's identity: it is ignored. An operator
//! may grant another (`grants.google_token_endpoint`).

mod exchange;
mod key;

use std::sync::Arc;

use async_trait::async_trait;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Response};
use jiff::Timestamp;
use sluice_core::RunError;

use self::exchange::Endpoint;
use self::key::ServiceAccount;
use super::super::failure::Failure;
use super::token::{Kept, bearer, refusal};
use super::{Configured, Outgoing, field};
use crate::net::NetErrorKind;

/// Somebody who is asked for access tokens in the name of the host itself: application default credentials, among them
/// the metadata server of the machine. Implemented outside of this crate, and used only where an operator grants it.
#[async_trait]
pub trait GoogleIdentity: Send + Sync {
    /// An access token with these scopes that is valid for some minutes at least; renewing it is the implementation's.
    ///
    /// # Errors
    /// Why there is none, in words for the operator.
    async fn token(&self, scopes: &[String]) -> Result<String, String>;
}

/// Authenticates requests to Google's APIs.
pub(super) struct Google {
    source: Source,
    scopes: Vec<String>,
    field: String,
    kept: Kept,
}

enum Source {
    Key(Box<(ServiceAccount, Endpoint)>),
    Host(Arc<dyn GoogleIdentity>),
}

impl Google {
    /// None without a key and without a wish for the host's identity: requests are anonymous, which public data allows.
    pub(super) fn make(
        configured: Configured<'_>,
        key: &str,
        application_default: Option<&str>,
        scopes: &[String],
    ) -> Result<Option<Self>, RunError> {
        let own = field::text(configured.config, key)?;
        let lent = wanted(configured.config, application_default)?;
        let source = match (own, lent) {
            (None, None) => return Ok(None),
            (Some(_), Some(other)) => {
                let message = format!("{key} and {other} are two identities for the same requests; leave one out");
                return Err(RunError::config(format!("/{key}"), message));
            }
            (Some(text), None) => {
                let account = ServiceAccount::parse(key, text)?;
                Source::Key(Box::new((account, Endpoint::new(configured)?)))
            }
            (None, Some(field)) => Source::Host(granted(configured, field)?),
        };
        let field = lent.unwrap_or(key).to_owned();
        Ok(Some(Self { source, scopes: scopes.to_vec(), field, kept: Kept::default() }))
    }

    pub(super) async fn apply(&self, request: &mut Outgoing<'_>, now: Timestamp) -> Result<(), Failure> {
        let value = match &self.source {
            Source::Key(exchange) => self.cached(&exchange.0, &exchange.1, now).await?,
            Source::Host(identity) => {
                let token = identity.token(&self.scopes).await.map_err(|reason| {
                    let message = format!("the host has no Google identity to lend: {reason} (field /{})", self.field);
                    refusal(NetErrorKind::Auth, message)
                })?;
                bearer(&token)?
            }
        };
        request.parts.headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    /// A token that was refused is not used again: it may have been revoked before its end.
    pub(super) fn refused<B>(&self, response: &Response<B>) {
        self.kept.refused(response);
    }

    async fn cached(
        &self,
        account: &ServiceAccount,
        endpoint: &Endpoint,
        now: Timestamp,
    ) -> Result<HeaderValue, Failure> {
        let fetch = async {
            match account.assertion(endpoint.audience(), &self.scopes, now) {
                Ok(assertion) => endpoint.exchange(&assertion, &self.field).await,
                Err(message) => Err(refusal(NetErrorKind::Config, format!("{message} (field /{})", self.field))),
            }
        };
        self.kept.get(now, fetch).await
    }
}

/// The field by which a connection asks for the host's identity, if it does.
fn wanted<'a>(config: &serde_json::Value, name: Option<&'a str>) -> Result<Option<&'a str>, RunError> {
    let Some(name) = name else { return Ok(None) };
    match config.get(name) {
        None | Some(serde_json::Value::Null | serde_json::Value::Bool(false)) => Ok(None),
        Some(serde_json::Value::Bool(true)) => Ok(Some(name)),
        Some(_) => Err(RunError::config(format!("/{name}"), "must be true or false")),
    }
}

fn granted(configured: Configured<'_>, field: &str) -> Result<Arc<dyn GoogleIdentity>, RunError> {
    if !configured.grants.google_identity {
        let message = "the host's own Google identity is lent only where the operator grants it: \
                       `google_identity: true` under `grants`; otherwise configure a service account's key";
        return Err(RunError::config(format!("/{field}"), message));
    }
    configured.environment.google.clone().ok_or_else(|| {
        let message = "this host has no Google identity to lend; configure a service account's key";
        RunError::config(format!("/{field}"), message)
    })
}
