//! Blob Storage's API: `List Blobs` and `Get Blob`, and what its errors mean.

use sluice_files::{Object, ObjectPage};
use sluice_objects::{Endpoint, Provider, Refused, by_status, encode, time, xml};
use sluice_sdk::http::{Headers, Request};
use sluice_sdk::{Error, ErrorKind, Result};

/// The API's version: the first with encoded names in listings.
const VERSION: &str = "2021-12-02";

/// A container.
pub(crate) struct Azure {
    endpoint: Endpoint,
    account: String,
    container: String,
    /// Whether the account is the first part of the path.
    in_path: bool,
}

impl Azure {
    pub(crate) fn new(endpoint: Endpoint, account: String, container: String, in_path: bool) -> Self {
        Self { endpoint, account, container, in_path }
    }

    fn request(&self, rest: &str) -> Request {
        let account = if self.in_path { format!("/{}", self.account) } else { String::new() };
        let url = self.endpoint.url(&format!("{account}/{}{rest}", self.container));
        Request::get(url).header("x-ms-version", VERSION)
    }
}

impl Provider for Azure {
    fn place(&self) -> String {
        format!("azure://{}/{}", self.account, self.container)
    }

    fn list(&self, prefix: &str, page: Option<&str>) -> Request {
        let mut query = vec![("restype", "container"), ("comp", "list"), ("maxresults", "5000")];
        if !prefix.is_empty() {
            query.push(("prefix", prefix));
        }
        query.extend(page.map(|page| ("marker", page)));
        self.request(&format!("?{}", encode::query(&query)))
    }

