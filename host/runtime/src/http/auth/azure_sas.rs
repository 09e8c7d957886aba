//! A shared access signature of Azure's: a token that is part of each request's query. The guest builds its requests
//! without it, and what is sent is not what it sees.

use http::{Response, StatusCode};
use jiff::Timestamp;
use sluice_core::RunError;
use wasmtime_wasi_http::Error;

use super::super::failure::Failure;
use super::super::origin::Origin;
use super::encode::{self, Parameter};
use super::{Outgoing, field};
use crate::net::{NetError, NetErrorKind};

/// Longest path and query that is sent.
const MAX_TARGET: usize = 64 << 10;

/// The token's parameters.
pub(super) struct Sas {
    token: Vec<Parameter>,
    field: String,
    expires: Option<Timestamp>,
}

impl Sas {
    pub(super) fn make(config: &serde_json::Value, name: &str) -> Result<Option<Self>, RunError> {
        let Some(text) = field::word(config, name)? else { return Ok(None) };
        let wrong = |message: &str| Err(RunError::config(format!("/{name}"), message));
        if text.contains("://") {
            return wrong("this is a whole URL; configure only the token, which is what follows the question mark");
        }
        let token = encode::parameters(text.strip_prefix('?').unwrap_or(text));
        if value(&token, b"sig").is_none() {
            return wrong("the token has no parameter `sig`; copy it whole: sv=…&sig=…");
        }
        let expires = value(&token, b"se").and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
        Ok(Some(Self { token, field: name.to_owned(), expires }))
    }

    /// Adds the token, in place of what the guest may have said of the same names.
    pub(super) fn apply(&self, request: &mut Outgoing<'_>) -> Result<(), Failure> {
        let mut parameters = encode::parameters(request.query());
        parameters.retain(|(name, _)| self.token.iter().all(|(own, _)| own != name));
        parameters.extend(self.token.iter().cloned());
        let query = encode::query(&parameters);
        let path = request.path().to_owned();
        if path.len() + query.len() > MAX_TARGET {
            let message = format!("{}: the request's path is too long for the token beside it", request.origin);
            return Err(Failure::new(Error::HttpRequestUriTooLong, NetErrorKind::Limit, message));
        }
        request.set_target(&path, &query)
    }

    /// That the token has expired, which the server reports as any other refusal.
    pub(super) fn explain<B>(&self, origin: &Origin, response: &Response<B>, now: Timestamp) -> Option<NetError> {
        let refused = matches!(response.status(), StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED);
        let expired = self.expires.filter(|expires| refused && *expires <= now)?;
        let message = format!(
            "the shared access signature for {origin} expired at {expired}; configure a new one (field /{})",
            self.field
        );
        Some(NetError::new(NetErrorKind::Auth, message))
    }
}

fn value<'a>(token: &'a [Parameter], wanted: &[u8]) -> Option<&'a [u8]> {
    let found = token.iter().find(|(name, _)| name == wanted)?.1.as_deref();
    found.filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use http::Request;
    use serde_json::json;

    use super::*;

    const TOKEN: &str = "?sv=2021-12-02&se=2026-01-02T03:04:05Z&sp=rl&sig=a%2Bb%2Fc%3D";

    fn sas() -> Sas {
        Sas::make(&json!({"sas": TOKEN}), "sas").unwrap().unwrap()
    }

    #[test]
    fn the_token_joins_the_query_and_replaces_what_the_guest_said_of_it() {
        let sent = |url: &str| {
            let (mut parts, ()) = Request::get(url).body(()).unwrap().into_parts();
            let origin = Origin::of(&parts.uri).unwrap();
            sas().apply(&mut Outgoing { parts: &mut parts, origin: &origin, length: Some(0) }).unwrap();
            // A request that is sent again is not signed twice.
            sas().apply(&mut Outgoing { parts: &mut parts, origin: &origin, length: Some(0) }).unwrap();
            parts.uri.path_and_query().unwrap().to_string()
        };
        let token = "sv=2021-12-02&se=2026-01-02T03%3A04%3A05Z&sp=rl&sig=a%2Bb%2Fc%3D";
        assert_eq!(sent("https://a.example/c/b"), format!("/c/b?{token}"));
        assert_eq!(
            sent("https://a.example/c?comp=list&sig=guest&prefix=x%20y&sv=1"),
            format!("/c?comp=list&prefix=x%20y&{token}")
        );
    }

    #[test]
    fn what_is_not_a_token_is_refused_without_being_shown() {
        for wrong in ["https://a.blob.core.windows.net/?sv=1&sig=hunter2", "hunter2", "sv=1&sig=", "sig=hunter2\n", ""]
        {
            let error = Sas::make(&json!({"sas": wrong}), "sas").map(|_| ()).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("/sas"));
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        assert!(Sas::make(&json!({}), "sas").unwrap().is_none());
    }

    #[test]
    fn an_expired_token_is_named_as_such() {
        let origin = Origin::of(&"https://a.example".parse().unwrap()).unwrap();
        let refusal = Response::builder().status(403).body(()).unwrap();
        let told = |now: &str| sas().explain(&origin, &refusal, now.parse().unwrap()).map(|told| told.message);
        assert!(told("2026-01-02T03:04:06Z").unwrap().contains("expired at 2026-01-02T03:04:05Z"));
        assert_eq!(told("2026-01-02T03:04:00Z"), None);
    }
}
