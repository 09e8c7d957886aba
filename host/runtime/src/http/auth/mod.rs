//! Credentials that the host adds, so that they never enter a guest's memory.
//!
//! One file per scheme: `bearer`, `basic` and `header` make a header once, [`sigv4`] and [`azure_shared_key`] sign each
//! request as it goes out, [`azure_sas`] adds to its query, [`google`] and [`oauth2`] fetch access tokens and renew them. This file
//! decides what holds for all of them: which requests get credentials, and which connections may carry them.
//!
//! To add a scheme: a variant of `AuthScheme` in `sluice-core`, a file here, its arms in [`Scheme`], a test against a
//! server that checks it.

mod azure_sas;
mod azure_shared_key;
mod basic;
mod bearer;
mod encode;
mod field;
mod google;
mod header;
mod oauth2;
mod outgoing;
mod sigv4;
mod skew;
mod token;

use std::net::IpAddr;

use http::HeaderName;
use http::Response;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use sluice_core::RunError;
use sluice_core::manifest::AuthScheme;
use sluice_core::pipeline::Grants;
use wasmtime_wasi_http::Error;

pub use self::google::GoogleIdentity;
pub(super) use self::outgoing::Outgoing;
use super::failure::Failure;
use super::origin::Origin;
use crate::environment::Environment;
use crate::net::egress::{HostPattern, HostRule};
use crate::net::{AddressClass, NetError, NetErrorKind, classify};

/// How a connection's requests are authenticated.
#[derive(Default)]
pub(super) struct Credentials {
    schemes: Vec<Scheme>,
    /// Whether requests are secrets themselves, although nothing is added to them.
    confidential: bool,
}

/// One scheme, configured.
enum Scheme {
    Header(header::Fixed),
    AwsSigv4(sigv4::Sigv4),
    AzureSharedKey(azure_shared_key::SharedKey),
    AzureSas(azure_sas::Sas),
    GoogleOauth(google::Google),
    Oauth2(oauth2::Oauth2),
}

/// What schemes are made from.
#[derive(Clone, Copy)]
pub(super) struct Configured<'a> {
    /// The connection's configuration, secrets among it.
    pub(super) config: &'a serde_json::Value,
    pub(super) grants: &'a Grants,
    pub(super) environment: &'a Environment,
}

impl Credentials {
    /// Reads the manifest's schemes with the connection's configuration. A scheme whose fields are not configured is
    /// one that this connection does not use.
    pub(super) fn resolve(schemes: &[AuthScheme], configured: Configured<'_>) -> Result<Self, RunError> {
        let mut found: Vec<(&str, Scheme)> = Vec::new();
        for scheme in schemes {
            let Some(made) = Scheme::make(scheme, configured)? else { continue };
            let field = credential(scheme, configured.config);
            if let Some((other, _)) = found.iter().find(|(_, known)| known.claims() == made.claims()) {
                let message = format!("{field} and {other} are two credentials for the same requests; leave one out");
                return Err(RunError::config(format!("/{field}"), message));
            }
            found.push((field, made));
        }
        Ok(Self { schemes: found.into_iter().map(|(_, scheme)| scheme).collect(), confidential: false })
    }

    /// Nothing to add, but what is sent is not for other ears.
    pub(super) fn confidential() -> Self {
        Self { schemes: Vec::new(), confidential: true }
    }

    /// Puts the credentials into a request, in place of what the guest may have put there, if the origin is the
    /// connection's own: named exactly in the manifest, not only covered by a wildcard.
    ///
    /// Refuses to send them where somebody could listen: without TLS only to a private address that was granted. That
    /// holds for signatures as well, which do not show the secret but allow whoever hears one to repeat the request.
    pub(super) async fn apply(
        &self,
        request: &mut Outgoing<'_>,
        rule: &HostRule,
        peer: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if !self.concern(rule) {
            return Ok(());
        }
        let private = peer.is_some_and(|address| matches!(classify(address), AddressClass::Private(_)));
        let unheard = request.origin.https || (rule.own && private);
        if !unheard {
            let message =
                format!("{} would receive the connection's credentials unencrypted; use https", request.origin);
            return Err(Failure::new(Error::HttpRequestDenied, NetErrorKind::Permission, message));
        }
        for scheme in &self.schemes {
            scheme.apply(request, now).await?;
        }
        Ok(())
    }

