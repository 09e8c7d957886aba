//! A service account's key: the JSON file that Google lets one download.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use sluice_core::RunError;

/// Longest key file that is read.
const MAX_BYTES: usize = 64 << 10;

/// How long an assertion is valid, the most that Google takes.
const LIFETIME_SECONDS: i64 = 3600;

/// The fields that count. `token_uri` is not among them: see [`super`].
#[derive(Deserialize)]
struct File {
    r#type: String,
    client_email: Option<String>,
    private_key: Option<String>,
    private_key_id: Option<String>,
}

/// Signs assertions in the name of a service account.
pub(super) struct ServiceAccount {
    email: String,
    key_id: String,
    key: RsaKeyPair,
}

impl ServiceAccount {
    /// Reads the file's content. Errors never repeat any of it.
    pub(super) fn parse(field: &str, text: &str) -> Result<Self, RunError> {
        let wrong = |message: String| RunError::config(format!("/{field}"), message);
        if text.len() > MAX_BYTES {
            return Err(wrong(format!("a service account's key has at most {MAX_BYTES} bytes")));
        }
        let file: File = serde_json::from_str(text).map_err(|error| {
            // serde_json's own message may hold a value.
            let (line, column) = (error.line(), error.column());
            wrong(format!(
                "this is not the JSON file of a service account's key (line {line}, column {column}); configure the \
                 content of the file, for example with {{file: key.json}}"
            ))
        })?;
        if file.r#type != "service_account" {
            let message = "the file is not a service account's key (its `type` is another); create one in IAM";
            return Err(wrong(message.to_owned()));
        }
        let (Some(email), Some(pem)) = (file.client_email, file.private_key) else {
            return Err(wrong("the key lacks `client_email` or `private_key`; download it anew".to_owned()));
        };
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| {
            wrong("`private_key` is not a PEM block named PRIVATE KEY; download the key anew".to_owned())
        })?;
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der())
            .map_err(|reason| wrong(format!("`private_key` is not a usable RSA key: {reason}")))?;
        Ok(Self { email, key_id: file.private_key_id.unwrap_or_default(), key })
    }

    /// A signed statement of who asks whom for which scopes (RFC 7523), valid for an hour.
    pub(super) fn assertion(&self, audience: &str, scopes: &[String], now: Timestamp) -> Result<String, String> {
        let header = serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": self.key_id});
        let issued = now.as_second();
        let claims = serde_json::json!({
            "iss": self.email,
            "scope": scopes.join(" "),
            "aud": audience,
            "iat": issued,
            "exp": issued.saturating_add(LIFETIME_SECONDS),
        });
        let encode = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let text = format!("{}.{}", encode(header), encode(claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| "the service account's key cannot sign".to_owned())?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_key_is_refused_without_being_shown() {
        let told = |text: &str| {
            let error = ServiceAccount::parse("key", text).map(|_| ()).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("/key"));
            assert!(!error.to_string().contains("hunter2"), "{error}");
            error.message
        };
        assert!(told("hunter2").contains("line 1"));
        assert!(told(r#"{"type":["hunter2"]}"#).contains("not the JSON file"));
        assert!(told(r#"{"type":"authorized_user","client_secret":"hunter2"}"#).contains("its `type` is another"));
        assert!(told(r#"{"type":"service_account","private_key":"hunter2"}"#).contains("lacks `client_email`"));
        let pem = r#"{"type":"service_account","client_email":"a@b","private_key":"hunter2"}"#;
        assert!(told(pem).contains("not a PEM block"));
        let key = "-----BEGIN PRIVATE KEY-----\\naHVudGVyMg==\\n-----END PRIVATE KEY-----\\n";
        let der = format!(r#"{{"type":"service_account","client_email":"a@b","private_key":"{key}"}}"#);
        assert!(told(&der).contains("not a usable RSA key"));
        assert!(told(&" ".repeat(MAX_BYTES + 1)).contains("at most"));
    }
}
