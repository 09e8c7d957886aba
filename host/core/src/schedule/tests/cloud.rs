//! What Cloud Scheduler is told.

use jiff::ToSpan;

use super::super::CloudJobs;
use super::{Timetable, at, timetable};

fn knocks(cron: &str) -> (String, bool) {
    let knocks = timetable(cron, "UTC").knocks();
    (knocks.cron, knocks.exact)
}

#[test]
fn what_both_can_say_is_said_exactly() {
    for (ours, theirs) in [
        ("* * * * *", "* * * * *"),
        ("*/15 * * * *", "0,15,30,45 * * * *"),
        ("30 2 * * mon-fri", "30 2 * * 1-5"),
        ("0 6 1,15 * *", "0 6 1,15 * *"),
        ("0 6 */10 * *", "0 6 1,11,21,31 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("0 0 * jan,feb,mar 7", "0 0 * 1-3 0"),
        // Either field names a day, and one of them names all.
        ("0 0 1-31 * mon", "0 0 * * *"),
    ] {
        assert_eq!(knocks(ours), (theirs.to_owned(), true), "{ours}");
    }
}

#[test]
fn what_it_cannot_say_it_knocks_more_often_for() {
    for (ours, theirs) in [
        ("0 3 L * *", "0 3 28-31 * *"),
        ("0 3 * * friL", "0 3 * * 5"),
        ("0 3 * * mon#2,tue", "0 3 * * 1,2"),
        // Friday and the thirteenth, which each name days of their own.
        ("0 3 13 * fri", "0 3 * * *"),
        // Odd days that are Mondays: Vixie's rule of the star.
        ("0 3 */2 * mon", "0 3 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31 * *"),
    ] {
        assert_eq!(knocks(ours), (theirs.to_owned(), false), "{ours}");
    }
}

#[test]
fn it_knocks_at_every_moment() {
    let ours = [
        "*/7 3-5 * * *",
        "0 3 L * *",
        "5 4 * feb friL",
        "0 0 13 * fri",
        "0 12 */3 * tue#1",
        "59 23 31 * *",
        "0 0 29 2 *",
    ];
    for cron in ours {
        let (timetable, theirs) = (timetable(cron, "UTC"), knocks(cron).0);
        let theirs = timetable_of(&theirs);
        let (mut now, mut seen) = (at("2026-01-01T00:00:00Z"), 0);
        while let Some(moment) = timetable.next_after(now).filter(|_| seen < 400) {
            let before = moment.checked_sub(1.seconds()).unwrap();
            assert_eq!(theirs.next_after(before), Some(moment), "{cron}");
            (now, seen) = (moment, seen + 1);
        }
        assert_eq!(seen, 400, "{cron}");
    }
}

fn timetable_of(cron: &str) -> Timetable {
    timetable(cron, "UTC")
}

#[test]
fn a_job_has_the_same_id_for_ever_and_only_its_own_service_touches_it() {
    let jobs = |prefix: &str| CloudJobs {
        prefix: prefix.into(),
        origin: "https://sluice.example".into(),
        service_account: "knocks@p.iam.gserviceaccount.com".into(),
        audience: "https://sluice.example".into(),
    };
    let (ours, theirs) = (jobs("sluice-a"), jobs("sluice"));
    let id = ours.id("acme", "orders");
    assert_eq!(id, ours.id("acme", "orders"));
    assert_ne!(id, ours.id("acmeo", "rders"));
    assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') && id.len() <= 500, "{id}");
    assert!(ours.owns(&id));
    assert!(!theirs.owns(&id), "a longer prefix is another service's");
    assert!(!ours.owns("sluice-a-nightly-backup"));
    let job = ours.job("acme", "a b/c", &timetable("0 3 * * *", "Europe/Berlin"));
    assert_eq!(job.uri, "https://sluice.example/v1/hooks/cloud-scheduler/acme/a%20b%2Fc");
    assert_eq!((job.cron.as_str(), job.time_zone.as_str()), ("0 3 * * *", "Europe/Berlin"));
    assert_ne!(CloudJobs::prefix_of("https://a.example"), CloudJobs::prefix_of("https://b.example"));
}
