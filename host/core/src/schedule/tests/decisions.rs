//! What is queued, skipped and cancelled.

use jiff::Timestamp;

use super::at;
use crate::schedule::{
    Blackout, CatchUp, Day, Decision, Facts, Overlap, Schedule, SkipReason, Timetable, Unfinished, decide,
};

struct Case {
    schedule: Schedule,
    unfinished: Vec<Unfinished>,
}

fn every(cron: &str) -> Case {
    Case { schedule: Schedule::new(cron, "UTC"), unfinished: Vec::new() }
}

impl Case {
    fn overlap(mut self, overlap: Overlap) -> Self {
        self.schedule.overlap = overlap;
        self
    }

    fn catch_up(mut self, catch_up: CatchUp) -> Self {
        self.schedule.catch_up = catch_up;
        self
    }

    fn blackout(mut self, days: &[Day], from: &str, to: &str) -> Self {
        let blackout = Blackout { from: from.into(), to: to.into(), days: days.to_vec(), reason: None };
        self.schedule.blackouts.push(blackout);
        self
    }

    fn unfinished(mut self, run: &str, moment: &str) -> Self {
        self.unfinished.push(Unfinished { run: run.into(), moment: at(moment) });
        self
    }

    fn table(&self) -> Timetable {
        Timetable::new(&self.schedule).unwrap()
    }

    fn decide(&self, last: &str, now: &str) -> Decision {
        decide(&self.table(), &Facts { seed: "p", last: at(last), now: at(now), unfinished: &self.unfinished })
    }
}

fn times(moments: &[Timestamp]) -> Vec<String> {
    moments.iter().map(|moment| moment.strftime("%d %H:%M").to_string()).collect()
}

fn skips(decision: &Decision) -> Vec<(String, String, u32, SkipReason)> {
    let time = |moment: Timestamp| moment.strftime("%d %H:%M").to_string();
    decision.skip.iter().map(|skip| (time(skip.first), time(skip.last), skip.count, skip.reason)).collect()
}

fn skip(first: &str, last: &str, count: u32, reason: SkipReason) -> (String, String, u32, SkipReason) {
    (first.into(), last.into(), count, reason)
}

#[test]
fn a_moment_that_has_come_is_queued_once_and_the_next_one_is_named() {
    let hourly = every("@hourly");
    let decision = hourly.decide("2026-01-05T09:00:00Z", "2026-01-05T10:00:00.2Z");
    assert_eq!(decision.queue, [at("2026-01-05T10:00:00Z")]);
    assert_eq!(decision.decided, at("2026-01-05T10:00:00Z"));
    assert_eq!(decision.look_again, Some(at("2026-01-05T11:00:00Z")));
    let again = hourly.decide("2026-01-05T10:00:00Z", "2026-01-05T10:00:00.4Z");
    assert_eq!((again.queue.len(), again.skip.len(), again.decided), (0, 0, at("2026-01-05T10:00:00Z")));
}

#[test]
fn nothing_happens_before_the_moment() {
    let decision = every("@hourly").decide("2026-01-05T09:00:00Z", "2026-01-05T09:59:59Z");
    assert_eq!(decision.queue, []);
    assert_eq!(decision.look_again, Some(at("2026-01-05T10:00:00Z")));
}

#[test]
fn a_disabled_schedule_decides_nothing_and_has_nothing_to_catch_up_later() {
    let mut case = every("@hourly");
    case.schedule.enabled = false;
    let decision = case.decide("2026-01-05T09:00:00Z", "2026-01-05T12:30:00Z");
    assert_eq!((decision.queue.len(), decision.skip.len(), decision.look_again), (0, 0, None));
    assert_eq!(decision.decided, at("2026-01-05T12:30:00Z"));
}

