//! S3's API: `ListObjectsV2` and `GetObject`, and what its errors mean.

use sluice_files::{Object, ObjectPage};
use sluice_objects::{Endpoint, Provider, Refused, by_status, encode, time, xml};
use sluice_sdk::http::{Headers, Request};
use sluice_sdk::{Error, ErrorKind, Result};

use crate::S3Config;

/// A bucket.
pub(crate) struct S3 {
    endpoint: Endpoint,
    bucket: String,
    region: String,
    /// Whether the bucket is the first part of the path.
    in_path: bool,
    requester_pays: bool,
}

impl S3 {
    pub(crate) fn new(endpoint: Endpoint, config: &S3Config, in_path: bool) -> Self {
        let (bucket, region) = (config.bucket.clone(), config.region.clone());
        Self { endpoint, bucket, region, in_path, requester_pays: config.requester_pays }
    }

    fn request(&self, path: &str) -> Request {
        let bucket = if self.in_path { format!("/{}", encode::segment(&self.bucket)) } else { String::new() };
        let request = Request::get(self.endpoint.url(&format!("{bucket}{path}")));
        if self.requester_pays { request.header("x-amz-request-payer", "requester") } else { request }
    }
}

impl Provider for S3 {
    fn place(&self) -> String {
        format!("s3://{}", self.bucket)
    }

    fn list(&self, prefix: &str, page: Option<&str>) -> Request {
        let mut query = Vec::new();
        query.extend(page.map(|page| ("continuation-token", page)));
        query.extend([("list-type", "2"), ("max-keys", "1000")]);
        if !prefix.is_empty() {
            query.push(("prefix", prefix));
        }
        let slash = if self.in_path { "" } else { "/" };
        self.request(&format!("{slash}?{}", encode::query(&query)))
    }

    fn listed(&self, body: &[u8]) -> Result<ObjectPage> {
        listed(body)
    }

    fn get(&self, key: &str, mark: Option<&str>) -> Request {
        let request = self.request(&format!("/{}", encode::path(key)));
        match mark {
            Some(mark) => request.header("if-match", format!("\"{mark}\"")),
            None => request,
        }
    }

    fn mark(&self, headers: &Headers) -> Option<String> {
        headers.get("etag").and_then(unquoted)
    }

    fn refused(&self, refused: &Refused<'_>) -> Error {
        let [code, reason, region] = xml::texts(refused.body, ["Code", "Message", "Region"]);
        let error = by_status(refused, &code, &reason);
        let region =
            if region.is_empty() { refused.headers.get("x-amz-bucket-region").unwrap_or_default() } else { &region };
        let elsewhere = !region.is_empty() && region != self.region;
        match code.as_str() {
            _ if elsewhere && matches!(refused.status, 301 | 307 | 400) => {
                let message = format!("{} is in the region {region}, not in {}", self.place(), self.region);
                Error::config(message).field("/region")
            }
            "InvalidAccessKeyId" | "NotSignedUp" => Error { kind: ErrorKind::Auth, ..error }.field("/access_key_id"),
            "SignatureDoesNotMatch" => Error { kind: ErrorKind::Auth, ..error }.field("/secret_access_key"),
            "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired" => {
                Error { kind: ErrorKind::Auth, ..error }.field("/session_token")
            }
            "RequestTimeTooSkewed" | "AuthorizationHeaderMalformed" => Error { kind: ErrorKind::Auth, ..error },
            "NoSuchBucket" | "InvalidBucketName" => Error { kind: ErrorKind::NotFound, ..error }.field("/bucket"),
            "InvalidObjectState" => Error {
                kind: ErrorKind::Unsupported,
                message: format!(
                    "{}: the object is archived; restore it, or leave it out of the stream",
                    refused.doing
                ),
                ..error
            },
            "SlowDown" | "RequestLimitExceeded" | "Throttling" => Error { kind: ErrorKind::RateLimited, ..error },
            _ => error,
        }
    }

    fn remedy(&self, error: &Error) -> String {
        match error.kind {
            ErrorKind::Auth => "check access_key_id and secret_access_key (and session_token, if the credentials are \
                                temporary), that the key is active, and the clock of the machine"
                .to_owned(),
            ErrorKind::Permission => format!(
                "grant s3:ListBucket on arn:aws:s3:::{0} and s3:GetObject on arn:aws:s3:::{0}/*; for an endpoint in a private \
                 network, grant the pipeline `private_network`",
                self.bucket
            ),
            ErrorKind::NotFound => "check bucket, region and endpoint".to_owned(),
            ErrorKind::Config => "correct the field that is named".to_owned(),
            _ => "check that the endpoint can be reached from this machine, then try again".to_owned(),
        }
    }
}

