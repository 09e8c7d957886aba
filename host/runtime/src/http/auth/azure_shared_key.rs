//! `SharedKey` of Azure's Blob service, as its versions from 2015-02-21 on want it: a fixed list of headers, every
//! `x-ms-` header, and the path and query, signed with the account's key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ring::hmac;
use sluice_core::RunError;

use super::super::failure::Failure;
use super::encode::{self, encode};
use super::{Outgoing, field};

const DATE: HeaderName = HeaderName::from_static("x-ms-date");
const VERSION: HeaderName = HeaderName::from_static("x-ms-version");
const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// What requests speak that do not say which version of the service they were written for.
const DEFAULT_VERSION: &str = "2021-12-02";

/// Signs requests to one storage account.
pub(super) struct SharedKey {
    account: String,
    key: hmac::Key,
}

impl SharedKey {
    /// None without a key: a connection may name its account and use another scheme, or none.
    pub(super) fn make(config: &serde_json::Value, account: &str, key: &str) -> Result<Option<Self>, RunError> {
        let Some(secret) = field::word(config, key)? else { return Ok(None) };
        let name = field::needed(config, account, key)?;
        let decoded = STANDARD.decode(secret).map_err(|_| {
            let message = "the account's key is not base64; copy it whole, with the equals signs at its end";
            RunError::config(format!("/{key}"), message)
        })?;
        Ok(Some(Self { account: name.to_owned(), key: hmac::Key::new(hmac::HMAC_SHA256, &decoded) }))
    }

    pub(super) fn apply(&self, request: &mut Outgoing<'_>, now: Timestamp) -> Result<(), Failure> {
        let parameters = encode::parameters(request.query());
        let path = encode(&encode::decode(request.path(), false), true);
        request.set_target(&path, &encode::query(&parameters))?;
        let now = now.to_zoned(TimeZone::UTC);
        request.set(DATE, &now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())?;
        if !request.parts.headers.contains_key(VERSION) {
            request.set(VERSION, DEFAULT_VERSION)?;
        }
        // It is signed, so it cannot be left to whoever writes the request to the wire, who may leave out a zero.
        let has_body = request.parts.method == Method::PUT || request.parts.method == Method::POST;
        match request.length {
            Some(length) if length > 0 || has_body => request.set(CONTENT_LENGTH, &length.to_string())?,
            _ => {}
        }
        let text = self.text(request, &path, &parameters);
        let signature = STANDARD.encode(hmac::sign(&self.key, &text));
        request.authorize(&format!("SharedKey {}:{signature}", self.account))
    }

    /// The text that is signed.
    fn text(&self, request: &Outgoing<'_>, path: &str, parameters: &[encode::Parameter]) -> Vec<u8> {
        let headers = &request.parts.headers;
        let mut text = request.parts.method.as_str().as_bytes().to_vec();
        text.push(b'\n');
        for name in [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_MD5, CONTENT_TYPE] {
            let value = headers.get(&name).map(HeaderValue::as_bytes).unwrap_or_default();
            // No body is the empty text, not zero.
            if !(name == CONTENT_LENGTH && value == b"0") {
                text.extend_from_slice(value);
            }
            text.push(b'\n');
        }
        // The date is empty, because `x-ms-date` stands for it.
        text.push(b'\n');
        for name in [IF_MODIFIED_SINCE, IF_MATCH, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, RANGE] {
            text.extend_from_slice(headers.get(&name).map(HeaderValue::as_bytes).unwrap_or_default());
            text.push(b'\n');
        }
        text.extend_from_slice(&canonical_headers(headers));
        text.extend_from_slice(format!("/{}{path}", self.account).as_bytes());
        text.extend_from_slice(&canonical_query(parameters));
        text
    }
}

/// Every `x-ms-` header in the order of their names, each on a line of its own.
fn canonical_headers(headers: &HeaderMap) -> Vec<u8> {
    let mut names: Vec<&HeaderName> = headers.keys().filter(|name| name.as_str().starts_with("x-ms-")).collect();
    names.sort_by_key(|name| name.as_str());
    let mut lines = Vec::new();
    for name in names {
        lines.extend_from_slice(name.as_str().as_bytes());
        lines.push(b':');
        let values: Vec<&[u8]> = headers.get_all(name).iter().map(|value| value.as_bytes().trim_ascii()).collect();
        lines.extend_from_slice(&values.join(&b','));
        lines.push(b'\n');
    }
    lines
}

