//! The error of a run: what is wrong, who must act, and whether trying again can help.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Who has to do something before the run can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// The person who wrote the pipeline or the connection.
    User,
    /// Whoever runs or maintains the source, or the author of the connector.
    Source,
    /// Whoever runs the place where rows go.
    Sink,
    /// Whoever operates Sluice.
    Host,
}

impl Actor {
    /// The word for it, in JSON and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Source => "source",
            Self::Sink => "sink",
            Self::Host => "host",
        }
    }
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// The same attempt would fail the same way.
    Never,
    /// Worth another attempt, with the host's own back-off.
    Later,
    /// Worth another attempt, but not before this much time has passed.
    After(Duration),
}

/// Stable classes of failure, for programs: `kind` of the JSON summary and part of the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A pipeline, connection or option is wrong.
    Config,
    /// Credentials were refused.
    Auth,
    /// Credentials are good but may not do this.
    Permission,
    /// A stream, table, file or host does not exist.
    NotFound,
    /// What an interrupted run left over cannot be read on: the source has forgotten it, or the sink.
    Expired,
    /// Something asked for is not possible here.
    Unsupported,
    /// Asked to slow down.
    RateLimited,
    /// A fault that passes.
    Transient,
    /// A peer or a file broke the rules of its protocol or format.
    Protocol,
    /// A table and the state do not tell the same story: one of them was put back, or belongs to another installation.
    Diverged,
    /// A value does not fit the type it was to be cast to.
    Data,
    /// The schema changed in a way that the pipeline's policy does not take.
    SchemaChanged,
    /// The sandbox ended the guest: a limit, a trap, a lie.
    Sandbox,
    /// Ended on request.
    Cancelled,
    /// A disk, a memory or a quota is exhausted.
    Resources,
    /// A defect of Sluice or of a connector.
    Internal,
}

impl Kind {
    /// The word for it, in JSON and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Auth => "auth",
            Self::Permission => "permission",
            Self::NotFound => "not-found",
            Self::Expired => "expired",
            Self::Unsupported => "unsupported",
            Self::RateLimited => "rate-limited",
            Self::Transient => "transient",
            Self::Protocol => "protocol",
            Self::Diverged => "diverged",
            Self::Data => "data",
            Self::SchemaChanged => "schema-changed",
            Self::Sandbox => "sandbox",
            Self::Cancelled => "cancelled",
            Self::Resources => "resources",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a run, or a step of one, failed.
///
/// Built with [`RunError::new`] and the `with_*` functions; the message says what is wrong and what to do, and
/// never holds a secret or a row's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}", self.text())]
pub struct RunError {
    /// Class of failure.
    pub kind: Kind,
    /// Who must act.
    pub actor: Actor,
    /// Whether trying again can help.
    pub retry: Retry,
    /// What is wrong and what to do.
    pub message: String,
    /// The configuration field concerned, as a JSON pointer or a YAML path.
    pub field: Option<String>,
    /// The stream concerned.
    pub stream: Option<String>,
}

impl RunError {
    /// An error of this kind that `actor` has to deal with. Retried only if the kind is one that passes.
    pub fn new(kind: Kind, actor: Actor, message: impl Into<String>) -> Self {
        let retry = match kind {
            Kind::RateLimited | Kind::Transient | Kind::Expired => Retry::Later,
            _ => Retry::Never,
        };
        Self { kind, actor, retry, message: message.into(), field: None, stream: None }
    }

    /// Something the user configured is wrong.
    pub fn config(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Kind::Config, Actor::User, message).with_field(field)
    }

    /// A defect or an unforeseen state of Sluice itself.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, Actor::Host, message)
    }

    /// Names the configuration field concerned.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Names the stream concerned, unless one is named already.
    #[must_use]
    pub fn with_stream(mut self, stream: impl Into<String>) -> Self {
        self.stream.get_or_insert_with(|| stream.into());
        self
    }

    /// States whether trying again can help.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if let Some(stream) = &self.stream {
            text.push_str("stream ");
            text.push_str(stream);
            text.push_str(": ");
        }
        text.push_str(&self.message);
        if let Some(field) = &self.field {
            text.push_str(" (field ");
            text.push_str(field);
            text.push(')');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_its_stream_and_field_once() {
        let error = RunError::config("/host", "no such host").with_stream("public.a").with_stream("public.b");
        assert_eq!(error.to_string(), "stream public.a: no such host (field /host)");
    }

    #[test]
    fn only_kinds_that_pass_are_retried_by_default() {
        assert_eq!(RunError::new(Kind::Transient, Actor::Source, "x").retry, Retry::Later);
        assert_eq!(RunError::new(Kind::Auth, Actor::User, "x").retry, Retry::Never);
    }
}
