//! Requests that the service itself sends: to identity providers. The binary sends them, tests answer them.

use async_trait::async_trait;
use axum::http::{Request, Response};

/// Sends requests to addresses that the operator chose.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Sends a request and reads the whole answer, which is bounded in size and time. Redirects are not followed: a provider that
    /// sends them to somewhere else is not the one that the operator named.
    ///
    /// # Errors
    /// In words, if there is no answer.
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, String>;
}