#[test]
fn with_skip_a_moment_is_skipped_while_an_earlier_run_is_not_finished() {
    let case = every("@hourly").unfinished("r1", "2026-01-05T09:00:00Z");
    let decision = case.decide("2026-01-05T09:00:00Z", "2026-01-05T10:00:01Z");
    assert_eq!((decision.queue.len(), decision.cancel.len()), (0, 0));
    assert_eq!(skips(&decision), [skip("05 10:00", "05 10:00", 1, SkipReason::Overlap)]);
    assert_eq!(decision.decided, at("2026-01-05T10:00:00Z"));
}

#[test]
fn with_queue_it_waits_its_turn_until_too_many_wait() {
    let mut case = every("@hourly").overlap(Overlap::Queue).unfinished("r1", "2026-01-05T09:00:00Z");
    let decision = case.decide("2026-01-05T09:00:00Z", "2026-01-05T10:00:01Z");
    assert_eq!(times(&decision.queue), ["05 10:00"]);
    case.unfinished =
        (0..1_000).map(|n| Unfinished { run: format!("r{n}"), moment: at("2026-01-05T09:00:00Z") }).collect();
    let decision = case.decide("2026-01-05T09:00:00Z", "2026-01-05T10:00:01Z");
    assert_eq!(skips(&decision), [skip("05 10:00", "05 10:00", 1, SkipReason::Backlog)]);
}

#[test]
fn with_cancel_previous_the_new_run_takes_the_place_of_the_old_ones() {
    let case = every("@hourly")
        .overlap(Overlap::CancelPrevious)
        .unfinished("r1", "2026-01-05T08:00:00Z")
        .unfinished("r2", "2026-01-05T09:00:00Z");
    let decision = case.decide("2026-01-05T09:00:00Z", "2026-01-05T10:00:01Z");
    assert_eq!(times(&decision.queue), ["05 10:00"]);
    assert_eq!(decision.cancel, ["r1", "r2"]);
    let nothing = case.decide("2026-01-05T09:00:00Z", "2026-01-05T09:30:00Z");
    assert!(nothing.cancel.is_empty(), "nobody is cancelled when no moment has come");
}

#[test]
fn after_a_downtime_latest_runs_the_last_moment_and_skips_the_others() {
    let decision = every("@hourly").decide("2026-01-05T09:00:00Z", "2026-01-05T15:30:00Z");
    assert_eq!(times(&decision.queue), ["05 15:00"]);
    assert_eq!(skips(&decision), [skip("05 10:00", "05 14:00", 5, SkipReason::Superseded)]);
}

#[test]
fn after_a_downtime_none_runs_nothing_that_is_late() {
    let case = every("@hourly").catch_up(CatchUp::None);
    let decision = case.decide("2026-01-05T09:00:00Z", "2026-01-05T15:30:00Z");
    assert_eq!(times(&decision.queue), Vec::<String>::new());
    assert_eq!(skips(&decision), [skip("05 10:00", "05 15:00", 6, SkipReason::Missed)]);
    // A restart is not a downtime.
    let decision = case.decide("2026-01-05T14:00:00Z", "2026-01-05T15:04:00Z");
    assert_eq!(times(&decision.queue), ["05 15:00"]);
}

#[test]
fn after_a_downtime_all_runs_the_newest_up_to_its_bound_oldest_first() {
    let case = every("@hourly").catch_up(CatchUp::All { max: 3 });
    let decision = case.decide("2026-01-05T09:00:00Z", "2026-01-05T15:30:00Z");
    assert_eq!(times(&decision.queue), ["05 13:00", "05 14:00", "05 15:00"]);
    assert_eq!(skips(&decision), [skip("05 10:00", "05 12:00", 3, SkipReason::Missed)]);
}

#[test]
fn moments_that_a_busy_host_found_late_together_run_each_only_where_they_queue() {
    let (last, now) = ("2026-01-05T09:00:00Z", "2026-01-05T09:02:30Z");
    let decision = every("* * * * *").catch_up(CatchUp::None).decide(last, now);
    assert_eq!(times(&decision.queue), ["05 09:02"]);
    assert_eq!(skips(&decision), [skip("05 09:01", "05 09:01", 1, SkipReason::Superseded)]);
    let decision = every("* * * * *").overlap(Overlap::Queue).decide(last, now);
    assert_eq!(times(&decision.queue), ["05 09:01", "05 09:02"]);
}

