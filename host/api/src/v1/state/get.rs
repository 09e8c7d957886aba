//! `GET /v1/tenants/{tenant}/pipelines/{pipeline}/state`

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::Value;
use sluice_store::{CommittedState, PipelineRecord};
use utoipa::ToSchema;

use super::view::StateView;
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::pipelines::view::find;

/// The states of a pipeline.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatesView {
    /// One for each stream of the pipeline, and for each that has a state from when it was one.
    streams: Vec<StateView>,
}

/// Where the next run of each stream begins
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/state", tag = "state", operation_id = "get_state",
    params(("tenant" = String, Path), ("pipeline" = String, Path)),
    responses((status = 200, body = StatesView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<StatesView>, Problem> {
    let pipeline = find(&app, member.scope(), &id).await?;
    let reads = streams_of(&pipeline);
    let states = app.store.states_of(member.scope(), &id).await?;
    let mut all: BTreeMap<String, CommittedState> =
        reads.iter().map(|stream| (stream.clone(), CommittedState::default())).collect();
    all.extend(states);
    let shown = |(stream, state): (String, CommittedState)| {
        let in_pipeline = reads.contains(&stream);
        StateView::of(stream, in_pipeline, &state)
    };
    Ok(Json(StatesView { streams: all.into_iter().map(shown).collect() }))
}

/// The ids of the streams that a pipeline reads now.
pub(super) fn streams_of(pipeline: &PipelineRecord) -> BTreeSet<String> {
    let streams = pipeline.current.definition.get("streams").and_then(Value::as_array);
    let ids = streams.into_iter().flatten().filter_map(|stream| stream.get("id")?.as_str());
    ids.map(str::to_owned).collect()
}
