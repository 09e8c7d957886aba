//! What this host counts of schedules, runs, workers and notifications, for whoever operates it. The API shows it to Prometheus.
//!
//! Nothing of a tenant is in it: what tells series apart are words of the program ([`sluice_core::metrics`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sluice_core::RunError;
use sluice_core::metrics::{Counters, Histograms, Text};
use sluice_core::request::{Cause, RequestState};
use sluice_core::run::StreamCounts;
use sluice_store::{Recorded, RunRequest};

/// Seconds that a person waits.
const WAITS: [f64; 12] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0];

/// Seconds that a run takes.
const RUNS: [f64; 14] =
    [0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 1_800.0, 3_600.0, 14_400.0, 43_200.0];

/// How an attempt ended, seen from the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All is committed.
    Succeeded,
    /// It failed, and so has the run.
    Failed,
    /// It failed, and the run is tried again.
    Retried,
    /// It stopped at a checkpoint, and so has the run.
    Stopped,
    /// Somebody wanted the run to end.
    Cancelled,
    /// Its host stopped, and the run went back into the queue.
    Returned,
}

impl Outcome {
    const ALL: [Self; 6] =
        [Self::Succeeded, Self::Failed, Self::Retried, Self::Stopped, Self::Cancelled, Self::Returned];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Retried => "retried",
            Self::Stopped => "stopped",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
        }
    }
}

/// The counters of this process. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    ended: Counters<2>,
    duration: Histograms<1>,
    delay: Histograms<1>,
    wait: Histograms<0>,
    attempts: Counters<1>,
    failures: Counters<2>,
    taken_over: Counters<0>,
    rows: Counters<1>,
    bytes: Counters<0>,
    moments: Counters<1>,
    notifications: Counters<2>,
    slots: AtomicU32,
}

impl Default for Metrics {
    fn default() -> Self {
        let states = [RequestState::Succeeded, RequestState::Failed, RequestState::Stopped, RequestState::Cancelled];
        let causes = [Cause::Manual, Cause::Scheduled, Cause::Backfill];
        let ended = states.iter().flat_map(|state| causes.map(|cause| [state.as_str(), cause.as_str()]));
        let sent = ["email", "webhook", "other"].into_iter();
        let sent = sent.flat_map(|channel| ["delivered", "retried", "given-up"].map(|outcome| [channel, outcome]));
        Self(Arc::new(Counted {
            ended: Counters::new(["state", "cause"], ended),
            duration: Histograms::new(["state"], &RUNS),
            delay: Histograms::new(["cause"], &WAITS),
            wait: Histograms::new([], &WAITS),
            attempts: Counters::new(["outcome"], Outcome::ALL.map(|outcome| [outcome.word()])),
            failures: Counters::new(["kind", "actor"], []),
            taken_over: Counters::single(),
            rows: Counters::new(["outcome"], [["committed"], ["quarantined"]]),
            bytes: Counters::single(),
            moments: Counters::new(["decision"], [["queued"], ["skipped"]]),
            notifications: Counters::new(["channel", "outcome"], sent),
            slots: AtomicU32::new(0),
        }))
    }
}

impl Metrics {
    /// So many runs may run here at once.
    pub(super) fn slots(&self, slots: u32) {
        self.0.slots.store(slots, Ordering::Relaxed);
    }

    /// It was decided about moments of schedules.
    pub(super) fn decided(&self, recorded: &Recorded) {
        self.0.moments.add(["queued"], recorded.queued.len() as u64);
        self.0.moments.add(["skipped"], recorded.skipped);
        self.0.ended.add([RequestState::Cancelled.as_str(), Cause::Scheduled.as_str()], recorded.cancelled);
    }

    /// A run was claimed, and its next attempt begins.
    pub(super) fn begun(&self, run: &RunRequest, now_us: i64) {
        self.0.wait.observe([], between(ready_us(run), now_us));
        if run.attempts == 1 {
            self.0.delay.observe([run.asked.cause.as_str()], between(due_us(run), now_us));
        }
    }

    /// A run has ended. Those that a person cancels while they wait are the API's to tell.
    pub fn ended(&self, run: &RunRequest, state: RequestState, now_us: i64) {
        self.0.ended.add([state.as_str(), run.asked.cause.as_str()], 1);
        if let Some(started) = run.started_us {
            self.0.duration.observe([state.as_str()], between(started, now_us));
        }
    }

    /// An attempt has ended.
    pub(super) fn attempted(&self, outcome: Outcome, error: Option<&RunError>) {
        self.0.attempts.add([outcome.word()], 1);
        if let (Outcome::Failed | Outcome::Retried, Some(error)) = (outcome, error) {
            self.0.failures.add([error.kind.as_str(), error.actor.as_str()], 1);
        }
    }

    /// A run was taken over from a host that is gone.
    pub(super) fn took_over(&self) {
        self.0.taken_over.add([], 1);
    }

    /// Rows became visible.
    pub(super) fn committed(&self, counts: &StreamCounts) {
        self.0.rows.add(["committed"], counts.committed);
        self.0.rows.add(["quarantined"], counts.quarantined);
        self.0.bytes.add([], counts.bytes);
    }

    /// A notification was sent, or not.
    pub(super) fn notified(&self, channel: &'static str, outcome: &'static str) {
        self.0.notifications.add([channel, outcome], 1);
    }

