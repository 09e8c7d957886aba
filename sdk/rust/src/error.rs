//! The error a connector reports: typed, so that the host knows who must act and whether to try again.

use std::fmt;
use std::time::Duration;

/// What a call of a connector returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it is; see the table in `wit/README.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The configuration is wrong.
    Config,
    /// The source refused the credentials.
    Auth,
    /// The credentials may not do this.
    Permission,
    /// A stream, table, file or host does not exist.
    NotFound,
    /// The source has forgotten what an earlier plan opened there.
    Expired,
    /// The source or the connector cannot do what was asked.
    Unsupported,
    /// The source asked to slow down.
    RateLimited,
    /// A fault that passes.
    Transient,
    /// The source broke its protocol or format.
    Protocol,
    /// The host ended the call.
    Cancelled,
    /// A defect of the connector.
    Internal,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// What is wrong and what to do, in one or two sentences.
    pub message: String,
    /// How long to wait before trying again.
    pub retry_after: Option<Duration>,
    /// JSON pointer of the configuration field to blame.
    pub field: Option<String>,
    /// The stream concerned.
    pub stream: Option<String>,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident),* $(,)?) => {
        impl Error {
            $($(#[$doc])* pub fn $name(message: impl Into<String>) -> Self {
                Self::new(ErrorKind::$kind, message)
            })*
        }
    };
}

constructors! {
    /// The configuration is wrong; add [`Error::field`].
    config => Config,
    /// The source refused the credentials.
    auth => Auth,
    /// The credentials may not do this.
    permission => Permission,
    /// Something does not exist.
    not_found => NotFound,
    /// What an earlier plan opened at the source is gone; for plans with [`Plan::expires`](crate::Plan::expires).
    expired => Expired,
    /// It cannot be done.
    unsupported => Unsupported,
    /// The source asked to slow down; add [`Error::retry_after`].
    rate_limited => RateLimited,
    /// It may work the next time.
    transient => Transient,
    /// The source broke its protocol or format.
    protocol => Protocol,
    /// A defect of this connector.
    internal => Internal,
}

impl Error {
    /// An error of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None, field: None, stream: None }
    }

    /// Names the configuration field to blame, as a JSON pointer (`/host`).
    #[must_use]
    pub fn field(mut self, pointer: impl Into<String>) -> Self {
        self.field = Some(pointer.into());
        self
    }

    /// Names the stream concerned, unless one is named already.
    #[must_use]
    pub fn stream(mut self, id: impl Into<String>) -> Self {
        self.stream.get_or_insert_with(|| id.into());
        self
    }

    /// Says how long to wait before trying again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Puts what was being done before the message.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<arrow_schema::ArrowError> for Error {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::internal(format!("Arrow: {error}"))
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(format!("JSON: {error}"))
    }
}
