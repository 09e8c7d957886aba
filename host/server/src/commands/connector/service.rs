//! A Sluice service, asked with a token.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Url};
use serde_json::Value;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::plan::CheckStep;

use super::wrong;
use crate::cli::Options;
use crate::show;

/// How long the service may take to look at a component, or to try it on connections.
const PATIENCE: Duration = Duration::from_secs(400);

/// Longest answer that is read, bytes.
const LONGEST: usize = 32 << 20;

/// A service, and who asks it.
pub(super) struct Service {
    client: reqwest::Client,
    /// Below which what belongs to the tenant is.
    tenant: Url,
    token: String,
}

impl Service {
    /// At an address, for a tenant, with the token in a variable of the environment.
    pub(super) fn new(to: &str, tenant: &str, token_env: &str) -> Result<Self, RunError> {
        let token = std::env::var(token_env).ok().filter(|token| !token.trim().is_empty()).ok_or_else(|| {
            RunError::config("--token-env", format!("the variable {token_env} holds no token; make one in the service"))
        })?;
        let address = Url::parse(to.trim_end_matches('/'));
        let mut address = address.map_err(|e| RunError::config("--to", format!("this is no address: {e}")))?;
        let near = matches!(address.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if address.scheme() != "https" && !near {
            return Err(RunError::config("--to", "the token would be sent in the clear; use https://"));
        }
        address
            .path_segments_mut()
            .map_err(|()| RunError::config("--to", "name the service as https://HOST"))?
            .pop_if_empty()
            .extend(["v1", "tenants", tenant]);
        // Fails only if there is a provider already, and any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
        let client = client.map_err(|e| RunError::internal(format!("no HTTP client can be made: {e}")))?;
        Ok(Self { client, tenant: address, token: token.trim().to_owned() })
    }

    /// A request below the tenant's address.
    pub(super) fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, RunError> {
        let mut address = self.tenant.clone();
        address.path_segments_mut().map_err(|()| RunError::internal("an address cannot be extended"))?.extend(path);
        Ok(self.client.request(method, address).bearer_auth(&self.token))
    }

    /// The answer of a request that succeeded, as JSON.
    pub(super) async fn json(&self, options: &Options, request: RequestBuilder) -> Result<Value, RunError> {
        Ok(serde_json::from_slice(&self.bytes(options, request).await?).unwrap_or_default())
    }

    /// The answer of a request that succeeded. What a service finds wrong is shown before it is an error.
    pub(super) async fn bytes(&self, options: &Options, request: RequestBuilder) -> Result<Vec<u8>, RunError> {
        let away = |e: reqwest::Error| {
            let source = std::error::Error::source(&e).map(|source| format!(": {source}")).unwrap_or_default();
            let message = format!("the service cannot be asked: {}{source}", e.without_url());
            RunError::new(Kind::Transient, Actor::User, message)
        };
        let mut answer = request.send().await.map_err(away)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(away)? {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST {
                return Err(wrong("the service's answer is too long; is --to the address of a Sluice service?"));
            }
        }
        if status.is_success() {
            return Ok(body);
        }
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        report(options, body.get("findings"));
        let detail = body.get("detail").and_then(Value::as_str).unwrap_or("is --to the address of a Sluice service?");
        let kind = match status.as_u16() {
            401 => Kind::Auth,
            403 => Kind::Permission,
            404 => Kind::NotFound,
            _ => Kind::Config,
        };
        Err(RunError::new(kind, Actor::User, format!("the service answered {}: {detail}", status.as_u16())))
    }
}

/// What was found, one step after the other.
pub(super) fn report(options: &Options, findings: Option<&Value>) {
    let steps = findings.cloned().and_then(|findings| serde_json::from_value::<Vec<CheckStep>>(findings).ok());
    for step in steps.unwrap_or_default() {
        show::step(options, &step);
    }
}
