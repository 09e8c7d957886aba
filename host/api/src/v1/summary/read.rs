//! `GET /v1/tenants/{tenant}/summary`

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sluice_core::freshness::{self, Freshness};
use sluice_core::request::RequestState;
use sluice_core::schedule::Timetable;
use sluice_store::{DAY_US, Daily, LastRun, Standing};
use utoipa::ToSchema;

use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::{App, instant};

/// Most pipelines that are looked at.
const MOST: u32 = 5_000;

/// What is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SummaryQuery {
    /// How many days are told of, with today (UTC).
    #[param(minimum = 1, maximum = 90, default = 14)]
    days: Option<u32>,
}

/// Whether the tenant's data are fresh and right.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SummaryView {
    /// As of when.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// How many pipelines stand how: `late`, `never`, `fresh`, `unscheduled`.
    freshness: BTreeMap<&'static str, u64>,
    /// Pipelines whose last run failed.
    failing: u64,
    /// Runs that failed in the last day.
    failures_day: u64,
    /// Runs that failed in the last week.
    failures_week: u64,
    /// Every pipeline, by name; the first 5,000.
    pipelines: Vec<StandingView>,
    /// Whether there are more pipelines than these.
    more: bool,
    /// Each day (UTC), the oldest first, today last.
    days: Vec<DayView>,
}

/// How a pipeline stands.
#[derive(Debug, Serialize, ToSchema)]
struct StandingView {
    /// The pipeline's id.
    id: String,
    /// What people call it.
    name: String,
    /// Whether its schedule is followed.
    enabled: bool,
    /// `fresh`: as new as its schedule promises; `late`: it is not; `never`: nothing was loaded yet; `unscheduled`: nothing is promised.
    freshness: &'static str,
    /// When the last run that succeeded ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_success_at: Option<Timestamp>,
    /// When newer data were, or are, due.
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    /// When the next scheduled run starts.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_at: Option<Timestamp>,
    /// The last run that ended.
    last_run: Option<LastRunView>,
    /// Runs that failed in the last day.
    failures_day: u64,
    /// Runs that failed in the last week.
    failures_week: u64,
}

/// The last run of a pipeline that ended.
#[derive(Debug, Serialize, ToSchema)]
struct LastRunView {
    /// The run's id.
    id: String,
    /// How it ended.
    state: &'static str,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    ended_at: Timestamp,
    /// What it failed with.
    message: Option<String>,
}

/// A day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SummaryDayView)]
struct DayView {
    /// Which one, in UTC.
    #[schema(value_type = String, format = Date)]
    day: Date,
    /// Rows that became visible.
    rows: u64,
    /// Bytes that were read for them.
    bytes: u64,
    /// Runs that succeeded.
    succeeded: u64,
    /// Runs that failed.
    failed: u64,
}

