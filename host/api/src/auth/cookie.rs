//! The session's cookie. `__Host-` makes browsers insist on `Secure`, `Path=/` and no `Domain` (RFC 6265bis, section 4.1.3.2), so
//! that no neighbouring host can set it.

use axum::http::{HeaderMap, HeaderValue, header};

const NAME: &str = "__Host-sluice";

/// The secret in the request's cookie.
pub fn read(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == NAME).map(|(_, value)| value)
}

/// What sets it, for so many seconds.
pub fn set(secret: &str, seconds: i64) -> Option<HeaderValue> {
    let text = format!("{NAME}={secret}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    HeaderValue::try_from(text).ok()
}

/// What removes it.
pub fn clear() -> HeaderValue {
    HeaderValue::from_static("__Host-sluice=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; __Host-sluice=x; c=d"));
        assert_eq!(read(&headers), Some("x"));
        headers.insert(header::COOKIE, HeaderValue::from_static("sluice=x"));
        assert_eq!(read(&headers), None);
    }

    #[test]
    fn no_script_and_no_plain_connection_gets_it() {
        let value = set("slus_x", 60).unwrap();
        for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(value.to_str().unwrap().contains(attribute), "{attribute}");
            assert!(clear().to_str().unwrap().contains(attribute), "{attribute}");
        }
    }
}