    /// Writes all of it down.
    pub fn write(&self, text: &mut Text) {
        let counted = &self.0;
        text.counters("sluice_runs_ended_total", "Runs that ended.", &counted.ended);
        let help = "From the start of a run's first attempt to its end.";
        text.histograms("sluice_run_duration_seconds", help, &counted.duration);
        let help = "From the moment that a run was due or asked for to the start of its first attempt.";
        text.histograms("sluice_run_start_delay_seconds", help, &counted.delay);
        let help = "From the moment that an attempt could start to its start.";
        text.histograms("sluice_queue_wait_seconds", help, &counted.wait);
        text.counters("sluice_attempts_total", "Attempts that ended.", &counted.attempts);
        let help = "Attempts that failed, by what failed and who has to act.";
        text.counters("sluice_attempt_failures_total", help, &counted.failures);
        let help = "Runs taken over from hosts that are gone.";
        text.counters("sluice_runs_taken_over_total", help, &counted.taken_over);
        text.counters("sluice_rows_total", "Rows that became visible.", &counted.rows);
        let help = "Arrow bytes that connectors pushed for rows that became visible.";
        text.counters("sluice_committed_bytes_total", help, &counted.bytes);
        text.counters("sluice_schedule_moments_total", "Moments of schedules, by what was decided.", &counted.moments);
        text.counters("sluice_notifications_total", "Tries to deliver notifications.", &counted.notifications);
        let slots = counted.slots.load(Ordering::Relaxed);
        text.gauge("sluice_host_slots", "Runs that may be under way on this host at once.", slots);
    }
}

/// When the run was to start: its moment with its jitter, or when it was asked for.
pub(super) fn due_us(run: &RunRequest) -> i64 {
    match run.asked.cause {
        Cause::Scheduled => run.asked.not_before_us,
        Cause::Manual | Cause::Backfill => run.queued_us,
    }
}

/// Since when its next attempt could start.
pub(super) fn ready_us(run: &RunRequest) -> i64 {
    run.queued_us.max(run.asked.not_before_us)
}

/// Clocks of several hosts may differ by a little.
fn between(from_us: i64, to_us: i64) -> Duration {
    Duration::from_micros(to_us.saturating_sub(from_us).max(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use sluice_core::error::{Actor, Kind};
    use sluice_store::NewRequest;

    use super::*;

    fn run(cause: Cause, attempts: u32) -> RunRequest {
        RunRequest {
            tenant: "acme".into(),
            asked: NewRequest {
                id: "r".into(),
                pipeline: "p".into(),
                revision: 1,
                connection: "c".into(),
                cause,
                moment_us: None,
                snapshot_date: None,
                requested_by: "user ada".into(),
                priority: 0,
                not_before_us: 10_000_000,
                traceparent: None,
            },
            state: RequestState::Running,
            reason: None,
            queued_us: 12_000_000,
            started_us: Some(13_000_000),
            ended_us: None,
            attempts,
            lost: 0,
            cancel_us: None,
            error: None,
        }
    }

    fn written(metrics: &Metrics) -> String {
        let mut text = Text::default();
        metrics.write(&mut text);
        text.finish()
    }

    #[test]
    fn a_scheduled_run_is_late_from_its_moment_on_and_one_that_is_asked_for_from_then_on() {
        let metrics = Metrics::default();
        metrics.begun(&run(Cause::Scheduled, 1), 13_000_000);
        metrics.begun(&run(Cause::Manual, 1), 13_000_000);
        metrics.begun(&run(Cause::Manual, 2), 13_000_000);
        let text = written(&metrics);
        for line in [
            "sluice_run_start_delay_seconds_sum{cause=\"scheduled\"} 3",
            "sluice_run_start_delay_seconds_sum{cause=\"manual\"} 1",
            "sluice_run_start_delay_seconds_count{cause=\"manual\"} 1",
            "sluice_queue_wait_seconds_sum 3",
            "sluice_queue_wait_seconds_count 3",
        ] {
            assert!(text.lines().any(|have| have == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn failures_tell_who_has_to_act_and_nothing_of_a_tenant() {
        let metrics = Metrics::default();
        let error = RunError::new(Kind::Auth, Actor::User, "the password of acme is wrong").with_stream("orders");
        metrics.attempted(Outcome::Failed, Some(&error));
        metrics.attempted(Outcome::Cancelled, Some(&error));
        metrics.ended(&run(Cause::Backfill, 1), RequestState::Failed, 15_500_000);
        metrics.committed(&StreamCounts { committed: 7, quarantined: 1, bytes: 100, ..StreamCounts::default() });
        let text = written(&metrics);
        for line in [
            "sluice_attempt_failures_total{kind=\"auth\",actor=\"user\"} 1",
            "sluice_attempts_total{outcome=\"failed\"} 1",
            "sluice_attempts_total{outcome=\"cancelled\"} 1",
            "sluice_attempts_total{outcome=\"succeeded\"} 0",
            "sluice_runs_ended_total{state=\"failed\",cause=\"backfill\"} 1",
            "sluice_runs_ended_total{state=\"failed\",cause=\"manual\"} 0",
            "sluice_run_duration_seconds_sum{state=\"failed\"} 2.5",
            "sluice_rows_total{outcome=\"committed\"} 7",
            "sluice_committed_bytes_total 100",
        ] {
            assert!(text.lines().any(|have| have == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("acme") && !text.contains("orders"), "{text}");
    }
}
