//! Failures of Google's clients as one type, and what they mean to a run.
//!
//! Three clients speak to BigQuery (REST, appends, the Storage API's other calls) and each has its own error. A [`Failure`]
//! keeps what decisions need: the code, whether the request may have arrived, the server's words.

use std::fmt;

use google_cloud_bigquery::error::{AppendError, WriterBuilderError};
use google_cloud_gax::error::Error as GaxError;
use google_cloud_gax::error::rpc::Code;
use sluice_core::error::{Actor, Kind, RunError};

/// Server messages are cut to this, so that a page of HTML does not become an error message.
const LONGEST_MESSAGE: usize = 600;

/// Why a call failed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    /// The gRPC code, or the one that the HTTP status stands for. `None`: no answer came.
    pub(crate) code: Option<Code>,
    /// The server's words, or the transport's.
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code: Some(code), message: cut(message.into()) }
    }

    /// No answer came: the request may or may not have arrived.
    pub(crate) fn unanswered(message: impl Into<String>) -> Self {
        Self { code: None, message: cut(message.into()) }
    }

    pub(crate) fn is(&self, code: Code) -> bool {
        self.code == Some(code)
    }

    /// Whether the same request may succeed a little later.
    pub(crate) fn is_transient(&self) -> bool {
        match self.code {
            None => true,
            Some(code) => matches!(
                code,
                Code::Unavailable
                    | Code::Internal
                    | Code::Aborted
                    | Code::Cancelled
                    | Code::DeadlineExceeded
                    | Code::ResourceExhausted
                    | Code::Unknown
            ),
        }
    }

    /// Whether the server has certainly not done what it was asked for.
    pub(crate) fn is_refusal(&self) -> bool {
        !self.is_transient()
    }

    fn http(status: u16, message: String) -> Self {
        // BigQuery answers some exhausted quotas with 403, which reads like a missing permission.
        let quota = ["rateLimitExceeded", "quotaExceeded", "Exceeded rate limits", "Quota exceeded"];
        let code = match status {
            403 if quota.iter().any(|word| message.contains(word)) => Code::ResourceExhausted,
            400 => Code::InvalidArgument,
            401 => Code::Unauthenticated,
            403 => Code::PermissionDenied,
            404 => Code::NotFound,
            408 => Code::DeadlineExceeded,
            409 => Code::AlreadyExists,
            412 => Code::FailedPrecondition,
            429 => Code::ResourceExhausted,
            501 => Code::Unimplemented,
            500..=599 => Code::Unavailable,
            _ => Code::Unknown,
        };
        Self::new(code, message)
    }

    /// The answer of a plain HTTP request that is not a success.
    pub(crate) fn from_response(status: u16, body: &[u8]) -> Self {
        let parsed: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let message = parsed.as_ref().and_then(|v| v.pointer("/error/message")?.as_str());
        let reason = parsed.as_ref().and_then(|v| v.pointer("/error/errors/0/reason")?.as_str()).unwrap_or_default();
        let text = message.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned);
        let text = if reason.ends_with("Exceeded") { format!("{reason}: {text}") } else { text };
        Self::http(status, text)
    }

    /// What the run is told. `doing` reads like "creating table a.b".
    pub(crate) fn into_run_error(self, doing: &str) -> RunError {
        let (kind, actor, hint) = match self.code {
            None => (Kind::Transient, Actor::Sink, "; BigQuery did not answer, check the endpoint and the network"),
            Some(code) => match code {
                Code::Unauthenticated => {
                    let hint = "; run `gcloud auth application-default login` or set GOOGLE_APPLICATION_CREDENTIALS";
                    (Kind::Auth, Actor::User, hint)
                }
                Code::PermissionDenied => {
                    (Kind::Permission, Actor::User, "; grant roles/bigquery.dataEditor and roles/bigquery.jobUser")
                }
                Code::NotFound => (Kind::NotFound, Actor::User, ""),
                Code::ResourceExhausted => (Kind::RateLimited, Actor::Sink, ""),
                Code::Unimplemented => (Kind::Unsupported, Actor::Sink, ""),
                Code::FailedPrecondition => (Kind::Transient, Actor::Sink, ""),
                _ if self.is_transient() => (Kind::Transient, Actor::Sink, ""),
                _ => (Kind::Protocol, Actor::Sink, ""),
            },
        };
        RunError::new(kind, actor, format!("{doing}: {}{hint}", self.message))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{code:?}: {}", self.message),
            None => write!(f, "no answer: {}", self.message),
        }
    }
}

