//! Which expressions are read, what they name, and what they mean in words.

use super::{at, timetable, walls};
use crate::schedule::{Schedule, Timetable, time_zones};

fn refused(cron: &str) -> String {
    let error = Timetable::new(&Schedule::new(cron, "UTC")).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("schedule.cron"), "{cron}");
    error.message
}

fn days(cron: &str, count: usize) -> Vec<String> {
    let moments = timetable(cron, "UTC").upcoming(at("2026-01-01T00:00:00Z"), count);
    moments.iter().map(|moment| moment.strftime("%F %H:%M").to_string()).collect()
}

#[test]
fn numbers_names_lists_ranges_and_steps_are_read() {
    assert_eq!(days("5 4 * * *", 2), ["2026-01-01 04:05", "2026-01-02 04:05"]);
    assert_eq!(days("0 0 1 feb,JUL *", 2), ["2026-02-01 00:00", "2026-07-01 00:00"]);
    assert_eq!(days("0 9-17/4 * * mon-FRI", 3), ["2026-01-01 09:00", "2026-01-01 13:00", "2026-01-01 17:00"]);
    assert_eq!(days("50/5 23 1 * *", 2), ["2026-01-01 23:50", "2026-01-01 23:55"]);
    assert_eq!(days("0 0 * * 7", 1), days("0 0 * * 0", 1));
    assert_eq!(days("0 0 * * 5-7", 3), ["2026-01-02 00:00", "2026-01-03 00:00", "2026-01-04 00:00"]);
}

#[test]
fn macros_stand_for_their_five_fields() {
    for (short, long) in [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@Weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
    ] {
        assert_eq!(days(short, 5), days(long, 5), "{short}");
    }
    assert!(refused("@reboot").contains("@reboot is not known"));
}

#[test]
fn the_last_day_of_the_month_is_found_in_every_month_also_december() {
    assert_eq!(
        days("0 0 L * *", 12),
        [
            "2026-01-31 00:00",
            "2026-02-28 00:00",
            "2026-03-31 00:00",
            "2026-04-30 00:00",
            "2026-05-31 00:00",
            "2026-06-30 00:00",
            "2026-07-31 00:00",
            "2026-08-31 00:00",
            "2026-09-30 00:00",
            "2026-10-31 00:00",
            "2026-11-30 00:00",
            "2026-12-31 00:00"
        ]
    );
}

#[test]
fn the_nth_and_the_last_weekday_of_a_month_are_found() {
    assert_eq!(days("0 6 * * mon#2", 2), ["2026-01-12 06:00", "2026-02-09 06:00"]);
    assert_eq!(days("0 6 * * 5#5", 2), ["2026-01-30 06:00", "2026-05-29 06:00"]);
    assert_eq!(days("0 6 * * friL", 3), ["2026-01-30 06:00", "2026-02-27 06:00", "2026-03-27 06:00"]);
    assert_eq!(days("0 6 * 12 4L", 1), ["2026-12-31 06:00"]);
}

#[test]
fn two_restricted_days_are_a_union_and_a_star_makes_them_an_intersection() {
    // The 13th, or a Friday.
    assert_eq!(days("0 0 13 * fri", 3), ["2026-01-02 00:00", "2026-01-09 00:00", "2026-01-13 00:00"]);
    // An odd day that is a Friday.
    assert_eq!(days("0 0 */2 * fri", 2), ["2026-01-09 00:00", "2026-01-23 00:00"]);
    assert_eq!(days("0 0 * * fri", 1), ["2026-01-02 00:00"]);
}

#[test]
fn the_leap_day_is_found_across_a_century_that_has_none() {
    let timetable = timetable("0 0 29 2 *", "UTC");
    assert_eq!(timetable.next_after(at("2096-03-01T00:00:00Z")), Some(at("2104-02-29T00:00:00Z")));
}

