//! One attempt of a run: a worker process is handed its job, watched to its end, and what it comes to is recorded.

use std::time::Duration;

use sluice_core::error::{Actor, Kind};
use sluice_core::pipeline::Pipeline;
use sluice_core::request::RequestState;
use sluice_core::retry::{Next, RetryPolicy};
use sluice_core::run::RunState;
use sluice_core::secret::Redactor;
use sluice_core::worker::{Event, Job, Order, RunJob, Summary};
use sluice_core::{Retry, RunError};
use sluice_store::{Claim, Scope};
use tokio_util::sync::CancellationToken;

use super::live::Shown;
use super::log::Log;
use super::queue::Dispatcher;
use super::resolve::Purpose;
use super::schedule::instant;
use super::worker::Worker;

/// How long a run has to come to its next checkpoints before it is ended.
const GRACE: Duration = Duration::from_secs(20);

/// How often what a worker said is recorded.
const RECORD: Duration = Duration::from_millis(500);

/// How long to wait before something that could not be recorded is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// How an attempt ended.
struct Ended {
    result: Result<Summary, RunError>,
    retry: RetryPolicy,
    /// Somebody wanted the run to end.
    cancelled: bool,
    /// The host stops.
    leaving: bool,
}

/// What a worker is told to do, and when.
struct Orders {
    cancel: CancellationToken,
    stop: CancellationToken,
    stopped: bool,
    deadline: Option<tokio::time::Instant>,
}

impl Dispatcher {
    /// Carries out a claimed run once, and records what became of it.
    pub(super) async fn attempt(&self, claim: &Claim, cancel: CancellationToken, stop: CancellationToken) {
        let request = &claim.request;
        let shown = self.parts.live.show(&request.tenant, &request.asked.id, request.attempts);
        let ended = self.carry_out(claim, &shown, cancel, stop).await;
        self.settle(claim, ended).await;
    }

    async fn carry_out(
        &self,
        claim: &Claim,
        shown: &Shown,
        cancel: CancellationToken,
        stop: CancellationToken,
    ) -> Ended {
        let prepared = self.prepare(claim).await;
        let (mut worker, retry, redactor) = match prepared {
            Ok(prepared) => prepared,
            Err((error, retry)) => {
                return Ended { result: Err(error), retry, cancelled: cancel.is_cancelled(), leaving: false };
            }
        };
        let mut log = Log::new(self.parts.store.clone(), self.parts.clock.clone(), claim, redactor.clone());
        let mut orders = Orders { cancel, stop, stopped: false, deadline: None };
        let result = watch(&mut worker, &mut log, shown, &mut orders).await;
        log.flush().await;
        let result = match result {
            Ok(mut summary) => {
                summary.error = summary.error.map(|error| redactor.redact_error(error));
                Ok(summary)
            }
            Err(error) => Err(redactor.redact_error(error)),
        };
        let (cancelled, leaving) = (orders.cancel.is_cancelled(), orders.stop.is_cancelled());
        Ended { result, retry, cancelled, leaving }
    }

    async fn prepare(&self, claim: &Claim) -> Result<(Worker, RetryPolicy, Redactor), (RunError, RetryPolicy)> {
        let (parts, request) = (&self.parts, &claim.request);
        let scope = Scope { tenant: &request.tenant };
        let object = format!("run {}", request.asked.id);
        let now_us = parts.clock.now_us();
        let purpose = Purpose { actor: &request.asked.requested_by, object: &object, address: None, now_us };
        let resolved = parts.resolver.pipeline(scope, &request.asked.pipeline, request.asked.revision, purpose).await;
        let resolved = resolved.map_err(|error| (error, RetryPolicy::default()))?;
        let retry = resolved.it.retry.clone().unwrap_or_default();
        let job = Job::Run(Box::new(self.job(claim, resolved.it)));
        let worker = parts.workers.start(&job).await.map_err(|error| (error, retry.clone()))?;
        Ok((worker, retry, resolved.redactor))
    }

    fn job(&self, claim: &Claim, pipeline: Pipeline) -> RunJob {
        let request = &claim.request;
        // Every attempt stands for the day of the first one.
        let began = instant(request.started_us.unwrap_or(request.queued_us));
        let today = || began.to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
        RunJob {
            tenant: request.tenant.clone(),
            pipeline,
            request: request.asked.id.clone(),
            attempt: request.attempts,
            run_id: self.parts.ids.next(),
            snapshot_date: request.asked.snapshot_date.clone().unwrap_or_else(today),
            store: self.parts.address.clone(),
        }
    }

