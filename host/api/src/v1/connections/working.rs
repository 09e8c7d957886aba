//! Having a worker do something with a connection while somebody waits.

use std::time::Duration;

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::limits::{InstanceLimits, RunLimits};
use sluice_core::secret::Redactor;
use sluice_core::worker::{Event, Job};

use super::input::hide;
use crate::http::problem::{Problem, Slug};
use crate::state::App;

/// How long somebody waits. Tests wait less.
const WITHIN: Duration = Duration::from_secs(if cfg!(test) { 5 } else { 60 });

/// How long a request may take that waits for a worker: longer than the worker itself, which tells more of what is wrong.
pub(in crate::v1) const ASKING: Duration = Duration::from_secs(75);

/// Bounds of what is done while somebody waits: less than a run may take.
pub(in crate::v1) fn limits() -> RunLimits {
    let instance = InstanceLimits {
        memory_bytes: 256 << 20,
        cpu_ms: 30_000,
        wall_ms: 55_000,
        output_rows: 1_000_000,
        output_bytes: 256 << 20,
        log_bytes: 64 << 10,
        ..InstanceLimits::default()
    };
    RunLimits { parallel: 1, bytes_in_flight: 16 << 20, wall_seconds: 55, instance, ..RunLimits::default() }
}

/// What a worker told, in full.
///
/// # Errors
/// What the job failed with, without secrets; that it took too long.
pub(in crate::v1) async fn ask(app: &App, job: &Job, redactor: &Redactor) -> Result<Vec<Event>, Problem> {
    let mut events = Vec::new();
    listen(app, job, redactor, |event| events.push(event)).await.map(|()| events)
}

/// The same, told as it comes.
///
/// # Errors
/// As [`ask`].
pub(super) async fn listen(
    app: &App,
    job: &Job,
    redactor: &Redactor,
    told: impl FnMut(Event) + Send,
) -> Result<(), Problem> {
    let asked = tokio::time::timeout(WITHIN, app.workers.listen(job, WITHIN * 2, told)).await;
    let Ok(done) = asked else {
        let detail = format!("there was no answer within {} seconds; try again, or ask for less", WITHIN.as_secs());
        return Err(Problem::new(Slug::Timeout, detail));
    };
    done.map_err(|error| problem(error, redactor))
}

/// What a worker's failure comes to. It is told whole, but for secrets: it is about what the client asked for.
fn problem(error: RunError, redactor: &Redactor) -> Problem {
    let mut error = hide(error, redactor);
    // A table that is missing at the source is no address that is missing here.
    if (error.kind, error.actor) == (Kind::NotFound, Actor::User) {
        error.kind = Kind::Config;
    }
    error.into()
}
