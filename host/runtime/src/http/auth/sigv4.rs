//! AWS Signature Version 4.
//!
//! A request's method, path, query, host, the headers that matter and the hash of its body are put into one canonical
//! text; what is signed is that text's hash, the second and a scope (day, region, service), with a key derived from the
//! secret key and the scope. S3 differs from the other services in that its paths are taken as they are: encoded once
//! and not normalised.

use http::header::{CONTENT_TYPE, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ring::{digest, hmac};
use sluice_core::{RunError, hex};

use super::super::failure::Failure;
use super::super::origin::Origin;
use super::encode::{self, encode};
use super::{Outgoing, field};
use crate::net::{NetError, NetErrorKind};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const REGION: HeaderName = HeaderName::from_static("x-amz-bucket-region");

/// What a body's hash may be replaced by, where nothing is known of it before it is sent. TLS protects it.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// The hash of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Names of the configuration's fields.
pub(super) struct Fields<'a> {
    pub(super) access_key: &'a str,
    pub(super) secret_key: &'a str,
    pub(super) session_token: Option<&'a str>,
    pub(super) region: &'a str,
}

/// Signs requests to one service in one region.
pub(super) struct Sigv4 {
    access_key: String,
    secret_key: String,
    session_token: Option<HeaderValue>,
    region: String,
    region_field: String,
    service: String,
}

impl Sigv4 {
    /// None without an access key: requests go unsigned, which public buckets allow.
    pub(super) fn make(
        config: &serde_json::Value,
        fields: Fields<'_>,
        service: &str,
    ) -> Result<Option<Self>, RunError> {
        let Some(access_key) = field::word(config, fields.access_key)? else {
            for other in [Some(fields.secret_key), fields.session_token].into_iter().flatten() {
                if field::word(config, other)?.is_some() {
                    let message = format!("{other} is configured and {} is not; it needs both", fields.access_key);
                    return Err(RunError::config(format!("/{}", fields.access_key), message));
                }
            }
            return Ok(None);
        };
        let secret_key = field::needed(config, fields.secret_key, fields.access_key)?;
        let region = field::needed(config, fields.region, fields.access_key)?;
        let token = match fields.session_token {
            Some(name) => field::word(config, name)?.map(|token| field::header(name, token)).transpose()?,
            None => None,
        };
        Ok(Some(Self {
            access_key: access_key.to_owned(),
            secret_key: secret_key.to_owned(),
            session_token: token,
            region: region.to_owned(),
            region_field: fields.region.to_owned(),
            service: service.to_owned(),
        }))
    }

    pub(super) fn apply(&self, request: &mut Outgoing<'_>, now: Timestamp) -> Result<(), Failure> {
        let parameters = encode::parameters(request.query());
        let path = if self.verbatim_paths() {
            encode(&encode::decode(request.path(), false), true)
        } else {
            request.path().to_owned()
        };
        request.set_target(&path, &encode::query(&parameters))?;

        let time = Time::of(now);
        request.set(DATE, &time.second)?;
        request.parts.headers.remove(TOKEN);
        if let Some(token) = &self.session_token {
            request.parts.headers.insert(TOKEN, token.clone());
        }
        let hash = match request.header(&HASH) {
            // The guest knows its body, and the server checks what it says.
            stated if stated.len() == EMPTY.len() && stated.bytes().all(|b| b.is_ascii_hexdigit()) => stated.to_owned(),
            _ if request.length == Some(0) => EMPTY.to_owned(),
            _ => UNSIGNED.to_owned(),
        };
        request.set(HASH, &hash)?;

        let authority = request.origin.authority()?;
        let canonical = Canonical {
            method: request.parts.method.as_str(),
            path: if self.verbatim_paths() { path } else { encode(normalise(&path).as_bytes(), true) },
            query: canonical_query(&parameters),
            headers: signed_headers(authority.as_str(), &request.parts.headers),
            hash: &hash,
        };
        let authorization = self.authorization(&canonical, &time);
        request.authorize(&authorization)
    }

