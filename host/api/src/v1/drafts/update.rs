//! `PUT /v1/tenants/{tenant}/drafts/{draft}`

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use sluice_store::{ChangeError, Owner};

use super::input::{DraftBody, read};
use super::view::{DraftView, before, find, owner, shown};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::{IfMatch, Tagged};
use crate::state::App;

/// Keep a draft as it is now
///
/// The body is the whole draft, but for its secrets: those that are left out stay.
#[utoipa::path(
    put, path = "/v1/tenants/{tenant}/drafts/{draft}", tag = "drafts", operation_id = "update_draft",
    params(("tenant" = String, Path), ("draft" = String, Path), ("If-Match" = String, Header)),
    request_body = DraftBody,
    responses((status = 200, body = DraftView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn update(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    IfMatch(seen): IfMatch,
    Body(body): Body<DraftBody>,
) -> Result<Response, Problem> {
    let found = find(&app, &member, &id).await?;
    if found.revision != seen {
        // What follows compares with what was found, so it must be what was seen.
        return Err(ChangeError::Stale { what: "draft", seen, now: found.revision }.into());
    }
    let change = read(&app, &member, body, Some(&before(&app, &member, &found).await?)).await?;
    let owner = owner(&member);
    let whose = Owner { scope: member.scope(), owner: &owner };
    let revision = app.store.update_draft(whose, &app.resolver.vault, &id, seen, &change, app.now_us()).await?;
    let view = shown(&app, &member, find(&app, &member, &id).await?).await?;
    Ok(Tagged(revision, Json(view)).into_response())
}

#[cfg(test)]
mod tests;
