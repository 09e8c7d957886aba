//! What happens now: which moments are queued or skipped, whom to cancel, when to look again.
//!
//! Every moment after the last one decided is decided once: a store that moves `decided` forward only from the value that it
//! handed in as `last`, together with what was queued and skipped, can neither lose a moment nor start one twice, however many
//! hosts decide at once.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{CatchUp, Overlap, Timetable};

/// How late a moment may be found and still be on time: a restart or a busy host is not a downtime.
const ON_TIME: SignedDuration = SignedDuration::from_mins(5);

/// Most moments that one decision looks at one by one. Of more, the oldest are skipped together.
const LOOKED_AT: usize = 10_000;

/// Most scheduled runs of one pipeline that may wait or run.
const BACKLOG: usize = 1_000;

/// What a decision is made from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Tells pipelines apart for jitter: the pipeline's id.
    pub seed: &'a str,
    /// The last moment that was decided about; at first, since when the schedule holds (made, changed or enabled).
    pub last: Timestamp,
    /// Now.
    pub now: Timestamp,
    /// The pipeline's scheduled runs that are not finished, the oldest first. Not those that a person or a backfill asked for.
    pub unfinished: &'a [Unfinished],
}

/// A scheduled run that waits or runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The run's id.
    pub run: String,
    /// The moment that it is for.
    pub moment: Timestamp,
}

/// What is to be done, all of it in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Moments whose runs are queued, the oldest first.
    pub queue: Vec<Timestamp>,
    /// Moments that are skipped, and recorded as skipped.
    pub skip: Vec<Skipped>,
    /// Runs that are cancelled, by id.
    pub cancel: Vec<String>,
    /// The next `last`.
    pub decided: Timestamp,
    /// When to decide again, at the latest; never if the schedule is disabled or has no further moment.
    pub look_again: Option<Timestamp>,
}

/// Moments that followed on one another and are skipped for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The first of them.
    pub first: Timestamp,
    /// The last of them; the same if it is one.
    pub last: Timestamp,
    /// How many; of very many at least this many.
    pub count: u32,
    /// Why.
    pub reason: SkipReason,
}

/// Why a moment was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// Nobody was there to start it in time, and the schedule does not catch it up.
    Missed,
    /// A later moment came due before it was started.
    Superseded,
    /// It lies in a blackout.
    Blackout,
    /// A scheduled run of the pipeline was not finished.
    Overlap,
    /// Too many runs of the pipeline wait already.
    Backlog,
}

impl SkipReason {
    /// The reason for a person.
    pub fn text(self) -> &'static str {
        match self {
            Self::Missed => "the service was not running at this time, and the schedule does not catch it up",
            Self::Superseded => "a later time of the schedule had come before this one was started",
            Self::Blackout => "it lies in a blackout of the schedule",
            Self::Overlap => "an earlier scheduled run of the pipeline was not finished",
            Self::Backlog => "too many scheduled runs of the pipeline are waiting already",
        }
    }
}

/// Decides about every moment that has come since the last decision.
pub fn decide(timetable: &Timetable, facts: &Facts<'_>) -> Decision {
    let schedule = timetable.schedule();
    if !schedule.enabled {
        // Once enabled again, it holds from then on.
        return Decision { decided: facts.last.max(facts.now), ..Decision::default() };
    }
    let due = Due::find(timetable, facts);
    let blacked_out = timetable.blackout_at(facts.now).is_some();
    if blacked_out && due.moments.iter().any(|due| !due.blackout) {
        // They came before the blackout, and nothing starts in it: they are late when it is over.
        return Decision { decided: facts.last, look_again: timetable.blackout_end(facts.now), ..Decision::default() };
    }
    let mut verdicts: Vec<Option<SkipReason>> =
        due.moments.iter().map(|due| due.blackout.then_some(SkipReason::Blackout)).collect();
    catch_up(schedule.catch_up, schedule.overlap, &due, &mut verdicts);
    let cancel = overlap(schedule.overlap, facts.unfinished, &mut verdicts);
    let decided = due.moments.last().map_or(facts.last, |due| due.moment);
    let look_again = timetable.next_after(decided).map(|next| timetable.start_of(next, facts.seed));
    let (queue, skip) = due.apply(&verdicts);
    Decision { queue, skip, cancel, decided, look_again }
}

/// The moments that have come, the oldest first.
struct Due {
    /// Those before the first that is looked at, all skipped.
    older: Option<Skipped>,
    moments: Vec<DueMoment>,
}

