//! `POST /v1/tenants/{tenant}/tokens`

use axum::extract::State;
use axum::response::Response;

use super::make::{TokenBody, make};
use super::view::NewTokenView;
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// Make a token of one's own
///
/// Only while signed in: no token makes another. It is revoked when one leaves the tenant.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/tokens", tag = "tokens", operation_id = "create_token",
    params(("tenant" = String, Path)),
    request_body = TokenBody,
    responses((status = 201, body = NewTokenView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn create(
    State(app): State<App>,
    member: Member,
    Body(body): Body<TokenBody>,
) -> Result<Response, Problem> {
    make(&app, &member, false, body).await
}