fn listed(body: &[u8]) -> Result<ObjectPage> {
    let (mut page, mut truncated) = (ObjectPage::default(), false);
    let empty = || Object { key: String::new(), size: 0, modified_ms: None, etag: None };
    let mut object = empty();
    let wrong = |what: &str| Error::protocol(format!("the store's listing has {what}"));
    xml::walk(body, |path, text| {
        match path {
            ["ListBucketResult", "IsTruncated"] => truncated = text == "true",
            ["ListBucketResult", "NextContinuationToken"] => page.next = Some(text.to_owned()),
            ["ListBucketResult", "Contents", field] => match *field {
                "Key" => text.clone_into(&mut object.key),
                "Size" => object.size = text.parse().map_err(|_| wrong("a size that is no number"))?,
                "LastModified" => object.modified_ms = time::rfc3339(text),
                "ETag" => object.etag = unquoted(text),
                _ => {}
            },
            ["ListBucketResult", "Contents"] => page.objects.push(std::mem::replace(&mut object, empty())),
            _ => {}
        }
        Ok(())
    })?;
    if truncated && page.next.is_none() {
        return Err(wrong("more pages and no way to them"));
    }
    page.next = page.next.filter(|_| truncated);
    Ok(page)
}

fn unquoted(etag: &str) -> Option<String> {
    let etag = etag.trim().trim_matches('"');
    (!etag.is_empty()).then(|| etag.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn s3(config: serde_json::Value) -> S3 {
        let config: S3Config = serde_json::from_value(config).unwrap();
        let endpoint = Endpoint::https("s3.eu-central-1.amazonaws.com");
        let in_path = config.path_style;
        S3::new(endpoint, &config, in_path)
    }

    fn plain() -> S3 {
        s3(json!({"bucket": "b", "region": "eu-central-1"}))
    }

    #[test]
    fn requests_name_bucket_and_key() {
        assert_eq!(format!("{:?}", plain().get("a b/c.csv", None)).matches("/b/a%20b/c.csv").count(), 1);
        let list = format!("{:?}", plain().list("x/", Some("t=1")));
        assert!(list.contains("/b?continuation-token=t%3D1&list-type=2&max-keys=1000&prefix=x%2F"), "{list}");
        let own = s3(json!({"bucket": "b", "endpoint": "https://b.example.com", "path_style": false}));
        assert!(format!("{:?}", own.list("", None)).contains("amazonaws.com/?list-type=2"));
        assert!(format!("{:?}", own.get("k", None)).contains("amazonaws.com/k"));
    }

    #[test]
    fn a_listing_is_read() {
        let body = br#"<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
            <Name>b</Name><IsTruncated>true</IsTruncated>
            <NextContinuationToken>1ueG&amp;=</NextContinuationToken>
            <Contents><Key>a+b/&#252;&amp;%41.csv</Key><LastModified>2024-02-29T12:34:56.000Z</LastModified>
              <ETag>&quot;abc&quot;</ETag><Size>12</Size></Contents>
            <Contents><Key>z</Key><Size>0</Size></Contents></ListBucketResult>"#;
        let page = listed(body).unwrap();
        assert_eq!(page.next.as_deref(), Some("1ueG&="));
        let first = Object {
            key: "a+b/ü&%41.csv".into(),
            size: 12,
            modified_ms: Some(1_709_210_096_000),
            etag: Some("abc".into()),
        };
        assert_eq!(page.objects, [first, Object { key: "z".into(), size: 0, modified_ms: None, etag: None }]);
        assert!(listed(b"<html>").is_err());
    }

    #[test]
    fn errors_name_what_to_correct() {
        let refused = |status, code: &str| {
            let body = format!("<Error><Code>{code}</Code><Message>why</Message></Error>");
            let headers = Headers::new();
            plain().refused(&Refused { doing: "GET x", status, headers: &headers, body: body.as_bytes() })
        };
        let wrong_key = refused(403, "InvalidAccessKeyId");
        assert_eq!((wrong_key.kind, wrong_key.field.as_deref()), (ErrorKind::Auth, Some("/access_key_id")));
        assert_eq!(refused(403, "AccessDenied").kind, ErrorKind::Permission);
        assert_eq!(refused(404, "NoSuchBucket").field.as_deref(), Some("/bucket"));
        assert_eq!(refused(503, "SlowDown").kind, ErrorKind::RateLimited);
        let headers = Headers::from(vec![("x-amz-bucket-region".into(), b"us-west-2".to_vec())]);
        let moved = plain().refused(&Refused { doing: "GET x", status: 301, headers: &headers, body: b"" });
        assert_eq!((moved.kind, moved.field.as_deref()), (ErrorKind::Config, Some("/region")));
        assert!(moved.message.contains("us-west-2"), "{moved}");
    }
}