    /// Records how a run ended, or that it is tried again. A store that does not answer is asked until it does: nothing else would
    /// tell what became of the run.
    async fn settle(&self, claim: &Claim, ended: Ended) {
        loop {
            match self.record(claim, &ended).await {
                Ok(true) => return,
                Ok(false) => {
                    tracing::warn!(run = claim.request.asked.id, "another host has taken the run over");
                    return;
                }
                Err(error) => {
                    tracing::error!(run = claim.request.asked.id, %error, "how a run ended is not recorded yet");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    async fn record(&self, claim: &Claim, ended: &Ended) -> Result<bool, RunError> {
        let (store, now) = (&self.parts.store, self.parts.clock.now_us());
        let error = match &ended.result {
            Ok(summary) if summary.state == RunState::Succeeded => {
                return store.finish_run(claim, RequestState::Succeeded, None, now).await;
            }
            Ok(summary) => summary.error.as_ref(),
            Err(error) => Some(error),
        };
        if ended.cancelled {
            return store.finish_run(claim, RequestState::Cancelled, error, now).await;
        }
        if ended.leaving {
            return store.retry_run(claim, now, error).await;
        }
        match error {
            None => store.finish_run(claim, RequestState::Stopped, None, now).await,
            // A worker may be killed between its last commit and telling of it.
            Some(_) if ended.result.is_err() && self.has_succeeded(claim).await? => {
                store.finish_run(claim, RequestState::Succeeded, None, now).await
            }
            Some(error) => self.again_or_failed(claim, &ended.retry, error).await,
        }
    }

    /// Whether the run's last attempt is recorded as a success. After such an attempt there is no other one.
    async fn has_succeeded(&self, claim: &Claim) -> Result<bool, RunError> {
        let request = &claim.request;
        let attempts = self.parts.store.attempts_of(Scope { tenant: &request.tenant }, &request.asked.id).await?;
        Ok(attempts.last().is_some_and(|attempt| attempt.state == RunState::Succeeded))
    }

    async fn again_or_failed(&self, claim: &Claim, retry: &RetryPolicy, error: &RunError) -> Result<bool, RunError> {
        let (store, now) = (&self.parts.store, self.parts.clock.now_us());
        match retry.after(error, claim.request.attempts, instant(now), self.parts.chance.next()) {
            Next::At(at) => store.retry_run(claim, at.as_microsecond(), Some(error)).await,
            Next::GiveUp(_) => store.finish_run(claim, RequestState::Failed, Some(error), now).await,
        }
    }

    /// Settles a run whose host is gone, by what its last attempt recorded before.
    pub(super) async fn settle_orphan(&self, claim: &Claim) -> Result<(), RunError> {
        let (store, now, request) = (&self.parts.store, self.parts.clock.now_us(), &claim.request);
        if self.has_succeeded(claim).await? {
            store.finish_run(claim, RequestState::Succeeded, None, now).await?;
        } else if request.cancel_us.is_some() {
            store.finish_run(claim, RequestState::Cancelled, None, now).await?;
        } else {
            let message = "the host that carried the run out ended before the run did";
            let error = RunError::new(Kind::Transient, Actor::Host, message).with_retry(Retry::Later);
            // A host that dies says nothing about the run: it is tried again sooner and more often than one that failed.
            let policy = RetryPolicy { max_attempts: 20, base_seconds: 5, cap_seconds: 300, ..RetryPolicy::default() };
            self.again_or_failed(claim, &policy, &error).await?;
        }
        Ok(())
    }
}

/// Watches a worker to its end.
async fn watch(worker: &mut Worker, log: &mut Log, shown: &Shown, orders: &mut Orders) -> Result<Summary, RunError> {
    let mut tick = tokio::time::interval(RECORD);
    let mut summary = None;
    loop {
        tokio::select! {
            event = worker.next() => match event? {
                None => return summary.ok_or_else(|| RunError::internal("a worker has left without telling how its run ended")),
                Some(Event::Progress { streams, memory_bytes }) => shown.update(streams, memory_bytes),
                Some(Event::Log { level, message }) => log.add(level, &message),
                Some(Event::Ended(ended)) => summary = Some(ended),
                Some(_) => {}
            },
            _ = tick.tick() => log.flush().await,
            () = orders.asked() => {
                orders.stopped = true;
                orders.deadline = Some(tokio::time::Instant::now() + GRACE);
                worker.order(Order::Stop).await;
            }
            () = overdue(orders.deadline) => {
                orders.deadline = None;
                worker.order(Order::Kill).await;
            }
        }
    }
}

impl Orders {
    /// Ends when the run is to stop, once.
    async fn asked(&self) {
        if self.stopped {
            std::future::pending::<()>().await;
        }
        tokio::select! {
            () = self.cancel.cancelled() => {}
            () = self.stop.cancelled() => {}
        }
    }
}

async fn overdue(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
