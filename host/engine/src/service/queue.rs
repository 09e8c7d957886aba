//! Starts queued runs in turn, and settles each one when its attempt has ended.
//!
//! A host claims a run before it starts it, and keeps its claims alive for as long as it lives. A claim that is not kept up is taken
//! over by another host, or by this one when it is started again: the run is settled by what is recorded of its attempt, never
//! by what somebody believes of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sluice_core::RunError;
use sluice_core::queue::{Limits, Priority, Queued, Running, choose};
use sluice_core::trace::{Context, SpanKind};
use sluice_core::worker::StoreAddress;
use sluice_store::{Claim, Claimable, QueueState, Scope, Store};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Ids;
use super::live::Live;
use super::metrics::{Metrics, ready_us};
use super::resolve::Resolver;
use super::schedule::instant;
use super::trace::{Open, Traces};
use super::worker::Workers;
use crate::clock::Clock;

/// How long a claim holds after it was last kept. A dead host's runs go on after that. Longer than a worker outlives its host.
const CLAIM_US: i64 = 30_000_000;

/// How often claims are kept, and those of dead hosts looked for.
const KEEP: Duration = Duration::from_secs(5);

/// How often to look for what other hosts have queued or cancelled. What is queued on this one is told.
const LOOK: Duration = Duration::from_millis(500);

/// How long attempts have to come to a checkpoint when the host stops.
const GRACE: Duration = Duration::from_secs(25);

/// Spreads retries: a number between 0 and 1.
pub trait Chance: Send + Sync {
    /// The next one.
    fn next(&self) -> f64;
}

impl<F: Fn() -> f64 + Send + Sync> Chance for F {
    fn next(&self) -> f64 {
        self()
    }
}

/// What a dispatcher is made of.
pub struct Dispatch {
    /// Where the queue is.
    pub store: Store,
    /// Where workers find it.
    pub address: StoreAddress,
    /// Puts together what an attempt needs.
    pub resolver: Resolver,
    /// Starts its process.
    pub workers: Arc<Workers>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Names attempts.
    pub ids: Arc<dyn Ids>,
    /// Spreads retries.
    pub chance: Arc<dyn Chance>,
    /// Where progress is shown.
    pub live: Live,
    /// Told when there may be something to start or to cancel.
    pub queued: Arc<Notify>,
    /// Names this process among all hosts; never used again by another one.
    pub host: String,
    /// How much runs at once; `slots` is this host's own number.
    pub limits: Limits,
    /// Counts runs and attempts.
    pub metrics: Metrics,
    /// Where their spans go.
    pub traces: Arc<dyn Traces>,
}

/// Starts runs of the queue on this host.
pub struct Dispatcher {
    pub(super) parts: Dispatch,
    tasks: TaskTracker,
    /// Runs of this host, and what cancels them.
    running: Mutex<BTreeMap<(String, String), CancellationToken>>,
    /// When each tenant had a run started here.
    turns: Mutex<BTreeMap<String, i64>>,
}

impl Dispatcher {
    /// Of these parts.
    pub fn new(parts: Dispatch) -> Arc<Self> {
        let (running, turns) = (Mutex::default(), Mutex::default());
        parts.metrics.slots(parts.limits.slots);
        Arc::new(Self { parts, tasks: TaskTracker::new(), running, turns })
    }

    /// Starts runs until it is told to stop; then what runs is asked to stop at its next checkpoints, and put back into the queue.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        self.recover().await;
        let keeping = tokio::spawn(self.clone().keep());
        while !stop.is_cancelled() {
            if let Err(error) = self.pass(&stop).await {
                tracing::error!(%error, "the queue cannot be looked at; trying again");
                tokio::time::sleep(LOOK).await;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.parts.queued.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        self.tasks.close();
        // Attempts have heard of the stop themselves; claims are kept while they come to an end.
        if tokio::time::timeout(GRACE + KEEP, self.tasks.wait()).await.is_err() {
            tracing::warn!("runs did not end in time; another host takes them over");
        }
        keeping.abort();
    }

    /// A state file has one host, so whatever is claimed there was claimed by a process that is gone.
    async fn recover(&self) {
        if self.parts.store.path().is_some()
            && let Err(error) = self.take_over(i64::MAX).await
        {
            tracing::error!(%error, "runs of the process before are not settled yet");
        }
    }

    async fn keep(self: Arc<Self>) {
        loop {
            tokio::time::sleep(KEEP).await;
            let now = self.parts.clock.now_us();
            let kept = async {
                self.parts.store.keep_claims(&self.parts.host, now.saturating_add(CLAIM_US)).await?;
                self.take_over(now).await
            };
            if let Err(error) = kept.await {
                tracing::error!(%error, "the claims of this host cannot be kept; trying again");
            }
        }
    }

    /// Settles runs whose claims expired before `before_us`.
    async fn take_over(&self, before_us: i64) -> Result<(), RunError> {
        let expires = self.parts.clock.now_us().saturating_add(CLAIM_US);
        for claim in self.parts.store.take_over(&self.parts.host, before_us, expires).await? {
            let run = &claim.request.asked.id;
            if self.is_running(&claim) {
                // This host was away for longer than its claims held; its attempt goes on.
                continue;
            }
            tracing::warn!(run, "the host of a run is gone; settling it by what is recorded");
            self.parts.metrics.took_over();
            self.settle_orphan(&claim).await?;
        }
        Ok(())
    }

    fn is_running(&self, claim: &Claim) -> bool {
        let key = (claim.request.tenant.clone(), claim.request.asked.id.clone());
        self.running.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&key)
    }

