//! Cookies. `__Host-` makes browsers insist on `Secure`, `Path=/` and no `Domain` (RFC 6265bis, section 4.1.3.2), so that no
//! neighbouring host can set them.

use axum::http::{HeaderMap, HeaderValue, header};

/// A cookie of the service.
#[derive(Clone, Copy, Debug)]
pub struct Cookie(&'static str);

/// The session of a browser.
pub const SESSION: Cookie = Cookie("__Host-sluice");

/// What a browser keeps while its person is at an identity provider.
pub const ERRAND: Cookie = Cookie("__Host-sluice-errand");

impl Cookie {
    /// What the request has of it.
    pub fn read(self, headers: &HeaderMap) -> Option<&str> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.0).map(|(_, value)| value)
    }

    /// What sets it, for so many seconds.
    pub fn set(self, value: &str, seconds: i64) -> Option<HeaderValue> {
        let text = format!("{}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax", self.0);
        HeaderValue::try_from(text).ok()
    }

    /// What removes it.
    pub fn clear(self) -> HeaderValue {
        // The name is a constant of letters and hyphens, so there is always one.
        self.set("", 0).unwrap_or_else(|| HeaderValue::from_static(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; __Host-sluice=x; __Host-sluice-errand=y"));
        assert_eq!((SESSION.read(&headers), ERRAND.read(&headers)), (Some("x"), Some("y")));
        headers.insert(header::COOKIE, HeaderValue::from_static("sluice=x"));
        assert_eq!(SESSION.read(&headers), None);
    }

    #[test]
    fn no_script_and_no_plain_connection_gets_it() {
        let value = SESSION.set("slus_x", 60).unwrap();
        for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(value.to_str().unwrap().contains(attribute), "{attribute}");
            assert!(SESSION.clear().to_str().unwrap().contains(attribute), "{attribute}");
        }
        assert_eq!(ERRAND.clear(), "__Host-sluice-errand=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
    }
}