/// Whether the tenant's data are fresh and right
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/summary", tag = "runs", operation_id = "get_summary",
    params(("tenant" = String, Path), SummaryQuery),
    responses((status = 200, body = SummaryView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn read(
    State(app): State<App>,
    member: Member,
    Query(query): Query<SummaryQuery>,
) -> Result<Json<SummaryView>, Problem> {
    let days = match query.days.unwrap_or(14) {
        days @ 1..=90 => i64::from(days),
        other => return Err(Problem::field("days", format!("1 to 90 days are told of, not {other}"))),
    };
    let (scope, now) = (member.scope(), app.now_us());
    let mut standings = app.store.standings(scope, now, MOST + 1).await?;
    let more = standings.len() > MOST as usize;
    standings.truncate(MOST as usize);
    let today = now.div_euclid(DAY_US);
    let first = today - days + 1;
    let known: BTreeMap<i64, Daily> =
        app.store.daily(scope, first).await?.into_iter().map(|one| (one.day, one)).collect();
    let days = (first..=today).map(|day| known.get(&day).copied().unwrap_or(Daily { day, ..Daily::default() }));
    let pipelines: Vec<StandingView> =
        standings.into_iter().map(|one| standing(one, instant(now))).collect::<Result<_, Problem>>()?;
    let mut freshness = [Freshness::Late, Freshness::Never, Freshness::Fresh, Freshness::Unscheduled]
        .map(|one| (one.as_str(), 0))
        .into_iter()
        .collect::<BTreeMap<_, u64>>();
    pipelines.iter().for_each(|one| *freshness.entry(one.freshness).or_default() += 1);
    let failed =
        |one: &&StandingView| one.last_run.as_ref().is_some_and(|run| run.state == RequestState::Failed.as_str());
    Ok(Json(SummaryView {
        at: instant(now),
        freshness,
        failing: pipelines.iter().filter(failed).count() as u64,
        failures_day: pipelines.iter().map(|one| one.failures_day).sum(),
        failures_week: pipelines.iter().map(|one| one.failures_week).sum(),
        more,
        days: days.map(day).collect(),
        pipelines,
    }))
}

fn standing(one: Standing, now: Timestamp) -> Result<StandingView, Problem> {
    let followed = one.schedule.as_ref().filter(|_| one.enabled);
    let timetable = followed.map(|(schedule, _)| Timetable::new(schedule)).transpose()?;
    let good = one.good.map(|(from, to)| (instant(from), instant(to)));
    let judged = freshness::of(timetable.as_ref(), good.map(|(from, _)| from), instant(one.updated_us), now);
    let last_run = one.last.map(|LastRun { id, state, ended_us, error }| LastRunView {
        id,
        state: state.as_str(),
        ended_at: instant(ended_us),
        message: error.map(|error| error.message),
    });
    Ok(StandingView {
        freshness: judged.0.as_str(),
        last_success_at: good.map(|(_, to)| to),
        due_at: judged.1,
        next_at: followed.and_then(|(_, next)| *next).map(instant),
        last_run,
        failures_day: one.failures.0,
        failures_week: one.failures.1,
        id: one.pipeline,
        name: one.name,
        enabled: one.enabled,
    })
}

fn day(one: Daily) -> DayView {
    let day = instant(one.day.saturating_mul(DAY_US)).to_zoned(TimeZone::UTC).date();
    DayView { day, rows: one.rows, bytes: one.bytes, succeeded: one.succeeded, failed: one.failed }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::{Value, json};
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn a_pipeline_that_should_have_run_is_late_and_one_without_a_schedule_promises_nothing() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let (editor, viewer) = (service.token("acme", Role::Editor).await, service.token("acme", Role::Viewer).await);
        let connection = service.connection("acme", &editor, "shop").await;
        for (name, schedule) in [("b", json!({"cron": "0 * * * *"})), ("a", Value::Null)] {
            let mut body = service.pipeline_body(&connection);
            body["name"] = name.into();
            body["definition"]["schedule"] = schedule;
            service.call(Method::POST, "/v1/tenants/acme/pipelines", Some(&editor), Some(body)).await;
        }
        let ask = async |query: &str| {
            let path = format!("/v1/tenants/acme/summary{query}");
            service.call(Method::GET, &path, Some(&viewer), None).await.body
        };
        let told = ask("?days=3").await;
        let standing = |told: &Value| {
            let all = told["pipelines"].as_array().unwrap().iter();
            all.map(|one| format!("{} {}", one["name"].as_str().unwrap(), one["freshness"].as_str().unwrap()))
                .collect::<Vec<_>>()
        };
        assert_eq!(standing(&told), ["a never", "b never"], "{told}");
        let days: Vec<&str> = told["days"].as_array().unwrap().iter().map(|one| one["day"].as_str().unwrap()).collect();
        assert_eq!(days, ["2026-09-19", "2026-09-20", "2026-09-21"]);
        service.pass(3 * 3_600);
        let told = ask("").await;
        assert_eq!(standing(&told), ["a never", "b late"]);
        assert_eq!(
            (&told["freshness"]["late"], &told["failing"], &told["more"]),
            (&1.into(), &0.into(), &false.into())
        );
        assert_eq!(told["pipelines"][1]["due_at"], "2026-09-21T15:00:00Z");
        assert_eq!(ask("?days=91").await["field"], "days");
    }
}
