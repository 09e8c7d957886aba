//! Headers that every answer has (OWASP ASVS 5.0, V3.4), and the check that a request with a cookie comes from this service's own pages.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use super::problem::{Problem, Slug};

/// The answers of the API are data: a browser that is shown one must not run or frame anything of it.
const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    // Browsers heed it on encrypted connections only.
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")),
];

/// Adds the headers to every answer that does not say otherwise.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// Whether a request that a cookie authenticates may change something. Browsers say where a request comes from in `Sec-Fetch-Site`, older
/// ones in `Origin`; one that says neither is no browser of today, and is refused because nothing else proves it.
///
/// # Errors
/// If it comes from another site, or does not say where from.
pub fn same_site(method: &Method, headers: &HeaderMap, origin: &str) -> Result<(), Problem> {
    if method.is_safe() || from_here(headers, origin) == Some(true) {
        return Ok(());
    }
    let detail =
        "a change that a cookie authenticates must come from this service's own pages; programs use an API token";
    Err(Problem::new(Slug::CrossSite, detail))
}

/// Whether a request that nothing authenticates may set a cookie: not from another site's page, which could sign its visitor in as
/// somebody else. Programs say nothing of where they come from.
///
/// # Errors
/// If it comes from another site.
pub fn not_cross_site(headers: &HeaderMap, origin: &str) -> Result<(), Problem> {
    match from_here(headers, origin) {
        Some(false) => Err(Problem::new(Slug::CrossSite, "sign in on this service's own pages")),
        Some(true) | None => Ok(()),
    }
}

/// Whether a request comes from this service's own pages, if it says so.
fn from_here(headers: &HeaderMap, origin: &str) -> Option<bool> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => Some(site == "same-origin"),
        (None, Some(from)) => Some(from == origin),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &Method, headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        headers.iter().for_each(|(name, value)| drop(map.insert(*name, HeaderValue::from_static(value))));
        same_site(method, &map, "https://sluice.example").is_ok()
    }

    #[test]
    fn a_cookie_alone_changes_nothing() {
        assert!(asked(&Method::GET, &[]));
        assert!(!asked(&Method::POST, &[]));
        assert!(!asked(&Method::DELETE, &[("sec-fetch-site", "cross-site")]));
        assert!(!asked(&Method::POST, &[("sec-fetch-site", "same-site"), ("origin", "https://sluice.example")]));
        assert!(!asked(&Method::POST, &[("origin", "https://evil.example")]));
        assert!(asked(&Method::POST, &[("sec-fetch-site", "same-origin")]));
        assert!(asked(&Method::PUT, &[("origin", "https://sluice.example")]));
    }

    #[test]
    fn nobody_is_signed_in_by_another_sites_page() {
        let says = |name: &'static str, value: &'static str| {
            let headers = HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]);
            not_cross_site(&headers, "https://sluice.example").is_ok()
        };
        assert!(says("accept", "*/*") && says("sec-fetch-site", "same-origin"));
        assert!(!says("sec-fetch-site", "cross-site") && !says("origin", "https://evil.example"));
    }
}
