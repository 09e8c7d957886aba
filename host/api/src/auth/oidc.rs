//! Signing in through an identity provider: OpenID Connect's authorization code flow with PKCE, a state and a nonce.
//!
//! The provider is found by its issuer (OpenID Connect Discovery 1.0) and asked again when what is known of it is old. Whom a token names
//! is decided by its issuer and subject; its e-mail address counts only where the operator says that the provider may vouch for it.

use std::future::Future;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use tokio::sync::Mutex;

use crate::http::fetch::Fetch;

/// What is known of a provider is asked for again after this: keys are rotated.
const KNOWN_FOR: SignedDuration = SignedDuration::from_mins(10);

/// An identity provider, as the operator sets it up.
#[derive(Clone)]
pub struct Settings {
    /// Names it in addresses: lower-case letters, digits and hyphens.
    pub name: String,
    /// What people see.
    pub title: String,
    /// Its issuer, as its tokens name it.
    pub issuer: String,
    /// What it knows this service by.
    pub client_id: String,
    /// What this service proves that with; none for a public client.
    pub client_secret: Option<String>,
    /// Whether a verified e-mail address of its tokens names the person here who has it. Only for a provider that gives an address to
    /// nobody but its owner.
    pub vouches_for_email: bool,
}

/// Never shows the secret.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Settings({} at {})", self.name, self.issuer)
    }
}

/// Whom a provider's token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The provider, as its tokens name it.
    pub issuer: String,
    /// The person, as the provider names them.
    pub subject: String,
    /// The person's address, if the provider says that it has verified it.
    pub email: Option<String>,
    /// What the person is called.
    pub name: Option<String>,
}

/// What the browser keeps while the person is at the provider.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Errand {
    /// The provider's name.
    pub provider: String,
    /// Comes back in the address.
    pub state: String,
    /// Comes back in the token.
    pub nonce: String,
    /// Proves that the code is used by who asked for it.
    pub verifier: String,
    /// An invitation that is accepted on the way.
    pub invitation: Option<String>,
}

/// A provider.
pub struct Provider {
    settings: Settings,
    fetch: Arc<dyn Fetch>,
    known: Mutex<Option<(Timestamp, CoreProviderMetadata)>>,
}

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

impl Provider {
    /// A provider that is reached through `fetch`.
    pub fn new(settings: Settings, fetch: Arc<dyn Fetch>) -> Self {
        Self { settings, fetch, known: Mutex::new(None) }
    }

    /// How the operator set it up.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where the browser goes to sign in for this errand.
    ///
    /// # Errors
    /// If the provider does not answer as one.
    pub async fn begin(&self, errand: &Errand, back: &str, now: Timestamp) -> Result<String, RunError> {
        let client = self.client(back, now).await?;
        let verifier = PkceCodeVerifier::new(errand.verifier.clone());
        let (state, nonce) = (errand.state.clone(), errand.nonce.clone());
        let (address, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(address.into())
    }

    /// Whom the code names that the browser came back with.
    ///
    /// # Errors
    /// If the provider does not take the code, or its token is not one: its signature, issuer, audience, time or nonce are wrong.
    pub async fn finish(&self, code: String, errand: &Errand, back: &str, now: Timestamp) -> Result<Person, RunError> {
        let client = self.client(back, now).await?;
        let exchange = client.exchange_code(AuthorizationCode::new(code)).map_err(|e| self.wrong(&e))?;
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(errand.verifier.clone()));
        let http = self.http();
        let answered = exchange.request_async(&http).await.map_err(|e| self.wrong(&e))?;
        let token = answered.id_token().ok_or_else(|| self.wrong(&"there is no ID token in its answer"))?;
        let second = now.as_second();
        let clock = move || chrono_of(second);
        let verifier = client.id_token_verifier().set_time_fn(clock);
        let claims = token.claims(&verifier, &Nonce::new(errand.nonce.clone())).map_err(|e| self.wrong(&e))?;
        let verified = claims.email_verified() == Some(true);
        Ok(Person {
            issuer: claims.issuer().as_str().to_owned(),
            subject: claims.subject().as_str().to_owned(),
            email: claims.email().filter(|_| verified).map(|email| email.as_str().to_owned()),
            name: claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned()),
        })
    }

    async fn client(&self, back: &str, now: Timestamp) -> Result<Client, RunError> {
        let metadata = self.metadata(now).await?;
        let id = ClientId::new(self.settings.client_id.clone());
        let secret = self.settings.client_secret.clone().map(ClientSecret::new);
        let back = RedirectUrl::new(back.to_owned()).map_err(|e| self.wrong(&e))?;
        Ok(CoreClient::from_provider_metadata(metadata, id, secret).set_redirect_uri(back))
    }

    async fn metadata(&self, now: Timestamp) -> Result<CoreProviderMetadata, RunError> {
        let mut known = self.known.lock().await;
        if let Some((since, metadata)) = known.as_ref()
            && now.duration_since(*since) < KNOWN_FOR
        {
            return Ok(metadata.clone());
        }
        let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(|e| self.wrong(&e))?;
        let http = self.http();
        let metadata = CoreProviderMetadata::discover_async(issuer, &http).await.map_err(|e| self.wrong(&e))?;
        *known = Some((now, metadata.clone()));
        Ok(metadata)
    }

    fn http(
        &self,
    ) -> impl Fn(HttpRequest) -> std::pin::Pin<Box<dyn Future<Output = Result<HttpResponse, NoAnswer>> + Send>> + '_
    {
        move |request| {
            let fetch = self.fetch.clone();
            Box::pin(async move { fetch.fetch(request).await.map_err(NoAnswer) })
        }
    }

    /// What went wrong, for the service's log, and in short for the person.
    fn wrong(&self, why: &(dyn std::fmt::Display + '_)) -> RunError {
        tracing::warn!(provider = self.settings.name, why = %why, "signing in through an identity provider failed");
        let message = format!(
            "{} did not confirm who you are; try again, or ask whoever operates the service",
            self.settings.title
        );
        RunError::new(Kind::Auth, Actor::Source, message)
    }
}

/// A provider that did not answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoAnswer(String);

fn chrono_of(second: i64) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(second, 0).unwrap_or_default()
}
