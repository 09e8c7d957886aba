//! `POST /v1/tenants/{tenant}/pipelines/{pipeline}/state-changes/{change}/undo`

use axum::Json;
use axum::extract::{Path, State};
use serde_json::json;

use super::editing::{begin, done};
use super::view::ChangeView;
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::pipelines::view::find;
use crate::v1::record::record;

/// Take a change of a state back
///
/// Only the last thing that happened to the state can be taken back: a run that has committed since then stands in the way. The answer
/// is the change that took it back.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/state-changes/{change}/undo", tag = "state",
    operation_id = "undo_state_change",
    params(("tenant" = String, Path), ("pipeline" = String, Path), ("change" = String, Path)),
    responses((status = 200, body = ChangeView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn undo(
    State(app): State<App>,
    member: Member,
    Path((_, id, change)): Path<(String, String, String)>,
) -> Result<Json<ChangeView>, Problem> {
    find(&app, member.scope(), &id).await?;
    let (new, by) = (app.ids.next(), member.caller.actor());
    let lease = begin(&app, member.scope(), &id).await?;
    let outcome = app.store.undo_state(member.scope(), &lease, &change, (&new, &by), app.now_us()).await;
    done(&app, lease, outcome).await?;
    let detail = json!({"change": change, "by": new});
    record(&app, &member, "state.undo", format!("pipeline {id}"), detail).await?;
    let newest = app.store.state_changes(member.scope(), &id, None, None, 200).await?;
    let made = newest.into_iter().find(|made| made.id == new);
    Ok(Json(made.map(ChangeView::from).ok_or_else(|| Problem::not_found("change"))?))
}
