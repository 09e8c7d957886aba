//! `GET /v1/tenants/{tenant}/runs/{run}/events`

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use futures::stream;
use serde::Serialize;
use sluice_core::request::RequestState;
use sluice_core::worker::StreamProgress;
use sluice_engine::service::live::Progress;
use sluice_store::Scope;
use tokio::sync::watch;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::view::{RunView, find};
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// How often the store is asked how the run is.
const EVERY: Duration = Duration::from_secs(1);

/// How often something is sent where nothing happens, so that nobody on the way takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// After this time the stream ends and the client asks again: whoever may not look any more sees no more.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// How far an attempt is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProgressView {
    /// Which attempt; counts from one.
    attempt: u32,
    /// Resident memory of the worker, bytes.
    memory_bytes: u64,
    /// Every stream that has begun, in that order.
    streams: Vec<StreamProgressView>,
}

/// How far a stream is.
#[derive(Debug, Serialize, ToSchema)]
struct StreamProgressView {
    /// The stream.
    stream: String,
    /// Its table.
    table: String,
    /// Rows that the connector read.
    rows_read: u64,
    /// Rows that were sent to the sink.
    rows_sent: u64,
    /// Rows that became visible.
    rows_committed: u64,
    /// Rows that went to quarantine.
    rows_quarantined: u64,
    /// Arrow bytes that the connector pushed.
    bytes_read: u64,
    /// Rows that the connector expects.
    rows_estimated: Option<u64>,
    /// Splits that are read to their end.
    splits_done: u64,
    /// All splits.
    splits: u64,
    /// Whether it has ended, well or badly.
    ended: bool,
}

impl From<&Progress> for ProgressView {
    fn from(progress: &Progress) -> Self {
        let streams = progress.streams.iter().map(StreamProgressView::from).collect();
        Self { attempt: progress.attempt, memory_bytes: progress.memory_bytes, streams }
    }
}

impl From<&StreamProgress> for StreamProgressView {
    fn from(of: &StreamProgress) -> Self {
        Self {
            stream: of.stream.clone(),
            table: of.table.clone(),
            rows_read: of.counts.read,
            rows_sent: of.counts.sent,
            rows_committed: of.counts.committed,
            rows_quarantined: of.counts.quarantined,
            bytes_read: of.counts.bytes,
            rows_estimated: of.rows_estimated,
            splits_done: of.splits_done,
            splits: of.splits,
            ended: of.ended,
        }
    }
}

/// Follow a run
///
/// Server-sent events: `state` with a run as `GET …/runs/{run}` shows it, whenever that changes; `progress` with how far an attempt is,
/// while it runs on the host that answers. The stream ends with the run's last state, or after 15 minutes.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/runs/{run}/events", tag = "runs", operation_id = "follow_run",
    params(("tenant" = String, Path), ("run" = String, Path)),
    responses(
        (status = 200, body = ProgressView, content_type = "text/event-stream"), (status = "4XX", body = ProblemBody)
    )
)]
pub(super) async fn events(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    find(&app, member.scope(), &id).await?;
    let ends = Instant::now() + LONGEST;
    let follow = Follow { app, tenant: member.tenant, run: id, live: None, last: None, asked: None, ends };
    let events = stream::unfold(follow, async |mut follow| Some((Ok::<_, Infallible>(follow.next().await?), follow)));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response())
}

/// What a client has been told of a run.
struct Follow {
    app: App,
    tenant: String,
    run: String,
    /// The run on this host.
    live: Option<watch::Receiver<Progress>>,
    /// State, attempts and whether it was asked to end, as told last.
    last: Option<(RequestState, u32, bool)>,
    /// When the store was asked last.
    asked: Option<Instant>,
    ends: Instant,
}

impl Follow {
    /// What the client is told next; none at the end.
    async fn next(&mut self) -> Option<Event> {
        if self.last.is_some_and(|(state, ..)| state.is_final()) {
            return None;
        }
        loop {
            if Instant::now() >= self.ends {
                return None;
            }
            if self.asked.is_none_or(|at| at.elapsed() >= EVERY) {
                self.asked = Some(Instant::now());
                let scope = Scope { tenant: &self.tenant };
                let run = self.app.store.run_request(scope, &self.run).await.ok()??;
                let now = Some((run.state, run.attempts, run.cancel_us.is_some()));
                if self.last != now {
                    self.last = now;
                    return event("state", &RunView::from(run));
                }
            }
            if self.live.is_none() {
                self.live = self.app.live.watch(&self.tenant, &self.run);
                if let Some(live) = &mut self.live {
                    return event("progress", &ProgressView::from(&*live.borrow_and_update()));
                }
            }
            let Some(live) = &mut self.live else {
                tokio::time::sleep(EVERY).await;
                continue;
            };
            match tokio::time::timeout(EVERY, live.changed()).await {
                Ok(Ok(())) => return event("progress", &ProgressView::from(&*live.borrow_and_update())),
                // The attempt has ended; what came of it is in the store in a moment.
                Ok(Err(_)) => {
                    self.live = None;
                    self.asked = None;
                    tokio::time::sleep(EVERY / 5).await;
                }
                Err(_) => {}
            }
        }
    }
}

fn event(name: &str, data: &impl Serialize) -> Option<Event> {
    Event::default().event(name).json_data(data).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::Method;
    use sluice_core::access::Role;
    use sluice_core::request::RequestState;
    use sluice_core::run::StreamCounts;
    use sluice_core::worker::StreamProgress;
    use sluice_store::Scope;

    use crate::testing::{START_US, Service};

    #[tokio::test]
    async fn a_run_is_followed_from_the_queue_to_its_end() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let viewer = service.token("acme", Role::Viewer).await;
        let editor = service.token("acme", Role::Editor).await;
        let pipeline = service.pipeline("acme", &editor).await;
        let id = service.run("acme", &editor, &pipeline).await;
        let path = format!("/v1/tenants/acme/runs/{id}/events");
        let (store, scope) = (service.app.store.clone(), Scope { tenant: "acme" });
        let happens = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let claim = store.claim_run(scope, &id, "host", START_US, START_US + 9).await.unwrap().unwrap();
            let shown = service.app.live.show("acme", &id, 1);
            tokio::time::sleep(Duration::from_millis(2_500)).await;
            let counts = StreamCounts { read: 41, ..StreamCounts::default() };
            let stream = StreamProgress {
                stream: "public.orders".into(),
                table: "orders".into(),
                counts,
                rows_estimated: None,
                splits_done: 0,
                splits: 1,
                ended: false,
            };
            shown.update(vec![stream], 7);
            tokio::time::sleep(Duration::from_millis(300)).await;
            drop(shown);
            store.finish_run(&claim, RequestState::Succeeded, None, START_US + 5).await.unwrap();
        };
        let (told, ()) = tokio::join!(service.call(Method::GET, &path, Some(&viewer), None), happens);
        assert_eq!(told.headers["content-type"], "text/event-stream");
        let text = told.body.as_str().unwrap();
        let states: Vec<&str> = ["queued", "running", "succeeded"]
            .into_iter()
            .filter(|state| text.contains(&format!("\"state\":\"{state}\"")))
            .collect();
        assert_eq!(states, ["queued", "running", "succeeded"], "{text}");
        assert!(text.contains("event: progress\ndata: {\"attempt\":1"), "{text}");
        assert!(text.contains("\"rows_read\":41"), "{text}");
        assert!(text.trim_end().rsplit("event: ").next().unwrap().contains("succeeded"), "{text}");
    }
}
