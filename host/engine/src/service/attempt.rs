//! One attempt of a run: a worker process is handed its job, watched to its end, and what it comes to is recorded.

use std::time::Duration;

use sluice_core::error::{Actor, Kind};
use sluice_core::pipeline::Pipeline;
use sluice_core::request::RequestState;
use sluice_core::retry::{Next, RetryPolicy};
use sluice_core::run::RunState;
use sluice_core::secret::Redactor;
use sluice_core::trace::Context;
use sluice_core::worker::{Job, LogLevel, RunJob, Summary};
use sluice_core::{Retry, RunError};
use sluice_store::{Claim, Scope, Tried};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::fallback::{RanWith, go_back};
use super::live::Shown;
use super::log::Log;
use super::metrics::Outcome;
use super::queue::Dispatcher;
use super::resolve::Purpose;
use super::schedule::instant;
use super::trace::{OfWorker, Open};
use super::watch::{Orders, Told, watch};
use super::worker::Worker;

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
    /// Its process ended before it did.
    crashed: bool,
    /// It failed because of a new version of its connector, and the version before is installed again.
    went_back: bool,
}

/// An attempt that has begun.
struct Begun {
    worker: Worker,
    retry: RetryPolicy,
    redactor: Redactor,
    ran: RanWith,
}

impl Dispatcher {
    /// Carries out a claimed run once, and records what became of it.
    pub(super) async fn attempt(
        &self,
        claim: &Claim,
        mut span: Option<Open>,
        cancel: CancellationToken,
        stop: CancellationToken,
    ) {
        let request = &claim.request;
        let trace_id = span.as_ref().and_then(Open::trace_id);
        // For the log's lines: which run they are about, and which trace shows it.
        let about = tracing::error_span!("attempt", run = request.asked.id, attempt = request.attempts, trace_id);
        let work = async {
            let shown = self.parts.live.show(&request.tenant, &request.asked.id, request.attempts);
            let context = span.as_ref().map(Open::context);
            let ended = self.carry_out(claim, context, &shown, cancel, stop).await;
            let outcome = self.settle(claim, &ended).await;
            (outcome, ended)
        };
        let (outcome, ended) = work.instrument(about).await;
        if let Some(mut span) = span.take() {
            span.set("sluice.attempt.outcome", outcome.map_or("taken-over", Outcome::word));
            if let Some(error) = ended.error().filter(|_| outcome != Some(Outcome::Succeeded)) {
                span.fail(error);
            }
            span.end(self.parts.clock.now_us());
        }
    }

    async fn carry_out(
        &self,
        claim: &Claim,
        context: Option<Context>,
        shown: &Shown,
        cancel: CancellationToken,
        stop: CancellationToken,
    ) -> Ended {
        let prepared = self.prepare(claim, context).await;
        let Begun { mut worker, retry, redactor, ran } = match prepared {
            Ok(begun) => begun,
            Err((error, retry)) => {
                let cancelled = cancel.is_cancelled();
                return Ended {
                    result: Err(error),
                    retry,
                    cancelled,
                    leaving: false,
                    crashed: false,
                    went_back: false,
                };
            }
        };
        let log = Log::new(self.parts.store.clone(), self.parts.clock.clone(), claim, redactor.clone());
        let spans = OfWorker::new(self.parts.traces.clone(), context, redactor.clone());
        let mut told = Told { log, spans, shown };
        let mut orders = Orders { cancel, stop, stopped: false, deadline: None };
        let result = watch(&mut worker, &mut told, &mut orders).await;
        let result = match result {
            Ok(mut summary) => {
                summary.error = summary.error.map(|error| redactor.redact_error(error));
                Ok(summary)
            }
            Err(error) => {
                if !worker.last_words().is_empty() {
                    let stderr = redactor.redact(worker.last_words());
                    tracing::warn!(run = claim.request.asked.id, %stderr, "a worker process ended before its job");
                }
                Err(redactor.redact_error(error))
            }
        };
        let crashed = worker.broke_off();
        let (cancelled, leaving) = (orders.cancel.is_cancelled(), orders.stop.is_cancelled());
        let mut ended = Ended { result, retry, cancelled, leaving, crashed, went_back: false };
        ended.went_back = self.goes_back(claim, &RanWith { crashed, ..ran }, &ended, &mut told.log).await;
        told.log.flush().await;
        ended
    }

