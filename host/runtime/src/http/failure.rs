//! Failures in both languages: the code that a guest sees, and the words for a person.

use wasmtime_wasi_http::Error;

use crate::net::{NetError, NetErrorKind};

/// Why a request failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// What the guest is told.
    pub(super) code: Error,
    /// What a person is told.
    pub(super) detail: NetError,
}

impl Failure {
    pub(super) fn new(code: Error, kind: NetErrorKind, message: impl Into<String>) -> Self {
        Self { code, detail: NetError::new(kind, message) }
    }

    /// hyper's failures. It never says which bytes it could not read, and neither does this.
    pub(super) fn hyper(origin: &str, error: &hyper::Error) -> Self {
        let (kind, reason) = describe(error);
        Self { code: code(error), detail: NetError::new(kind, format!("{origin}: {reason}")) }
    }
}

impl From<NetError> for Failure {
    fn from(detail: NetError) -> Self {
        let code = match detail.kind {
            NetErrorKind::Permission | NetErrorKind::Auth => Error::HttpRequestDenied,
            NetErrorKind::NotFound => Error::DnsError { rcode: Some("NXDOMAIN".to_owned()), info_code: None },
            NetErrorKind::Transient => Error::ConnectionRefused,
            NetErrorKind::Config => Error::TlsCertificateError,
            NetErrorKind::Protocol => Error::TlsProtocolError,
            NetErrorKind::Limit => Error::ConnectionLimitReached,
        };
        Self { code, detail }
    }
}

/// The contract's code for a failure of hyper.
pub(super) fn code(error: &hyper::Error) -> Error {
    if error.is_parse_too_large() {
        Error::HttpResponseHeaderSectionSize(None)
    } else if error.is_timeout() {
        Error::HttpResponseTimeout
    } else if error.is_incomplete_message() {
        Error::HttpResponseIncomplete
    } else if error.is_parse() || error.is_user() {
        Error::HttpProtocolError
    } else {
        Error::ConnectionTerminated
    }
}

fn describe(error: &hyper::Error) -> (NetErrorKind, String) {
    if error.is_parse_too_large() {
        return (NetErrorKind::Protocol, "the response's head is larger than the host takes".to_owned());
    }
    if error.is_parse() {
        return (NetErrorKind::Protocol, "the server did not answer in HTTP".to_owned());
    }
    if error.is_user() {
        return (NetErrorKind::Protocol, "the request's body was not sent to its end".to_owned());
    }
    if error.is_incomplete_message() {
        return (NetErrorKind::Transient, "the server closed the connection in the middle of its response".to_owned());
    }
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    (NetErrorKind::Transient, format!("the connection was lost ({error}{cause})"))
}
