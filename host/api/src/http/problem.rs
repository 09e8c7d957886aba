//! Errors as RFC 9457 problem details: a stable `type`, a status that follows from it, and words for a person.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind, Retry};
use sluice_store::ChangeError;
use utoipa::ToSchema;

use super::finding::Finding;

/// What can go wrong with a request. The name is the last part of the problem's `type`, and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slug {
    /// The request is malformed, or a field of it is wrong.
    Invalid,
    /// Nobody is signed in, or the token is not valid (any more).
    Unauthenticated,
    /// E-mail and password do not belong together.
    WrongCredentials,
    /// The role does not allow this.
    Forbidden,
    /// The request does not come from this service's own pages.
    CrossSite,
    /// There is no such thing, or not for this member.
    NotFound,
    /// The address knows no such method.
    MethodNotAllowed,
    /// It was changed since it was read.
    Conflict,
    /// The name, or what the key stands for, is taken.
    Exists,
    /// It cannot be done as things are; the detail says what has to be done first.
    Refused,
    /// `If-Match` is missing.
    RevisionRequired,
    /// The body is too large.
    TooLarge,
    /// The body is not of the type that is read.
    UnsupportedMediaType,
    /// Too many requests; `Retry-After` says when to come back.
    TooManyRequests,
    /// The source, the sink or a connector failed while the request waited for it.
    Upstream,
    /// It took too long.
    Timeout,
    /// The service cannot answer now.
    Unavailable,
    /// A defect of Sluice.
    Internal,
}

impl Slug {
    /// Every one of them.
    pub const ALL: [Self; 18] = [
        Self::Invalid,
        Self::Unauthenticated,
        Self::WrongCredentials,
        Self::Forbidden,
        Self::CrossSite,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::Exists,
        Self::Refused,
        Self::RevisionRequired,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::TooManyRequests,
        Self::Upstream,
        Self::Timeout,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The last part of the problem's `type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Unauthenticated => "unauthenticated",
            Self::WrongCredentials => "wrong-credentials",
            Self::Forbidden => "forbidden",
            Self::CrossSite => "cross-site",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Conflict => "conflict",
            Self::Exists => "exists",
            Self::Refused => "refused",
            Self::RevisionRequired => "revision-required",
            Self::TooLarge => "too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::TooManyRequests => "too-many-requests",
            Self::Upstream => "upstream",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// The status that goes with it.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unauthenticated | Self::WrongCredentials => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::CrossSite => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict => StatusCode::PRECONDITION_FAILED,
            Self::Exists | Self::Refused => StatusCode::CONFLICT,
            Self::RevisionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Upstream => StatusCode::BAD_GATEWAY,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The class of problem in a few words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Invalid => "The request is not valid",
            Self::Unauthenticated => "Not signed in",
            Self::WrongCredentials => "Wrong e-mail or password",
            Self::Forbidden => "Not allowed",
            Self::CrossSite => "The request comes from another site",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Conflict => "Changed in the meantime",
            Self::Exists => "Already there",
            Self::Refused => "Not possible as things are",
            Self::RevisionRequired => "If-Match is missing",
            Self::TooLarge => "Too large",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::TooManyRequests => "Too many requests",
            Self::Upstream => "The source or the sink failed",
            Self::Timeout => "It took too long",
            Self::Unavailable => "Not available now",
            Self::Internal => "A defect of Sluice",
        }
    }
}

/// An error, as the API answers it.
#[derive(Debug)]
pub struct Problem {
    slug: Slug,
    detail: String,
    field: Option<String>,
    stream: Option<String>,
    retry_after: Option<u64>,
    findings: Vec<Finding>,
}

/// The body of a problem, RFC 9457.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// `urn:sluice:problem:` and a name that never changes.
    r#type: String,
    /// The class of problem in a few words.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What is wrong and what to do.
    detail: &'a str,
    /// The field of the request concerned, as a JSON pointer or a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// The stream concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<&'a str>,
    /// What was looked at before it was refused, and what was found; of uploads and trials.
    #[serde(skip_serializing_if = "<[Finding]>::is_empty")]
    #[schema(required = false)]
    findings: &'a [Finding],
}