    /// Whether a new version of the connector is to blame for how an attempt ended, and was left for the one before.
    async fn goes_back(&self, claim: &Claim, ran: &RanWith, ended: &Ended, log: &mut Log) -> bool {
        let Some(error) = ended.error().filter(|_| !ended.cancelled && !ended.leaving) else { return false };
        let gone = go_back(&self.parts.store, claim, ran, error, self.parts.clock.now_us()).await;
        match gone {
            Ok(None) => false,
            Ok(Some(sentence)) => {
                tracing::warn!(
                    run = claim.request.asked.id,
                    connector = ran.connector,
                    "a connector goes back to the version before"
                );
                log.add(LogLevel::Warn, &sentence);
                true
            }
            Err(error) => {
                tracing::error!(run = claim.request.asked.id, %error, "whether a connector goes back cannot be found out");
                false
            }
        }
    }

    async fn prepare(&self, claim: &Claim, context: Option<Context>) -> Result<Begun, (RunError, RetryPolicy)> {
        let (parts, request) = (&self.parts, &claim.request);
        let scope = Scope { tenant: &request.tenant };
        let object = format!("run {}", request.asked.id);
        let now_us = parts.clock.now_us();
        let purpose = Purpose { actor: &request.asked.requested_by, object: &object, address: None, now_us };
        let resolved = parts.resolver.pipeline(scope, &request.asked.pipeline, request.asked.revision, purpose).await;
        let resolved = resolved.map_err(|error| (error, RetryPolicy::default()))?;
        let retry = resolved.it.retry.clone().unwrap_or_default();
        let source = &resolved.it.source;
        let ran = RanWith { connector: source.connector.clone(), digest: source.digest.clone(), crashed: false };
        let job = Job::Run(Box::new(self.job(claim, context, resolved.it)));
        let worker = parts.workers.start(&job).await.map_err(|error| (error, retry.clone()))?;
        Ok(Begun { worker, retry, redactor: resolved.redactor, ran })
    }

