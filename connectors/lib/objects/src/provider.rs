//! What a store's API has of its own.

use sluice_files::ObjectPage;
use sluice_sdk::http::{Headers, Request};
use sluice_sdk::{Error, ErrorKind, Result};

/// How a store is asked. Keys are complete here, with the prefix that a user may have configured.
pub trait Provider: Send + Sync + 'static {
    /// The bucket or container, for messages: `s3://bucket`.
    fn place(&self) -> String;

    /// Asks for a page of keys that start with `prefix`, in their order, without a delimiter.
    fn list(&self, prefix: &str, page: Option<&str>) -> Request;

    /// Reads a page. Names of folders without content are left out.
    ///
    /// # Errors
    /// `protocol` if the answer is not what the API promises.
    fn listed(&self, body: &[u8]) -> Result<ObjectPage>;

    /// Asks for an object's content, on the condition that it still has this mark, if the API takes one.
    fn get(&self, key: &str, mark: Option<&str>) -> Request;

    /// The mark of an object's content, from the headers of an answer; as [`Provider::listed`] gives it.
    fn mark(&self, headers: &Headers) -> Option<String>;

    /// What an answer means that is no success.
    fn refused(&self, refused: &Refused<'_>) -> Error;

    /// What a person can do about an error, for a check.
    fn remedy(&self, error: &Error) -> String;
}

/// An answer that is no success.
pub struct Refused<'a> {
    /// What was asked: method and URL.
    pub doing: &'a str,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: &'a Headers,
    /// The beginning of the body.
    pub body: &'a [u8],
}

/// The error of a status, with what the store said; for providers that have read the reason.
pub fn by_status(refused: &Refused<'_>, code: &str, reason: &str) -> Error {
    let kind = match refused.status {
        401 => ErrorKind::Auth,
        403 => ErrorKind::Permission,
        404 | 410 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimited,
        408 | 500.. => ErrorKind::Transient,
        400..=499 => ErrorKind::Unsupported,
        _ => ErrorKind::Protocol,
    };
    let code: String = code.chars().take(100).collect();
    let reason: String = reason.trim().chars().take(500).collect();
    let said = [code, reason].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ");
    let said = if said.is_empty() { String::new() } else { format!(" ({said})") };
    Error::new(kind, format!("{}: the store answered {}{said}", refused.doing, refused.status))
}

/// Where a store's API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    origin: String,
}

impl Endpoint {
    /// A URL that a user configured. The host of the sandbox allows `http` to private networks only.
    ///
    /// # Errors
    /// `config` unless it is a scheme, a host and maybe a port.
    pub fn new(url: &str) -> Result<Self> {
        let origin = url.trim_end_matches('/');
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let odd = |c: char| c.is_whitespace() || matches!(c, '/' | '@' | '?' | '#' | '\\');
        if host.is_none_or(|host| host.is_empty() || host.contains(odd)) {
            let message = "endpoint must be a URL without a path, such as https://minio.example.com or http://127.0.0.1:9000 (http \
                           only in a private network)";
            return Err(Error::config(message).field("/endpoint"));
        }
        Ok(Self { origin: origin.to_owned() })
    }

    /// A host of the provider's own.
    pub fn https(host: impl std::fmt::Display) -> Self {
        Self { origin: format!("https://{host}") }
    }

    /// The URL of a path, which is encoded already and starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url_without_a_path() {
        assert_eq!(Endpoint::new("https://minio.example.com/").unwrap().url("/b"), "https://minio.example.com/b");
        assert_eq!(Endpoint::new("http://127.0.0.1:9000").unwrap().url("/b"), "http://127.0.0.1:9000/b");
        for wrong in
            ["", "minio.example.com", "minio:9000", "https://", "https://user@host", "https://host/path", "ftp://h"]
        {
            assert_eq!(Endpoint::new(wrong).unwrap_err().field.as_deref(), Some("/endpoint"), "{wrong}");
        }
    }

    #[test]
    fn a_status_says_who_must_act() {
        let headers = Headers::new();
        let kind = |status| by_status(&Refused { doing: "GET x", status, headers: &headers, body: b"" }, "A", "b").kind;
        assert_eq!(
            [401, 403, 404, 429, 503, 400, 302].map(kind),
            [
                ErrorKind::Auth,
                ErrorKind::Permission,
                ErrorKind::NotFound,
                ErrorKind::RateLimited,
                ErrorKind::Transient,
                ErrorKind::Unsupported,
                ErrorKind::Protocol
            ]
        );
    }
}
