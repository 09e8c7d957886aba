//! Optimistic concurrency: what a person edits has a revision, which is its `ETag`; a change names the one that it saw.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::problem::{Problem, Slug};

/// The revision that a change is made to, from `If-Match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfMatch(pub u64);

/// For `params(…)` of an operation.
impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let header =
            ParameterBuilder::new().name("If-Match").parameter_in(ParameterIn::Header).required(Required::True);
        let about = "The ETag of what was read; the change is refused if somebody else made one since.";
        vec![header.description(Some(about)).schema(Some(text)).build()]
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let header = parts.headers.get(header::IF_MATCH).ok_or_else(|| {
            let detail = "send the ETag of what was read as If-Match, so that nobody's change is overwritten unseen";
            Problem::new(Slug::RevisionRequired, detail)
        })?;
        let parsed = header.to_str().ok().and_then(parse);
        parsed
            .map(Self)
            .ok_or_else(|| Problem::field("If-Match", "it is no ETag of this service; send one as it was received"))
    }
}

fn parse(text: &str) -> Option<u64> {
    text.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

/// An answer with its revision as `ETag`.
pub struct Tagged<T>(pub u64, pub T);

impl<T: IntoResponse> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        if let Ok(tag) = HeaderValue::try_from(format!("\"{}\"", self.0)) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strong_tags_of_ours_are_read() {
        assert_eq!(parse("\"12\""), Some(12));
        for other in ["12", "W/\"12\"", "*", "\"a\"", "\"\""] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