    fn listed(&self, body: &[u8]) -> Result<ObjectPage> {
        let empty = || Object { key: String::new(), size: 0, modified_ms: None, etag: None };
        let (mut page, mut object, mut folder) = (ObjectPage::default(), empty(), false);
        xml::walk(body, |path, text| {
            match path {
                ["EnumerationResults", "NextMarker"] => {
                    page.next = Some(text.to_owned()).filter(|next| !next.is_empty())
                }
                ["EnumerationResults", "Blobs", "Blob", "Name"] => text.clone_into(&mut object.key),
                ["EnumerationResults", "Blobs", "Blob", "Properties", field] => match *field {
                    "Content-Length" => {
                        let wrong = |_| Error::protocol("the store's listing has a size that is no number");
                        object.size = text.parse().map_err(wrong)?;
                    }
                    "Last-Modified" => object.modified_ms = time::http_date(text),
                    "Etag" => object.etag = unquoted(text),
                    "ResourceType" => folder = text == "directory",
                    _ => {}
                },
                // Accounts with a hierarchical namespace list folders as well; so do tools that mark them.
                ["EnumerationResults", "Blobs", "Blob", "Metadata", "hdi_isfolder"] => folder |= text == "true",
                ["EnumerationResults", "Blobs", "Blob"] => {
                    let whole = std::mem::replace(&mut object, empty());
                    if !std::mem::take(&mut folder) {
                        page.objects.push(whole);
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(page)
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
        let [code, reason] = xml::texts(refused.body, ["Code", "Message"]);
        let code = if code.is_empty() { refused.headers.get("x-ms-error-code").unwrap_or_default() } else { &code };
        // The rest of a message is an id of the request and a time.
        let error = by_status(refused, code, reason.lines().next().unwrap_or_default());
        match code {
            // Azurite's code for a wrong key; the service's for a firewall.
            "AuthorizationFailure" if reason.contains("failed to authenticate") => {
                Error { kind: ErrorKind::Auth, ..error }
            }
            "AuthenticationFailed" | "InvalidAuthenticationInfo" | "NoAuthenticationInformation" => {
                Error { kind: ErrorKind::Auth, ..error }
            }
            "AuthorizationFailure"
            | "AuthorizationPermissionMismatch"
            | "AuthorizationResourceTypeMismatch"
            | "AuthorizationServiceMismatch"
            | "AuthorizationProtocolMismatch"
            | "AuthorizationSourceIPMismatch"
            | "InsufficientAccountPermissions"
            | "PublicAccessNotPermitted"
            | "KeyBasedAuthenticationNotPermitted" => Error { kind: ErrorKind::Permission, ..error },
            "ContainerNotFound" | "ContainerBeingDeleted" => {
                Error { kind: ErrorKind::NotFound, ..error }.field("/container")
            }
            "BlobArchived" => Error {
                kind: ErrorKind::Unsupported,
                message: format!(
                    "{}: the blob is archived; rehydrate it, or leave it out of the stream",
                    refused.doing
                ),
                ..error
            },
            "ServerBusy" => Error { kind: ErrorKind::RateLimited, ..error },
            _ => error,
        }
    }

    fn remedy(&self, error: &Error) -> String {
        match error.kind {
            ErrorKind::Auth => "check account and account_key, or sas_token: whether the key was rotated, the signature has \
                                expired or starts later; and the clock of the machine"
                .to_owned(),
            ErrorKind::Permission => "a shared access signature needs the permissions read and list (sp=rl) on the container \
                                      (sr=c); for an endpoint in a private network, grant the pipeline `private_network`"
                .to_owned(),
            ErrorKind::NotFound => "check account, container and endpoint; without a key or signature, a container that is not \
                                    public looks as if it did not exist"
                .to_owned(),
            ErrorKind::Config => "correct the field that is named".to_owned(),
            _ => "check that the endpoint can be reached from this machine, then try again".to_owned(),
        }
    }
}

fn unquoted(etag: &str) -> Option<String> {
    let etag = etag.trim().trim_matches('"');
    (!etag.is_empty()).then(|| etag.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn azure(in_path: bool) -> Azure {
        Azure::new(Endpoint::https("a.blob.core.windows.net"), "a".into(), "c".into(), in_path)
    }

    #[test]
    fn requests_name_container_and_blob() {
        assert!(format!("{:?}", azure(false).get("a b/c.csv", None)).contains("windows.net/c/a%20b/c.csv\""));
        assert!(format!("{:?}", azure(true).get("k", None)).contains("windows.net/a/c/k\""));
        let list = format!("{:?}", azure(false).list("x/", Some("m")));
        assert!(list.contains("/c?restype=container&comp=list&maxresults=5000&prefix=x%2F&marker=m"), "{list}");
    }

    #[test]
    fn a_listing_is_read_without_its_folders() {
        let body = br#"<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="c"><Blobs>
            <Blob><Name Encoded="true">a%EF%BF%BE.csv</Name><Properties><Last-Modified>Thu, 29 Feb 2024 12:34:56 GMT</Last-Modified>
              <Etag>0x8D</Etag><Content-Length>12</Content-Length></Properties></Blob>
            <Blob><Name>dir</Name><Properties><Content-Length>0</Content-Length><ResourceType>directory</ResourceType>
              </Properties></Blob>
            <Blob><Name>z</Name><Properties><Content-Length>1</Content-Length></Properties></Blob>
            </Blobs><NextMarker>m</NextMarker></EnumerationResults>"#;
        let page = azure(false).listed(body).unwrap();
        let first = Object {
            key: "a\u{fffe}.csv".into(),
            size: 12,
            modified_ms: Some(1_709_210_096_000),
            etag: Some("0x8D".into()),
        };
        assert_eq!(page.objects, [first, Object { key: "z".into(), size: 1, modified_ms: None, etag: None }]);
        assert_eq!(page.next.as_deref(), Some("m"));
    }

    #[test]
    fn errors_name_what_to_correct() {
        let refused = |status, code: &str| {
            let body = format!("<Error><Code>{code}</Code><Message>why\nRequestId:1</Message></Error>");
            let headers = Headers::new();
            azure(false).refused(&Refused { doing: "GET x", status, headers: &headers, body: body.as_bytes() })
        };
        assert_eq!(refused(403, "AuthenticationFailed").kind, ErrorKind::Auth);
        assert_eq!(refused(403, "AuthorizationPermissionMismatch").kind, ErrorKind::Permission);
        assert_eq!(refused(404, "ContainerNotFound").field.as_deref(), Some("/container"));
        assert_eq!(refused(503, "ServerBusy").kind, ErrorKind::RateLimited);
        assert!(refused(409, "X").message.ends_with("(X: why)"));
    }
}
