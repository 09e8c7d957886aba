//! TLS failures in words that name the mode, the reason and what to do.

use std::io;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error};

use super::Verification;
use crate::net::error::{NetError, NetErrorKind};

/// Names of a certificate that an error lists at most.
const MAX_NAMES: usize = 8;

/// What a failed handshake means.
pub(super) fn handshake(error: &io::Error, mode: Verification, own_authorities: bool) -> NetError {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match cause {
        Some(Error::InvalidCertificate(reason)) => certificate(reason, mode, own_authorities),
        Some(Error::AlertReceived(alert)) => alert_received(*alert),
        Some(Error::InvalidMessage(_)) => NetError::new(
            NetErrorKind::Protocol,
            "the server answered with something else than TLS; it may not speak TLS on this port, or turn it on later",
        ),
        Some(Error::PeerIncompatible(reason)) => NetError::new(
            NetErrorKind::Protocol,
            format!(
                "the server and Sluice have no TLS version or cipher in common (TLS 1.2 or 1.3 is needed): {reason:?}"
            ),
        ),
        Some(Error::NoApplicationProtocol) => {
            NetError::new(NetErrorKind::Protocol, "the server takes none of the application protocols offered (ALPN)")
        }
        Some(other) => NetError::new(NetErrorKind::Protocol, format!("the TLS handshake failed: {other}")),
        None if error.kind() == io::ErrorKind::UnexpectedEof => NetError::new(
            NetErrorKind::Protocol,
            "the server closed the connection during the TLS handshake; it may not speak TLS on this port",
        ),
        None => NetError::io("the connection broke during the TLS handshake", error),
    }
}

fn certificate(reason: &CertificateError, mode: Verification, own_authorities: bool) -> NetError {
    let mode = match mode {
        Verification::None => "none",
        Verification::Authority => "authority",
        Verification::Full => "full",
    };
    let trust = if own_authorities {
        "it does not come from the configured authorities; configure the certificate of the authority that signed it"
    } else {
        "it does not come from an authority that the host's system trusts; configure the certificate of the authority that signed it"
    };
    let reason = match reason {
        CertificateError::UnknownIssuer => trust.to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => name_mismatch(&expected.to_str(), presented),
        CertificateError::NotValidForName => "it is not valid for the server's name".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => format!("it expired on {}", date(*not_after)),
        CertificateError::Expired => "it has expired".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => format!("it is valid only from {} on", date(*not_before)),
        CertificateError::BadSignature => "a signature in it or in the handshake is wrong".to_owned(),
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            format!("it is a self-signed authority's own certificate, and {trust}")
        }
        CertificateError::Other(other) if other.to_string().contains("UnsupportedCertVersion") => {
            "it is an X.509 version 1 certificate, which has no names to check; create one of version 3 with a subjectAltName".to_owned()
        }
        other => other.to_string(),
    };
    NetError::new(NetErrorKind::Config, format!("the server's certificate was refused (verification {mode}): {reason}"))
}

fn name_mismatch(expected: &str, presented: &[String]) -> String {
    if presented.is_empty() {
        return format!(
            "it names no host in subjectAltName, so it cannot be checked for {expected}; renew it with a subjectAltName, \
             or use verification authority"
        );
    }
    let names: Vec<&str> = presented.iter().take(MAX_NAMES).map(String::as_str).collect();
    let more = presented.len().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("it is not valid for {expected}, only for {}{more}; connect with a name that it has", names.join(", "))
}

fn alert_received(alert: AlertDescription) -> NetError {
    use AlertDescription as A;
    let (kind, reason) = match alert {
        A::CertificateRequired => {
            (NetErrorKind::Config, "it asks for a client certificate; configure one with its key")
        }
        A::BadCertificate
        | A::UnsupportedCertificate
        | A::CertificateUnknown
        | A::UnknownCA
        | A::CertificateExpired
        | A::CertificateRevoked
        | A::AccessDenied => (NetErrorKind::Config, "it does not accept the client certificate"),
        A::HandshakeFailure | A::ProtocolVersion | A::InsufficientSecurity => (
            NetErrorKind::Protocol,
            "it has no TLS version or cipher in common with Sluice (TLS 1.2 or 1.3 is needed), or wants a client certificate",
        ),
        A::UnrecognisedName => (NetErrorKind::Config, "it does not know the server name that was asked for"),
        A::NoApplicationProtocol => {
            (NetErrorKind::Protocol, "it takes none of the application protocols offered (ALPN)")
        }
        _ => (NetErrorKind::Protocol, "it broke off the handshake"),
    };
    NetError::new(kind, format!("the server refused TLS: {reason} (alert {alert:?})"))
}

/// A date for people: `2024-12-31T23:59:59Z`.
fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).ok();
    let date = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    date.map_or_else(|| "a date beyond the year 9999".to_owned(), |date| date.to_string())
}
