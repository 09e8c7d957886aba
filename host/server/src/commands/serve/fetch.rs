//! The web, for what the API reads of it: issuers' descriptions and keys.

use std::time::Duration;

use async_trait::async_trait;
use sluice_api::auth::identity::Fetch;
use sluice_core::RunError;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest body that is read, bytes.
const LONGEST: usize = 1 << 20;

/// Reads addresses that the operator named.
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
    async fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        let answer = self.0.get(url).header("accept", "application/json").send().await;
        let mut answer = answer.map_err(|e| e.without_url().to_string())?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(format!("it answered {}", answer.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| e.without_url().to_string())? {
            if body.len().saturating_add(chunk.len()) > LONGEST {
                return Err(format!("its answer is longer than {LONGEST} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}
