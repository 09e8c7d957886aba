//! Query parameters: refused with a problem.

use axum::extract::{FromRequestParts, Query as Inner};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// The parameters of an address.
pub struct Query<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // PostgreSQL keeps no such character, and nobody types it.
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(Problem::field("query", "the character U+0000 is not taken"));
        }
        match Inner::<T>::try_from_uri(&parts.uri) {
            Ok(Inner(query)) => Ok(Self(query)),
            Err(rejected) => Err(Problem::field("query", rejected.body_text())),
        }
    }
}