    fn job(&self, claim: &Claim, context: Option<Context>, pipeline: Pipeline) -> RunJob {
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
            traceparent: context.filter(|context| context.sampled),
        }
    }

    /// Records how a run ended, or that it is tried again. A store that does not answer is asked until it does: nothing else would
    /// tell what became of the run. None if another host has the run now.
    async fn settle(&self, claim: &Claim, ended: &Ended) -> Option<Outcome> {
        loop {
            match self.record(claim, ended).await {
                Ok(Some(outcome)) => {
                    self.count(claim, outcome, ended.error()).await;
                    return Some(outcome);
                }
                Ok(None) => {
                    tracing::warn!(run = claim.request.asked.id, "another host has taken the run over");
                    return None;
                }
                Err(error) => {
                    tracing::error!(run = claim.request.asked.id, %error, "how a run ended is not recorded yet");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// How the attempt ended; none if another host has the run now.
    async fn record(&self, claim: &Claim, ended: &Ended) -> Result<Option<Outcome>, RunError> {
        let error = ended.error();
        if matches!(&ended.result, Ok(summary) if summary.state == RunState::Succeeded) {
            return self.finish(claim, RequestState::Succeeded, None).await;
        }
        if ended.cancelled {
            return self.finish(claim, RequestState::Cancelled, error).await;
        }
        if ended.leaving {
            return self.again(claim, self.parts.clock.now_us(), error, (Tried::Lost, Outcome::Returned)).await;
        }
        match error {
            None => self.finish(claim, RequestState::Stopped, None).await,
            // A worker may be killed between its last commit and telling of it.
            Some(_) if ended.result.is_err() && self.has_succeeded(claim).await? => {
                self.finish(claim, RequestState::Succeeded, None).await
            }
            // With another component it is another attempt, whatever the policy says of this failure.
            Some(error) if ended.went_back => {
                self.again(claim, self.free_at(ended), Some(error), (Tried::Failed, Outcome::Retried)).await
            }
            Some(error) => {
                let next = self.next(&ended.retry, claim.request.tried(), error);
                self.again_or_failed(claim, next, error, Tried::Failed).await
            }
        }
    }

    /// When the pipeline can be run again: a process that died may have left its lease behind.
    fn free_at(&self, ended: &Ended) -> i64 {
        let left_behind = if ended.crashed { self.parts.store.lease_outlives() } else { Duration::ZERO };
        self.parts.clock.now_us().saturating_add(i64::try_from(left_behind.as_micros()).unwrap_or(i64::MAX))
    }

    /// Ends a run.
    async fn finish(
        &self,
        claim: &Claim,
        state: RequestState,
        error: Option<&RunError>,
    ) -> Result<Option<Outcome>, RunError> {
        let now = self.parts.clock.now_us();
        if !self.parts.store.finish_run(claim, state, error, now).await? {
            return Ok(None);
        }
        self.parts.metrics.ended(&claim.request, state, now);
        Ok(Some(match state {
            RequestState::Succeeded => Outcome::Succeeded,
            RequestState::Cancelled => Outcome::Cancelled,
            RequestState::Stopped => Outcome::Stopped,
            _ => Outcome::Failed,
        }))
    }

    /// Puts a run back into the queue.
    async fn again(
        &self,
        claim: &Claim,
        at_us: i64,
        error: Option<&RunError>,
        (tried, outcome): (Tried, Outcome),
    ) -> Result<Option<Outcome>, RunError> {
        Ok(self.parts.store.retry_run(claim, at_us, error, tried).await?.then_some(outcome))
    }

    /// Counts an attempt whose end is recorded, and says so. What it failed with is in the run's record.
    async fn count(&self, claim: &Claim, outcome: Outcome, error: Option<&RunError>) {
        let (parts, request) = (&self.parts, &claim.request);
        let error = error.filter(|_| outcome != Outcome::Succeeded);
        parts.metrics.attempted(outcome, error);
        let (kind, actor) = (error.map(|error| error.kind.as_str()), error.map(|error| error.actor.as_str()));
        tracing::info!(run = request.asked.id, outcome = outcome.word(), kind, actor, "an attempt ended");
        let scope = Scope { tenant: &request.tenant };
        // What is recorded of it, for a worker that was killed has not told.
        match parts.store.committed_by(scope, &request.asked.id, request.attempts).await {
            Ok(counts) => parts.metrics.committed(&counts),
            Err(error) => {
                tracing::warn!(run = request.asked.id, %error, "the rows of a run are missing in the metrics")
            }
        }
    }

    /// Whether the run's last attempt is recorded as a success. After such an attempt there is no other one.
    async fn has_succeeded(&self, claim: &Claim) -> Result<bool, RunError> {
        let request = &claim.request;
        let attempts = self.parts.store.attempts_of(Scope { tenant: &request.tenant }, &request.asked.id).await?;
        Ok(attempts.last().is_some_and(|attempt| attempt.state == RunState::Succeeded))
    }

    /// What follows the attempt of this number.
    fn next(&self, retry: &RetryPolicy, attempt: u32, error: &RunError) -> Next {
        retry.after(error, attempt, instant(self.parts.clock.now_us()), self.parts.chance.next())
    }

    async fn again_or_failed(
        &self,
        claim: &Claim,
        next: Next,
        error: &RunError,
        tried: Tried,
    ) -> Result<Option<Outcome>, RunError> {
        match next {
            Next::At(at) => self.again(claim, at.as_microsecond(), Some(error), (tried, Outcome::Retried)).await,
            Next::GiveUp(_) => self.finish(claim, RequestState::Failed, Some(error)).await,
        }
    }

    /// Settles a run whose host is gone, by what its last attempt recorded before.
    pub(super) async fn settle_orphan(&self, claim: &Claim) -> Result<(), RunError> {
        let message = "the host that carried the run out ended before the run did";
        let error = RunError::new(Kind::Transient, Actor::Host, message).with_retry(Retry::Later);
        let outcome = if self.has_succeeded(claim).await? {
            self.finish(claim, RequestState::Succeeded, None).await?
        } else if claim.request.cancel_us.is_some() {
            self.finish(claim, RequestState::Cancelled, None).await?
        } else {
            // A host that dies says nothing about the run: it is tried again sooner and more often than one that failed, and that is
            // not counted among its attempts. Yet what ends every host that it runs on must end.
            let policy = RetryPolicy { max_attempts: 20, base_seconds: 5, cap_seconds: 300, ..RetryPolicy::default() };
            let next = self.next(&policy, claim.request.lost.saturating_add(1), &error);
            self.again_or_failed(claim, next, &error, Tried::Lost).await?
        };
        if let Some(outcome) = outcome {
            self.count(claim, outcome, Some(&error)).await;
        }
        Ok(())
    }
}

impl Ended {
    /// Why it failed, if it did.
    fn error(&self) -> Option<&RunError> {
        match &self.result {
            Ok(summary) => summary.error.as_ref(),
            Err(error) => Some(error),
        }
    }
}
