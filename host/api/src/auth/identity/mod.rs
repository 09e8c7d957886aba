//! Identities that an OpenID Connect issuer vouches for in a signed token: who calls a hook.
//!
//! Only RS256 is taken, with a key that the issuer publishes under the token's key id. What a token must say beyond issuer, audience and
//! times (whose it is, for instance) is for whoever asks to compare. Sockets are not opened here: [`Fetch`] is what
//! the binary hands in.

mod keys;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJwsSigningAlgorithm};
use openidconnect::{ClientId, IssuerUrl, Nonce};
use serde::Deserialize;

use keys::Keys;

use crate::http::fetch::Fetch;

/// How far the issuer's clock may be from ours, seconds.
const LEEWAY: i64 = 30;

/// Longest token that is looked at, bytes.
const LONGEST: usize = 8 << 10;

/// Somebody who vouches for identities.
pub struct Issuer {
    url: IssuerUrl,
    keys: Keys,
}

/// Whom a token names, once it is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The address; none if the token says none.
    pub email: Option<String>,
    /// Whether the issuer says that the address is theirs.
    pub email_verified: bool,
}

/// Why a token is not taken. The words are for the log, not for whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It proves nothing.
    Wrong(String),
    /// The issuer's keys cannot be had now.
    NoKeys(String),
}

/// What a token says about itself before anything is proven.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

impl Issuer {
    /// At this address, which its tokens name as `iss`.
    ///
    /// # Errors
    /// If it is no address.
    pub fn new(url: &str, fetch: Arc<dyn Fetch>) -> Result<Self, String> {
        let parsed = IssuerUrl::new(url.to_owned()).map_err(|e| format!("{url:?} is no address of an issuer: {e}"))?;
        Ok(Self { keys: Keys::new(url, fetch), url: parsed })
    }

    /// Proves a token: its signature, that it is this issuer's, meant for this audience and no other, and good at this time.
    ///
    /// # Errors
    /// Says what is wrong.
    pub async fn verify(&self, token: &str, audience: &str, now_us: i64) -> Result<Identity, Refusal> {
        let wrong = |why: &dyn std::fmt::Display| Refusal::Wrong(why.to_string());
        if token.len() > LONGEST {
            return Err(wrong(&"the token is too long"));
        }
        let header = header(token).ok_or_else(|| wrong(&"it is no signed token"))?;
        if header.alg != "RS256" {
            return Err(wrong(&format_args!("the token is signed with {:?}, not with RS256", header.alg)));
        }
        let kid = header.kid.ok_or_else(|| wrong(&"the token names no key"))?;
        let parsed = CoreIdToken::from_str(token).map_err(|e| wrong(&e))?;
        let keys = self.keys.named(&kid, now_us).await.map_err(Refusal::NoKeys)?;
        let keys = keys.ok_or_else(|| wrong(&format_args!("the issuer has no key {kid:?}")))?;
        let now = now_us.div_euclid(1_000_000);
        let latest = now.saturating_add(LEEWAY);
        let expired_before = DateTime::<Utc>::from_timestamp(now.saturating_sub(LEEWAY), 0).unwrap_or_default();
        let verifier =
            CoreIdTokenVerifier::new_public_client(ClientId::new(audience.to_owned()), self.url.clone(), keys)
                .set_allowed_algs([CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256])
                .set_other_audience_verifier_fn(|_| false)
                .set_time_fn(move || expired_before)
                .set_issue_time_verifier_fn(move |issued| match issued.timestamp() <= latest {
                    true => Ok(()),
                    false => Err(format!("it is from the future: {issued}")),
                });
        let any_nonce = |_: Option<&Nonce>| Ok::<(), String>(());
        let claims = parsed.claims(&verifier, any_nonce).map_err(|e| {
            let source = std::error::Error::source(&e).map(|source| format!(": {source}")).unwrap_or_default();
            wrong(&format_args!("{e}{source}"))
        })?;
        Ok(Identity {
            email: claims.email().map(|email| email.as_str().to_owned()),
            email_verified: claims.email_verified() == Some(true),
        })
    }
}

fn header(token: &str) -> Option<Header> {
    let first = token.split('.').next()?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(first).ok()?).ok()
}
