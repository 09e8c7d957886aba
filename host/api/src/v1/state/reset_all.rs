//! `DELETE /v1/tenants/{tenant}/pipelines/{pipeline}/state`

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::json;
use sluice_store::{ChangeError, Lease, NewState};

use super::editing::{begin, done};
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::pipelines::view::find;
use crate::v1::record::record;

/// Have every stream of a pipeline read from its beginning
///
/// Files and items that they remember are forgotten, which cannot be taken back. Rows that the tables have stay there.
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/state", tag = "state", operation_id = "reset_all_states",
    params(("tenant" = String, Path), ("pipeline" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn reset_all(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    find(&app, member.scope(), &id).await?;
    let lease = begin(&app, member.scope(), &id).await?;
    let mut streams = Vec::new();
    let outcome = each(&app, &member, &lease, &mut streams).await;
    done(&app, lease, outcome).await?;
    record(&app, &member, "state.reset", format!("pipeline {id}"), json!({"streams": streams})).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Resets one after the other. Should one fail, those before it are reset, and asking again goes on.
async fn each(app: &App, member: &Member, lease: &Lease, streams: &mut Vec<String>) -> Result<(), ChangeError> {
    for (stream, state) in app.store.states_of(member.scope(), lease.pipeline()).await? {
        let (id, by) = (app.ids.next(), member.caller.actor());
        let new = NewState { id, stream: stream.clone(), state: None, seen: state.revision, by };
        app.store.change_state(member.scope(), lease, &new, app.now_us()).await?;
        streams.push(stream);
    }
    Ok(())
}
