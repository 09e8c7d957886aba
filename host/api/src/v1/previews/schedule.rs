//! `POST /v1/tenants/{tenant}/previews/schedule`

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_core::schedule::{Schedule, Timetable};
use utoipa::ToSchema;

use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// How many moments are told.
const MOMENTS: usize = 5;

/// A schedule.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScheduleBody {
    /// As in a pipeline's definition: `cron`, `time_zone`, `blackouts` and so on.
    #[schema(value_type = Object, example = json!({"cron": "0 3 * * *", "time_zone": "Europe/Berlin"}))]
    schedule: Value,
}

/// What a schedule means.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SchedulePreview {
    /// In words, with its zone.
    description: String,
    /// The next five moments at which a run would start; each up to the schedule's jitter later.
    next: Vec<MomentView>,
}

/// A moment of a schedule.
#[derive(Debug, Serialize, ToSchema)]
struct MomentView {
    /// As an instant.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What a clock in the schedule's zone shows then: `2026-03-29T03:00:00`.
    #[schema(value_type = String)]
    there: DateTime,
    /// How far that is from UTC: `+02`.
    offset: String,
}

/// What a schedule means, and when it would start runs
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/previews/schedule", tag = "pipelines", operation_id = "preview_schedule",
    params(("tenant" = String, Path)), request_body = ScheduleBody,
    responses((status = 200, body = SchedulePreview), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn schedule(
    State(app): State<App>,
    Body(body): Body<ScheduleBody>,
) -> Result<Json<SchedulePreview>, Problem> {
    let schedule: Schedule = serde_path_to_error::deserialize(&body.schedule).map_err(|e| {
        let path = e.path().to_string();
        let field = if path == "." { "schedule".to_owned() } else { format!("schedule.{path}") };
        Problem::field(field, e.inner().to_string())
    })?;
    let timetable = Timetable::new(&schedule)?;
    let moment = |at: Timestamp| {
        let there = at.to_zoned(timetable.zone().clone());
        MomentView { at, there: there.datetime(), offset: there.offset().to_string() }
    };
    let next = timetable.upcoming(app.now(), MOMENTS).into_iter().map(moment).collect();
    Ok(Json(SchedulePreview { description: timetable.describe(), next }))
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::{Value, json};
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn a_schedule_is_told_in_words_and_in_both_times_before_it_is_anybodys() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let viewer = service.token("acme", Role::Viewer).await;
        let ask = async |schedule: Value| {
            let body = Some(json!({"schedule": schedule}));
            service.call(Method::POST, "/v1/tenants/acme/previews/schedule", Some(&viewer), body).await
        };
        let told = ask(json!({"cron": "30 2 * * *", "time_zone": "Europe/Berlin"})).await.body;
        assert_eq!(told["description"], "every day at 02:30 (Europe/Berlin)", "{told}");
        assert_eq!(told["next"].as_array().unwrap().len(), 5);
        let first = json!({"at": "2026-09-22T00:30:00Z", "there": "2026-09-22T02:30:00", "offset": "+02"});
        assert_eq!(told["next"][0], first);
        let field = async |schedule: Value| ask(schedule).await.body["field"].as_str().unwrap().to_owned();
        assert_eq!(field(json!({"cron": "0 25 * * *"})).await, "schedule.cron");
        assert_eq!(field(json!({"cron": "0 5 * * *", "time_zone": "Mars"})).await, "schedule.time_zone");
        assert_eq!(field(json!({"cron": "0 5 * * *", "overlap": "x"})).await, "schedule.overlap");
        assert_eq!(field(json!({})).await, "schedule");
    }
}
