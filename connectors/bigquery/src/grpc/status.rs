//! How a call ended: the status of its trailers, or of its head if there was no body.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use prost::Message;
use sluice_sdk::http::Headers;
use sluice_sdk::{Error, ErrorKind};

use crate::config::BigQueryConfig;
use crate::denied::{Doing, denied};

/// Most bytes of details that are looked at.
const MOST_DETAILS: usize = 64 << 10;

/// Statuses that more depends on than a message.
pub(crate) mod code {
    /// Something that was named is not there.
    pub(crate) const NOT_FOUND: u64 = 5;
    /// What was named is not in the state that the call needs.
    pub(crate) const FAILED_PRECONDITION: u64 = 9;
    /// A position outside of what there is.
    pub(crate) const OUT_OF_RANGE: u64 = 11;
}

/// How a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The status that the server gave; none if the request did not get there, or its answer broke off.
    pub(crate) code: Option<u64>,
    /// The error for a user.
    pub(crate) error: Error,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { code: None, error }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

/// A status and what was said with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    code: u64,
    message: String,
    retry_after: Option<Duration>,
}

/// `google.rpc.Status`, as `grpc-status-details-bin` carries it.
#[derive(Clone, PartialEq, Message)]
struct Details {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// The status of a head or of trailers; none if there is none.
pub(super) fn read(headers: &Headers) -> Option<Status> {
    let code = headers.number("grpc-status")?;
    let message = percent_decoded(headers.get("grpc-message").unwrap_or_default());
    Some(Status { code, message, retry_after: headers.get("grpc-status-details-bin").and_then(delay) })
}

/// What a status of HTTP means where a proxy answered instead of gRPC, as gRPC itself maps it.
pub(super) fn of_http(status: u16, retry_after: Option<Duration>) -> Status {
    let code = match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    };
    Status { code, message: format!("HTTP status {status} instead of gRPC"), retry_after }
}

impl Status {
    pub(super) fn is_ok(&self) -> bool {
        self.code == 0
    }

    /// The failure that it is of a call.
    pub(super) fn explain(&self, config: &BigQueryConfig, doing: &Doing<'_>) -> Failure {
        Failure { code: Some(self.code), error: self.error(config, doing) }
    }

    /// Whether a session is over, or so long over that the server does not know it any more. `NOT_FOUND` may also be said of the
    /// table, which the message then names; and a precondition that fails may be the offset's.
    fn is_over(&self, doing: &Doing<'_>) -> bool {
        let of_data = ["Table", "Dataset", "Project"].iter().any(|thing| self.message.contains(thing));
        matches!(doing, Doing::ReadRows(_))
            && match self.code {
                code::NOT_FOUND => !of_data,
                3 | code::FAILED_PRECONDITION => self.message.contains("expired"),
                _ => false,
            }
    }

    fn error(&self, config: &BigQueryConfig, doing: &Doing<'_>) -> Error {
        let words = doing.words();
        let said = match self.message.trim().trim_end_matches('.') {
            "" => format!("gRPC status {}", self.code),
            said => said.to_owned(),
        };
        if self.is_over(doing) {
            return Error::expired(format!(
                "{words}: the read session is over ({said}); sessions last six hours. The stream has to be read anew, which a new \
                 run does by itself"
            ));
        }
        let error = match self.code {
            // CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, ABORTED, INTERNAL, UNAVAILABLE, DATA_LOSS: nothing that a user did.
            1 | 2 | 4 | 10 | 13 | 14 | 15 => Error::transient(format!("{words}: {said}")),
            3 => Error::config(format!(
                "{words}: BigQuery refuses the request ({said}). Check the stream's filter and columns"
            )),
            code::NOT_FOUND => {
                Error::not_found(format!("{words}: {said}. Discover again and choose another stream, or remove it"))
            }
            7 => denied(config, doing, &said),
            8 => Error::rate_limited(format!(
                "{words}: a quota of the Storage Read API is used up ({said}). See the quotas of project {}",
                config.project
            )),
            code::FAILED_PRECONDITION => Error::unsupported(format!("{words}: BigQuery cannot do this now ({said})")),
            code::OUT_OF_RANGE => Error::protocol(format!("{words}: {said}")),
            12 => Error::unsupported(format!(
                "{words}: the Storage Read API is not there ({said}). Check `storage_endpoint`"
            ))
            .field("/storage_endpoint"),
            16 => Error::auth(format!(
                "Google refused the credentials ({said}). Check `credentials`: the key may have been deleted, or the account disabled"
            )),
            _ => Error::protocol(format!("{words}: an unexpected status ({said})")),
        };
        match self.retry_after {
            Some(wait) if matches!(error.kind, ErrorKind::Transient | ErrorKind::RateLimited) => {
                error.retry_after(wait)
            }
            _ => error,
        }
    }
}

