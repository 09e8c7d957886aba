//! Requests that the API sends: to identity providers and issuers of tokens, which the operator chose.

use std::time::Duration;

use async_trait::async_trait;
use sluice_api::http::fetch::Fetch;
use sluice_core::RunError;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest body that is read, bytes.
const LONGEST: usize = 1 << 20;

/// Sends them.
pub(super) struct Web(reqwest::Client);

impl Web {
    /// Over TLS that trusts whom the machine trusts.
    pub(super) fn new() -> Result<Self, RunError> {
        // Fails only if there is a provider already, and any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .connect_timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build();
        client.map(Self).map_err(|e| RunError::internal(format!("no HTTP client can be made: {e}")))
    }
}

#[async_trait]
impl Fetch for Web {
    async fn fetch(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, String> {
        let told = |e: reqwest::Error| {
            let source = std::error::Error::source(&e).map(|source| format!(": {source}")).unwrap_or_default();
            format!("{}{source}", e.without_url())
        };
        let request = reqwest::Request::try_from(request).map_err(told)?;
        let mut answer = self.0.execute(request).await.map_err(told)?;
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(told)? {
            if body.len().saturating_add(chunk.len()) > LONGEST {
                return Err(format!("the answer is longer than {LONGEST} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        let mut whole = http::Response::new(body);
        *whole.status_mut() = status;
        *whole.headers_mut() = headers;
        Ok(whole)
    }
}