    /// What the host knows about a refusal that the server's answer alone does not say: a clock that is wrong, a token
    /// that has expired, another region. None if it knows nothing.
    pub(super) fn explain<B>(
        &self,
        origin: &Origin,
        rule: &HostRule,
        response: &Response<B>,
        now: Timestamp,
    ) -> Option<NetError> {
        if !self.concern(rule) {
            return None;
        }
        self.schemes.iter().find_map(|scheme| match scheme {
            Scheme::AwsSigv4(sigv4) => sigv4.explain(origin, response).or_else(|| skew::explain(origin, response, now)),
            Scheme::AzureSharedKey(_) => skew::explain(origin, response, now),
            Scheme::AzureSas(sas) => sas.explain(origin, response, now),
            Scheme::GoogleOauth(google) => {
                google.refused(response);
                None
            }
            Scheme::Oauth2(oauth2) => {
                oauth2.refused(response);
                None
            }
            Scheme::Header(_) => None,
        })
    }

    fn concern(&self, rule: &HostRule) -> bool {
        (self.confidential || !self.schemes.is_empty()) && matches!(rule.pattern, HostPattern::Exact(_))
    }
}

/// The field that a person would call the scheme's credential: its secret, where that is configured.
fn credential<'a>(scheme: &'a AuthScheme, config: &serde_json::Value) -> &'a str {
    let mut fields = scheme.fields();
    fields.retain(|(field, _)| config.get(field).is_some_and(|value| !value.is_null()));
    let secret = fields.iter().find(|(_, secret)| *secret).or_else(|| fields.first());
    secret.map_or("", |(field, _)| *field)
}

impl Scheme {
    fn make(scheme: &AuthScheme, configured: Configured<'_>) -> Result<Option<Self>, RunError> {
        let config = configured.config;
        Ok(match scheme {
            AuthScheme::Bearer { token } => bearer::make(config, token)?.map(Self::Header),
            AuthScheme::Basic { username, password } => basic::make(config, username, password)?.map(Self::Header),
            AuthScheme::Header { name, value } => header::make(config, name, value)?.map(Self::Header),
            AuthScheme::AwsSigv4 { access_key, secret_key, session_token, region, service } => {
                let fields = sigv4::Fields { access_key, secret_key, session_token: session_token.as_deref(), region };
                sigv4::Sigv4::make(config, fields, service)?.map(Self::AwsSigv4)
            }
            AuthScheme::AzureSharedKey { account, key } => {
                azure_shared_key::SharedKey::make(config, account, key)?.map(Self::AzureSharedKey)
            }
            AuthScheme::AzureSas { token } => azure_sas::Sas::make(config, token)?.map(Self::AzureSas),
            AuthScheme::GoogleOauth { key, application_default, scopes } => {
                google::Google::make(configured, key, application_default.as_deref(), scopes)?.map(Self::GoogleOauth)
            }
            AuthScheme::Oauth2 { token_url, client_id, client_secret, refresh_token, scopes } => {
                let refresh_token = refresh_token.as_deref();
                let fields = oauth2::Fields { token_url, client_id, client_secret, refresh_token };
                oauth2::Oauth2::make(configured, &fields, scopes)?.map(Self::Oauth2)
            }
        })
    }

    /// What two schemes cannot both set. A shared access signature stands in the query, but it, too, is the request's
    /// only credential.
    fn claims(&self) -> &HeaderName {
        match self {
            Self::Header(header) => header.name(),
            Self::AwsSigv4(_)
            | Self::AzureSharedKey(_)
            | Self::AzureSas(_)
            | Self::GoogleOauth(_)
            | Self::Oauth2(_) => &AUTHORIZATION,
        }
    }

    async fn apply(&self, request: &mut Outgoing<'_>, now: Timestamp) -> Result<(), Failure> {
        match self {
            Self::Header(header) => header.apply(request),
            Self::AwsSigv4(sigv4) => return sigv4.apply(request, now),
            Self::AzureSharedKey(key) => return key.apply(request, now),
            Self::AzureSas(sas) => return sas.apply(request),
            Self::GoogleOauth(google) => return google.apply(request, now).await,
            Self::Oauth2(oauth2) => return oauth2.apply(request, now).await,
        }
        Ok(())
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.schemes.iter().map(|scheme| match scheme {
            Scheme::Header(header) => header.name().as_str(),
            Scheme::AwsSigv4(_) => "aws-sigv4",
            Scheme::AzureSharedKey(_) => "azure-shared-key",
            Scheme::AzureSas(_) => "azure-sas",
            Scheme::GoogleOauth(_) => "google-oauth",
            Scheme::Oauth2(_) => "oauth2",
        });
        f.debug_list().entries(names).finish()
    }
}

#[cfg(test)]
mod tests;