impl Problem {
    /// A problem; `detail` says what is wrong and what to do, without secrets.
    pub fn new(slug: Slug, detail: impl Into<String>) -> Self {
        Self { slug, detail: detail.into(), field: None, stream: None, retry_after: None, findings: Vec::new() }
    }

    /// What a wrong field of a request gets.
    pub fn field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(Slug::Invalid, detail) }
    }

    /// What is answered for another tenant's ids as for ids that never were.
    pub fn not_found(what: &str) -> Self {
        Self::new(Slug::NotFound, format!("there is no such {what}"))
    }

    /// The class of the problem.
    pub fn slug(&self) -> Slug {
        self.slug
    }

    /// What was found.
    #[must_use]
    pub fn with_findings(self, findings: Vec<Finding>) -> Self {
        Self { findings, ..self }
    }

    /// What a client is told of it.
    pub fn body(&self) -> ProblemBody<'_> {
        ProblemBody {
            r#type: format!("urn:sluice:problem:{}", self.slug.name()),
            title: self.slug.title(),
            status: self.slug.status().as_u16(),
            detail: &self.detail,
            field: self.field.as_deref(),
            stream: self.stream.as_deref(),
            findings: &self.findings,
        }
    }

    /// When to come back, seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

/// A failure of the store or of a worker. What a person can act on is told; a defect is logged and named only.
impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        let slug = match (error.kind, error.actor) {
            (Kind::Internal, _) => Slug::Internal,
            (_, Actor::User) => match error.kind {
                Kind::NotFound => Slug::NotFound,
                _ => Slug::Invalid,
            },
            (_, Actor::Source | Actor::Sink) => Slug::Upstream,
            (_, Actor::Host) => Slug::Unavailable,
        };
        let detail = match slug {
            Slug::Internal | Slug::Unavailable => {
                tracing::error!(error = %error, "a request failed");
                "the service's log has the details; whoever operates it has to act".to_owned()
            }
            _ => error.message.clone(),
        };
        let retry_after = match error.retry {
            Retry::After(time) => Some(time.as_secs().max(1)),
            Retry::Later | Retry::Never => None,
        };
        Self { slug, detail, field: error.field, stream: error.stream, retry_after, findings: Vec::new() }
    }
}

/// Why the store did not make a change.
impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        let detail = error.to_string();
        match error {
            ChangeError::Missing { what } => Self::not_found(what),
            ChangeError::Stale { .. } => Self::new(Slug::Conflict, detail),
            ChangeError::Taken { field, .. } => Self { field: Some(field.into()), ..Self::new(Slug::Exists, detail) },
            ChangeError::Refused(_) => Self::new(Slug::Refused, detail),
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.slug.status();
        let mut response = (status, Json(self.body())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 11.6.1: a 401 names how to authenticate.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_defect_is_not_explained_to_the_client() {
        let problem = Problem::from(RunError::internal("the table users has no column x"));
        assert_eq!(problem.slug, Slug::Internal);
        assert!(!problem.detail.contains("users"));
    }

    #[test]
    fn every_type_of_problem_is_in_the_book() {
        let book = include_str!("../../../../docs/api.md");
        for slug in Slug::ALL {
            let row = format!("| `{}` | {} |", slug.name(), slug.status().as_u16());
            assert!(book.contains(&row), "docs/api.md has no row {row}");
        }
    }

    #[test]
    fn a_wrong_field_is_named() {
        let problem = Problem::from(RunError::config("streams[0].read", "a catalog load needs a full read"));
        assert_eq!((problem.slug, problem.field.as_deref()), (Slug::Invalid, Some("streams[0].read")));
        assert_eq!(problem.into_response().status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
}
