//! The right to change a pipeline's states, which no run has meanwhile.

use sluice_core::error::{Actor, Kind};
use sluice_core::request::RequestState;
use sluice_store::{ChangeError, Lease, RequestFilter, Scope};

use crate::http::problem::{Problem, Slug};
use crate::state::App;

/// Takes the right; does not wait. Hand it back with [`done`].
pub(super) async fn begin(app: &App, scope: Scope<'_>, pipeline: &str) -> Result<Lease, Problem> {
    let error = match app.store.lease(scope, pipeline, app.now_us()).await {
        Ok(lease) => return Ok(lease),
        Err(error) => error,
    };
    if (error.kind, error.actor) != (Kind::Transient, Actor::User) {
        return Err(error.into());
    }
    let filter = RequestFilter { pipeline: Some(pipeline), state: Some(RequestState::Running), after: None };
    let running = app.store.run_requests(scope, filter, 1).await?;
    let detail = match running.first() {
        Some(run) => format!("run {} of the pipeline is under way; wait until it ends, or cancel it", run.asked.id),
        None => "the pipeline is being run or changed; try again in a moment".to_owned(),
    };
    Err(Problem::new(Slug::Refused, detail))
}

/// Hands the right back, whatever came of the change.
pub(super) async fn done(app: &App, lease: Lease, outcome: Result<(), ChangeError>) -> Result<(), Problem> {
    if let Err(error) = app.store.release(lease).await {
        // It ends by itself after a while.
        tracing::warn!(error = %error, "a pipeline's lease was not handed back");
    }
    Ok(outcome?)
}