    /// A region that the server names because the request was signed for another.
    pub(super) fn explain<B>(&self, origin: &Origin, response: &Response<B>) -> Option<NetError> {
        let status = response.status();
        let elsewhere = status.is_redirection() || matches!(status, StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN);
        let theirs = response.headers().get(REGION)?.to_str().ok()?;
        let plain = theirs.len() <= 64 && theirs.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !elsewhere || !plain || theirs == self.region {
            return None;
        }
        let message = format!(
            "{origin} says that the bucket is in the region {theirs}, and the request was signed for {}; correct the \
             configuration (field /{})",
            self.region, self.region_field
        );
        Some(NetError::new(NetErrorKind::Config, message))
    }

    /// Whether the service takes paths as they are.
    fn verbatim_paths(&self) -> bool {
        self.service.starts_with("s3")
    }

    fn authorization(&self, canonical: &Canonical<'_>, time: &Time) -> String {
        let scope = format!("{}/{}/{}/aws4_request", time.day, self.region, self.service);
        let hashed = hex(digest::digest(&digest::SHA256, &canonical.bytes()).as_ref());
        let text = format!("{ALGORITHM}\n{}\n{scope}\n{hashed}", time.second);
        let mut key = hmac_sha256(format!("AWS4{}", self.secret_key).as_bytes(), time.day.as_bytes());
        for part in [&self.region, &self.service, "aws4_request"] {
            key = hmac_sha256(key.as_ref(), part.as_bytes());
        }
        let signature = hex(hmac_sha256(key.as_ref(), text.as_bytes()).as_ref());
        let (access_key, signed) = (&self.access_key, canonical.signed());
        format!("{ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={signed}, Signature={signature}")
    }
}

fn hmac_sha256(key: &[u8], data: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data)
}

/// The two spellings of a time that a signature holds.
struct Time {
    second: String,
    day: String,
}

impl Time {
    fn of(now: Timestamp) -> Self {
        let now = now.to_zoned(TimeZone::UTC);
        let day = format!("{:04}{:02}{:02}", now.year(), now.month(), now.day());
        let second = format!("{day}T{:02}{:02}{:02}Z", now.hour(), now.minute(), now.second());
        Self { second, day }
    }
}

/// A request in the spelling that is signed.
struct Canonical<'a> {
    method: &'a str,
    path: String,
    query: String,
    /// Names in lower case and in order, values without needless spaces.
    headers: Vec<(String, Vec<u8>)>,
    hash: &'a str,
}

impl Canonical<'_> {
    fn signed(&self) -> String {
        self.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";")
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{}\n{}\n{}\n", self.method, self.path, self.query).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(b':');
            bytes.extend_from_slice(value);
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(format!("\n{}\n{}", self.signed(), self.hash).as_bytes());
        bytes
    }
}

/// Sorted by name, then by value, as both are spelled when encoded; a name alone has an empty value.
fn canonical_query(parameters: &[encode::Parameter]) -> String {
    let mut pairs: Vec<(String, String)> = parameters
        .iter()
        .map(|(name, value)| (encode(name, false), encode(value.as_deref().unwrap_or_default(), false)))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// The host, and of the request's headers those that change what it means. The others may be changed on the way.
fn signed_headers(authority: &str, headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let matters = |name: &HeaderName| {
        [CONTENT_TYPE, RANGE].contains(name) || name == "content-md5" || name.as_str().starts_with("x-amz-")
    };
    let mut signed = vec![("host".to_owned(), authority.as_bytes().to_vec())];
    signed.extend(headers.keys().filter(|name| matters(name)).map(|name| canonical_header(headers, name)));
    signed.sort();
    signed
}

/// All values of a header, each without the spaces around it and with single spaces within.
fn canonical_header(headers: &HeaderMap, name: &HeaderName) -> (String, Vec<u8>) {
    let single_spaced = |value: &HeaderValue| {
        let words = value.as_bytes().split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(&b' ')
    };
    let values: Vec<_> = headers.get_all(name).iter().map(single_spaced).collect();
    (name.as_str().to_owned(), values.join(&b','))
}

/// A path without `.`, `..` and empty segments, as services other than S3 sign it.
fn normalise(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut normal = String::from("/");
    normal.push_str(&segments.join("/"));
    if path.len() > 1 && path.ends_with('/') && !segments.is_empty() {
        normal.push('/');
    }
    normal
}

#[cfg(test)]
#[path = "sigv4_tests.rs"]
mod tests;
