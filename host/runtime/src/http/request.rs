//! What a guest's request looks like once it is fit for the wire.

use http::header::{CONNECTION, EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};
use wasmtime_wasi_http::Error;

use super::failure::Failure;
use super::origin::Origin;
use crate::net::NetErrorKind;

/// Longest path and query.
const MAX_PATH: usize = 32 << 10;

/// Most bytes of a request's headers, names and values.
const MAX_HEADERS: usize = 64 << 10;

/// Headers that speak of the connection rather than of the request, or decide whom a request is for: the host's own.
pub(super) fn is_hop_by_hop(name: &HeaderName) -> bool {
    [CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE].contains(name)
        || matches!(name.as_str(), "keep-alive" | "http2-settings")
        || name.as_str().starts_with("proxy-")
}

/// Strips and bounds the headers, and refuses methods that would turn the connection into something else.
pub(super) fn sanitise(parts: &mut Parts, origin: &Origin) -> Result<(), Failure> {
    if parts.method == Method::CONNECT || parts.method == Method::TRACE {
        let message = format!("{origin}: the method {} is not for connectors", parts.method);
        return Err(Failure::new(Error::HttpRequestMethodInvalid, NetErrorKind::Permission, message));
    }
    let path = parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
    if path > MAX_PATH {
        let message = format!("{origin}: a request's path has at most {MAX_PATH} bytes");
        return Err(Failure::new(Error::HttpRequestUriTooLong, NetErrorKind::Limit, message));
    }
    strip(&mut parts.headers);
    let size: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if size > MAX_HEADERS {
        let message = format!("{origin}: a request's headers have at most {MAX_HEADERS} bytes");
        let code = Error::HttpRequestHeaderSectionSize(u32::try_from(size).ok());
        return Err(Failure::new(code, NetErrorKind::Limit, message));
    }
    Ok(())
}

fn strip(headers: &mut HeaderMap) {
    let unwanted: Vec<HeaderName> = headers.keys().filter(|name| is_hop_by_hop(name)).cloned().collect();
    for name in unwanted {
        headers.remove(name);
    }
    // The host sends bodies at once and announces trailers itself.
    headers.remove(EXPECT);
    headers.remove(TRAILER);
    if headers.get(TE).is_some_and(|te| te != "trailers") {
        headers.remove(TE);
    }
}

/// Addresses the request as the protocol wants it: the path and a `Host` header, or the whole URI in pseudo-headers.
pub(super) fn address(parts: &mut Parts, origin: &Origin, http2: bool) -> Result<(), Failure> {
    let invalid =
        |error: String| Failure::new(Error::HttpRequestUriInvalid, NetErrorKind::Config, format!("{origin}: {error}"));
    let path = match parts.uri.path_and_query().map(PathAndQuery::as_str) {
        None | Some("") => PathAndQuery::from_static("/"),
        Some(text) if text.starts_with('/') => {
            PathAndQuery::try_from(text.to_owned()).map_err(|error| invalid(error.to_string()))?
        }
        Some(query) => PathAndQuery::try_from(format!("/{query}")).map_err(|error| invalid(error.to_string()))?,
    };
    let authority = origin.authority()?;
    parts.headers.remove(HOST);
    if http2 {
        let uri = Uri::builder().scheme(origin.scheme()).authority(authority).path_and_query(path).build();
        parts.uri = uri.map_err(|error| invalid(error.to_string()))?;
        parts.version = Version::HTTP_2;
    } else {
        let host = HeaderValue::from_str(authority.as_str()).map_err(|error| invalid(error.to_string()))?;
        parts.headers.insert(HOST, host);
        parts.uri = Uri::from(path);
        parts.version = Version::HTTP_11;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(uri: &str, headers: &[(&'static str, &'static str)]) -> (Parts, Origin) {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let origin = Origin::of(&parts.uri).unwrap();
        (parts, origin)
    }

    #[test]
    fn headers_of_the_connection_are_the_hosts() {
        let sent = [
            ("host", "evil.net"),
            ("connection", "x-secret"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "Basic x"),
            ("proxy-anything", "x"),
            ("http2-settings", "x"),
            ("expect", "100-continue"),
            ("te", "gzip"),
            ("accept", "*/*"),
        ];
        let (mut parts, origin) = parts("http://a.example:8080/x?y", &sent);
        sanitise(&mut parts, &origin).unwrap();
        address(&mut parts, &origin, false).unwrap();
        let names: Vec<&str> = parts.headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["accept", "host"]);
        assert_eq!(parts.headers["host"], "a.example:8080");
        assert_eq!(parts.uri, "/x?y");
    }

    #[test]
    fn http2_has_the_host_in_its_uri_only() {
        let (mut parts, origin) = parts("https://A.example:443?q=1", &[("te", "trailers")]);
        sanitise(&mut parts, &origin).unwrap();
        address(&mut parts, &origin, true).unwrap();
        assert_eq!(parts.uri, "https://a.example/?q=1");
        assert!(!parts.headers.contains_key("host"));
        assert_eq!(parts.headers["te"], "trailers");
    }

    #[test]
    fn requests_that_are_too_large_or_tunnel_are_refused() {
        let (mut long, origin) = parts(&format!("http://a.example/{}", "x".repeat(MAX_PATH)), &[]);
        assert!(matches!(sanitise(&mut long, &origin).unwrap_err().code, Error::HttpRequestUriTooLong));
        let (mut wide, origin) = parts("http://a.example/", &[]);
        wide.headers.insert("x", HeaderValue::from_str(&"y".repeat(MAX_HEADERS)).unwrap());
        assert!(matches!(sanitise(&mut wide, &origin).unwrap_err().code, Error::HttpRequestHeaderSectionSize(_)));
        let (mut tunnel, origin) = parts("http://a.example/", &[]);
        tunnel.method = Method::CONNECT;
        assert!(matches!(sanitise(&mut tunnel, &origin).unwrap_err().code, Error::HttpRequestMethodInvalid));
    }
}