impl From<GaxError> for Failure {
    fn from(error: GaxError) -> Self {
        if error.is_authentication() {
            return Self::new(Code::Unauthenticated, error.to_string());
        }
        if let Some(payload) = error.http_payload()
            && let Some(status) = error.http_status_code()
        {
            return Self::from_response(status, payload);
        }
        if let Some(status) = error.status() {
            return match error.http_status_code() {
                Some(http) => Self::http(http, status.message.clone()),
                None => Self::new(status.code, status.message.clone()),
            };
        }
        if let Some(http) = error.http_status_code() {
            return Self::http(http, error.to_string());
        }
        if error.is_binding() || error.is_serialization() {
            return Self::new(Code::InvalidArgument, error.to_string());
        }
        Self::unanswered(error.to_string())
    }
}

impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Self {
        // A status without a server behind it comes from the transport.
        if std::error::Error::source(&status).is_some() {
            return Self::unanswered(format!("{:?}: {}", status.code(), status.message()));
        }
        Self::new(Code::from(status.code() as i32), status.message())
    }
}

impl From<tonic::transport::Error> for Failure {
    fn from(error: tonic::transport::Error) -> Self {
        Self::unanswered(with_sources(&error))
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self::unanswered(with_sources(&error.without_url()))
    }
}

impl From<WriterBuilderError> for Failure {
    fn from(error: WriterBuilderError) -> Self {
        match error {
            WriterBuilderError::Rpc { source, .. } => source.into(),
            other => Self::new(Code::InvalidArgument, other.to_string()),
        }
    }
}

impl From<AppendError> for Failure {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Rpc { source, .. } => source.into(),
            AppendError::UnexpectedEndOfStream => Self::unanswered("the append connection ended"),
            other => Self::new(Code::InvalidArgument, other.to_string()),
        }
    }
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

fn cut(mut message: String) -> String {
    if message.len() > LONGEST_MESSAGE {
        let end = (0..=LONGEST_MESSAGE).rev().find(|i| message.is_char_boundary(*i)).unwrap_or(0);
        message.truncate(end);
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, reason: &str) -> Failure {
        let body = format!(r#"{{"error":{{"code":{status},"message":"said","errors":[{{"reason":"{reason}"}}]}}}}"#);
        Failure::from_response(status, body.as_bytes())
    }

    #[test]
    fn a_403_for_a_quota_is_a_rate_limit_and_not_a_missing_permission() {
        assert_eq!(answer(403, "rateLimitExceeded").into_run_error("x").kind, Kind::RateLimited);
        assert_eq!(answer(403, "quotaExceeded").into_run_error("x").kind, Kind::RateLimited);
        assert_eq!(answer(403, "accessDenied").into_run_error("x").kind, Kind::Permission);
    }

    #[test]
    fn each_status_says_who_must_act_and_whether_trying_again_helps() {
        let cases = [
            (401, Kind::Auth, Actor::User, false),
            (404, Kind::NotFound, Actor::User, false),
            (429, Kind::RateLimited, Actor::Sink, true),
            (500, Kind::Transient, Actor::Sink, true),
            (503, Kind::Transient, Actor::Sink, true),
        ];
        for (status, kind, actor, again) in cases {
            let error = answer(status, "x").into_run_error("reading table a.b");
            assert_eq!((error.kind, error.actor), (kind, actor), "{status}");
            assert_eq!(error.retry != sluice_core::Retry::Never, again, "{status}");
            assert!(error.message.starts_with("reading table a.b: said"), "{error}");
        }
    }

    #[test]
    fn a_long_answer_is_cut() {
        let failure = Failure::new(Code::Internal, "é".repeat(10_000));
        assert!(failure.message.len() <= LONGEST_MESSAGE + '…'.len_utf8());
    }
}
