//! `POST /v1/tenants/{tenant}/service-tokens`

use axum::extract::State;
use axum::response::Response;

use super::make::{TokenBody, make};
use super::view::NewTokenView;
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// Make a token of a service
///
/// Only while signed in: no token makes another. It belongs to the tenant and stays when its maker leaves.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/service-tokens", tag = "tokens", operation_id = "create_service_token",
    params(("tenant" = String, Path)),
    request_body = TokenBody,
    responses((status = 201, body = NewTokenView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn create_service(
    State(app): State<App>,
    member: Member,
    Body(body): Body<TokenBody>,
) -> Result<Response, Problem> {
    make(&app, &member, true, body).await
}
