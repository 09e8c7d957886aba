//! What can go wrong between a guest and the network, in kinds that map one to one onto the contract's.

use std::fmt;

use sluice_core::recording::Told;

use crate::text::printable;

/// Class of a network failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NetErrorKind {
    /// The manifest, the grants or the operator do not allow it.
    Permission,
    /// Credentials that the host adds were refused, or are none.
    Auth,
    /// The name does not resolve.
    NotFound,
    /// Nobody answers, or a connection was lost: may pass.
    Transient,
    /// The configuration is wrong: a certificate, a name, an authority.
    Config,
    /// The peer does not keep to its protocol.
    Protocol,
    /// A limit of the instance was reached.
    Limit,
}

impl NetErrorKind {
    const ALL: [Self; 7] =
        [Self::Permission, Self::Auth, Self::NotFound, Self::Transient, Self::Config, Self::Protocol, Self::Limit];

    /// Its name in recordings.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Permission => "permission",
            Self::Auth => "auth",
            Self::NotFound => "not-found",
            Self::Transient => "transient",
            Self::Config => "config",
            Self::Protocol => "protocol",
            Self::Limit => "limit",
        }
    }
}

/// A network failure: what is wrong and what to do. Never holds bytes that were sent or received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetError {
    /// Class of failure.
    pub kind: NetErrorKind,
    /// One or two sentences.
    pub message: String,
}

impl NetError {
    /// An error of this kind.
    pub fn new(kind: NetErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// As a recording has it; `code` is what a guest of HTTP is told.
    pub(crate) fn told(&self, code: Option<String>) -> Told {
        Told { code, kind: self.kind.as_str().to_owned(), message: self.message.clone() }
    }

    /// A lost or broken connection, in the operating system's words.
    pub(crate) fn io(what: &str, error: &std::io::Error) -> Self {
        Self::new(NetErrorKind::Transient, format!("{what}: {error}"))
    }
}

impl From<Told> for NetError {
    fn from(told: Told) -> Self {
        let kind = NetErrorKind::ALL.into_iter().find(|kind| kind.as_str() == told.kind);
        Self::new(kind.unwrap_or(NetErrorKind::Protocol), printable(&told.message, 4 << 10))
    }
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for NetError {}
