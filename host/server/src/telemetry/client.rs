//! How spans get to the collector: over the HTTP client that the service has anyway.

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use sluice_core::RunError;
use tokio::runtime::Handle;

use super::settings;

/// Longest answer that is read, bytes. It says what was refused.
const LONGEST: usize = 64 << 10;

/// Sends from the exporter's own thread, which has no runtime, on the service's.
#[derive(Debug)]
pub(super) struct Web {
    client: reqwest::Client,
    runtime: Handle,
}

impl Web {
    /// On the runtime that it is made on.
    pub(super) fn new() -> Result<Self, RunError> {
        // Fails only if there is a provider already, and any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let patience = settings::patience();
        let client = reqwest::Client::builder()
            .timeout(patience)
            .connect_timeout(patience)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|e| RunError::internal(format!("no HTTP client can be made: {e}")))?;
        Ok(Self { client, runtime: Handle::current() })
    }
}

#[async_trait]
impl HttpClient for Web {
    async fn send_bytes(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let client = self.client.clone();
        self.runtime.spawn(async move { send(&client, request).await }).await?
    }
}

async fn send(client: &reqwest::Client, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
    // What is sent may have a token in its headers, and where it goes one in its address: neither is told.
    let mut answer = client.execute(request.try_into()?).await.map_err(reqwest::Error::without_url)?;
    let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        if body.len().saturating_add(chunk.len()) > LONGEST {
            return Err(format!("the collector's answer is longer than {LONGEST} bytes").into());
        }
        body.extend_from_slice(&chunk);
    }
    let mut whole = http::Response::new(Bytes::from(body));
    *whole.status_mut() = status;
    *whole.headers_mut() = headers;
    Ok(whole)
}
