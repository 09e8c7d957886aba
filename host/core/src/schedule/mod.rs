//! When a pipeline runs: a cron expression in a time zone, with what happens when runs meet, when nothing may start, and when
//! the service was not there.
//!
//! [`Schedule`] is what a person writes. [`Timetable`] is the same, checked and ready to be asked: for the next moment, for those of
//! a range, for its meaning in words. [`decide`] turns the facts of now into what is queued, skipped and cancelled.
//!
//! A *moment* is the instant at which a schedule comes due; with jitter its run starts a little later, but the moment is what
//! identifies it. Two hosts that decide from the same facts decide the same: nothing here reads a clock or throws dice, and the
//! time zones are those compiled into the binary (jiff's bundled database), not the ones of the machine.
//!
//! The expressions are evaluated here and not by a crate, because the ones that exist are not exact where it matters, as their
//! sources show: cronexpr 1.7 skips a time that falls into a gap and runs one twice that comes twice, never finds `L` in December, and gives up after four years (29
//! February 2096); croner 4.0 looks for the end of a gap for two hours (Samoa skipped a day) and brings derive macros along;
//! jiff-cron 0.3 counts in hours of real time and knows neither rule for clock changes, nor days that either field names.
//!
//! To add a field to the schedule: add it to [`Schedule`] with a default, check it in [`Timetable::new`], say in [`decide`] what it
//! changes, and test it there.

mod blackout;
mod cloud;
mod cron;
mod decide;
mod moments;
#[cfg(test)]
mod tests;
mod words;

use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use blackout::{Blackout, Day};
pub use cloud::{CloudJob, CloudJobs, Knocks};
pub use decide::{Decision, Facts, SkipReason, Skipped, Unfinished, decide};

use crate::error::RunError;
use blackout::Window;
use cron::Cron;

/// Most seconds by which jitter may delay a run.
const MOST_JITTER: u32 = 86_400;

/// Most blackout windows of a schedule.
const MOST_BLACKOUTS: usize = 100;

/// Most missed moments that are caught up.
const MOST_CAUGHT_UP: u32 = 1_000;

/// The zones of the binary itself, the same on every host.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// When a pipeline runs, as a person writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Five fields of cron, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
    pub cron: String,
    /// The time zone of all times here, by its IANA name.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// A run starts up to so many seconds after its moment, always the same for one moment, and never past the next one.
    #[serde(default)]
    pub jitter_seconds: u32,
    /// What happens to a moment that comes while a scheduled run of the pipeline is not finished.
    #[serde(default)]
    pub overlap: Overlap,
    /// When no scheduled run starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blackouts: Vec<Blackout>,
    /// What happens to moments that passed while nobody was there to start them.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// False to keep the schedule, but not to follow it.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// What happens to a moment that comes while a scheduled run of the pipeline is not finished. Runs that a person started do not
/// count: they neither swallow a moment nor are cancelled by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overlap {
    /// The moment is skipped, and recorded as skipped.
    #[default]
    Skip,
    /// It waits its turn.
    Queue,
    /// The runs that are not finished are cancelled.
    CancelPrevious,
}

/// What happens to moments that passed while the service was down, or that a blackout kept from starting in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CatchUp {
    /// They are skipped.
    None,
    /// The last of them runs, the others are skipped.
    #[default]
    Latest,
    /// Each of them runs, the oldest first; of more than `max`, the newest.
    All {
        /// Most moments that are caught up.
        max: u32,
    },
}

fn utc() -> String {
    "UTC".into()
}

fn yes() -> bool {
    true
}

/// A schedule that was checked, ready to be asked.
#[derive(Clone, Debug)]
pub struct Timetable {
    schedule: Schedule,
    cron: Cron,
    zone: TimeZone,
    windows: Vec<Window>,
}

impl Timetable {
    /// Checks a schedule.
    ///
    /// # Errors
    /// Names the first field that is wrong, from `schedule` on.
    pub fn new(schedule: &Schedule) -> Result<Self, RunError> {
        let cron = Cron::parse(&schedule.cron).map_err(|why| RunError::config("schedule.cron", why))?;
        let zone = zone(&schedule.time_zone).map_err(|why| RunError::config("schedule.time_zone", why))?;
        if schedule.jitter_seconds > MOST_JITTER {
            let message = format!("jitter is at most {MOST_JITTER} seconds");
            return Err(RunError::config("schedule.jitter_seconds", message));
        }
        if let CatchUp::All { max } = schedule.catch_up {
            if max == 0 || max > MOST_CAUGHT_UP {
                let message = format!("between 1 and {MOST_CAUGHT_UP} missed moments can be caught up");
                return Err(RunError::config("schedule.catch_up.all.max", message));
            }
            if schedule.overlap == Overlap::CancelPrevious {
                let message = "with `overlap: cancel-previous` each caught-up run would cancel the one before; use \
                               `catch_up: latest`, or another overlap";
                return Err(RunError::config("schedule.catch_up", message));
            }
        }
        if schedule.blackouts.len() > MOST_BLACKOUTS {
            let message = format!("a schedule has at most {MOST_BLACKOUTS} blackouts");
            return Err(RunError::config("schedule.blackouts", message));
        }
        let mut windows = Vec::with_capacity(schedule.blackouts.len());
        for (index, blackout) in schedule.blackouts.iter().enumerate() {
            let window = Window::parse(blackout)
                .map_err(|(field, why)| RunError::config(format!("schedule.blackouts[{index}].{field}"), why))?;
            windows.push(window);
        }
        let timetable = Self { schedule: schedule.clone(), cron, zone, windows };
        if timetable.blackout_end(Timestamp::UNIX_EPOCH).is_none() {
            return Err(RunError::config("schedule.blackouts", "together they cover every hour of the week"));
        }
        Ok(timetable)
    }

