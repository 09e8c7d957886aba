//! `GET /ready`

use std::time::Duration;

use axum::Json;
use axum::extract::State;

use super::health::Health;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::state::App;

/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether the service can work: its database answers within a second
#[utoipa::path(
    get, path = "/ready", tag = "operation", operation_id = "ready",
    responses(
        (status = 200, body = Health),
        (status = 503, description = "Not now", body = ProblemBody),
        (status = "4XX", body = ProblemBody)
    )
)]
pub(super) async fn ready(State(app): State<App>) -> Result<Json<Health>, Problem> {
    match tokio::time::timeout(PATIENCE, app.store.ping()).await {
        Ok(Ok(())) => Ok(Json(Health { status: "ready" })),
        Ok(Err(error)) => {
            tracing::error!(error = %error, "the database does not answer");
            Err(Problem::new(Slug::Unavailable, "the database does not answer; the service's log has the details"))
        }
        Err(_) => Err(Problem::new(Slug::Unavailable, "the database did not answer within a second")),
    }
}
