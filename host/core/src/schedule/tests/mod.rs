//! What the module promises, sentence by sentence.

mod cloud;
mod decisions;
mod expressions;
mod zones;

use jiff::Timestamp;

use super::{Schedule, Timetable};

fn timetable(cron: &str, zone: &str) -> Timetable {
    Timetable::new(&Schedule::new(cron, zone)).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The next `count` moments after an instant, as they stand on the wall: `Sun 29 Mar 03:00 +02`.
fn walls(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let timetable = timetable(cron, zone);
    let moments = timetable.upcoming(at(after), count);
    moments
        .iter()
        .map(|moment| moment.to_zoned(timetable.zone().clone()).strftime("%a %-d %b %H:%M %:z").to_string())
        .collect()
}