/// Every parameter in the order of their names, decoded, each on a line of its own, several values in their order.
fn canonical_query(parameters: &[encode::Parameter]) -> Vec<u8> {
    let mut decoded: Vec<(Vec<u8>, &[u8])> = parameters
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.as_deref().unwrap_or_default()))
        .collect();
    decoded.sort();
    let mut lines: Vec<u8> = Vec::new();
    let mut last: Option<&[u8]> = None;
    for (name, value) in &decoded {
        if last == Some(name) {
            lines.push(b',');
        } else {
            lines.push(b'\n');
            lines.extend_from_slice(name);
            lines.push(b':');
        }
        lines.extend_from_slice(value);
        last = Some(name);
    }
    lines
}

#[cfg(test)]
mod tests {
    use http::Request;
    use serde_json::json;

    use super::super::super::origin::Origin;
    use super::*;

    fn shared_key(account: &str) -> SharedKey {
        let config = json!({"account": account, "key": STANDARD.encode("key")});
        SharedKey::make(&config, "account", "key").unwrap().unwrap()
    }

    /// The text that is signed for a request, and the request as it is sent.
    fn signed(request: http::request::Builder, length: Option<u64>, now: &str) -> (String, http::request::Parts) {
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let origin = Origin::of(&parts.uri).unwrap();
        let mut outgoing = Outgoing { parts: &mut parts, origin: &origin, length };
        let key = shared_key("myaccount");
        key.apply(&mut outgoing, now.parse().unwrap()).unwrap();
        let path = outgoing.path().to_owned();
        let text = key.text(&outgoing, &path, &encode::parameters(outgoing.query()));
        (String::from_utf8(text).unwrap(), parts)
    }

    const ACCOUNT: &str = "https://myaccount.blob.core.windows.net";

    #[test]
    fn the_documented_example_is_signed_as_documented() {
        let url = format!("{ACCOUNT}/mycontainer?restype=container&comp=metadata&timeout=20");
        let request = Request::get(url).header("x-ms-version", "2015-02-21");
        let (text, parts) = signed(request, Some(0), "2015-06-26T23:39:12Z");
        let expected = "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n\
                        /myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20";
        assert_eq!(text, expected);
        let authorization = parts.headers["authorization"].to_str().unwrap();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"key"), expected.as_bytes());
        assert_eq!(authorization, format!("SharedKey myaccount:{}", STANDARD.encode(tag)));
        assert!(parts.headers["authorization"].is_sensitive());
    }

    #[test]
    fn the_documented_resources_are_spelled_as_documented() {
        let resource = |target: &str| {
            let (text, _) = signed(Request::get(format!("{ACCOUNT}{target}")), Some(0), "2015-06-26T23:39:12Z");
            text[text.find("/myaccount").unwrap()..].to_owned()
        };
        assert_eq!(
            resource(
                "/mycontainer?restype=container&comp=list&include=snapshots&include=metadata&include=uncommittedblobs"
            ),
            "/myaccount/mycontainer\ncomp:list\ninclude:metadata,snapshots,uncommittedblobs\nrestype:container"
        );
        assert_eq!(resource("/"), "/myaccount/");
        assert_eq!(resource("/c/a%20b%c3%bc+c?Prefix=x+y%2B"), "/myaccount/c/a%20b%C3%BC%2Bc\nprefix:x y+");
    }

    #[test]
    fn a_body_signs_its_length_and_the_guests_headers() {
        let request = Request::put(format!("{ACCOUNT}/c/b"))
            .header("content-type", "text/plain")
            .header("if-none-match", "*")
            .header("range", "bytes=0-9")
            .header("x-ms-blob-type", "BlockBlob")
            .header("x-ms-date", "forged")
            .header("authorization", "SharedKey forged");
        let (text, parts) = signed(request, Some(11), "2015-06-26T23:39:12Z");
        let expected = "PUT\n\n\n11\n\ntext/plain\n\n\n\n*\n\nbytes=0-9\nx-ms-blob-type:BlockBlob\n\
                        x-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2021-12-02\n/myaccount/c/b";
        assert_eq!(text, expected);
        assert_eq!(parts.headers["content-length"], "11");
        assert_eq!(parts.headers.get_all("authorization").iter().count(), 1);
    }

    #[test]
    fn a_key_that_is_no_key_is_refused_by_its_field() {
        let field = |config: serde_json::Value| {
            let error = SharedKey::make(&config, "account", "key").map(|_| ()).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
            error.field.unwrap()
        };
        assert_eq!(field(json!({"account": "a", "key": "hunter2!"})), "/key");
        assert_eq!(field(json!({"key": "aGk="})), "/account");
        assert!(SharedKey::make(&json!({"account": "a"}), "account", "key").unwrap().is_none());
    }
}
