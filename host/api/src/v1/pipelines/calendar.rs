//! `GET /v1/tenants/{tenant}/calendar`

use axum::Json;
use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sluice_core::schedule::Timetable;
use sluice_store::PipelineRecord;
use utoipa::ToSchema;

use super::input::stored;
use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;

/// Days that are looked ahead, if nobody says otherwise.
const USUAL_DAYS: u32 = 7;

/// Most days that are looked ahead.
const MOST_DAYS: u32 = 14;

/// Most starts that are told of one pipeline: those of every hour of a week, and some.
const MOST_STARTS: usize = 200;

/// How far is looked ahead.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Ahead {
    /// From now on, so many days.
    #[param(minimum = 1, maximum = 14, default = 7)]
    days: Option<u32>,
}

/// When a pipeline starts by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StartsView {
    /// The pipeline's id.
    pipeline: String,
    /// What people call it.
    name: String,
    /// The moments, but for those of a blackout; each start is up to the schedule's jitter later.
    #[schema(value_type = Vec<String>)]
    starts: Vec<Timestamp>,
    /// Whether there are more of them than are told.
    more: bool,
}

/// What starts by itself in the days to come, pipeline by pipeline
///
/// Pipelines whose schedule is not followed, or names no moment of these days, are left out: a page may have fewer items than its limit, or
/// none, and still a `next`.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/calendar", tag = "pipelines", operation_id = "get_calendar",
    params(("tenant" = String, Path), Ahead, PageQuery),
    responses((status = 200, body = Page<StartsView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn calendar(
    State(app): State<App>,
    member: Member,
    Query(ahead): Query<Ahead>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<StartsView>>, Problem> {
    let limit = page.limit()?;
    let days = match ahead.days.unwrap_or(USUAL_DAYS) {
        days @ 1..=MOST_DAYS => days,
        other => return Err(Problem::field("days", format!("1 to {MOST_DAYS} days are looked ahead, not {other}"))),
    };
    let now = app.now();
    let until = now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX);
    let found = app.store.pipelines(member.scope(), (None, None), page.after.as_deref(), limit + 1).await?;
    let Page { items, next } = Page::of(found, limit, |pipeline| pipeline.id.clone());
    let items = items.into_iter().filter_map(|pipeline| starts(pipeline, now, until)).collect();
    Ok(Json(Page { items, next }))
}

/// A definition that cannot be read any more is told of on its own page; here it has no starts.
fn starts(pipeline: PipelineRecord, now: Timestamp, until: Timestamp) -> Option<StartsView> {
    if !pipeline.current.enabled {
        return None;
    }
    let schedule = stored(&pipeline.current.definition).ok()?.schedule.filter(|schedule| schedule.enabled)?;
    let mut starts = Timetable::new(&schedule).ok()?.within(now, until, MOST_STARTS + 1);
    let more = starts.len() > MOST_STARTS;
    starts.truncate(MOST_STARTS);
    let view = StartsView { pipeline: pipeline.id, name: pipeline.current.name, starts, more };
    (!view.starts.is_empty()).then_some(view)
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::{Value, json};
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn every_start_of_the_days_to_come_is_told_page_by_page() {
        let service = Service::new().await;
        service.tenant("acme").await;
        service.tenant("globex").await;
        let editor = service.token("acme", Role::Editor).await;
        let viewer = service.token("acme", Role::Viewer).await;
        let connection = service.connection("acme", &editor, "shop").await;
        let make = async |name: &str, schedule: Value, enabled: bool| {
            let mut body = service.pipeline_body(&connection);
            body["name"] = name.into();
            body["enabled"] = enabled.into();
            if !schedule.is_null() {
                body["definition"]["schedule"] = schedule;
            }
            let made = service.call(Method::POST, "/v1/tenants/acme/pipelines", Some(&editor), Some(body)).await;
            assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        };
        make("by hand", Value::Null, true).await;
        make("off", json!({"cron": "0 3 * * *"}), false).await;
        // The test begins on 21 September 2026 at 14:13 UTC.
        let blackouts = json!([{"from": "2026-09-23", "to": "2026-09-24"}]);
        make("nightly", json!({"cron": "0 3 * * *", "blackouts": blackouts}), true).await;
        make("often", json!({"cron": "*/5 * * * *"}), true).await;
        let ask = async |query: &str| {
            let path = format!("/v1/tenants/acme/calendar?{query}");
            service.call(Method::GET, &path, Some(&viewer), None).await.body
        };
        let all = ask("").await;
        let shown: Vec<_> = all["items"].as_array().unwrap().iter().collect();
        assert_eq!((shown.len(), &shown[0]["name"], &shown[1]["name"]), (2, &json!("nightly"), &json!("often")));
        let nights = shown[0]["starts"].as_array().unwrap();
        assert_eq!(
            (nights.len(), &nights[0], &nights[1]),
            (6, &json!("2026-09-22T03:00:00Z"), &json!("2026-09-24T03:00:00Z"))
        );
        assert_eq!((shown[1]["starts"].as_array().unwrap().len(), &shown[1]["more"]), (200, &json!(true)));
        let first = ask("limit=1&days=1").await;
        assert_eq!((first["items"].as_array().unwrap().len(), first["next"].is_string()), (0, true));
        assert_eq!(ask("days=15").await["field"], "days");
        let stranger = service.token("globex", Role::Owner).await;
        let other = service.call(Method::GET, "/v1/tenants/acme/calendar", Some(&stranger), None).await;
        assert_eq!(other.status, StatusCode::NOT_FOUND);
    }
}
