//! Whether a pipeline's data are as new as its schedule promises.

use jiff::{SignedDuration, Timestamp};

use crate::schedule::Timetable;

/// How long after its moment a run may take before its data are called late.
const PATIENCE: SignedDuration = SignedDuration::from_hours(1);

/// How a pipeline's data stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// A moment of the schedule has passed, and what it should have brought is not there.
    Late,
    /// Nothing was ever loaded.
    Never,
    /// As new as the schedule promises.
    Fresh,
    /// Nothing is promised: there is no schedule, or it is switched off.
    Unscheduled,
}

impl Freshness {
    /// The word for it, in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Never => "never",
            Self::Fresh => "fresh",
            Self::Unscheduled => "unscheduled",
        }
    }
}

/// How data stand whose last successful run began then, and from when on newer ones were or are expected. `timetable` is of the schedule
/// that is followed, if there is one; `since` is when the pipeline got it.
///
/// A run that takes until the next moment is late; so is one that takes longer than an hour after its own.
pub fn of(
    timetable: Option<&Timetable>,
    last: Option<Timestamp>,
    since: Timestamp,
    now: Timestamp,
) -> (Freshness, Option<Timestamp>) {
    let Some(timetable) = timetable else {
        return (if last.is_some() { Freshness::Unscheduled } else { Freshness::Never }, None);
    };
    let from = last.map_or(since, |last| last.max(since));
    // What a blackout keeps from starting is promised for its end.
    let Some(due) = timetable.upcoming(from, 1).first().copied() else {
        return (if last.is_some() { Freshness::Fresh } else { Freshness::Never }, None);
    };
    let jitter = SignedDuration::from_secs(timetable.schedule().jitter_seconds.into());
    let patient = due.checked_add(PATIENCE).and_then(|until| until.checked_add(jitter)).unwrap_or(Timestamp::MAX);
    let next = timetable.next_after(due).unwrap_or(Timestamp::MAX);
    let late = now >= patient.min(next);
    let freshness = match (late, last) {
        (true, _) => Freshness::Late,
        (false, None) => Freshness::Never,
        (false, Some(_)) => Freshness::Fresh,
    };
    (freshness, Some(due))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Schedule;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn judged(cron: &str, last: Option<&str>, now: &str) -> (&'static str, Option<String>) {
        let timetable = Timetable::new(&Schedule::new(cron, "UTC")).unwrap();
        let (found, due) = of(Some(&timetable), last.map(at), at("2026-01-01T00:00:00Z"), at(now));
        (found.as_str(), due.map(|due| due.to_string()))
    }

    #[test]
    fn data_are_late_an_hour_after_the_moment_or_at_the_next() {
        let due = || Some("2026-01-11T03:00:00Z".to_owned());
        let ask = |now: &str| judged("0 3 * * *", Some("2026-01-10T03:00:05Z"), now);
        assert_eq!(ask("2026-01-10T09:00:00Z"), ("fresh", due()));
        assert_eq!(ask("2026-01-11T03:59:59Z"), ("fresh", due()));
        assert_eq!(ask("2026-01-11T04:00:00Z"), ("late", due()));
        let often = |now: &str| judged("*/10 * * * *", Some("2026-01-10T03:00:05Z"), now).0;
        assert_eq!((often("2026-01-10T03:19:59Z"), often("2026-01-10T03:20:00Z")), ("fresh", "late"));
    }

    #[test]
    fn what_never_ran_is_late_once_it_should_have() {
        assert_eq!(judged("0 3 * * *", None, "2026-01-01T02:00:00Z").0, "never");
        assert_eq!(judged("0 3 * * *", None, "2026-01-01T05:00:00Z").0, "late");
    }

    #[test]
    fn without_a_schedule_nothing_is_promised() {
        let now = at("2026-01-10T00:00:00Z");
        assert_eq!(of(None, Some(now), now, now), (Freshness::Unscheduled, None));
        assert_eq!(of(None, None, now, now), (Freshness::Never, None));
    }

    #[test]
    fn a_blackout_promises_nothing_before_its_end() {
        let blackout =
            serde_json::json!({"cron": "0 * * * *", "blackouts": [{"from": "2026-01-10", "to": "2026-01-11"}]});
        let timetable = Timetable::new(&serde_json::from_value(blackout).unwrap()).unwrap();
        let last = at("2026-01-09T23:00:10Z");
        let (found, due) = of(Some(&timetable), Some(last), last, at("2026-01-10T20:00:00Z"));
        assert_eq!((found, due), (Freshness::Fresh, Some(at("2026-01-11T00:00:00Z"))));
    }
}
