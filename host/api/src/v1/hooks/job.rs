//! `GET /v1/tenants/{tenant}/pipelines/{pipeline}/cloud-job`

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use sluice_core::schedule::Timetable;
use utoipa::ToSchema;

use crate::auth::principal::Member;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::{App, instant};

/// The job of Cloud Scheduler that calls for a pipeline.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CloudJobView {
    /// Its name: `projects/P/locations/L/jobs/J`.
    name: String,
    /// When it calls, in Cloud Scheduler's dialect of cron.
    cron: String,
    /// The time zone of that.
    time_zone: String,
    /// Whether it calls at the schedule's moments only. If not, the other calls start nothing.
    exact: bool,
    /// `in-place`; `refused`, if it is not as it should be; `pending`, if this host has not looked yet.
    state: &'static str,
    /// When it was last put right or found to be right.
    #[schema(value_type = Option<String>, format = DateTime)]
    checked_at: Option<Timestamp>,
    /// Why it is not as it should be.
    problem: Option<String>,
}

/// The pipeline's job of Cloud Scheduler
///
/// Where the service keeps the time itself, and for a pipeline whose schedule is not followed, there is none.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/cloud-job", tag = "pipelines", operation_id = "get_cloud_job",
    params(("tenant" = String, Path), ("pipeline" = String, Path)),
    responses((status = 200, body = CloudJobView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn job(
    State(app): State<App>,
    member: Member,
    Path((_, pipeline)): Path<(String, String)>,
) -> Result<Json<CloudJobView>, Problem> {
    let missing = || Problem::not_found("job");
    let due = app.store.schedule(member.scope(), &pipeline).await?.filter(|due| due.scheduled.schedule.enabled);
    let (hook, due) = (app.cloud.as_deref().ok_or_else(missing)?, due.ok_or_else(missing)?);
    let timetable = Timetable::new(&due.scheduled.schedule)?;
    let knocks = timetable.knocks();
    let id = hook.jobs.id(&member.tenant, &pipeline);
    let kept = hook.states.of(&id);
    let problem = kept.as_ref().and_then(|kept| kept.error.as_ref()).map(|error| error.message.clone());
    Ok(Json(CloudJobView {
        name: format!("{}/jobs/{id}", hook.parent),
        cron: knocks.cron,
        time_zone: due.scheduled.schedule.time_zone,
        exact: knocks.exact,
        state: match (&kept, &problem) {
            (None, _) => "pending",
            (Some(_), None) => "in-place",
            (Some(_), Some(_)) => "refused",
        },
        checked_at: kept.map(|kept| instant(kept.at_us)),
        problem,
    }))
}