#[test]
fn a_year_of_downtime_on_a_minutes_schedule_is_decided_at_once() {
    let decision = every("* * * * *").decide("2025-01-05T09:00:00Z", "2026-01-05T09:00:10Z");
    assert_eq!(times(&decision.queue), ["05 09:00"]);
    assert_eq!(decision.skip.first().unwrap().first, at("2025-01-05T09:01:00Z"));
    assert_eq!(decision.skip.last().unwrap().last, at("2026-01-05T08:59:00Z"));
    assert_eq!(decision.decided, at("2026-01-05T09:00:00Z"));
}

#[test]
fn a_yearly_moment_is_caught_up_after_months() {
    let decision = every("@yearly").decide("2025-01-01T00:00:00Z", "2026-06-05T09:00:10Z");
    assert_eq!(decision.queue, [at("2026-01-01T00:00:00Z")]);
}

#[test]
fn a_moment_in_a_blackout_is_skipped_and_the_one_at_its_end_is_not() {
    let case = every("@hourly").blackout(&[], "22:00", "06:00");
    let night = case.decide("2026-01-05T21:00:00Z", "2026-01-05T22:00:01Z");
    assert_eq!(skips(&night), [skip("05 22:00", "05 22:00", 1, SkipReason::Blackout)]);
    let early = case.decide("2026-01-06T04:00:00Z", "2026-01-06T05:00:01Z");
    assert_eq!(skips(&early), [skip("06 05:00", "06 05:00", 1, SkipReason::Blackout)]);
    let morning = case.decide("2026-01-06T05:00:00Z", "2026-01-06T06:00:01Z");
    assert_eq!(times(&morning.queue), ["06 06:00"]);
}

#[test]
fn a_weekly_window_belongs_to_the_day_on_which_it_begins() {
    // 2026-01-05 is a Monday.
    let case = every("@hourly").blackout(&[Day::Mon], "22:00", "02:00");
    let table = case.table();
    assert!(table.blackout_at(at("2026-01-05T23:00:00Z")).is_some());
    assert!(table.blackout_at(at("2026-01-06T01:59:00Z")).is_some());
    assert!(table.blackout_at(at("2026-01-06T02:00:00Z")).is_none());
    assert!(table.blackout_at(at("2026-01-05T01:00:00Z")).is_none(), "that night began on Sunday");
    assert_eq!(table.blackout_end(at("2026-01-05T23:00:00Z")), Some(at("2026-01-06T02:00:00Z")));
}

#[test]
fn a_window_of_dates_lies_in_the_schedules_zone() {
    let mut case = every("@daily").blackout(&[], "2026-12-24", "2026-12-27T12:00");
    case.schedule.time_zone = "Europe/Berlin".into();
    let table = case.table();
    assert!(table.blackout_at(at("2026-12-23T22:59:59Z")).is_none());
    assert!(table.blackout_at(at("2026-12-23T23:00:00Z")).is_some());
    assert_eq!(table.blackout_end(at("2026-12-25T00:00:00Z")), Some(at("2026-12-27T11:00:00Z")));
    assert_eq!(table.upcoming(at("2026-12-22T23:00:00Z"), 1), [at("2026-12-27T23:00:00Z")]);
}

#[test]
fn after_a_blackout_latest_does_not_run_what_the_blackout_forbade() {
    let case = every("@hourly").blackout(&[], "22:00", "06:00");
    let decision = case.decide("2026-01-05T20:00:00Z", "2026-01-06T06:30:00Z");
    assert_eq!(times(&decision.queue), ["06 06:00"]);
    assert_eq!(
        skips(&decision),
        [
            skip("05 21:00", "05 21:00", 1, SkipReason::Superseded),
            skip("05 22:00", "06 05:00", 8, SkipReason::Blackout)
        ]
    );
}

