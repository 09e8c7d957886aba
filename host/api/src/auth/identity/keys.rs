//! The keys that an issuer publishes, kept for a while. Whoever sends tokens that name unknown keys makes the issuer be asked once a
//! minute, not once a token.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{Request, StatusCode, header};
use openidconnect::JsonWebKey;
use openidconnect::core::{CoreJsonWebKey, CoreJsonWebKeySet};
use serde::Deserialize;

use crate::http::fetch::Fetch;

/// Keys are read again after so long: one that is withdrawn is taken no longer than this.
const FRESH_US: i64 = 3_600 * 1_000_000;

/// Keys that cannot be read again are good for so long.
const STALE_US: i64 = 24 * FRESH_US;

/// How soon the issuer is asked again, whatever for.
const PAUSE_US: i64 = 60 * 1_000_000;

/// The keys of an issuer.
pub(super) struct Keys {
    issuer: String,
    fetch: Arc<dyn Fetch>,
    known: Mutex<Known>,
    /// Held by the one who asks the issuer.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct Known {
    keys: Arc<Vec<CoreJsonWebKey>>,
    read_us: Option<i64>,
    asked_us: Option<i64>,
}

/// The part of the issuer's description that is needed.
#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
}

impl Keys {
    pub(super) fn new(issuer: &str, fetch: Arc<dyn Fetch>) -> Self {
        Self { issuer: issuer.to_owned(), fetch, known: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    /// The key of this name, as a set of one; none if the issuer has no such key.
    pub(super) async fn named(&self, kid: &str, now_us: i64) -> Result<Option<CoreJsonWebKeySet>, String> {
        let known = self.known();
        if let (Some(set), true) = (known.key(kid), known.younger_than(FRESH_US, now_us)) {
            return Ok(Some(set));
        }
        let _one = self.asking.lock().await;
        // Somebody else may have asked meanwhile.
        let known = self.known();
        let soon = known.asked_us.is_some_and(|asked| now_us.saturating_sub(asked) < PAUSE_US);
        if soon {
            return match (known.key(kid), known.younger_than(STALE_US, now_us)) {
                (Some(set), true) => Ok(Some(set)),
                (None, true) => Ok(None),
                (_, false) => Err("the issuer's keys could not be read a moment ago".to_owned()),
            };
        }
        let read = self.read().await;
        let mut now_known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        now_known.asked_us = Some(now_us);
        match read {
            Ok(keys) => {
                now_known.keys = Arc::new(keys);
                now_known.read_us = Some(now_us);
                Ok(now_known.key(kid))
            }
            Err(error) if now_known.younger_than(STALE_US, now_us) && now_known.key(kid).is_some() => {
                tracing::warn!(
                    issuer = self.issuer,
                    error,
                    "an issuer's keys cannot be read again; the old ones are used"
                );
                Ok(now_known.key(kid))
            }
            Err(error) => Err(error),
        }
    }

    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn read(&self) -> Result<Vec<CoreJsonWebKey>, String> {
        let at = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let description: Description = self.json(&at).await?;
        if description.issuer != self.issuer {
            return Err(format!("{at} describes another issuer, {:?}", description.issuer));
        }
        // A secure issuer's keys must not come over a plain connection.
        let scheme = self.issuer.split("://").next().unwrap_or_default();
        if !description.jwks_uri.starts_with("https://")
            && (scheme != "http" || !description.jwks_uri.starts_with("http://"))
        {
            return Err(format!("{at} names keys at {:?}", description.jwks_uri));
        }
        let keys: CoreJsonWebKeySet = self.json(&description.jwks_uri).await?;
        Ok(keys.keys().clone())
    }

    async fn json<T: serde::de::DeserializeOwned>(&self, url: &str) -> Result<T, String> {
        let request = Request::get(url).header(header::ACCEPT, "application/json").body(Vec::new());
        let request = request.map_err(|e| format!("{url}: {e}"))?;
        let answer = self.fetch.fetch(request).await.map_err(|e| format!("{url}: {e}"))?;
        if answer.status() != StatusCode::OK {
            return Err(format!("{url} answered {}", answer.status()));
        }
        serde_json::from_slice(answer.body()).map_err(|e| format!("{url}: {e}"))
    }
}

impl Known {
    fn key(&self, kid: &str) -> Option<CoreJsonWebKeySet> {
        let key = self.keys.iter().find(|key| key.key_id().is_some_and(|id| id.as_str() == kid))?;
        Some(CoreJsonWebKeySet::new(vec![key.clone()]))
    }

    fn younger_than(&self, age_us: i64, now_us: i64) -> bool {
        self.read_us.is_some_and(|read| now_us.saturating_sub(read) < age_us)
    }
}
