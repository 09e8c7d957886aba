//! Turns moments of schedules into queued runs. `sluice_core::schedule` decides; several hosts may do this at once on one database, and
//! each moment becomes one run.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sluice_core::RunError;
use sluice_core::request::Cause;
use sluice_core::schedule::{Decision, Facts, Timetable, Unfinished, decide};
use sluice_core::trace::{Context, Span, SpanKind};
use sluice_store::{Due, Moments, NewRequest, Recorded, SkippedMoment, Store};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Ids;
use super::metrics::Metrics;
use super::trace::{Traces, told};
use crate::clock::Clock;

/// Schedules that are decided about before others get their turn.
const AT_ONCE: u32 = 100;

/// How often to look for schedules that another host has changed.
const LOOK: Duration = Duration::from_millis(500);

/// A moment that stays due must not be looked at without a pause.
const SHORTEST: Duration = Duration::from_millis(5);

/// Queues runs as their schedules come due.
pub struct Scheduler {
    /// Where schedules and the queue are.
    pub store: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Names runs.
    pub ids: Arc<dyn Ids>,
    /// Told when runs were queued.
    pub queued: Arc<Notify>,
    /// Counts moments.
    pub metrics: Metrics,
    /// Where the first spans of runs go.
    pub traces: Arc<dyn Traces>,
}

impl Scheduler {
    /// Looks until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.pass().await {
                tracing::error!(%error, "schedules cannot be looked at; trying again");
            }
            let wait = self.wait().await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Until the next moment comes due, but no longer than until schedules are looked at anyway.
    async fn wait(&self) -> Duration {
        let Ok(Some(next)) = self.store.next_due().await else { return LOOK };
        let left = next.saturating_sub(self.clock.now_us()).max(0).unsigned_abs();
        Duration::from_micros(left).clamp(SHORTEST, LOOK)
    }

    /// Decides about every schedule that has come due; how many runs were queued.
    ///
    /// # Errors
    /// If the store does not answer. What was decided before stays decided.
    pub async fn pass(&self) -> Result<u64, RunError> {
        let mut queued = 0;
        loop {
            let now_us = self.clock.now_us();
            let due = self.store.due_schedules(now_us, AT_ONCE).await?;
            let all = due.len() < AT_ONCE as usize;
            let decided = due.into_iter().map(|due| {
                let moments = self.decide(&due, now_us, None);
                (due, moments)
            });
            let decided: Vec<(Due, Moments)> = decided.collect();
            queued += self.record(&decided, now_us, None).await?.queued.len() as u64;
            if queued > 0 {
                self.queued.notify_one();
            }
            if all {
                return Ok(queued);
            }
        }
    }

    /// Records decisions that were made `under` a span, and tells the first spans of the runs that are queued.
    pub(super) async fn record(
        &self,
        decided: &[(Due, Moments)],
        now_us: i64,
        under: Option<Context>,
    ) -> Result<Recorded, RunError> {
        let recorded = self.store.record_moments(decided, now_us).await?;
        self.metrics.decided(&recorded);
        let all = decided.iter().flat_map(|(due, moments)| moments.queue.iter().map(move |run| (due, run)));
        for (due, run) in all.filter(|(_, run)| recorded.queued.contains(&run.id)) {
            if let Some(context) = run.traceparent.as_deref().and_then(Context::parse) {
                told(self.traces.as_ref(), first_span(due, run, (context, under), now_us));
            }
        }
        Ok(recorded)
    }

    pub(super) fn decide(&self, due: &Due, now_us: i64, under: Option<Context>) -> Moments {
        let scheduled = &due.scheduled;
        let timetable = match Timetable::new(&scheduled.schedule) {
            Ok(timetable) => timetable,
            Err(error) => {
                // It was valid when it was saved; a newer release may have been stricter. It must not be looked at again and again.
                tracing::error!(pipeline = scheduled.pipeline, %error, "a schedule cannot be followed; save it again");
                return Moments { decided_us: due.decided_us, ..Moments::default() };
            }
        };
        let unfinished = due.unfinished.iter();
        let unfinished = unfinished.map(|(run, moment)| Unfinished { run: run.clone(), moment: instant(*moment) });
        let facts = Facts {
            seed: &scheduled.pipeline,
            last: instant(due.decided_us),
            now: instant(now_us),
            unfinished: &unfinished.collect::<Vec<_>>(),
        };
        self.moments(due, &timetable, decide(&timetable, &facts), under)
    }

    fn moments(&self, due: &Due, timetable: &Timetable, decision: Decision, under: Option<Context>) -> Moments {
        let scheduled = &due.scheduled;
        let queue = decision.queue.iter().map(|moment| NewRequest {
            id: self.ids.next(),
            pipeline: scheduled.pipeline.clone(),
            revision: scheduled.revision,
            connection: scheduled.connection.clone(),
            cause: Cause::Scheduled,
            moment_us: Some(moment.as_microsecond()),
            // A run that starts late still stands for the day that it was meant for.
            snapshot_date: Some(moment.to_zoned(timetable.zone().clone()).date().to_string()),
            requested_by: "schedule".into(),
            priority: 0,
            not_before_us: timetable.start_of(*moment, &scheduled.pipeline).as_microsecond(),
            traceparent: self.traces.begin(under.as_ref()).map(|context| context.to_string()),
        });
        let skip = decision.skip.iter().map(|skipped| SkippedMoment {
            id: self.ids.next(),
            moment_us: skipped.first.as_microsecond(),
            reason: match skipped.count {
                1 => skipped.reason.text().to_owned(),
                count => format!("{} (and {} more until {})", skipped.reason.text(), count - 1, skipped.last),
            },
        });
        let cancelled = "a later time of its schedule has come";
        Moments {
            queue: queue.collect(),
            skip: skip.collect(),
            cancel: decision.cancel.iter().map(|run| (run.clone(), cancelled.to_owned())).collect(),
            decided_us: decision.decided.as_microsecond(),
            next_due_us: decision.look_again.map(Timestamp::as_microsecond),
        }
    }
}

/// From the moment of a schedule until its run is queued.
fn first_span(due: &Due, run: &NewRequest, (context, parent): (Context, Option<Context>), now_us: i64) -> Span {
    let attributes =
        [("sluice.tenant.id", &due.tenant), ("sluice.pipeline.id", &run.pipeline), ("sluice.run.id", &run.id)];
    let begun_us = run.moment_us.unwrap_or(now_us).min(now_us);
    Span {
        context,
        parent,
        name: "schedule".into(),
        kind: SpanKind::Producer,
        begun_us,
        ended_us: now_us,
        attributes: attributes.into_iter().map(|(name, id)| (name.to_owned(), id.clone().into())).collect(),
        error: None,
    }
}

/// A stored time; one that no calendar has counts as its beginning.
pub(super) fn instant(us: i64) -> Timestamp {
    Timestamp::from_microsecond(us).unwrap_or_default()
}