#[test]
fn what_came_before_a_blackout_and_was_not_started_waits_for_its_end() {
    let case = every("@daily").blackout(&[], "22:00", "06:00");
    let mut case = case;
    case.schedule.cron = "0 21 * * *".into();
    let during = case.decide("2026-01-04T21:00:00Z", "2026-01-05T23:00:00Z");
    assert_eq!((during.queue.len(), during.skip.len()), (0, 0));
    assert_eq!(during.decided, at("2026-01-04T21:00:00Z"));
    assert_eq!(during.look_again, Some(at("2026-01-06T06:00:00Z")));
    let after = case.decide("2026-01-04T21:00:00Z", "2026-01-06T06:00:00Z");
    assert_eq!(times(&after.queue), ["05 21:00"]);
}

#[test]
fn jitter_is_the_same_for_one_moment_and_never_reaches_the_next() {
    let mut case = every("* * * * *");
    case.schedule.jitter_seconds = 3_600;
    let table = case.table();
    let moments = table.between(at("2026-01-05T09:00:00Z"), at("2026-01-05T13:00:00Z"), 1_000);
    let mut delays = std::collections::BTreeSet::new();
    for moment in &moments {
        let start = table.start_of(*moment, "pipeline");
        assert_eq!(start, table.start_of(*moment, "pipeline"));
        let delay = start.as_second() - moment.as_second();
        assert!((0..60).contains(&delay), "{delay}");
        delays.insert(delay);
    }
    assert!(delays.len() > 40, "240 moments are spread over the minute: {delays:?}");
    let first = moments[0];
    let others = (0..50).map(|n| table.start_of(first, &format!("p{n}"))).collect::<std::collections::BTreeSet<_>>();
    assert!(others.len() > 20, "and so are 50 pipelines");
}

#[test]
fn a_moment_starts_when_its_jitter_is_over() {
    let mut case = every("@hourly");
    case.schedule.jitter_seconds = 600;
    let table = case.table();
    let moment = at("2026-01-05T10:00:00Z");
    let start = table.start_of(moment, "p");
    assert!(start > moment && start.as_second() <= moment.as_second() + 600, "{start}");
    let early = case.decide("2026-01-05T09:00:00Z", "2026-01-05T10:00:00Z");
    assert_eq!((early.queue.len(), early.decided, early.look_again), (0, at("2026-01-05T09:00:00Z"), Some(start)));
    assert_eq!(case.decide("2026-01-05T09:00:00Z", &start.to_string()).queue, [moment]);
}

#[test]
fn every_moment_is_decided_exactly_once_whatever_the_policies_and_however_late() {
    let mut dice = 7_u64;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    let (start, end) = (at("2026-03-20T00:00:00Z"), at("2026-04-10T00:00:00Z"));
    for round in 0..120 {
        let cron = ["*/7 * * * *", "30 2 * * *", "0 */3 * * *", "15 1,2,3 * * 1-5"][roll(4) as usize];
        let mut case = every(cron).blackout(&[Day::Sat], "20:00", "04:00");
        case.schedule.time_zone = ["Europe/Berlin", "Australia/Lord_Howe", "UTC"][roll(3) as usize].into();
        case.schedule.overlap = [Overlap::Skip, Overlap::Queue, Overlap::CancelPrevious][roll(3) as usize];
        case.schedule.catch_up = [CatchUp::None, CatchUp::Latest][roll(2) as usize];
        case.schedule.jitter_seconds = [0, 45, 4_000][roll(3) as usize];
        if case.schedule.overlap != Overlap::CancelPrevious && roll(2) == 0 {
            case.schedule.catch_up = CatchUp::All { max: 5 };
        }
        let table = case.table();
        let (mut last, mut now) = (start, start);
        let (mut queued, mut skipped) = (Vec::new(), 0);
        while now < end {
            let pause = [1, 20, 90, 3_000, 200_000][roll(5) as usize];
            now = Timestamp::from_second(now.as_second() + pause).unwrap();
            let unfinished = if roll(3) == 0 { vec![Unfinished { run: "r".into(), moment: last }] } else { Vec::new() };
            let decision = decide(&table, &Facts { seed: "p", last, now, unfinished: &unfinished });
            assert!(decision.decided >= last && decision.decided <= now);
            assert!(decision.look_again.is_none_or(|next| next > now), "round {round}: it would spin");
            skipped += decision.skip.iter().map(|skip| skip.count as usize).sum::<usize>();
            queued.extend(decision.queue);
            last = decision.decided;
        }
        let all = table.between(start, Timestamp::from_second(last.as_second() + 1).unwrap(), 100_000);
        let all = all.iter().filter(|moment| **moment > start).count();
        assert_eq!(queued.len() + skipped, all, "round {round} {:?}", case.schedule);
        assert!(queued.windows(2).all(|pair| pair[0] < pair[1]), "round {round}: one twice, or out of order");
        assert!(queued.iter().all(|moment| table.blackout_at(*moment).is_none()), "round {round}");
    }
}

