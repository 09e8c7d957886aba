//! The instants at which a cron expression comes due in a time zone.
//!
//! A schedule that names hours (`30 2 * * *`) means times of the day, each once a day: a time that the clocks jump over comes due
//! at the instant after the jump, several of them together once; a time that comes twice counts the first time.
//!
//! A schedule of every hour (`*/5 * * * *`) means a beat: it comes due whenever the clock on the wall really shows such a time, so
//! also in both passes of an hour that comes twice, and not once more for an hour that was jumped over. Where clocks
//! move by whole hours, the beat in real time is kept.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

use super::cron::{Cron, floor_minute};

/// Changes of the clocks after which a beat that found no time is given up: two a year, for as long as [`Cron`] looks for a day.
const CHANGES: usize = 100;

/// The first moment after an instant.
pub(super) fn next_after(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    if cron.every_hour() { next_beat(cron, zone, after) } else { next_time_of_day(cron, zone, after) }
}

fn next_time_of_day(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    // Instants never go back where wall times go on, so the first wall time that lies later is the one.
    let mut from = minute_after(zone.to_datetime(after))?;
    loop {
        let wall = cron.at_or_after(from, None)?;
        let instant = instant_of(zone, wall)?;
        if instant > after {
            return Some(instant);
        }
        from = minute_after(wall)?;
    }
}

/// One piece of constant offset after the other: in each, wall time and real time run alike.
fn next_beat(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let mut offset = zone.to_offset(after);
    let mut from = minute_after(offset.to_datetime(after))?;
    let mut changes = zone.following(after).take(CHANGES);
    loop {
        let change = changes.next();
        let end = change.as_ref().map(|change| offset.to_datetime(change.timestamp()));
        if let Some(wall) = cron.at_or_after(from, end) {
            return offset.to_timestamp(wall).ok();
        }
        let change = change?;
        offset = change.offset();
        from = offset.to_datetime(change.timestamp());
    }
}

/// When the wall clock shows a time for the first time, or has jumped over it.
pub(super) fn instant_of(zone: &TimeZone, wall: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wall).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(wall).ok(),
        AmbiguousOffset::Gap { after, .. } => {
            let too_early = after.to_timestamp(wall).ok()?;
            let jump = zone.following(too_early).take(2).find(|change| change.offset() == after)?;
            Some(jump.timestamp())
        }
    }
}

fn minute_after(wall: DateTime) -> Option<DateTime> {
    floor_minute(wall).checked_add(1.minute()).ok()
}
