//! `PATCH /v1/tenants/{tenant}/members/{user}`

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{change, may_grant};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::record::record;
use crate::v1::session::RoleWord;

/// Another role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleChange {
    role: RoleWord,
}

/// Give a member another role
///
/// Nobody gives a role above one's own, nor touches who stands above; the tenant keeps an owner. Needs no If-Match: a role that was
/// changed meanwhile is not overwritten.
#[utoipa::path(
    patch, path = "/v1/tenants/{tenant}/members/{user}", tag = "members", operation_id = "update_member",
    params(("tenant" = String, Path), ("user" = String, Path)),
    request_body = RoleChange,
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn update(
    State(app): State<App>,
    member: Member,
    Path((_, user)): Path<(String, String)>,
    Body(body): Body<RoleChange>,
) -> Result<StatusCode, Problem> {
    let now = app.store.role_of(member.scope(), &user).await?.ok_or_else(|| Problem::not_found("member"))?;
    let then = body.role.into();
    may_grant(&member, now)?;
    may_grant(&member, then)?;
    app.store.set_role(member.scope(), &user, now, then).await?;
    record(&app, &member, "member.update", format!("user {user}"), change(now, Some(then))).await?;
    Ok(StatusCode::NO_CONTENT)
}
