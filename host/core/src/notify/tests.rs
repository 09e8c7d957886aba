use super::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60).unwrap()
}

fn event(kind: EventKind, pipeline: &str, subject: &str, minute: i64) -> Event {
    Event {
        id: format!("{pipeline}-{minute}"),
        kind,
        pipeline: pipeline.into(),
        subject: subject.into(),
        at: at(minute),
    }
}

fn rule() -> NotifyRule {
    serde_json::from_value(serde_json::json!({"email": ["ops@example.com"]})).unwrap()
}

/// A target over time: remembers what it was told, as the store does.
struct Target {
    rule: NotifyRule,
    told: Vec<Told>,
    waiting: Vec<Event>,
}

impl Target {
    fn new(rule: NotifyRule) -> Self {
        Self { rule, told: Vec::new(), waiting: Vec::new() }
    }

    /// What becomes of the events at this minute, and how many are in a digest that is sent.
    fn hears(&mut self, minute: i64, new: &[Event]) -> (Vec<How>, usize) {
        let outbox = sort(&self.rule, &self.told, &self.waiting, new, at(minute));
        for (event, how) in &outbox.verdicts {
            match how {
                How::Digest => self.waiting.push(event.clone()),
                how => self.told.push(Told { event: event.clone(), at: at(minute), how: *how }),
            }
        }
        for event in &outbox.digest {
            self.waiting.clear();
            self.told.push(Told { event: event.clone(), at: at(minute), how: How::Digest });
        }
        (outbox.verdicts.into_iter().map(|(_, how)| how).collect(), outbox.digest.len())
    }

    fn one(&mut self, kind: EventKind, pipeline: &str, minute: i64) -> How {
        self.hears(minute, &[event(kind, pipeline, "s", minute)]).0[0]
    }
}

use EventKind::{Failure, QualityWarning, QuotaRisk, Recovery, SchemaChange, Success, ZeroRows};

#[test]
fn the_first_failure_and_the_recovery_are_told_and_what_lies_between_is_folded() {
    let mut target = Target::new(rule());
    assert_eq!(target.one(Failure, "p", 0), How::Now);
    assert_eq!(target.one(Failure, "p", 5), How::Digest);
    assert_eq!(target.one(Failure, "p", 10), How::Digest);
    assert_eq!(target.one(Recovery, "p", 15), How::Now);
    assert_eq!(target.one(Failure, "p", 20), How::Now, "it is new again");
}

#[test]
fn a_recovery_from_what_was_never_told_is_not_told() {
    let mut target = Target::new(rule());
    assert_eq!(target.one(Recovery, "p", 0), How::Known);
    let mut only_good_news = rule();
    only_good_news.on = vec![Recovery];
    assert_eq!(Target::new(only_good_news).one(Recovery, "p", 0), How::Now);
}

#[test]
fn a_hundred_pipelines_that_fail_at_once_are_five_messages_and_a_digest() {
    let mut target = Target::new(rule());
    let storm: Vec<Event> = (0..100).map(|n| event(Failure, &format!("p{n}"), "", 0)).collect();
    let (verdicts, digest) = target.hears(0, &storm);
    assert_eq!(verdicts.iter().filter(|how| **how == How::Now).count(), 5);
    assert_eq!((verdicts.iter().filter(|how| **how == How::Digest).count(), digest), (95, 0));
    assert_eq!(target.hears(59, &[]).1, 0);
    assert_eq!(target.hears(60, &[]).1, 95);
    assert_eq!(target.hears(61, &[]).1, 0, "a digest is sent once");
}

#[test]
fn the_end_of_a_failure_that_is_only_in_the_digest_goes_there_too() {
    let mut target = Target::new(rule());
    let storm: Vec<Event> = (0..6).map(|n| event(Failure, &format!("p{n}"), "", 0)).collect();
    target.hears(0, &storm);
    assert_eq!(target.one(Recovery, "p5", 10), How::Digest);
}

#[test]
fn the_decision_says_when_the_digest_is_due() {
    let outbox = sort(&rule(), &[], &[event(Failure, "p", "", 7)], &[], at(10));
    assert_eq!((outbox.look_again, outbox.digest.len()), (Some(at(67)), 0));
    let outbox = sort(&rule(), &[], &[event(Failure, "p", "", 7)], &[], at(67));
    assert_eq!((outbox.look_again, outbox.digest.len()), (None, 1));
}

#[test]
fn the_same_news_is_told_once_a_day() {
    for (kind, again) in
        [(SchemaChange, How::Known), (ZeroRows, How::Known), (QuotaRisk, How::Known), (QualityWarning, How::Digest)]
    {
        let mut target = Target::new(rule());
        assert_eq!(target.one(kind, "p", 0), How::Now);
        assert_eq!(target.one(kind, "p", 30), again, "{kind:?}");
        assert_eq!(target.one(kind, "q", 31), How::Now, "{kind:?} of another pipeline");
        assert_eq!(target.hears(32, &[event(kind, "p", "other", 32)]).0, [How::Now], "another {kind:?}");
    }
    let mut target = Target::new(rule());
    assert_eq!(target.one(SchemaChange, "p", 0), How::Now);
    assert_eq!(target.one(SchemaChange, "p", 24 * 60), How::Now, "a day later it is news");
}

#[test]
fn what_the_rule_does_not_ask_for_is_not_told() {
    let mut target = Target::new(rule());
    assert_eq!(target.one(Success, "p", 0), How::NotAsked);
}

#[test]
fn a_trigger_is_told_every_time_whatever_else_happens() {
    let mut trigger = rule();
    trigger.on = vec![Success, Failure];
    let mut target = Target::new(trigger);
    for minute in 0..50 {
        assert_eq!(target.one(Success, "p", minute), How::Now);
    }
    assert_eq!(target.one(Failure, "p", 50), How::Now, "triggers do not use up the messages");
}

#[test]
fn a_run_is_what_it_is_to_the_one_before() {
    assert_eq!(events_of_run(false, true), [Failure]);
    assert_eq!(events_of_run(true, true), [Recovery, Success]);
    assert_eq!(events_of_run(true, false), [Success]);
}

#[test]
fn a_rule_that_tells_nobody_or_nothing_is_refused_by_field() {
    let refused = |rule: serde_json::Value| {
        serde_json::from_value::<NotifyRule>(rule).unwrap().validate().unwrap_err().field.unwrap()
    };
    assert_eq!(refused(serde_json::json!({})), "email");
    assert_eq!(refused(serde_json::json!({"email": ["a@example.com", "nobody"]})), "email[1]");
    assert_eq!(refused(serde_json::json!({"webhook": "ftp://x"})), "webhook");
    assert_eq!(refused(serde_json::json!({"webhook": "https://x", "email": ["a@example.com"]})), "webhook");
    assert_eq!(refused(serde_json::json!({"webhook": "https://x", "on": []})), "on");
    assert_eq!(refused(serde_json::json!({"webhook": "https://x", "digest_minutes": 0})), "digest_minutes");
    rule().validate().unwrap();
}
