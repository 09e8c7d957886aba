//! What happens when somebody else keeps the time (Cloud Scheduler) and says that a moment of a schedule has come.
//!
//! The decision is the scheduler's own, from the same facts: a knock never starts anything that `sluice_core::schedule` would not have
//! started. So a knock that comes twice, late, or at a time that is no moment does no harm, and a run that a person started neither
//! swallows a moment nor stands for one.

use jiff::{SignedDuration, Timestamp};
use sluice_core::RunError;
use sluice_core::schedule::Timetable;
use sluice_core::trace::Context;
use sluice_store::Scope;

use super::schedule::{Scheduler, instant};

/// How much earlier than ours another clock may say that a moment has come.
const AHEAD: SignedDuration = SignedDuration::from_secs(60);

/// How often a decision is made anew because another host decided in between.
const TRIES: u32 = 10;

/// What became of a knock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knocked {
    /// It led to a decision: so many runs were queued, so many moments (or rows of moments) skipped.
    Decided {
        /// Runs.
        queued: usize,
        /// Skipped.
        skipped: usize,
    },
    /// The moment had been decided about.
    Known,
    /// The schedule names no such moment; `expected` if Cloud Scheduler was told to call more often than the schedule has moments.
    NoMoment {
        /// Whether that was to be expected.
        expected: bool,
    },
    /// The moment is still to come.
    TooEarly,
    /// A blackout holds moments back; it ends then.
    Later(Option<Timestamp>),
    /// The pipeline has no schedule (any more).
    NoSchedule,
}

impl Scheduler {
    /// Decides about what has come due of a schedule, because somebody says, `under` a span, that one of its moments has come.
    ///
    /// # Errors
    /// If the store does not answer; nothing was decided then.
    pub async fn knock(
        &self,
        scope: Scope<'_>,
        pipeline: &str,
        moment: Timestamp,
        under: Option<Context>,
    ) -> Result<Knocked, RunError> {
        let mut decided = None;
        for _ in 0..TRIES {
            let Some(due) = self.store.schedule(scope, pipeline).await? else {
                return Ok(decided.unwrap_or(Knocked::NoSchedule));
            };
            if instant(due.decided_us) >= moment {
                return Ok(decided.unwrap_or(Knocked::Known));
            }
            if !due.scheduled.schedule.enabled {
                return Ok(Knocked::NoSchedule);
            }
            let timetable = Timetable::new(&due.scheduled.schedule)?;
            let clock_us = self.clock.now_us();
            let clock = instant(clock_us);
            if moment.duration_since(clock) > AHEAD {
                return Ok(Knocked::TooEarly);
            }
            let named = named(&timetable, moment);
            // With jitter the run starts later, and waits for that in the queue: nobody knocks again at that time.
            let now = if named { clock.max(timetable.start_of(moment, pipeline)) } else { clock };
            let moments = self.decide(&due, now.as_microsecond(), under);
            if moments.decided_us <= due.decided_us {
                return Ok(decided.unwrap_or(match named {
                    true => Knocked::Later(moments.next_due_us.map(instant)),
                    false => Knocked::NoMoment { expected: !timetable.knocks().exact },
                }));
            }
            let counts = Knocked::Decided { queued: moments.queue.len(), skipped: moments.skip.len() };
            let wanted = moments.queue.len();
            let queued = self.record(&[(due, moments)], clock_us, under).await?.queued.len();
            if queued > 0 {
                self.queued.notify_one();
            }
            // Another host may have been faster; then the next look shows what it decided.
            if queued > 0 || wanted == 0 {
                decided = Some(counts);
            }
        }
        Err(RunError::internal("a schedule changes faster than it can be decided about"))
    }
}

/// Whether the schedule has this moment.
fn named(timetable: &Timetable, moment: Timestamp) -> bool {
    let before = moment.checked_sub(SignedDuration::from_nanos(1));
    before.is_ok_and(|before| timetable.next_after(before) == Some(moment))
}
