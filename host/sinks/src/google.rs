//! The identity of this process towards Google: application default credentials, which are `GOOGLE_APPLICATION_CREDENTIALS`,
//! what `gcloud auth application-default login` left, or the metadata server of the machine.
//!
//! It is lent to connections that were granted it; the sinks find the same credentials by themselves.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use google_cloud_auth::credentials::{AccessTokenCredentials, Builder};

/// Sets of scopes whose tokens are kept; connectors name theirs, so there are few.
const MAX_SCOPES: usize = 64;

/// Fetches access tokens, and renews them before they end. Nothing is looked for before the first one is wanted.
#[derive(Default)]
pub struct ApplicationDefault {
    known: Mutex<HashMap<Vec<String>, AccessTokenCredentials>>,
}

impl ApplicationDefault {
    /// An access token with these scopes.
    ///
    /// # Errors
    /// Why there is none, and what an operator can do.
    pub async fn token(&self, scopes: &[String]) -> Result<String, String> {
        let token = self.credentials(scopes)?.access_token().await;
        token.map(|token| token.token).map_err(|error| format!("no access token was issued: {error}"))
    }

    fn credentials(&self, scopes: &[String]) -> Result<AccessTokenCredentials, String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(scopes) {
            return Ok(found.clone());
        }
        // Fails only if there is a provider already, and any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let made = Builder::default().with_scopes(scopes).build_access_token_credentials().map_err(|error| {
            format!("{error}; run `gcloud auth application-default login` or set GOOGLE_APPLICATION_CREDENTIALS")
        })?;
        if known.len() >= MAX_SCOPES {
            known.clear();
        }
        known.insert(scopes.to_vec(), made.clone());
        Ok(made)
    }
}
