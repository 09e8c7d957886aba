//! The whole service as one router, and the document that describes it.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;

use crate::auth::guard::Guarded;
use crate::http::problem::{Problem, Slug};
use crate::http::security;
use crate::state::App;
use crate::v1;

/// Largest body that an operation takes, bytes, where it does not say otherwise.
const MAX_BODY: usize = 1 << 20;

#[derive(OpenApi)]
#[openapi(info(
    title = "Sluice",
    description = "Loads data from sandboxed connectors. Errors are problem details (RFC 9457); lists are pages; what a person edits has \
                   an ETag, and a change names it in If-Match."
))]
struct Base;

/// The service.
pub fn router(app: &App) -> Router {
    let (routes, _) = parts(app);
    routes
        .fallback(async || Problem::not_found("address"))
        .method_not_allowed_fallback(async || {
            Problem::new(Slug::MethodNotAllowed, "the header Allow says which methods there are")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(security::headers))
        .with_state(app.clone())
}

/// The OpenAPI document of the service.
pub fn document(app: &App) -> Document {
    parts(app).1
}

fn parts(app: &App) -> (Router<App>, Document) {
    let routes = Guarded::new(app).and(v1::routes).finish();
    OpenApiRouter::with_openapi(Base::openapi()).merge(routes).split_for_parts()
}
