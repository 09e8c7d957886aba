//! Trying a source: what a worker finds, told when it is done or as it goes.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, header};
use axum::response::sse::{self, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use futures::stream;
use serde::Serialize;
use sluice_core::pipeline::SourceSpec;
use sluice_core::plan::{CheckStep, Outcome};
use sluice_core::secret::Redactor;
use sluice_core::worker::{Event, Job, Phase};
use tokio::sync::mpsc;
use utoipa::ToSchema;

use super::working::{limits, listen};
use crate::http::problem::Problem;
use crate::state::App;

/// How often something is sent where nothing happens, so that nobody on the way takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Events that wait to be sent. What comes beyond them is left out: the last one has every step.
const WAITING: usize = 256;

/// What trying a connection came to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::v1) struct CheckView {
    /// Whether no step failed.
    passed: bool,
    /// What was tried, in that order.
    steps: Vec<StepView>,
}

/// One step of trying a connection.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct StepView {
    /// What was tried.
    name: String,
    /// `passed`, `warned` (it works, but something should be known), `failed`, or `skipped` because an earlier step failed.
    #[schema(value_type = String)]
    outcome: Outcome,
    /// What was found.
    detail: String,
    /// What a person can do; empty when it passed.
    remedy: String,
}

/// What a worker is at that tries a connection.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::v1) struct PhaseView {
    /// `loading` the connector's component, `begun` with its check, or `reaching` a host.
    phase: &'static str,
    /// The host that the connector asks for, where it is `reaching` one.
    host: Option<String>,
    /// The port there.
    port: Option<u16>,
}

impl CheckView {
    fn of(steps: Vec<StepView>) -> Self {
        Self { passed: steps.iter().all(|step| step.outcome != Outcome::Failed), steps }
    }
}

/// Has a worker try a source, and answers as the client asks for it.
pub(in crate::v1) async fn tried(
    app: &App,
    headers: &HeaderMap,
    source: SourceSpec,
    redactor: Redactor,
) -> Result<Response, Problem> {
    let job = Job::Check { source, limits: limits() };
    if wants_events(headers) {
        return Ok(following(app.clone(), job, redactor));
    }
    let mut steps = Vec::new();
    let told = |event| {
        if let Event::Step(found) = event {
            steps.push(step(found, &redactor));
        }
    };
    listen(app, &job, &redactor, told).await?;
    Ok(Json(CheckView::of(steps)).into_response())
}

fn wants_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut types = accepted.flat_map(|value| value.split(',')).map(|one| one.split(';').next().unwrap_or_default());
    types.any(|one| one.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// Tells what the worker tells, until it is done or nobody listens any more: then the worker is ended.
fn following(app: App, job: Job, redactor: Redactor) -> Response {
    let (told, events) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let mut steps = Vec::new();
        let work = listen(&app, &job, &redactor, |told_by_worker| match told_by_worker {
            Event::Phase(at) => drop(told.try_send(event("phase", &phase(at, &redactor)))),
            Event::Step(found) => {
                let shown = step(found, &redactor);
                drop(told.try_send(event("step", &shown)));
                steps.push(shown);
            }
            _ => {}
        });
        let done = tokio::select! {
            done = work => done,
            () = told.closed() => return,
        };
        let last = match done {
            Ok(()) => event("end", &CheckView::of(steps)),
            Err(problem) => event("problem", &problem.body()),
        };
        // Whoever does not listen any more does not miss it.
        drop(told.send(last).await);
    });
    let events = stream::unfold(events, async |mut events| Some((events.recv().await?, events)));
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response()
}

fn event(name: &str, data: &impl Serialize) -> Result<sse::Event, axum::Error> {
    sse::Event::default().event(name).json_data(data)
}

fn step(CheckStep { name, outcome, detail, remedy }: CheckStep, redactor: &Redactor) -> StepView {
    let (detail, remedy) = (redactor.redact(&detail).into_owned(), redactor.redact(&remedy).into_owned());
    StepView { name, outcome, detail, remedy }
}

fn phase(at: Phase, redactor: &Redactor) -> PhaseView {
    match at {
        Phase::Loading => PhaseView { phase: "loading", host: None, port: None },
        Phase::Begun => PhaseView { phase: "begun", host: None, port: None },
        Phase::Reaching { host, port } => {
            PhaseView { phase: "reaching", host: Some(redactor.redact(&host).into_owned()), port: Some(port) }
        }
    }
}