struct DueMoment {
    moment: Timestamp,
    blackout: bool,
    on_time: bool,
}

impl Due {
    fn find(timetable: &Timetable, facts: &Facts<'_>) -> Self {
        let mut found = newest(timetable, facts.last, facts.now);
        // Only the last may still wait for its jitter: jitter never reaches the next moment.
        if found.last().is_some_and(|last| timetable.start_of(*last, facts.seed) > facts.now) {
            found.pop();
        }
        let first = timetable.next_after(facts.last);
        let older = match (first, found.first().copied()) {
            (Some(first), Some(last)) if first < last => {
                found.remove(0);
                Some(Skipped { first, last, count: 2, reason: SkipReason::Missed })
            }
            _ => None,
        };
        let moments = found.into_iter().map(|moment| DueMoment {
            moment,
            blackout: timetable.blackout_at(moment).is_some(),
            on_time: facts.now.duration_since(timetable.start_of(moment, facts.seed)) <= ON_TIME,
        });
        Self { older, moments: moments.collect() }
    }

    fn apply(self, verdicts: &[Option<SkipReason>]) -> (Vec<Timestamp>, Vec<Skipped>) {
        let mut queue = Vec::new();
        let mut skip: Vec<Skipped> = self.older.into_iter().collect();
        let mut follows = !skip.is_empty();
        for (due, verdict) in self.moments.iter().zip(verdicts) {
            let Some(reason) = *verdict else {
                queue.push(due.moment);
                follows = false;
                continue;
            };
            match skip.last_mut().filter(|last| follows && last.reason == reason) {
                Some(last) => {
                    last.last = due.moment;
                    last.count = last.count.saturating_add(1);
                }
                None => skip.push(Skipped { first: due.moment, last: due.moment, count: 1, reason }),
            }
            follows = true;
        }
        (queue, skip)
    }
}

/// The newest moments after `last` and not after `now`, the oldest first: all of them, or of very many the last days'.
fn newest(timetable: &Timetable, last: Timestamp, now: Timestamp) -> Vec<Timestamp> {
    let mut back = SignedDuration::from_hours(24);
    loop {
        let from = now.checked_sub(back).unwrap_or(last).max(last);
        let found: Vec<Timestamp> = timetable.after(from).take_while(|moment| *moment <= now).collect();
        if from == last || found.len() >= LOOKED_AT {
            return found;
        }
        back = back.saturating_mul(4);
    }
}

/// Strikes out what is not caught up.
fn catch_up(policy: CatchUp, overlap: Overlap, due: &Due, verdicts: &mut [Option<SkipReason>]) {
    let every_one = overlap == Overlap::Queue;
    let mut left = match policy {
        CatchUp::All { max } => usize::try_from(max).unwrap_or(usize::MAX),
        CatchUp::None | CatchUp::Latest => 1,
    };
    for (due, verdict) in due.moments.iter().zip(verdicts.iter_mut()).rev().filter(|(_, verdict)| verdict.is_none()) {
        let takes = match policy {
            CatchUp::All { .. } => left > 0,
            // Whoever has each moment queued has each on-time moment queued.
            CatchUp::None => due.on_time && (left > 0 || every_one),
            CatchUp::Latest => left > 0 || due.on_time && every_one,
        };
        if takes {
            left = left.saturating_sub(1);
        } else {
            let superseded = due.on_time || policy == CatchUp::Latest;
            *verdict = Some(if superseded { SkipReason::Superseded } else { SkipReason::Missed });
        }
    }
}

/// Applies the overlap policy to what is left; returns the runs to cancel.
fn overlap(policy: Overlap, unfinished: &[Unfinished], verdicts: &mut [Option<SkipReason>]) -> Vec<String> {
    let mut left = verdicts.iter_mut().filter(|verdict| verdict.is_none()).peekable();
    match policy {
        Overlap::Skip if !unfinished.is_empty() => left.for_each(|verdict| *verdict = Some(SkipReason::Overlap)),
        Overlap::Skip => {}
        Overlap::Queue => {
            let room = BACKLOG.saturating_sub(unfinished.len());
            left.skip(room).for_each(|verdict| *verdict = Some(SkipReason::Backlog));
        }
        Overlap::CancelPrevious => {
            if left.peek().is_some() {
                return unfinished.iter().map(|run| run.run.clone()).collect();
            }
        }
    }
    Vec::new()
}