#[test]
fn what_is_wrong_with_an_expression_is_said() {
    assert!(refused("* * * *").contains("five fields (minute, hour, day of the month, month, day of the week), not 4"));
    assert!(refused("0 0 12 * * *").contains("not 6"));
    assert_eq!(refused("60 * * * *"), "\"60\" is not a valid minute (0 to 59)");
    assert_eq!(refused("0 24 * * *"), "\"24\" is not a valid hour (0 to 23)");
    assert_eq!(refused("0 0 * foo *"), "\"foo\" is not a valid month (1 to 12, jan to dec)");
    assert_eq!(refused("*/0 * * * *"), "\"0\" is not a valid step of the minute (1 to 59)");
    assert!(refused("0 0 * * fri-mon").contains("a range goes up"));
    assert!(refused("0 0 * * mon#6").contains("1 to 5"));
    assert_eq!(refused("0 0 ? * *"), "write * instead of ?");
    assert_eq!(refused("0 0 30 2 *"), "it names a day that never comes");
    assert!(refused("0 0 15W * *").contains("15W"));
    for odd in
        ["+5 * * * *", "1,,2 * * * *", "-1 * * * *", "1- * * * *", "\u{664} * * * *", "*/ * * * *", "", "l l l l l"]
    {
        refused(odd);
    }
    assert!(refused(&"1,".repeat(200)).contains("at most"));
}

#[test]
fn a_zone_that_is_unknown_is_named_with_the_one_that_may_be_meant() {
    let refused = |zone: &str| {
        let error = Timetable::new(&Schedule::new("@daily", zone)).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("schedule.time_zone"));
        error.message
    };
    assert_eq!(refused("Berlin"), "\"Berlin\" is not a time zone; is Europe/Berlin meant?");
    assert!(refused("America/new york").contains("is America/New_York meant?"));
    assert!(refused("Middle/Earth").contains("such as Europe/Berlin or UTC"));
    refused("");
    refused("../../etc/passwd");
    assert!(time_zones().len() > 400 && time_zones().contains(&"Asia/Kathmandu".to_owned()));
}

#[test]
fn common_shapes_are_described_in_words_and_others_are_quoted() {
    let says = |cron: &str| timetable(cron, "UTC").describe().trim_end_matches(" (UTC)").to_owned();
    for (cron, words) in [
        ("* * * * *", "every minute"),
        ("*/5 * * * *", "every 5 minutes"),
        ("@hourly", "every hour"),
        ("30 * * * *", "every hour at minute 30"),
        ("5,35 * * * *", "every hour at minutes 5 and 35"),
        ("*/15 9-17 * * 1-5", "every 15 minutes from 09:00 to 17:45 on weekdays"),
        ("0 */6 * * *", "every 6 hours"),
        ("30 */6 * * *", "every 6 hours from 00:30"),
        ("30 2 * * *", "every day at 02:30"),
        ("0 8,20 * * *", "every day at 08:00 and 20:00"),
        ("0 0,12 * * *", "every day at 00:00 and 12:00"),
        ("0 9 * * 1-5", "on weekdays at 09:00"),
        ("0 9 * * sat,sun", "on weekends at 09:00"),
        ("0 9 * * sun,mon,wed", "on Monday, Wednesday and Sunday at 09:00"),
        ("0 0 1 * *", "on the 1st of the month at 00:00"),
        ("0 0 1,15 * *", "on the 1st and the 15th of the month at 00:00"),
        ("0 0 1-7 * *", "on the 1st to the 7th of the month at 00:00"),
        ("0 0 L * *", "on the last day of the month at 00:00"),
        ("0 6 * * mon#2", "on the 2nd Monday of the month at 06:00"),
        ("0 6 * * friL", "on the last Friday of the month at 06:00"),
        ("0 0 13 * fri", "on the 13th of the month or on Friday at 00:00"),
        ("0 0 1 1,7 *", "on the 1st of the month at 00:00, in January and July"),
        ("0 6 * 4-9 *", "every day at 06:00, from April to September"),
        ("0 0 */2 * fri", "at the times that `0 0 */2 * fri` names"),
        ("7,13,29 1-4 * * *", "at the times that `7,13,29 1-4 * * *` names"),
    ] {
        assert_eq!(says(cron), words, "{cron}");
    }
    assert_eq!(timetable("@daily", "Europe/Berlin").describe(), "every day at 00:00 (Europe/Berlin)");
}

#[test]
fn a_range_is_listed_from_its_start_to_before_its_end_up_to_a_limit() {
    let daily = timetable("@daily", "UTC");
    let (from, to) = (at("2026-03-01T00:00:00Z"), at("2026-03-04T00:00:00Z"));
    assert_eq!(daily.between(from, to, 100).len(), 3);
    assert_eq!(daily.between(from, to, 100)[0], from);
    assert_eq!(daily.between(from, to, 2), [from, at("2026-03-02T00:00:00Z")]);
    assert_eq!(daily.between(to, from, 10), []);
    assert_eq!(walls("0 9 * * *", "Asia/Kathmandu", "2026-01-01T00:00:00Z", 1), ["Thu 1 Jan 09:00 +05:45"]);
}
