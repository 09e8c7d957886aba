//! The token endpoint: an assertion in, an access token out (RFC 7523).

use sluice_core::RunError;

use super::super::super::failure::Failure;
use super::super::Configured;
use super::super::token::{self, Issued, Reply, refusal};
use crate::net::NetErrorKind;

/// Google's own.
const GOOGLE: &str = "https://oauth2.googleapis.com/token";

/// Where assertions are exchanged.
pub(super) struct Endpoint(token::Endpoint);

impl Endpoint {
    /// Google's endpoint, or the one that the operator grants, which may then be in a private network.
    pub(super) fn new(configured: Configured<'_>) -> Result<Self, RunError> {
        let granted = configured.grants.google_token_endpoint.as_deref();
        let own = granted.is_some();
        let field = "source.grants.google_token_endpoint";
        Ok(Self(token::Endpoint::new(granted.unwrap_or(GOOGLE), own, own, field, configured)?))
    }

    /// Whom an assertion is for.
    pub(super) fn audience(&self) -> &str {
        self.0.url()
    }

    /// `field` is what a refusal names.
    pub(super) async fn exchange(&self, assertion: &str, field: &str) -> Result<Issued, Failure> {
        let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
        // An assertion has letters, digits, `-`, `_` and dots only.
        match self.0.ask(format!("grant_type={grant}&assertion={assertion}"), None).await? {
            Reply::Issued(issued) => Ok(issued),
            Reply::Refused { reason, .. } => {
                let message = format!(
                    "{} refused the service account's key: {reason}; check that the account and its key exist and that the \
                     host's clock is right (field /{field})",
                    self.0.url()
                );
                Err(refusal(NetErrorKind::Auth, message))
            }
        }
    }
}
