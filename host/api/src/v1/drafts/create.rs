//! `POST /v1/tenants/{tenant}/drafts`

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sluice_store::Owner;

use super::MOST;
use super::input::{DraftBody, read};
use super::view::{DraftView, find, owner, shown};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::Tagged;
use crate::state::App;

/// Begin to set up a pipeline
///
/// Everybody has at most 20 drafts in a tenant. One that nobody changed for 30 days is forgotten.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/drafts", tag = "drafts", operation_id = "create_draft",
    params(("tenant" = String, Path)), request_body = DraftBody,
    responses((status = 201, body = DraftView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn create(
    State(app): State<App>,
    member: Member,
    Body(body): Body<DraftBody>,
) -> Result<Response, Problem> {
    let change = read(&app, &member, body, None).await?;
    let (id, owner) = (app.ids.next(), owner(&member));
    let whose = Owner { scope: member.scope(), owner: &owner };
    app.store.create_draft(whose, &app.resolver.vault, &id, &change, MOST, app.now_us()).await?;
    let view = shown(&app, &member, find(&app, &member, &id).await?).await?;
    let place = format!("/v1/tenants/{}/drafts/{id}", member.tenant);
    Ok(Tagged(1, (StatusCode::CREATED, [(header::LOCATION, place)], Json(view))).into_response())
}