    /// The schedule that it was made of.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The schedule's time zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The first moment after an instant, in a blackout or not.
    pub fn next_after(&self, instant: Timestamp) -> Option<Timestamp> {
        moments::next_after(&self.cron, &self.zone, instant)
    }

    /// The first `limit` moments at or after `from` and before `to`, in a blackout or not: for a backfill.
    pub fn between(&self, from: Timestamp, to: Timestamp, limit: usize) -> Vec<Timestamp> {
        let Ok(before) = from.checked_sub(1.nanosecond()) else { return Vec::new() };
        self.after(before).take_while(|moment| *moment < to).take(limit).collect()
    }

    /// The next `count` moments after an instant at which something will start: not the ones in a blackout.
    pub fn upcoming(&self, after: Timestamp, count: usize) -> Vec<Timestamp> {
        let most = count.saturating_mul(10_000);
        self.after(after).take(most).filter(|moment| self.blackout_at(*moment).is_none()).take(count).collect()
    }

    /// The moments of a window that are in no blackout; `until` lies outside of it.
    pub fn within(&self, from: Timestamp, until: Timestamp, most: usize) -> Vec<Timestamp> {
        let moments = self.after(from).take_while(|moment| *moment < until);
        moments.filter(|moment| self.blackout_at(*moment).is_none()).take(most).collect()
    }

    /// When the run of a moment starts: with jitter, always the same for one `seed` (the pipeline's id) and moment, and before
    /// the next moment.
    pub fn start_of(&self, moment: Timestamp, seed: &str) -> Timestamp {
        let most = i64::from(self.schedule.jitter_seconds);
        if most == 0 {
            return moment;
        }
        let room = self.next_after(moment).map_or(most, |next| next.as_second() - moment.as_second() - 1);
        let digest = Sha256::digest(format!("{seed}\n{}", moment.as_second()));
        let dice = digest.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        let span = u64::try_from(most.min(room).max(0)).unwrap_or_default();
        let delay = i64::try_from(dice % (span + 1)).unwrap_or_default();
        moment.checked_add(delay.seconds()).unwrap_or(moment)
    }

    /// The blackout in which an instant lies.
    pub fn blackout_at(&self, instant: Timestamp) -> Option<&Blackout> {
        self.schedule.blackouts.get(blackout::at(&self.windows, &self.zone, instant)?)
    }

    /// When the blackouts that an instant lies in are over; the instant itself if it lies in none.
    pub fn blackout_end(&self, instant: Timestamp) -> Option<Timestamp> {
        blackout::end(&self.windows, &self.zone, instant)
    }

    /// What the schedule means, in words: `every day at 02:30 (Europe/Berlin)`.
    pub fn describe(&self) -> String {
        format!("{} ({})", words::describe(&self.cron, &self.schedule.cron), self.schedule.time_zone)
    }

    fn after(&self, instant: Timestamp) -> impl Iterator<Item = Timestamp> {
        std::iter::successors(self.next_after(instant), |moment| self.next_after(*moment))
    }
}

impl Schedule {
    /// A schedule with the defaults of everything but these two.
    pub fn new(cron: impl Into<String>, time_zone: impl Into<String>) -> Self {
        Self {
            cron: cron.into(),
            time_zone: time_zone.into(),
            jitter_seconds: 0,
            overlap: Overlap::default(),
            blackouts: Vec::new(),
            catch_up: CatchUp::default(),
            enabled: true,
        }
    }
}

/// The names of all time zones that a schedule may have, in order.
pub fn time_zones() -> Vec<String> {
    let mut names: Vec<String> = ZONES.available().map(|name| name.to_string()).collect();
    names.sort_unstable();
    names
}

fn zone(name: &str) -> Result<TimeZone, String> {
    if let Ok(zone) = ZONES.get(name)
        && !zone.is_unknown()
    {
        return Ok(zone);
    }
    let city = name.rsplit('/').next().unwrap_or_default().trim().replace(' ', "_").to_ascii_lowercase();
    let meant = time_zones().into_iter().find(|known| {
        let known = known.to_ascii_lowercase();
        !city.is_empty() && known.rsplit('/').next() == Some(city.as_str())
    });
    Err(match meant {
        Some(meant) => format!("{name:?} is not a time zone; is {meant} meant?"),
        None => format!("{name:?} is not the IANA name of a time zone, such as Europe/Berlin or UTC"),
    })
}
