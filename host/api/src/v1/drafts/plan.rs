//! `POST /v1/tenants/{tenant}/drafts/{draft}/plan`

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::json;
use sluice_core::pipeline::ExecutionMode;
use sluice_core::schedule::Timetable;
use utoipa::ToSchema;

use super::open::{definition, manifest, place, source};
use super::view::{content, find};
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::pipelines::{PlannedView, examine, forecast};
use crate::v1::record::record;

/// What would be made of a draft.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DraftPlanView {
    /// Whether no stream would fail before its first row.
    passed: bool,
    /// What its first run would do with each stream, in the draft's order.
    streams: Vec<PlannedView>,
    /// What its schedule means, in words.
    schedule: Option<String>,
    /// Where its runs would be carried out.
    #[schema(value_type = String)]
    runs: ExecutionMode,
    /// Rows that its first run would read, where every stream has an estimate.
    rows: Option<u64>,
    /// The same in bytes.
    bytes: Option<u64>,
}

/// See what would be made of a draft
///
/// Answers with the first problem that finishing it would have; otherwise a worker asks the source for its plan and compares the tables,
/// for at most a minute. No row is read, and no table is touched.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/drafts/{draft}/plan", tag = "drafts", operation_id = "plan_draft",
    params(("tenant" = String, Path), ("draft" = String, Path)),
    responses(
        (status = 200, body = DraftPlanView), (status = "4XX", body = ProblemBody),
        (status = "5XX", body = ProblemBody)
    )
)]
pub(super) async fn plan(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<DraftPlanView>, Problem> {
    let draft = find(&app, &member, &id).await?;
    let content = content(&draft)?;
    let mut definition = definition(&content)?;
    let (known_as, revision) = place(&app, &member, &draft, &content).await?;
    let opened = source(&app, &member, (&draft, &content), "dry-run").await?;
    let manifest = manifest(&app, member.scope(), &opened.it.connector).await?;
    let pipeline = definition.clone().into_pipeline(id.clone(), opened.it.clone());
    let known = app.discovered().known(&member.tenant, &known_as, revision, app.now_us());
    examine(&app, &member.tenant, &pipeline, &manifest, &definition, &known)?;
    let schedule = definition.schedule.as_ref().map(Timetable::new).transpose()?;
    let runs = definition.run;
    record(&app, &member, "pipeline.dry-run", format!("draft {id}"), json!({})).await?;
    app.resolver.offers.place(&member.tenant, &mut definition.sink)?;
    let pipeline = definition.into_pipeline(id, opened.it);
    let streams = forecast(&app, &member.tenant, pipeline, &opened.redactor).await?;
    let sum = |of: fn(&PlannedView) -> Option<u64>| streams.iter().map(of).sum::<Option<u64>>();
    Ok(Json(DraftPlanView {
        passed: streams.iter().all(PlannedView::passes),
        rows: sum(PlannedView::rows),
        bytes: sum(PlannedView::bytes),
        schedule: schedule.map(|timetable| timetable.describe()),
        runs,
        streams,
    }))
}