/// How long the server asks to wait.
fn delay(details: &str) -> Option<Duration> {
    if details.len() > MOST_DETAILS {
        return None;
    }
    // Binary headers may come with or without padding.
    let bytes = STANDARD_NO_PAD.decode(details).or_else(|_| STANDARD.decode(details)).ok()?;
    let details = Details::decode(bytes.as_slice()).ok()?.details;
    let info = details.iter().find(|any| any.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(info.value.as_slice()).ok()?.retry_delay?;
    let (seconds, nanos) = (u64::try_from(delay.seconds).ok()?, u32::try_from(delay.nanos).ok()?);
    Some(Duration::from_secs(seconds) + Duration::from_nanos(nanos.into()))
}

/// `grpc-message` has `%XX` for what a header cannot carry.
fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.first_chunk::<2>().and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                out.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::tests::config;
    use crate::id::TableRef;

    fn headers(fields: &[(&str, &str)]) -> Headers {
        let fields: Vec<(String, Vec<u8>)> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        Headers::from(fields)
    }

    fn explained(code: &str, message: &str) -> Error {
        let table = TableRef { project: "p".into(), dataset: "d".into(), table: "t".into() };
        let status = read(&headers(&[("grpc-status", code), ("grpc-message", message)])).unwrap();
        status.explain(&config(json!({})), &Doing::ReadRows(&table)).error
    }

    #[test]
    fn each_status_has_the_kind_that_says_who_must_act() {
        let cases = [
            ("3", "Unrecognized name: x", ErrorKind::Config),
            ("5", "Not found: Table p:d.t", ErrorKind::NotFound),
            ("7", "the user does not have 'bigquery.readsessions.getData' permission", ErrorKind::Permission),
            ("8", "Exceeded concurrent requests", ErrorKind::RateLimited),
            ("9", "not now", ErrorKind::Unsupported),
            ("12", "no such method", ErrorKind::Unsupported),
            ("13", "oops", ErrorKind::Transient),
            ("14", "connection reset", ErrorKind::Transient),
            ("16", "the token has expired", ErrorKind::Auth),
            ("99", "", ErrorKind::Protocol),
        ];
        for (code, message, kind) in cases {
            let error = explained(code, message);
            assert_eq!(error.kind, kind, "{error}");
        }
        assert!(explained("7", "'bigquery.readsessions.getData'").message.contains("roles/bigquery.readSessionUser"));
    }

    #[test]
    fn a_session_that_is_over_is_told_from_a_table_that_is_gone_and_from_an_offset() {
        let cases = [
            (
                "9",
                "there was an error operating on 's': session expired at 2024-01-01T00:00:00+00:00",
                ErrorKind::Expired,
            ),
            ("5", "Not found: Stream projects/p/locations/us/sessions/s/streams/0", ErrorKind::Expired),
            ("5", "Requested entity was not found.", ErrorKind::Expired),
            ("5", "Not found: Table p:d.t was not found in location EU", ErrorKind::NotFound),
            ("9", "there was an error operating on 's': offset 7 has not been allocated yet", ErrorKind::Unsupported),
        ];
        for (code, message, kind) in cases {
            assert_eq!(explained(code, message).kind, kind, "{code} {message}");
        }
        let table = TableRef { project: "p".into(), dataset: "d".into(), table: "t".into() };
        let status =
            read(&headers(&[("grpc-status", "5"), ("grpc-message", "Requested entity was not found.")])).unwrap();
        let opening = status.explain(&config(json!({})), &Doing::OpenSession(&table));
        assert_eq!((opening.code, opening.error.kind), (Some(code::NOT_FOUND), ErrorKind::NotFound));
    }

    #[test]
    fn messages_are_decoded_and_broken_ones_are_kept() {
        assert_eq!(percent_decoded("Gr%C3%BC%C3%9Fe %25"), "Grüße %");
        assert_eq!(percent_decoded("100% of %zz %4"), "100% of %zz %4");
    }

    #[test]
    fn the_wait_that_the_server_asks_for_is_found_among_the_details() {
        let info = RetryInfo { retry_delay: Some(Delay { seconds: 7, nanos: 500_000_000 }) };
        let other = Any { type_url: "type.googleapis.com/google.rpc.Help".into(), value: vec![1, 2] };
        let any = Any { type_url: "type.googleapis.com/google.rpc.RetryInfo".into(), value: info.encode_to_vec() };
        let details = Details { details: vec![other, any] }.encode_to_vec();
        for encoded in [STANDARD.encode(&details), STANDARD_NO_PAD.encode(&details)] {
            let status = read(&headers(&[("grpc-status", "8"), ("grpc-status-details-bin", &encoded)])).unwrap();
            assert_eq!(status.retry_after, Some(Duration::from_millis(7500)));
        }
        assert_eq!(delay("!!!"), None);
    }

    #[test]
    fn a_head_without_a_status_has_none() {
        assert_eq!(read(&headers(&[("content-type", "application/grpc")])), None);
    }
}
