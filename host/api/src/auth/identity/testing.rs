//! An issuer for tests: it signs whatever it is told to.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::http::{Request, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use crate::http::fetch::Fetch;

/// Where it claims to be.
pub(crate) const ISSUER: &str = "https://issuer.example";

/// A key for signatures. There are two.
pub(crate) struct TestKey(RsaKeyPair);

/// Publishes keys, and counts how often they are read.
#[derive(Default)]
pub(crate) struct Published {
    keys: Mutex<Vec<Value>>,
    pub(crate) away: AtomicBool,
    pub(crate) reads: AtomicU32,
}

impl TestKey {
    pub(crate) fn one() -> Self {
        Self::read(include_str!("test-key-one.txt"))
    }

    pub(crate) fn two() -> Self {
        Self::read(include_str!("test-key-two.txt"))
    }

    fn read(text: &str) -> Self {
        let bytes = STANDARD.decode(text.split_whitespace().collect::<String>()).unwrap();
        Self(RsaKeyPair::from_der(&bytes).unwrap())
    }

    /// As an issuer publishes it.
    pub(crate) fn published(&self, kid: &str) -> Value {
        let parts = PublicKeyComponents::<Vec<u8>>::from(self.0.public_key());
        let (n, e) = (URL_SAFE_NO_PAD.encode(parts.n), URL_SAFE_NO_PAD.encode(parts.e));
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": n, "e": e})
    }

    /// A token signed with RS256, whatever its header says.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = unsigned(header, claims);
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The part of a token that is signed.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

impl Published {
    pub(crate) fn of(keys: Vec<Value>) -> Arc<Self> {
        let published = Self::default();
        published.set(keys);
        Arc::new(published)
    }

    pub(crate) fn set(&self, keys: Vec<Value>) {
        *self.keys.lock().unwrap() = keys;
    }
}

#[async_trait]
impl Fetch for Published {
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, String> {
        if self.away.load(Ordering::Relaxed) {
            return Err("nobody answers".into());
        }
        let url = request.uri().to_string();
        let body = match url.strip_prefix(ISSUER).unwrap() {
            "/.well-known/openid-configuration" => json!({"issuer": ISSUER, "jwks_uri": format!("{ISSUER}/keys")}),
            "/keys" => {
                self.reads.fetch_add(1, Ordering::Relaxed);
                json!({"keys": *self.keys.lock().unwrap()})
            }
            other => panic!("{other}"),
        };
        Ok(Response::new(body.to_string().into_bytes()))
    }
}
