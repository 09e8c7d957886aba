//! Whether a pipeline's schedule is followed.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sluice_store::{ChangeError, PipelineChange};

use super::input::{stored, timing};
use super::view::{PipelineView, find};
use crate::auth::principal::Member;
use crate::http::problem::Problem;
use crate::http::revision::Tagged;
use crate::state::App;
use crate::v1::record::record;

/// How often it is tried where others change the pipeline at the same time.
const TRIES: usize = 5;

/// Switches a pipeline on or off, whatever else is changed at the same time. One that is so already stays as it is.
pub(super) async fn switch(app: &App, member: &Member, id: &str, enabled: bool) -> Result<Response, Problem> {
    let (scope, by) = (member.scope(), member.caller.actor());
    let mut left = TRIES;
    loop {
        let found = find(app, scope, id).await?;
        if found.current.enabled == enabled {
            return Ok(Tagged(found.revision, Json(PipelineView::from(found))).into_response());
        }
        let timing = timing(stored(&found.current.definition)?.schedule.as_ref(), id, app.now())?;
        let change = PipelineChange { enabled, ..found.current };
        let (seen, now) = (found.revision, app.now_us());
        match app.store.update_pipeline(scope, id, seen, &change, timing.as_ref(), &by, now).await {
            Ok(revision) => {
                let action = if enabled { "pipeline.enable" } else { "pipeline.disable" };
                record(app, member, action, format!("pipeline {id}"), json!({"revision": revision})).await?;
                return Ok(Tagged(revision, Json(PipelineView::from(find(app, scope, id).await?))).into_response());
            }
            Err(ChangeError::Stale { .. }) if left > 1 => left -= 1,
            Err(error) => return Err(error.into()),
        }
    }
}
