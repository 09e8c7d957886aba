//! `DELETE /v1/tenants/{tenant}/pipelines/{pipeline}/state/{stream}`

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::json;
use sluice_store::NewState;

use super::editing::{begin, done};
use super::get::streams_of;
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::IfMatch;
use crate::state::App;
use crate::v1::pipelines::view::find;
use crate::v1::record::record;

/// Have a stream read from its beginning
///
/// Files and items that it remembers are forgotten, which cannot be taken back. Rows that its table has stay there.
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/state/{stream}", tag = "state",
    operation_id = "reset_state",
    params(
        ("tenant" = String, Path), ("pipeline" = String, Path), ("stream" = String, Path),
        ("If-Match" = String, Header)
    ),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn reset(
    State(app): State<App>,
    member: Member,
    Path((_, id, stream)): Path<(String, String, String)>,
    IfMatch(seen): IfMatch,
) -> Result<StatusCode, Problem> {
    let pipeline = find(&app, member.scope(), &id).await?;
    // Also a stream that the pipeline does not read any more: its state is still there.
    let known = streams_of(&pipeline).contains(&stream)
        || app.store.states_of(member.scope(), &id).await?.contains_key(&stream);
    if !known {
        return Err(Problem::not_found("stream of the pipeline"));
    }
    let by = member.caller.actor();
    let new = NewState { id: app.ids.next(), stream: stream.clone(), state: None, seen, by };
    let lease = begin(&app, member.scope(), &id).await?;
    let outcome = app.store.change_state(member.scope(), &lease, &new, app.now_us()).await;
    done(&app, lease, outcome).await?;
    let detail = json!({"stream": stream, "change": new.id});
    record(&app, &member, "state.reset", format!("pipeline {id}"), detail).await?;
    Ok(StatusCode::NO_CONTENT)
}
