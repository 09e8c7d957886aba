//! Windows in which nothing is started.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::moments::instant_of;

/// Windows that may follow on one another without a break before they are taken to never end.
const CHAIN: usize = 500;

/// A window in which no scheduled run starts: once (`from` and `to` are dates or date-times), or every week (both are times of
/// the day). All in the schedule's time zone; `from` belongs to the window, `to` does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blackout {
    /// `2026-12-24`, `2026-12-24T18:00`, or `22:00`.
    pub from: String,
    /// As `from`. A time of the day that is not after `from` is on the next day.
    pub to: String,
    /// For a weekly window, the days on which it begins; none means every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Day>,
    /// Why, for those who read that a run was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Day {
    /// Monday.
    #[serde(alias = "monday")]
    Mon,
    /// Tuesday.
    #[serde(alias = "tuesday")]
    Tue,
    /// Wednesday.
    #[serde(alias = "wednesday")]
    Wed,
    /// Thursday.
    #[serde(alias = "thursday")]
    Thu,
    /// Friday.
    #[serde(alias = "friday")]
    Fri,
    /// Saturday.
    #[serde(alias = "saturday")]
    Sat,
    /// Sunday.
    #[serde(alias = "sunday")]
    Sun,
}

impl Day {
    fn bit(self) -> u8 {
        1 << (self as u8)
    }
}

/// A window, parsed.
#[derive(Clone, Debug)]
pub(super) enum Window {
    Once {
        from: DateTime,
        to: DateTime,
    },
    /// Bit 0 of `days` is Monday.
    Weekly {
        days: u8,
        from: Time,
        to: Time,
    },
}

impl Window {
    /// Reads a window; the error is the field concerned and what is wrong with it.
    pub(super) fn parse(blackout: &Blackout) -> Result<Self, (&'static str, String)> {
        if let Some(from) = time_of_day(&blackout.from) {
            let why = "`from` is a time of the day, so `to` must be one too (HH:MM)";
            let to = time_of_day(&blackout.to).ok_or(("to", why.to_owned()))?;
            let days = blackout.days.iter().fold(0, |set, day| set | day.bit());
            return Ok(Self::Weekly { days: if days == 0 { 0x7f } else { days }, from, to });
        }
        let from = date_time(&blackout.from).map_err(|why| ("from", why))?;
        let to = date_time(&blackout.to).map_err(|why| ("to", why))?;
        if !blackout.days.is_empty() {
            return Err(("days", "days go with times of the day; `from` is a date".into()));
        }
        if to <= from {
            return Err(("to", "the window ends before it begins".into()));
        }
        Ok(Self::Once { from, to })
    }

    /// When the window ends in which a wall time lies, if it lies in it.
    fn end_at(&self, wall: DateTime) -> Option<DateTime> {
        match self {
            Self::Once { from, to } => (*from <= wall && wall < *to).then_some(*to),
            Self::Weekly { days, from, to } => {
                let (day, time) = (wall.date(), wall.time());
                let begins = |day: Date| days & (1 << day.weekday().to_monday_zero_offset()) != 0;
                if to > from {
                    return (begins(day) && *from <= time && time < *to).then(|| day.to_datetime(*to));
                }
                if begins(day) && *from <= time {
                    return Some(day.tomorrow().ok()?.to_datetime(*to));
                }
                let yesterday = day.yesterday().ok()?;
                (begins(yesterday) && time < *to).then(|| day.to_datetime(*to))
            }
        }
    }
}

/// The number of a window in which an instant lies.
pub(super) fn at(windows: &[Window], zone: &TimeZone, instant: Timestamp) -> Option<usize> {
    if windows.is_empty() {
        return None;
    }
    let wall = zone.to_datetime(instant);
    windows.iter().position(|window| window.end_at(wall).is_some())
}

/// When the windows end that an instant lies in, one following on the other; none if they never do.
pub(super) fn end(windows: &[Window], zone: &TimeZone, instant: Timestamp) -> Option<Timestamp> {
    let mut now = instant;
    for _ in 0..CHAIN {
        let wall = zone.to_datetime(now);
        let Some(end) = windows.iter().filter_map(|window| window.end_at(wall)).max() else { return Some(now) };
        let end = instant_of(zone, end)?;
        // In an hour that comes twice the window may end at a time that has been; it is over when that time comes again.
        now = if end > now { end } else { now.checked_add(1.minute()).ok()? };
    }
    None
}

fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str| (text.len() == 2).then(|| text.parse::<i8>().ok()).flatten();
    match (number(hour)?, number(minute)?) {
        (24, 0) => Some(Time::midnight()),
        (hour, minute) => Time::new(hour, minute, 0, 0).ok(),
    }
}

fn date_time(text: &str) -> Result<DateTime, String> {
    text.trim().parse().map_err(|_| {
        format!("{text:?} is neither a time of the day (22:00) nor a date (2026-12-24, 2026-12-24T18:00; no offset, it is the schedule's zone)")
    })
}
