//! The host's codes for failed requests, in the words of the contract.

use wasip2::http::types::ErrorCode;
use wasip2::io::error::Error as IoError;

use crate::{Error, ErrorKind};

/// What a code means for whoever has to act.
pub(super) fn of_code(code: &ErrorCode) -> Error {
    let (kind, what) = match code {
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            (ErrorKind::NotFound, "the host's name does not resolve; check its spelling")
        }
        ErrorCode::DnsTimeout => (ErrorKind::Transient, "the host's name was not resolved in time"),
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => {
            (ErrorKind::Transient, "there is no way to the host")
        }
        ErrorCode::DestinationIpProhibited | ErrorCode::HttpRequestDenied => {
            (ErrorKind::Permission, "the request is not allowed by the connector's manifest or the pipeline's grants")
        }
        ErrorCode::ConnectionRefused => (ErrorKind::Transient, "nobody answers there"),
        ErrorCode::ConnectionTerminated => (ErrorKind::Transient, "the connection was lost"),
        ErrorCode::ConnectionTimeout => (ErrorKind::Transient, "the host did not answer in time"),
        ErrorCode::ConnectionReadTimeout => (ErrorKind::Transient, "the host fell silent in the middle of its answer"),
        ErrorCode::ConnectionWriteTimeout => (ErrorKind::Transient, "the host does not take the request"),
        ErrorCode::HttpResponseTimeout => (ErrorKind::Transient, "the host did not answer the request in time"),
        ErrorCode::HttpResponseIncomplete => (ErrorKind::Transient, "the connection ended before the answer did"),
        ErrorCode::ConnectionLimitReached => (
            ErrorKind::Permission,
            "more requests at once than the pipeline's limits.instance.connections allows; raise it",
        ),
        ErrorCode::TlsCertificateError => {
            (ErrorKind::Config, "the host's certificate is not trusted for its name; check the name")
        }
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => {
            (ErrorKind::Protocol, "the host does not speak TLS there; check port and scheme")
        }
        ErrorCode::HttpRequestUriInvalid
        | ErrorCode::HttpRequestUriTooLong
        | ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_)
        | ErrorCode::HttpRequestMethodInvalid => (ErrorKind::Config, "the request cannot be sent as it is"),
        ErrorCode::HttpRequestLengthRequired | ErrorCode::HttpRequestBodySize(_) => {
            (ErrorKind::Internal, "the request's body has not the length that was announced")
        }
        ErrorCode::HttpRequestTrailerSectionSize(_) | ErrorCode::HttpRequestTrailerSize(_) => {
            (ErrorKind::Internal, "the request's trailers are too large")
        }
        ErrorCode::HttpResponseHeaderSectionSize(_)
        | ErrorCode::HttpResponseHeaderSize(_)
        | ErrorCode::HttpResponseBodySize(_)
        | ErrorCode::HttpResponseTrailerSectionSize(_)
        | ErrorCode::HttpResponseTrailerSize(_) => (ErrorKind::Protocol, "the answer is larger than the host takes"),
        ErrorCode::HttpResponseTransferCoding(_)
        | ErrorCode::HttpResponseContentCoding(_)
        | ErrorCode::HttpUpgradeFailed
        | ErrorCode::HttpProtocolError
        | ErrorCode::LoopDetected => (ErrorKind::Protocol, "the answer is no valid HTTP"),
        ErrorCode::ConfigurationError => (ErrorKind::Config, "the host's HTTP client is not configured for this"),
        ErrorCode::InternalError(Some(reason)) => {
            return Error::transient(format!("the request failed: {}", reason.chars().take(500).collect::<String>()));
        }
        ErrorCode::InternalError(None) => (ErrorKind::Transient, "the request failed"),
    };
    Error::new(kind, what)
}

/// What broke a body, where there is no code for it.
pub(super) fn of_stream(error: &IoError) -> Error {
    let text: String = error.to_debug_string().chars().take(500).collect();
    Error::transient(format!("the connection broke in the middle of the answer: {text}"))
}
