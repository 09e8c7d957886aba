//! JSON bodies: refused with the place that is wrong.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use memchr::memmem;
use serde::de::DeserializeOwned;

use super::problem::{Problem, Slug};

/// A JSON body. Unlike axum's own, what is refused is a problem that names the field.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "send JSON, with Content-Type: application/json";
            return Err(Problem::new(Slug::UnsupportedMediaType, detail));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejected| match rejected.status().as_u16() {
            413 => Problem::new(Slug::TooLarge, "the body is larger than this operation takes"),
            _ => Problem::field("body", "it cannot be read to its end"),
        })?;
        // PostgreSQL keeps no such character, and nobody types it.
        if memmem::find(&bytes, br"\u0000").is_some() {
            return Err(Problem::field("body", "the character U+0000 is not taken"));
        }
        match Json::<T>::from_bytes(&bytes) {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejected) => Err(Problem::field("body", rejected.body_text())),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use axum::body::Body as Raw;
    use axum::http::Request;

    use super::*;

    async fn read(kind: &str, text: &'static str) -> Result<Vec<String>, Slug> {
        let request = Request::post("/").header(header::CONTENT_TYPE, kind).body(Raw::from(text)).unwrap();
        Body::from_request(request, &()).await.map(|Body(body)| body).map_err(|problem| problem.slug())
    }

    #[tokio::test]
    async fn only_json_that_fits_is_read() {
        assert_eq!(read("application/json; charset=utf-8", "[\"a\"]").await, Ok(vec!["a".to_owned()]));
        assert_eq!(read("application/merge-patch+json", "[]").await, Ok(vec![]));
        assert_eq!(read("text/plain", "[]").await, Err(Slug::UnsupportedMediaType));
        for wrong in ["[1]", "[", "{}", "", r#"["\u0000"]"#] {
            assert_eq!(read("application/json", wrong).await, Err(Slug::Invalid), "{wrong}");
        }
    }
}
