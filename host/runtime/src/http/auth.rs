//! Credentials that the host adds, so that they never enter a guest's memory.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use sluice_core::RunError;
use sluice_core::manifest::AuthScheme;
use wasmtime_wasi_http::Error;

use super::failure::Failure;
use super::origin::Origin;
use super::request::is_hop_by_hop;
use crate::net::egress::{HostPattern, HostRule};
use crate::net::{AddressClass, NetErrorKind, classify};

/// The headers that authenticate a connection's requests.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Credentials {
    /// Reads the manifest's schemes with the connection's configuration. A scheme whose fields are not configured is
    /// one that this connection does not use.
    pub(super) fn resolve(schemes: &[AuthScheme], config: &serde_json::Value) -> Result<Self, RunError> {
        let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::new();
        for scheme in schemes {
            if let Some((name, value)) = header(scheme, config)?
                && !headers.iter().any(|(known, _)| *known == name)
            {
                headers.push((name, value));
            }
        }
        Ok(Self { headers })
    }

    /// Puts the credentials into a request, in place of what the guest may have put there, if the origin is the
    /// connection's own: named exactly in the manifest, not only covered by a wildcard.
    ///
    /// Refuses to send them where somebody could listen: without TLS only to a private address that was granted.
    pub(super) fn apply(
        &self,
        headers: &mut HeaderMap,
        origin: &Origin,
        rule: &HostRule,
        peer: Option<std::net::IpAddr>,
    ) -> Result<(), Failure> {
        if self.headers.is_empty() || !matches!(rule.pattern, HostPattern::Exact(_)) {
            return Ok(());
        }
        let private = peer.is_some_and(|address| matches!(classify(address), AddressClass::Private(_)));
        let unheard = origin.https || (rule.own && private);
        if !unheard {
            let message = format!("{origin} would receive the connection's credentials unencrypted; use https");
            return Err(Failure::new(Error::HttpRequestDenied, NetErrorKind::Permission, message));
        }
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        Ok(())
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.headers.iter().map(|(name, _)| name)).finish()
    }
}

fn header(scheme: &AuthScheme, config: &serde_json::Value) -> Result<Option<(HeaderName, HeaderValue)>, RunError> {
    match scheme {
        AuthScheme::Bearer { token } => {
            let Some(secret) = field(config, token)? else { return Ok(None) };
            Ok(Some((AUTHORIZATION, value(token, &format!("Bearer {secret}"))?)))
        }
        AuthScheme::Basic { username, password } => {
            let Some(name) = field(config, username)? else { return Ok(None) };
            if name.contains(':') {
                return Err(RunError::config(format!("/{username}"), "a user name for HTTP cannot hold a colon"));
            }
            let secret = field(config, password)?.unwrap_or_default();
            let encoded = STANDARD.encode(format!("{name}:{secret}"));
            Ok(Some((AUTHORIZATION, value(password, &format!("Basic {encoded}"))?)))
        }
        AuthScheme::Header { name, value: secret } => {
            let parsed = HeaderName::from_bytes(name.as_bytes()).ok().filter(|name| !is_hop_by_hop(name));
            let parsed = parsed.ok_or_else(|| {
                RunError::config("auth", format!("the manifest names {name:?}, which is no header it can set"))
            })?;
            let Some(text) = field(config, secret)? else { return Ok(None) };
            Ok(Some((parsed, value(secret, text)?)))
        }
    }
}

fn field<'a>(config: &'a serde_json::Value, name: &str) -> Result<Option<&'a str>, RunError> {
    match config.get(name) {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(serde_json::Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(RunError::config(format!("/{name}"), "a credential must be a text")),
    }
}

/// A header value that is never shown. The error does not repeat it.
fn value(field: &str, text: &str) -> Result<HeaderValue, RunError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        RunError::config(
            format!("/{field}"),
            "the credential holds a character that HTTP headers cannot carry, e.g. a line break",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::net::HostName;

    fn rule(host: &str, own: bool) -> HostRule {
        HostRule { pattern: HostPattern::Exact(HostName::parse(host).unwrap()), port: None, own }
    }

    fn origin(url: &str) -> Origin {
        Origin::of(&url.parse().unwrap()).unwrap()
    }

    fn bearer() -> Credentials {
        Credentials::resolve(&[AuthScheme::Bearer { token: "token".into() }], &json!({"token": "s3cret"})).unwrap()
    }

    #[test]
    fn each_scheme_makes_its_header() {
        let config = json!({"u": "ada", "p": "lovelace", "k": "v1"});
        let schemes = [
            AuthScheme::Basic { username: "u".into(), password: "p".into() },
            AuthScheme::Header { name: "X-Api-Key".into(), value: "k".into() },
            AuthScheme::Bearer { token: "absent".into() },
        ];
        let credentials = Credentials::resolve(&schemes, &config).unwrap();
        let mut headers = HeaderMap::new();
        credentials.apply(&mut headers, &origin("https://a.example"), &rule("a.example", false), None).unwrap();
        assert_eq!(headers[AUTHORIZATION], "Basic YWRhOmxvdmVsYWNl");
        assert_eq!(headers["x-api-key"], "v1");
        assert_eq!(headers.len(), 2);
        assert!(!format!("{credentials:?} {headers:?}").contains("lovelace"));
    }

    #[test]
    fn a_guests_own_authorization_is_replaced_for_the_connections_origin() {
        let mut headers = HeaderMap::new();
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer b"));
        bearer().apply(&mut headers, &origin("https://a.example"), &rule("a.example", false), None).unwrap();
        assert_eq!(headers.get_all(AUTHORIZATION).iter().collect::<Vec<_>>(), ["Bearer s3cret"]);
    }

    #[test]
    fn an_origin_that_only_a_wildcard_covers_gets_no_credentials() {
        let mut headers = HeaderMap::new();
        let wildcard = HostRule { pattern: HostPattern::Below("example.com".into()), port: None, own: false };
        bearer().apply(&mut headers, &origin("https://a.example.com"), &wildcard, None).unwrap();
        assert!(headers.is_empty());
    }

    #[test]
    fn credentials_do_not_leave_unencrypted_but_for_a_granted_private_network() {
        let apply = |own, peer: &str| {
            let peer = Some(peer.parse().unwrap());
            bearer().apply(&mut HeaderMap::new(), &origin("http://a.example"), &rule("a.example", own), peer)
        };
        assert!(apply(true, "10.0.0.1").is_ok());
        for (own, peer) in [(true, "8.8.8.8"), (false, "10.0.0.1")] {
            let refused = apply(own, peer).unwrap_err();
            assert!(refused.detail.message.contains("use https"), "{}", refused.detail);
        }
    }

    #[test]
    fn a_credential_with_a_line_break_is_refused_without_being_shown() {
        let config = json!({"token": "abc\r\nHost: evil"});
        let error = Credentials::resolve(&[AuthScheme::Bearer { token: "token".into() }], &config).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("/token"));
        assert!(!error.to_string().contains("abc"), "{error}");
        let forbidden = AuthScheme::Header { name: "Host".into(), value: "k".into() };
        assert!(Credentials::resolve(&[forbidden], &json!({"k": "v"})).is_err());
    }
}