#[test]
fn what_contradicts_itself_is_refused_by_field() {
    let refused = |case: Case| {
        let error = Timetable::new(&case.schedule).unwrap_err();
        (error.field.unwrap(), error.message)
    };
    let (field, message) = refused(every("@daily").overlap(Overlap::CancelPrevious).catch_up(CatchUp::All { max: 2 }));
    assert_eq!(field, "schedule.catch_up");
    assert!(message.contains("use `catch_up: latest`"));
    assert_eq!(refused(every("@daily").catch_up(CatchUp::All { max: 0 })).0, "schedule.catch_up.all.max");
    assert_eq!(refused(every("@daily").blackout(&[], "22:00", "2026-01-01")).0, "schedule.blackouts[0].to");
    assert_eq!(refused(every("@daily").blackout(&[], "25:00", "06:00")).0, "schedule.blackouts[0].from");
    assert_eq!(
        refused(every("@daily").blackout(&[Day::Sun], "2026-01-01", "2026-01-02")).0,
        "schedule.blackouts[0].days"
    );
    assert_eq!(refused(every("@daily").blackout(&[], "2026-01-02", "2026-01-02")).0, "schedule.blackouts[0].to");
    assert_eq!(
        refused(every("@daily").blackout(&[], "2026-01-02T00:00Z", "2026-01-03")).0,
        "schedule.blackouts[0].from"
    );
    let (field, message) = refused(every("@daily").blackout(&[], "12:00", "24:00").blackout(&[], "00:00", "12:00"));
    assert_eq!(
        (field.as_str(), message.as_str()),
        ("schedule.blackouts", "together they cover every hour of the week")
    );
    let mut case = every("@daily");
    case.schedule.jitter_seconds = 90_000;
    assert_eq!(refused(case).0, "schedule.jitter_seconds");
}

#[test]
fn a_schedule_is_written_by_people_with_defaults_and_no_unknown_fields() {
    let schedule: Schedule = serde_json::from_value(serde_json::json!({
        "cron": "*/15 * * * *",
        "time_zone": "Europe/Berlin",
        "overlap": "cancel-previous",
        "catch_up": "latest",
        "blackouts": [{"days": ["sat", "sunday"], "from": "00:00", "to": "24:00", "reason": "maintenance"}]
    }))
    .unwrap();
    assert_eq!(schedule.overlap, Overlap::CancelPrevious);
    assert_eq!(schedule.blackouts[0].days, [Day::Sat, Day::Sun]);
    assert!(schedule.enabled);
    Timetable::new(&schedule).unwrap();
    let all: Schedule =
        serde_json::from_value(serde_json::json!({"cron": "@daily", "catch_up": {"all": {"max": 7}}})).unwrap();
    assert_eq!((all.catch_up, all.time_zone.as_str()), (CatchUp::All { max: 7 }, "UTC"));
    let error =
        serde_json::from_value::<Schedule>(serde_json::json!({"cron": "@daily", "timezone": "UTC"})).unwrap_err();
    assert!(error.to_string().contains("timezone"), "{error}");
}
