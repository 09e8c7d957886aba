//! The names in an address: what cannot be one is the name of nothing.

use axum::extract::{FromRequestParts, Path as Inner};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// The names in the address. Unlike axum's own, what is refused is a problem.
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Inner::<T>::from_request_parts(parts, state).await {
            Ok(Inner(path)) => Ok(Self(path)),
            Err(_) => Err(Problem::not_found("address")),
        }
    }
}