    /// Cancels what is to be cancelled and starts what may start; how many were started.
    ///
    /// # Errors
    /// If the store does not answer.
    pub async fn pass(self: &Arc<Self>, stop: &CancellationToken) -> Result<usize, RunError> {
        for key in self.parts.store.runs_to_cancel(&self.parts.host).await? {
            if let Some(token) = self.running.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
                token.cancel();
            }
        }
        let now = self.parts.clock.now_us();
        let state = self.parts.store.queue_state(now).await?;
        let mut started = 0;
        for run in self.chosen(&state, now) {
            started += usize::from(self.start(&run, stop).await?);
        }
        Ok(started)
    }

    /// Which of the waiting runs start now on this host.
    fn chosen(&self, state: &QueueState, now_us: i64) -> Vec<Claimable> {
        let here = self.running.lock().unwrap_or_else(PoisonError::into_inner).len();
        let slots = self.parts.limits.slots.saturating_sub(u32::try_from(here).unwrap_or(u32::MAX));
        if slots == 0 || state.waiting.is_empty() {
            return Vec::new();
        }
        let queued: Vec<Queued> = state.waiting.iter().map(queued).collect();
        let limits = Limits { slots, ..self.parts.limits };
        let starts = choose(&queued, &self.board(state), &limits, &BTreeMap::new(), instant(now_us));
        let by_id: BTreeMap<&str, &Claimable> = state.waiting.iter().map(|run| (run.id.as_str(), run)).collect();
        starts.runs.iter().filter_map(|id| by_id.get(id.as_str()).map(|run| (*run).clone())).collect()
    }

    fn board(&self, state: &QueueState) -> Running {
        let mut board = Running::default();
        for run in &state.running {
            *board.tenants.entry(run.tenant.clone()).or_default() += 1;
            *board.connections.entry((run.tenant.clone(), run.connection.clone())).or_default() += 1;
            board.pipelines.insert(run.pipeline.clone());
        }
        let turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        board.last_started = turns.iter().map(|(tenant, at)| (tenant.clone(), instant(*at))).collect();
        board
    }

    /// Claims a run and begins its attempt. False if another host was faster.
    async fn start(self: &Arc<Self>, run: &Claimable, stop: &CancellationToken) -> Result<bool, RunError> {
        let (parts, scope) = (&self.parts, Scope { tenant: &run.tenant });
        let now = parts.clock.now_us();
        let claimed = parts.store.claim_run(scope, &run.id, &parts.host, now, now.saturating_add(CLAIM_US)).await?;
        let Some(claim) = claimed else { return Ok(false) };
        parts.metrics.begun(&claim.request, now);
        let span = self.begin_span(&claim, now);
        let cancel = CancellationToken::new();
        let key = (run.tenant.clone(), run.id.clone());
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), cancel.clone());
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).insert(run.tenant.clone(), now);
        let (dispatcher, stop) = (self.clone(), stop.clone());
        self.tasks.spawn(async move {
            dispatcher.attempt(&claim, span, cancel, stop).await;
            dispatcher.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            // Its slot is free, and its pipeline too.
            dispatcher.parts.queued.notify_one();
        });
        Ok(true)
    }

    /// Tells how long an attempt waited, and begins its span.
    fn begin_span(&self, claim: &Claim, now_us: i64) -> Option<Open> {
        let (traces, request) = (&self.parts.traces, &claim.request);
        let parent = request.asked.traceparent.as_deref().and_then(Context::parse);
        let queue = Open::begin(traces, parent, ("queue", SpanKind::Internal), ready_us(request).min(now_us))?;
        let waited = queue.context();
        queue.end(now_us);
        let mut attempt = Open::begin(traces, Some(waited), ("attempt", SpanKind::Consumer), now_us)?;
        attempt.set("sluice.tenant.id", request.tenant.as_str());
        attempt.set("sluice.pipeline.id", request.asked.pipeline.as_str());
        attempt.set("sluice.run.id", request.asked.id.as_str());
        attempt.set("sluice.run.cause", request.asked.cause.as_str());
        attempt.set("sluice.attempt.number", request.attempts);
        Some(attempt)
    }
}

fn queued(run: &Claimable) -> Queued {
    Queued {
        run: run.id.clone(),
        tenant: run.tenant.clone(),
        connection: run.connection.clone(),
        pipeline: run.pipeline.clone(),
        priority: Priority::of_level(run.priority),
        queued_at: instant(run.queued_us),
        not_before: None,
    }
}
