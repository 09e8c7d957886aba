//! JSON bodies: refused with the place that is wrong.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use super::problem::{Problem, Slug};

/// A JSON body. Unlike axum's own, what is refused is a problem that names the field.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(JsonRejection::MissingJsonContentType(_)) => {
                Err(Problem::new(Slug::UnsupportedMediaType, "send JSON, with Content-Type: application/json"))
            }
            Err(JsonRejection::BytesRejection(rejected)) if rejected.status().as_u16() == 413 => {
                Err(Problem::new(Slug::TooLarge, "the body is larger than this operation takes"))
            }
            Err(rejected) => Err(Problem::field("body", rejected.body_text())),
        }
    }
}
