//! Scheme, host and port: what is checked, pooled and authenticated.

use std::fmt;
use std::net::IpAddr;

use http::header::CONTENT_TYPE;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Uri};
use wasmtime_wasi_http::Error;

use super::failure::Failure;
use crate::net::{BadName, HostName, NetErrorKind};

/// Where a request goes, in one spelling.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) https: bool,
    pub(super) host: HostName,
    pub(super) port: u16,
}

impl Origin {
    /// Reads the origin of a request.
    pub(super) fn of(uri: &Uri) -> Result<Self, Failure> {
        let https = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(invalid("only http and https requests can be sent")),
        };
        let authority = uri.authority().ok_or_else(|| invalid("the request names no host"))?;
        // `user:password@host` would show one host to a reader and send to another.
        if authority.as_str().contains('@') {
            return Err(invalid("the request's host must not hold a user or password"));
        }
        let port = match (authority.port(), https) {
            (Some(port), _) => port.as_u16(),
            (None, true) => 443,
            (None, false) => 80,
        };
        let host = HostName::parse(authority.host()).map_err(|reason: BadName| invalid(reason.to_string()))?;
        Ok(Self { https, host, port })
    }

    /// The authority as it goes over the wire, in its one spelling; the default port is left out.
    pub(super) fn authority(&self) -> Result<Authority, Failure> {
        let host = match &self.host {
            HostName::Ip(IpAddr::V6(address)) => format!("[{address}]"),
            host => host.to_string(),
        };
        let text = match (self.https, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        };
        Authority::try_from(text).map_err(|error| invalid(error.to_string()))
    }

    pub(super) fn scheme(&self) -> Scheme {
        if self.https { Scheme::HTTPS } else { Scheme::HTTP }
    }
}

/// Which connections a request may go over: those to its origin that speak what it needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lane {
    pub(super) origin: Origin,
    /// Only HTTP/2 will do, without TLS as well, where nothing negotiates it.
    pub(super) http2_only: bool,
}

impl Lane {
    /// gRPC exists over HTTP/2 only, and says so by its content type. gRPC-Web, which is made for HTTP/1.1, does not.
    pub(super) fn of(origin: Origin, headers: &HeaderMap) -> Self {
        let grpc = headers.get(CONTENT_TYPE).is_some_and(|kind| {
            let kind = kind.as_bytes().split(|byte| b"+; ".contains(byte)).next().unwrap_or_default();
            kind.eq_ignore_ascii_case(b"application/grpc")
        });
        Self { origin, http2_only: grpc }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

fn invalid(reason: impl Into<String>) -> Failure {
    Failure::new(Error::HttpRequestUriInvalid, NetErrorKind::Config, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_origin_are_one_origin() {
        let expected = Origin::of(&Uri::from_static("https://api.example.com/a")).unwrap();
        for text in ["https://API.example.com:443/b?c", "https://api.example.com./"] {
            assert_eq!(Origin::of(&text.parse().unwrap()).unwrap(), expected, "{text}");
        }
        assert_eq!(expected.authority().unwrap(), "api.example.com");
        let other = Origin::of(&Uri::from_static("http://[2001:db8::1]:8080/")).unwrap();
        assert_eq!(other.authority().unwrap(), "[2001:db8::1]:8080");
    }

    #[test]
    fn grpc_wants_http2_and_nothing_else_does() {
        let wants = |kind: &'static str| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, http::HeaderValue::from_static(kind))]);
            Lane::of(Origin::of(&Uri::from_static("http://a.example")).unwrap(), &headers).http2_only
        };
        for kind in ["application/grpc", "application/grpc+proto", "Application/gRPC; charset=x", "application/grpc ;"]
        {
            assert!(wants(kind), "{kind}");
        }
        for kind in ["application/grpc-web", "application/grpc-web+proto", "application/json", "text/application/grpc"]
        {
            assert!(!wants(kind), "{kind}");
        }
        assert!(!Lane::of(Origin::of(&Uri::from_static("http://a.example")).unwrap(), &HeaderMap::new()).http2_only);
    }

    #[test]
    fn what_hides_its_host_is_refused() {
        for text in
            ["https://good.example@evil.net/", "https://0177.0.0.1/", "http://2130706433/", "ftp://a.example/", "/path"]
        {
            let refused = Origin::of(&text.parse().unwrap()).unwrap_err();
            assert!(matches!(refused.code, Error::HttpRequestUriInvalid), "{text}");
        }
    }
}
