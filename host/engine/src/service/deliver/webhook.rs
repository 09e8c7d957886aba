//! Webhooks: the notification as JSON, signed with the tenant's secret.
//!
//! A receiver computes HMAC-SHA256 over the time of the header, a dot and the body, and compares. The time is part of what is signed, so
//! that nobody can send an old request again; it is the time of this try, the id is that of the notification. While a secret that was
//! replaced still signs, there are two signatures, the new secret's first.

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, USER_AGENT};
use serde_json::Value;
use sluice_runtime::http::Post;
use sluice_runtime::net::{NetError, NetErrorKind};
use sluice_store::{Scope, Store, Vault};

use super::Undelivered;
use crate::service::notify::message::Message;

/// The header with the time and the signature.
pub const SIGNATURE: &str = "sluice-signature";

/// The header with the notification's id.
pub const ID: &str = "sluice-id";

/// Calls webhooks.
#[derive(Clone)]
pub struct Webhooks {
    /// Sends requests.
    pub post: Post,
    /// Opens tenants' secrets.
    pub vault: Vault,
}

impl Webhooks {
    pub(super) async fn call(
        &self,
        store: &Store,
        scope: Scope<'_>,
        (id, address): (&str, &str),
        message: &Message,
        now_us: i64,
    ) -> Result<(), Undelivered> {
        let secrets = store.signing_secrets(scope, &self.vault, now_us).await.map_err(|error| {
            tracing::error!(tenant = scope.tenant, %error, "webhooks of a tenant cannot be signed");
            Undelivered::because("the service cannot open the secret that webhooks are signed with; tell its operator")
        })?;
        let body = body(id, message)?;
        let earlier = secrets.previous.as_ref().map(|(secret, _)| secret.expose());
        let signing = std::iter::once(secrets.current.expose()).chain(earlier);
        let signed = signature(signing, now_us.div_euclid(1_000_000), &body);
        let request = Request::post(address)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, "Sluice")
            .header(ID, id)
            .header(SIGNATURE, signed)
            .body(Bytes::from(body))
            .map_err(|_| Undelivered::because("the webhook's address is not one that can be called"))?;
        match self.post.send(request).await {
            Ok(status) if status.is_success() => Ok(()),
            Ok(status) if status.is_redirection() => Err(Undelivered::because(format!(
                "the receiver answered {status}: redirects are not followed; set the address that it points to"
            ))),
            // 410: the receiver is gone and says so.
            Ok(status) => {
                Err(Undelivered { why: format!("the receiver answered {status}"), unwanted: status.as_u16() == 410 })
            }
            Err(error) => Err(Undelivered::because(explained(&error))),
        }
    }
}

/// What is posted: the message and its id.
fn body(id: &str, message: &Message) -> Result<Vec<u8>, Undelivered> {
    let wrong = |_| Undelivered::because("the notification cannot be written as JSON");
    let mut value = serde_json::to_value(message).map_err(wrong)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("id".to_owned(), Value::String(id.to_owned()));
    }
    serde_json::to_vec(&value).map_err(wrong)
}

/// The header `Sluice-Signature` of a body that is sent at a time, seconds since 1970: a signature with each of these secrets.
pub fn signature<'s>(secrets: impl IntoIterator<Item = &'s [u8]>, at: i64, body: &[u8]) -> String {
    secrets.into_iter().fold(format!("t={at}"), |header, secret| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
        let mut signing = ring::hmac::Context::with_key(&key);
        signing.update(format!("{at}.").as_bytes());
        signing.update(body);
        format!("{header},v1={}", sluice_core::hex(signing.sign().as_ref()))
    })
}

/// The address itself may be a secret: what is said names the host at most.
fn explained(error: &NetError) -> String {
    match error.kind {
        NetErrorKind::Permission => {
            "the webhook's host is not called: it has a private address, or the operator forbids it; \
             webhooks go to public addresses unless the operator allows others (--allow-private-webhooks)"
                .to_owned()
        }
        _ => error.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_over_the_time_and_the_body() {
        // Computed with `printf '%s' '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret`.
        let expected = "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686";
        let sign = |secrets: &[&'static [u8]], at| signature(secrets.iter().copied(), at, br#"{"a":1}"#);
        assert_eq!(sign(&[b"secret"], 1_700_000_000), expected);
        assert_ne!(sign(&[b"secret"], 1_700_000_001)[13..], expected[13..]);
        let two = sign(&[b"new", b"secret"], 1_700_000_000);
        assert!(two.ends_with(&expected[12..]) && two.matches(",v1=").count() == 2, "{two}");
    }

    #[test]
    fn what_is_posted_names_the_notification() {
        let message = Message::digest("acme", jiff::Timestamp::UNIX_EPOCH, Vec::new(), 3);
        let body: Value = serde_json::from_slice(&body("n1", &message).unwrap()).unwrap();
        let expected = serde_json::json!(
            {"id": "n1", "event": "digest", "tenant": "acme", "at": "1970-01-01T00:00:00Z", "more": 3}
        );
        assert_eq!(body, expected);
    }

    #[test]
    fn a_refusal_says_what_the_operator_can_do_and_nothing_of_the_address() {
        let error = NetError::new(NetErrorKind::Permission, "10.0.0.7:80: 10.0.0.7 is a private address");
        let said = explained(&error);
        assert!(said.contains("--allow-private-webhooks") && !said.contains("10.0.0.7"), "{said}");
    }
}
