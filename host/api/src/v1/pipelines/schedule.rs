//! `GET /v1/tenants/{tenant}/pipelines/{pipeline}/schedule`

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sluice_core::RunError;
use sluice_core::schedule::Timetable;
use utoipa::ToSchema;

use super::input::stored;
use super::view::find;
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// How many moments are told beforehand.
const MOMENTS: usize = 10;

/// When a pipeline runs by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScheduleView {
    /// Whether it is followed: there is one, it is enabled, and so is the pipeline.
    followed: bool,
    /// What it means, in words; none if there is no schedule.
    description: Option<String>,
    /// Its time zone.
    time_zone: Option<String>,
    /// The next moments at which a run starts, but for those of a blackout; each up to the schedule's jitter later.
    #[schema(value_type = Vec<String>)]
    next: Vec<Timestamp>,
    /// The blackout that there is now, if there is one.
    #[schema(value_type = Option<Object>)]
    blackout: Option<Value>,
    /// Windows in which nothing is started.
    #[schema(value_type = Vec<Object>)]
    blackouts: Vec<Value>,
}

/// When a pipeline runs by itself, in words and moments
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/schedule", tag = "pipelines",
    operation_id = "get_pipeline_schedule", params(("tenant" = String, Path), ("pipeline" = String, Path)),
    responses((status = 200, body = ScheduleView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn schedule(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<ScheduleView>, Problem> {
    let found = find(&app, member.scope(), &id).await?;
    let Some(schedule) = stored(&found.current.definition)?.schedule else {
        return Ok(Json(ScheduleView {
            followed: false,
            description: None,
            time_zone: None,
            next: Vec::new(),
            blackout: None,
            blackouts: Vec::new(),
        }));
    };
    let timetable = Timetable::new(&schedule)?;
    let as_json = |blackout| serde_json::to_value(blackout).map_err(|e| RunError::internal(format!("a blackout: {e}")));
    Ok(Json(ScheduleView {
        followed: found.current.enabled && schedule.enabled,
        description: Some(timetable.describe()),
        next: timetable.upcoming(app.now(), MOMENTS),
        blackout: timetable.blackout_at(app.now()).map(as_json).transpose()?,
        blackouts: schedule.blackouts.iter().map(as_json).collect::<Result<_, RunError>>()?,
        time_zone: Some(schedule.time_zone),
    }))
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::json;
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn a_schedule_is_told_in_words_and_moments_and_can_be_switched() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let operator = service.token("acme", Role::Operator).await;
        let connection = service.connection("acme", &editor, "shop").await;
        let mut body = service.pipeline_body(&connection);
        body["definition"]["schedule"] = json!({
            "cron": "30 2 * * *", "time_zone": "Europe/Berlin", "blackouts": [{"from": "2026-09-23", "to": "2026-09-24"}]
        });
        let made = service.call(Method::POST, "/v1/tenants/acme/pipelines", Some(&editor), Some(body)).await;
        let path = format!("/v1/tenants/acme/pipelines/{}", made.body["id"].as_str().unwrap());
        let get = async || service.call(Method::GET, &format!("{path}/schedule"), Some(&operator), None).await.body;
        let told = get().await;
        assert_eq!(told["description"], "every day at 02:30 (Europe/Berlin)", "{told}");
        assert_eq!((told["next"].as_array().unwrap().len(), &told["followed"]), (10, &true.into()));
        // The test begins on 21 September 2026 at 14:13 UTC; the 23rd lies in the blackout.
        assert_eq!(
            (&told["next"][0], &told["next"][1]),
            (&"2026-09-22T00:30:00Z".into(), &"2026-09-24T00:30:00Z".into())
        );
        let switch =
            async |what: &str| service.call(Method::POST, &format!("{path}/{what}"), Some(&operator), None).await;
        let off = switch("disable").await;
        assert_eq!((&off.body["enabled"], &off.body["revision"]), (&false.into(), &2.into()));
        assert_eq!(
            (get().await["followed"].clone(), service.app.store.next_due().await.unwrap()),
            (false.into(), None)
        );
        assert_eq!(switch("disable").await.body["revision"], 2, "it is so already");
        assert_eq!(switch("enable").await.body["revision"], 3);
        assert!(service.app.store.next_due().await.unwrap().is_some());
        let actions = service.actions("acme").await;
        assert_eq!((actions["pipeline.enable"], actions["pipeline.disable"]), (1, 1));
    }
}
