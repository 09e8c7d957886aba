//! Cloud Storage's JSON API: `objects.list` and `objects.get`, and what its errors mean.

use serde::Deserialize;
use sluice_files::{Object, ObjectPage};
use sluice_objects::{Endpoint, Provider, Refused, by_status, encode, time};
use sluice_sdk::http::{Headers, Request};
use sluice_sdk::{Error, ErrorKind, Result};

/// What of each object is asked for.
const FIELDS: &str = "items(name,size,updated,generation),nextPageToken";

/// A bucket.
pub(crate) struct Gcs {
    endpoint: Endpoint,
    bucket: String,
    user_project: Option<String>,
}

impl Gcs {
    pub(crate) fn new(endpoint: Endpoint, bucket: String, user_project: Option<String>) -> Self {
        Self { endpoint, bucket, user_project }
    }

    fn request(&self, rest: &str) -> Request {
        let request =
            Request::get(self.endpoint.url(&format!("/storage/v1/b/{}/o{rest}", encode::segment(&self.bucket))));
        match &self.user_project {
            Some(project) => request.header("x-goog-user-project", project.as_str()),
            None => request,
        }
    }
}

/// An answer of `objects.list`.
#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default, rename = "nextPageToken")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    name: String,
    size: String,
    #[serde(default)]
    updated: Option<String>,
    #[serde(default)]
    generation: Option<String>,
}

/// The body of an error.
#[derive(Default, Deserialize)]
struct Failed {
    error: Reason,
}

#[derive(Default, Deserialize)]
struct Reason {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    reason: String,
}

impl Provider for Gcs {
    fn place(&self) -> String {
        format!("gs://{}", self.bucket)
    }

    fn list(&self, prefix: &str, page: Option<&str>) -> Request {
        let mut query = vec![("fields", FIELDS), ("maxResults", "1000")];
        if !prefix.is_empty() {
            query.push(("prefix", prefix));
        }
        query.extend(page.map(|page| ("pageToken", page)));
        self.request(&format!("?{}", encode::query(&query)))
    }

    fn listed(&self, body: &[u8]) -> Result<ObjectPage> {
        let wrong = |what: String| Error::protocol(format!("the store's listing cannot be read: {what}"));
        let listing: Listing = serde_json::from_slice(body).map_err(|error| wrong(error.to_string()))?;
        let mut page = ObjectPage { objects: Vec::with_capacity(listing.items.len()), next: listing.next };
        page.next = page.next.filter(|next| !next.is_empty());
        for item in listing.items {
            let size = item.size.parse().map_err(|_| wrong(format!("{} has no size", item.name)))?;
            let modified_ms = item.updated.as_deref().and_then(time::rfc3339);
            page.objects.push(Object { key: item.name, size, modified_ms, etag: item.generation });
        }
        Ok(page)
    }

    fn get(&self, key: &str, mark: Option<&str>) -> Request {
        let mut query = vec![("alt", "media")];
        query.extend(mark.map(|generation| ("ifGenerationMatch", generation)));
        // Otherwise objects with `Content-Encoding: gzip` would be decompressed on the way, and have no ranges.
        self.request(&format!("/{}?{}", encode::segment(key), encode::query(&query))).header("accept-encoding", "gzip")
    }

    fn mark(&self, headers: &Headers) -> Option<String> {
        headers.get("x-goog-generation").map(str::to_owned)
    }

    fn refused(&self, refused: &Refused<'_>) -> Error {
        let Failed { error: told } = serde_json::from_slice(refused.body).unwrap_or_default();
        let code = told.errors.first().map(|detail| detail.reason.as_str()).unwrap_or_default();
        let error = by_status(refused, code, &told.message);
        match code {
            "rateLimitExceeded" | "userRateLimitExceeded" | "quotaExceeded" => {
                Error { kind: ErrorKind::RateLimited, ..error }
            }
            "userProjectMissing" => Error { kind: ErrorKind::Config, ..error }.field("/user_project"),
            _ if error.kind == ErrorKind::Auth => error.field("/service_account_key"),
            _ => error,
        }
    }

    fn remedy(&self, error: &Error) -> String {
        match error.kind {
            ErrorKind::Auth => {
                "check service_account_key: the whole JSON file of a key that is active; without one, only \
                                public buckets can be read"
                    .to_owned()
            }
            ErrorKind::Permission => format!(
                "grant the service account roles/storage.objectViewer on {}; for an endpoint in a private network, grant the \
                 pipeline `private_network`",
                self.place()
            ),
            ErrorKind::NotFound => "check bucket and endpoint".to_owned(),
            ErrorKind::Config => "correct the field that is named".to_owned(),
            _ => "check that the endpoint can be reached from this machine, then try again".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gcs() -> Gcs {
        Gcs::new(Endpoint::https("storage.googleapis.com"), "b".into(), None)
    }

    #[test]
    fn requests_name_bucket_object_and_generation() {
        let get = format!("{:?}", gcs().get("a b/c.csv", Some("17")));
        assert!(get.contains("/storage/v1/b/b/o/a%20b%2Fc.csv?alt=media&ifGenerationMatch=17"), "{get}");
        let list = format!("{:?}", gcs().list("x/", Some("t=")));
        assert!(list.contains("/storage/v1/b/b/o?fields=") && list.contains("&prefix=x%2F&pageToken=t%3D"), "{list}");
    }

    #[test]
    fn a_listing_is_read() {
        let body = br#"{"kind":"storage#objects","nextPageToken":"n","items":[
            {"name":"a/\u00fc.csv","size":"12","updated":"2024-02-29T12:34:56.789Z","generation":"17"}]}"#;
        let page = gcs().listed(body).unwrap();
        let object =
            Object { key: "a/ü.csv".into(), size: 12, modified_ms: Some(1_709_210_096_789), etag: Some("17".into()) };
        assert_eq!((page.objects, page.next.as_deref()), (vec![object], Some("n")));
        assert_eq!(gcs().listed(b"{}").unwrap(), ObjectPage::default());
        assert!(gcs().listed(b"<html>").is_err());
    }

    #[test]
    fn errors_name_what_to_correct() {
        let refused = |status, reason: &str| {
            let body = format!(r#"{{"error":{{"code":{status},"message":"why","errors":[{{"reason":"{reason}"}}]}}}}"#);
            let headers = Headers::new();
            gcs().refused(&Refused { doing: "GET x", status, headers: &headers, body: body.as_bytes() })
        };
        assert_eq!(refused(401, "authError").field.as_deref(), Some("/service_account_key"));
        assert_eq!(refused(403, "forbidden").kind, ErrorKind::Permission);
        assert_eq!(refused(403, "rateLimitExceeded").kind, ErrorKind::RateLimited);
        assert_eq!(refused(400, "userProjectMissing").field.as_deref(), Some("/user_project"));
        assert!(refused(404, "notFound").message.contains("notFound: why"));
    }
}
