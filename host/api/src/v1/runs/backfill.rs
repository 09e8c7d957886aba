//! `POST /v1/tenants/{tenant}/pipelines/{pipeline}/backfill`

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sluice_core::queue::Priority;
use sluice_core::request::Cause;
use sluice_store::NewRequest;
use utoipa::ToSchema;

use super::start::{asked, day};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::pipelines::view::find as pipeline;
use crate::v1::record::record;

/// Most days at once.
const MOST_DAYS: i64 = 366;

/// A range of days.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BackfillBody {
    /// The first day, `YYYY-MM-DD`.
    #[schema(format = Date)]
    from: String,
    /// The last day, which belongs to the range.
    #[schema(format = Date)]
    to: String,
}

/// The runs that were queued.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BackfillView {
    /// One for each day, the first day first.
    runs: Vec<DayView>,
}

/// The run of a day.
#[derive(Debug, Serialize, ToSchema)]
struct DayView {
    /// The day that catalog loads stand for.
    snapshot_date: String,
    /// The run.
    run: String,
}

/// Run a pipeline for each day of a range
///
/// One run a day, one after the other, the first day first; they wait behind everything else of the tenant. All of them are queued, or
/// none. For pipelines whose tables are snapshots by day (catalog loads).
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/backfill", tag = "runs", operation_id = "backfill",
    params(("tenant" = String, Path), ("pipeline" = String, Path)), request_body = BackfillBody,
    responses((status = 201, body = BackfillView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn backfill(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    Body(body): Body<BackfillBody>,
) -> Result<Response, Problem> {
    let days = days(&body)?;
    let found = pipeline(&app, member.scope(), &id).await?;
    let runs: Vec<NewRequest> = days
        .into_iter()
        .map(|day| NewRequest {
            cause: Cause::Backfill,
            priority: Priority::Low.level(),
            ..asked(&app, &member, &found, Some(day))
        })
        .collect();
    app.store.ask_for_runs(member.scope(), &runs, app.now_us()).await?;
    app.queued.notify_one();
    let detail = json!({"from": body.from, "to": body.to, "runs": runs.len(), "revision": found.revision});
    record(&app, &member, "run.backfill", format!("pipeline {id}"), detail).await?;
    let shown = |run: NewRequest| DayView { snapshot_date: run.snapshot_date.unwrap_or_default(), run: run.id };
    let view = BackfillView { runs: runs.into_iter().map(shown).collect() };
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

fn days(body: &BackfillBody) -> Result<Vec<Date>, Problem> {
    let (from, to) = (day("from", &body.from)?, day("to", &body.to)?);
    let count = i64::from(from.until(to).map_or(i32::MAX, |span| span.get_days())) + 1;
    if count < 1 {
        return Err(Problem::field("to", "the range ends before it begins"));
    }
    if count > MOST_DAYS {
        return Err(Problem::field("to", format!("at most {MOST_DAYS} days are run at once; these are {count}")));
    }
    let days = std::iter::successors(Some(from), |day| day.tomorrow().ok());
    Ok(days.take_while(|day| *day <= to).collect())
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::json;
    use sluice_core::access::Role;

    use crate::testing::{START_US, Service};

    #[tokio::test]
    async fn each_day_gets_a_run_behind_everything_else() {
        let service = Service::new().await;
        service.tenant("acme").await;
        service.tenant("globex").await;
        let editor = service.token("acme", Role::Editor).await;
        let stranger = service.token("globex", Role::Owner).await;
        let id = service.pipeline("acme", &editor).await;
        let path = format!("/v1/tenants/acme/pipelines/{id}/backfill");
        let ask = async |from: &str, to: &str| {
            service.call(Method::POST, &path, Some(&editor), Some(json!({"from": from, "to": to}))).await
        };
        let made = ask("2024-02-27", "2024-03-01").await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        let days: Vec<_> =
            made.body["runs"].as_array().unwrap().iter().map(|run| run["snapshot_date"].clone()).collect();
        assert_eq!(days, ["2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01"]);
        let listed = service.call(Method::GET, "/v1/tenants/acme/runs", Some(&editor), None).await;
        assert_eq!(listed.body["items"].as_array().unwrap().len(), 4);
        assert_eq!(
            (&listed.body["items"][0]["cause"], &listed.body["items"][0]["priority"]),
            (&"backfill".into(), &"low".into())
        );
        // The first day first.
        let next = service.app.store.queue_state(START_US).await.unwrap().waiting;
        assert_eq!((next.len(), &next[0].id.as_str().into()), (1, &made.body["runs"][0]["run"]));
        assert_eq!(ask("2024-03-01", "2024-02-27").await.body["field"], "to");
        assert_eq!(ask("2024-01-01", "2025-01-01").await.body["field"], "to");
        assert_eq!(ask("2024-01-01", "2024-12-31").await.body["runs"].as_array().unwrap().len(), 366);
        let elsewhere = path.replace("acme", "globex");
        let body = Some(json!({"from": "2024-01-01", "to": "2024-01-01"}));
        assert_eq!(service.call(Method::POST, &elsewhere, Some(&stranger), body).await.status, StatusCode::NOT_FOUND);
    }
}
