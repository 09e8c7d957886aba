//! Moments where clocks change, in zones that change them each in its way.

use super::{at, timetable, walls};

#[test]
fn a_time_that_berlin_jumps_over_comes_due_once_at_the_moment_after_the_jump() {
    assert_eq!(
        walls("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 4),
        ["Sat 28 Mar 02:30 +01:00", "Sun 29 Mar 03:00 +02:00", "Mon 30 Mar 02:30 +02:00", "Tue 31 Mar 02:30 +02:00"]
    );
    // Several times in one gap, and a time right behind it, are one moment.
    assert_eq!(
        walls("0,30 2,3 29 3 *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
        ["Sun 29 Mar 03:00 +02:00", "Sun 29 Mar 03:30 +02:00"]
    );
}

#[test]
fn a_time_that_berlin_shows_twice_comes_due_the_first_time() {
    assert_eq!(
        walls("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
        ["Sun 25 Oct 02:30 +02:00", "Mon 26 Oct 02:30 +01:00"]
    );
    // Asked from between the two, and from within the second pass.
    for asked in ["2026-10-25T00:45:00Z", "2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z"] {
        assert_eq!(walls("30 2 * * *", "Europe/Berlin", asked, 1), ["Mon 26 Oct 02:30 +01:00"], "{asked}");
    }
    assert_eq!(
        walls("0 2,3 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 3),
        ["Sun 25 Oct 02:00 +02:00", "Sun 25 Oct 03:00 +01:00", "Mon 26 Oct 02:00 +01:00"]
    );
}

#[test]
fn a_beat_is_kept_in_real_time_through_both_changes() {
    for zone in ["Europe/Berlin", "America/New_York", "Africa/Casablanca", "UTC"] {
        let every_5 = timetable("*/5 * * * *", zone);
        let (from, to) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
        let moments = every_5.between(from, to, 200_000);
        assert_eq!(moments.len(), 365 * 24 * 12, "{zone}");
        assert!(moments.windows(2).all(|pair| pair[1].as_second() - pair[0].as_second() == 300), "{zone}");
    }
    assert_eq!(
        walls("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3),
        ["Sun 29 Mar 01:30 +01:00", "Sun 29 Mar 03:30 +02:00", "Sun 29 Mar 04:30 +02:00"]
    );
    assert_eq!(
        walls("30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 3),
        ["Sun 25 Oct 02:30 +02:00", "Sun 25 Oct 02:30 +01:00", "Sun 25 Oct 03:30 +01:00"]
    );
}

#[test]
fn new_york_changes_on_other_days_than_berlin() {
    assert_eq!(
        walls("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 2),
        ["Sun 8 Mar 03:00 -04:00", "Mon 9 Mar 02:30 -04:00"]
    );
    assert_eq!(
        walls("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", 2),
        ["Sun 1 Nov 01:30 -04:00", "Mon 2 Nov 01:30 -05:00"]
    );
}

#[test]
fn lord_howe_moves_its_clocks_by_half_an_hour() {
    assert_eq!(
        walls("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2),
        ["Sun 4 Oct 02:30 +11:00", "Mon 5 Oct 02:15 +11:00"]
    );
    assert_eq!(
        walls("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", 2),
        ["Sun 5 Apr 01:45 +11:00", "Mon 6 Apr 01:45 +10:30"]
    );
    // What divides half an hour keeps its beat; the hour follows the wall.
    let moments = timetable("*/10 * * * *", "Australia/Lord_Howe").between(
        at("2026-04-01T00:00:00Z"),
        at("2026-11-01T00:00:00Z"),
        200_000,
    );
    assert!(moments.windows(2).all(|pair| pair[1].as_second() - pair[0].as_second() == 600));
    assert_eq!(
        walls("0 * * * *", "Australia/Lord_Howe", "2026-10-03T14:00:00Z", 3),
        ["Sun 4 Oct 01:00 +10:30", "Sun 4 Oct 03:00 +11:00", "Sun 4 Oct 04:00 +11:00"]
    );
}

#[test]
fn a_day_that_samoa_skipped_comes_due_at_the_start_of_the_next() {
    assert_eq!(
        walls("0 9 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", 4),
        ["Thu 29 Dec 09:00 -10:00", "Sat 31 Dec 00:00 +14:00", "Sat 31 Dec 09:00 +14:00", "Sun 1 Jan 09:00 +14:00"]
    );
    assert_eq!(
        walls("0 0 30 12 *", "Pacific/Apia", "2011-06-01T00:00:00Z", 2),
        ["Sat 31 Dec 00:00 +14:00", "Sun 30 Dec 00:00 +14:00"]
    );
    assert_eq!(
        walls("0 0 * * *", "Pacific/Apia", "2011-12-28T12:00:00Z", 3),
        ["Thu 29 Dec 00:00 -10:00", "Sat 31 Dec 00:00 +14:00", "Sun 1 Jan 00:00 +14:00"]
    );
}

#[test]
fn casablanca_sets_its_clocks_back_for_ramadan() {
    assert_eq!(
        walls("30 2 * * *", "Africa/Casablanca", "2026-02-14T12:00:00Z", 2),
        ["Sun 15 Feb 02:30 +01:00", "Mon 16 Feb 02:30 +00:00"]
    );
    assert_eq!(
        walls("30 2 * * *", "Africa/Casablanca", "2026-03-21T12:00:00Z", 2),
        ["Sun 22 Mar 03:00 +01:00", "Mon 23 Mar 02:30 +01:00"]
    );
}

#[test]
fn midnight_itself_can_be_jumped_over() {
    // Cairo's clocks go from 24:00 on Thursday to 01:00 on Friday.
    assert_eq!(
        walls("@daily", "Africa/Cairo", "2026-04-22T23:00:00Z", 2),
        ["Fri 24 Apr 01:00 +03:00", "Sat 25 Apr 00:00 +03:00"]
    );
}

#[test]
fn every_time_of_the_day_comes_due_once_on_every_day_that_exists() {
    for (zone, year, days) in [
        ("Europe/Berlin", 2026, 365),
        ("Australia/Lord_Howe", 2027, 365),
        ("Africa/Casablanca", 2026, 365),
        ("America/New_York", 2028, 366),
    ] {
        for (hour, minute) in [(0, 0), (1, 30), (1, 45), (2, 0), (2, 15), (2, 59), (3, 0), (23, 59)] {
            let daily = timetable(&format!("{minute} {hour} * * *"), zone);
            let first = jiff::civil::date(year, 1, 1).to_zoned(daily.zone().clone()).unwrap();
            let end = jiff::civil::date(year + 1, 1, 1).to_zoned(daily.zone().clone()).unwrap();
            let moments = daily.between(first.timestamp(), end.timestamp(), 1_000);
            assert_eq!(moments.len(), days, "{zone} {hour}:{minute}");
            let dates: std::collections::BTreeSet<_> =
                moments.iter().map(|moment| daily.zone().to_datetime(*moment).date()).collect();
            assert_eq!(dates.len(), days, "{zone} {hour}:{minute}");
        }
    }
}

#[test]
fn an_instant_with_seconds_is_followed_by_the_next_minute_that_counts() {
    assert_eq!(
        timetable("* * * * *", "UTC").next_after(at("2026-01-01T10:00:00.5Z")),
        Some(at("2026-01-01T10:01:00Z"))
    );
    assert_eq!(
        timetable("0 10 * * *", "UTC").next_after(at("2026-01-01T09:59:59.999999Z")),
        Some(at("2026-01-01T10:00:00Z"))
    );
    assert_eq!(timetable("0 10 * * *", "UTC").next_after(at("2026-01-01T10:00:00Z")), Some(at("2026-01-02T10:00:00Z")));
}

#[test]
fn far_in_the_future_the_zones_rule_still_holds() {
    assert_eq!(
        walls("30 2 * * *", "Europe/Berlin", "2099-03-28T12:00:00Z", 2),
        ["Sun 29 Mar 03:00 +02:00", "Mon 30 Mar 02:30 +02:00"]
    );
}
