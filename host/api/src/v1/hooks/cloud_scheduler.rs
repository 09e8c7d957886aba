//! `POST /v1/hooks/cloud-scheduler/{scope}/{pipeline}`

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use serde::Serialize;
use sluice_core::schedule::CloudJobs;
use sluice_engine::service::cloud::JobStates;
use sluice_engine::service::knock::Knocked;
use sluice_engine::service::schedule::Scheduler;
use sluice_store::Scope;
use utoipa::ToSchema;

use crate::auth::identity::{Issuer, Refusal};
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::http::trace::current;
use crate::state::App;

const JOB_NAME: &str = "x-cloudscheduler-jobname";
const SCHEDULE_TIME: &str = "x-cloudscheduler-scheduletime";

/// When Cloud Scheduler is to come back, seconds.
const COME_BACK: u64 = 30;

/// What is known of Cloud Scheduler where it keeps the time.
pub struct CloudHook {
    /// Who vouches for it.
    pub issuer: Issuer,
    /// The jobs that the service keeps.
    pub jobs: CloudJobs,
    /// Where they are: `projects/P/locations/L`.
    pub parent: String,
    /// What came of the jobs, as this host saw it.
    pub states: JobStates,
}

/// What became of a call.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KnockView {
    /// `decided`: the moments that had come were queued or skipped; `known`: that had been done before; `no-moment`: the schedule has no
    /// moment at this time, as is to be expected of a job that calls more often than its schedule.
    outcome: &'static str,
    /// Runs that were queued.
    queued: usize,
}

/// A time of a pipeline's schedule has come
///
/// Cloud Scheduler calls this, with a token that its service account's identity was put into. The same time may be told any number of
/// times.
#[utoipa::path(
    post, path = "/v1/hooks/cloud-scheduler/{scope}/{pipeline}", tag = "hooks", operation_id = "cloud_scheduler_knock",
    params(
        ("scope" = String, Path, description = "The tenant"),
        ("pipeline" = String, Path),
        ("X-CloudScheduler-JobName" = String, Header, description = "The pipeline's job"),
        ("X-CloudScheduler-ScheduleTime" = String, Header, description = "The moment, RFC 3339"),
    ),
    responses(
        (status = 200, body = KnockView),
        (status = "4XX", body = ProblemBody),
    )
)]
pub(super) async fn knock(
    State(app): State<App>,
    Path((tenant, pipeline)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<KnockView>, Problem> {
    let hook = app.cloud.as_deref().ok_or_else(|| Problem::not_found("address"))?;
    authenticate(&app, hook, &headers).await?;
    let job = hook.jobs.id(&tenant, &pipeline);
    let named = text(&headers, JOB_NAME).unwrap_or_default();
    if named != job && named != format!("{}/jobs/{job}", hook.parent) {
        tracing::warn!(tenant, pipeline, named, expected = job, "Cloud Scheduler called for another job");
        return Err(Problem::new(
            Slug::Forbidden,
            "the header X-CloudScheduler-JobName names another job than this address's",
        ));
    }
    let moment = moment(&headers)?;
    let scheduler = Scheduler {
        store: app.store.clone(),
        clock: app.clock.clone(),
        ids: app.ids.clone(),
        queued: app.queued.clone(),
        metrics: app.metrics.clone(),
        traces: app.traces.clone(),
    };
    let knocked = scheduler.knock(Scope { tenant: &tenant }, &pipeline, moment, current()).await?;
    tracing::info!(tenant, pipeline, %moment, outcome = ?knocked, "Cloud Scheduler called");
    answer(knocked, moment).map(Json)
}

/// Who calls must be the jobs' service account, as the issuer says.
async fn authenticate(app: &App, hook: &CloudHook, headers: &HeaderMap) -> Result<(), Problem> {
    let unproven = || {
        let detail = "send the OpenID Connect token of the jobs' service account, made for this service, as `Authorization: Bearer …`";
        Problem::new(Slug::Unauthenticated, detail)
    };
    let token = text(headers, header::AUTHORIZATION.as_str()).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let token = token.ok_or_else(unproven)?;
    let identity = match hook.issuer.verify(token, &hook.jobs.audience, app.now_us()).await {
        Ok(identity) => identity,
        Err(Refusal::Wrong(why)) => {
            tracing::warn!(why, "a call for Cloud Scheduler's hook proves nothing");
            return Err(unproven());
        }
        Err(Refusal::NoKeys(why)) => {
            tracing::error!(why, "a call for Cloud Scheduler's hook cannot be proven");
            let problem = Problem::new(Slug::Unavailable, "the issuer's keys cannot be had now; try again later");
            return Err(problem.retry_after(COME_BACK));
        }
    };
    let ours = identity.email.as_deref() == Some(hook.jobs.service_account.as_str());
    if !ours || !identity.email_verified {
        tracing::warn!(email = ?identity.email, verified = identity.email_verified, "somebody else called Cloud Scheduler's hook");
        return Err(Problem::new(Slug::Forbidden, "the token is not one of the jobs' service account"));
    }
    Ok(())
}

fn moment(headers: &HeaderMap) -> Result<Timestamp, Problem> {
    let wrong = |why: &str| Problem::field("X-CloudScheduler-ScheduleTime", why);
    // Cloud Scheduler leaves it out when somebody runs a job by hand.
    let text = text(headers, SCHEDULE_TIME).ok_or_else(|| {
        wrong("it is missing, so this is no time of the schedule; start a run by hand through the API of this service")
    })?;
    let time: Timestamp = text.parse().map_err(|_| wrong("it is no time as RFC 3339 has them"))?;
    // Moments are whole minutes; what a clock adds to them is dust.
    Timestamp::from_second(time.as_second()).map_err(|_| wrong("no calendar has this time"))
}

fn answer(knocked: Knocked, moment: Timestamp) -> Result<KnockView, Problem> {
    let refused = |why: String| Err(Problem::new(Slug::Refused, why));
    match knocked {
        Knocked::Decided { queued, .. } => Ok(KnockView { outcome: "decided", queued }),
        Knocked::Known => Ok(KnockView { outcome: "known", queued: 0 }),
        Knocked::NoMoment { expected: true } => Ok(KnockView { outcome: "no-moment", queued: 0 }),
        Knocked::NoMoment { expected: false } => {
            tracing::warn!(%moment, "Cloud Scheduler called at a time that the schedule does not have");
            refused(format!("the schedule has no moment at {moment}"))
        }
        Knocked::TooEarly => {
            tracing::warn!(%moment, "Cloud Scheduler called for a time that is still to come");
            refused(format!("{moment} is still to come"))
        }
        Knocked::Later(until) => {
            let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
            let problem =
                Problem::new(Slug::Unavailable, format!("a blackout of the schedule holds its runs back{until}"));
            Err(problem.retry_after(COME_BACK))
        }
        Knocked::NoSchedule => Err(Problem::not_found("schedule")),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests;
