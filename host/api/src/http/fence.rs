//! What goes wrong outside of an operation: a panic, and errors that others have worded. All of them are answered as problems.

use std::panic::AssertUnwindSafe;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;

use super::problem::{Problem, Slug};
use crate::state::App;

/// A panic ends one request. What it says is in the log; the answer only says that there was one.
pub async fn panics(State(app): State<App>, request: Request, next: Next) -> Response {
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    work.await.unwrap_or_else(|_| {
        app.requests().panicked();
        tracing::error!("an operation panicked; the lines above say where");
        Problem::new(Slug::Internal, "the service's log has the details").into_response()
    })
}

/// Errors that no operation of ours has worded, such as those of extractors, become problems with the same status.
pub async fn problems(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
    if problem || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let slug = match status {
        StatusCode::NOT_FOUND => Slug::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Slug::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Slug::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Slug::UnsupportedMediaType,
        status if status.is_server_error() => Slug::Internal,
        _ => Slug::Invalid,
    };
    let (parts, _) = response.into_parts();
    let mut response = Problem::new(slug, "the request is not one that this address takes").into_response();
    if let Some(allow) = parts.headers.get(header::ALLOW) {
        response.headers_mut().insert(header::ALLOW, allow.clone());
    }
    response
}
