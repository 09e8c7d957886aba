use sluice_core::error::{Actor, Kind};
use sluice_core::load::{LoadId, TableName};
use sluice_core::notify::schema::SchemaChange;
use sluice_core::quality::{Finding, Level};
use sluice_core::request::{Cause, RequestState};
use sluice_core::run::{RunState, StreamCounts};
use sluice_store::{LoadState, NewRequest, PipelineChange, RunRecord, StreamRecord};

use super::*;

const MINUTE: i64 = 60_000_000;

fn run(state: RequestState, minute: i64) -> RunRequest {
    let failed = state == RequestState::Failed;
    RunRequest {
        tenant: "acme".into(),
        asked: NewRequest {
            id: format!("r{minute}"),
            pipeline: "p1".into(),
            revision: 1,
            connection: "c1".into(),
            cause: Cause::Scheduled,
            moment_us: None,
            snapshot_date: None,
            requested_by: "schedule".into(),
            priority: 0,
            not_before_us: 0,
            traceparent: None,
        },
        state,
        reason: None,
        queued_us: 0,
        started_us: Some(0),
        ended_us: Some(minute * MINUTE),
        attempts: 1,
        lost: 0,
        cancel_us: None,
        error: failed.then(|| RunError::new(Kind::Auth, Actor::User, "the password was refused").with_stream("t")),
    }
}

fn load(id: &str, stream: &str, state: LoadState, committed: u64) -> StreamRecord {
    StreamRecord {
        load: LoadId::from(id.to_owned()),
        stream: stream.into(),
        table: TableName { dataset: "main".into(), table: stream.into() },
        state,
        counts: StreamCounts {
            read: committed,
            sent: committed,
            finalized: committed,
            committed,
            ..Default::default()
        },
        commit_reference: None,
        error: None,
        schema_changes: Vec::new(),
        findings: Vec::new(),
    }
}

fn attempt(state: RunState, error: Option<RunError>, streams: Vec<StreamRecord>) -> RunRecord {
    RunRecord {
        id: "a".into(),
        pipeline: "p1".into(),
        state,
        connector: String::new(),
        connector_digest: String::new(),
        contract: String::new(),
        pipeline_fingerprint: String::new(),
        started_us: 0,
        ended_us: None,
        error,
        streams,
    }
}

fn kinds(facts: &Facts<'_>) -> Vec<EventKind> {
    happened(facts).into_iter().map(|happened| happened.event.kind).collect()
}

#[test]
fn a_run_that_failed_and_one_after_it_are_a_failure_and_a_recovery() {
    let (failed, succeeded) = (run(RequestState::Failed, 1), run(RequestState::Succeeded, 2));
    assert_eq!(kinds(&Facts::of(&failed)), [EventKind::Failure]);
    assert_eq!(kinds(&Facts::of(&succeeded)), [EventKind::Success]);
    let after = Facts { failed_before: true, ..Facts::of(&succeeded) };
    assert_eq!(kinds(&after), [EventKind::Recovery, EventKind::Success]);
    let ids: Vec<String> = happened(&after).into_iter().map(|happened| happened.event.id).collect();
    assert_eq!(ids, ["r2:0", "r2:1"], "the same whoever derives them");
}

#[test]
fn what_an_attempt_that_failed_has_brought_is_told_with_the_run() {
    let request = run(RequestState::Succeeded, 1);
    let mut first = load("l1", "t", LoadState::Failed, 0);
    first.schema_changes = vec![SchemaChange::Added { column: "x".into(), r#type: "Utf8".into() }];
    let limited = RunError::new(Kind::RateLimited, Actor::Sink, "slow down");
    let attempts = vec![
        attempt(RunState::Failed, Some(limited), vec![first, load("l2", "u", LoadState::Committed, 7)]),
        attempt(
            RunState::Succeeded,
            None,
            vec![load("l3", "t", LoadState::Committed, 5), load("l4", "u", LoadState::Committed, 0)],
        ),
    ];
    let facts = Facts { attempts, ..Facts::of(&request) };
    let all = happened(&facts);
    assert_eq!(kinds(&facts), [EventKind::Success, EventKind::SchemaChange, EventKind::QuotaRisk]);
    assert_eq!(all[1].details, [Detail::new(Some("t"), "new column x (Utf8)")]);
    assert!(all[1].event.subject.starts_with("t "), "{}", all[1].event.subject);
    assert!(all[2].details[0].text.contains("the sink refused"), "{:?}", all[2].details);
    assert!(without_rows(&facts).is_empty(), "the rows of the attempt before count");
}

#[test]
fn a_connector_that_went_back_within_a_run_is_told() {
    let request = run(RequestState::Succeeded, 1);
    let with = |digest: &str, state, error| RunRecord {
        connector: format!("shop {digest}"),
        connector_digest: digest.into(),
        ..attempt(state, error, vec![])
    };
    let told = |kind, second: &str| {
        let error = RunError::new(kind, Actor::Source, "a batch has another schema");
        let attempts = vec![with("2.0.0", RunState::Failed, Some(error)), with(second, RunState::Succeeded, None)];
        let all = happened(&Facts { attempts, ..Facts::of(&request) });
        all.into_iter().find(|one| one.event.kind == EventKind::ConnectorRollback)
    };
    let found = told(Kind::Protocol, "1.0.0").unwrap();
    assert_eq!(found.event.subject, "2.0.0");
    assert_eq!(
        found.details[0].text,
        "an attempt with shop 2.0.0 failed where the version before had succeeded, so runs use shop 1.0.0 again: a batch has another \
         schema"
    );
    assert_eq!(told(Kind::Protocol, "2.0.0"), None, "it was tried again with the same");
    let died = RunError::internal("the process that ran this ended before the run did");
    let attempts = vec![with("2.0.0", RunState::Failed, Some(died)), with("1.0.0", RunState::Succeeded, None)];
    let crashed = happened(&Facts { attempts, ..Facts::of(&request) });
    assert!(crashed.iter().any(|one| one.event.kind == EventKind::ConnectorRollback), "{crashed:?}");
    assert_eq!(told(Kind::Transient, "1.0.0"), None, "somebody has gone back for another reason");
}

#[test]
fn only_checks_that_warn_are_warnings_and_only_of_rows_that_are_visible() {
    let request = run(RequestState::Failed, 1);
    let finding = |label: &str, level| Finding { check: 0, label: label.into(), level, message: "3 rows".into() };
    let mut committed = load("l1", "t", LoadState::Committed, 5);
    committed.findings = vec![finding("unique (id)", Level::Warn), finding("rows", Level::Fail)];
    let mut failed = load("l2", "u", LoadState::Failed, 0);
    failed.findings = vec![finding("not_null (id)", Level::Warn)];
    let facts =
        Facts { attempts: vec![attempt(RunState::Failed, None, vec![committed, failed])], ..Facts::of(&request) };
    assert_eq!(kinds(&facts), [EventKind::Failure, EventKind::QualityWarning]);
    assert_eq!(happened(&facts)[1].details, [Detail::new(Some("t"), "check unique (id): 3 rows")]);
}

#[test]
fn no_rows_are_an_anomaly_where_there_always_were_some_and_a_quarantine_is_no_stream() {
    let request = run(RequestState::Succeeded, 1);
    let streams = vec![load("l1", "t", LoadState::Committed, 0), load("l1-q", "t", LoadState::Committed, 4)];
    let mut facts = Facts { attempts: vec![attempt(RunState::Succeeded, None, streams)], ..Facts::of(&request) };
    assert_eq!(without_rows(&facts), ["t"]);
    assert_eq!(kinds(&facts), [EventKind::Success]);
    facts.rows_before.insert("t".into(), vec![3; 9]);
    assert_eq!(kinds(&facts), [EventKind::Success, EventKind::ZeroRows]);
    let text = &happened(&facts)[1].details[0].text;
    assert_eq!(text, "no rows, though 9 of the 9 runs before had some");
}

fn pipeline(notify: Value) -> PipelineRecord {
    let current = PipelineChange {
        name: "orders".into(),
        connection: "c1".into(),
        definition: json!({"notify": notify}),
        enabled: true,
    };
    PipelineRecord { id: "p1".into(), current, revision: 1, created_us: 0, updated_us: 0, updated_by: String::new() }
}

#[test]
fn somebody_whom_two_rules_name_is_one_target() {
    let rules = json!([
        {"email": ["a@example.com", "b@example.com"], "on": ["failure"], "digest_minutes": 60},
        {"email": ["a@example.com"], "on": ["success"], "digest_minutes": 10},
        {"webhook": "https://x.example/y", "on": ["success"]},
    ]);
    let all = audience(&pipeline(rules));
    let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["email:a@example.com", "email:b@example.com", "webhook:https://x.example/y"]);
    assert_eq!((&all[0].rule.on, all[0].rule.digest_minutes), (&vec![EventKind::Failure, EventKind::Success], 10));
    assert_eq!(address(&all[2].name), json!({"webhook": "https://x.example/y"}));
    assert!(audience(&pipeline(Value::Null)).is_empty());
}

/// Tells one target of runs, remembering what it was told as the store does.
#[derive(Default)]
struct Memory {
    known: Vec<Notice>,
    sent: Vec<NewNotification>,
}

impl Memory {
    fn hears(&mut self, facts: &Facts<'_>) -> Vec<String> {
        let audience = audience(&pipeline(json!([{"email": ["ops@example.com"]}])));
        let happened = happened(facts);
        let now = instant(facts.run.ended_us.unwrap());
        let decision = Decision { name: "orders", facts, happened: &happened, now };
        let known = BTreeMap::from([("email:ops@example.com".to_owned(), self.known.clone())]);
        let news = decision.for_all(&audience, &known, &|| "n".to_owned()).unwrap();
        self.known.extend(news.notices);
        self.sent.extend(news.outbox.clone());
        news.outbox.into_iter().map(|sent| sent.kind).collect()
    }
}

#[test]
fn a_failure_is_sent_once_what_follows_waits_and_the_recovery_is_sent() {
    let mut memory = Memory::default();
    let (one, two, three) =
        (run(RequestState::Failed, 1), run(RequestState::Failed, 2), run(RequestState::Succeeded, 3));
    assert_eq!(memory.hears(&Facts::of(&one)), ["failure"]);
    assert!(memory.hears(&Facts { failed_before: true, ..Facts::of(&two) }).is_empty());
    let waiting: Vec<&Notice> = memory.known.iter().filter(|notice| notice.due_us.is_some()).collect();
    assert_eq!((waiting.len(), waiting[0].due_us), (1, Some(62 * MINUTE)));
    assert_eq!(waiting[0].body["text"], "the password was refused");
    assert_eq!(memory.hears(&Facts { failed_before: true, ..Facts::of(&three) }), ["recovery"]);
    let sent = &memory.sent[0].payload;
    assert_eq!((&sent["event"], &sent["pipeline"]["name"]), (&json!("failure"), &json!("orders")));
    assert_eq!((&sent["error"]["kind"], &sent["error"]["actor"]), (&json!("auth"), &json!("user")));
}

#[test]
fn what_several_checks_found_is_one_message() {
    let request = run(RequestState::Succeeded, 1);
    let mut committed = load("l1", "t", LoadState::Committed, 5);
    let finding = |label: &str| Finding { check: 0, label: label.into(), level: Level::Warn, message: "m".into() };
    committed.findings = vec![finding("unique (id)"), finding("rows")];
    let facts = Facts { attempts: vec![attempt(RunState::Succeeded, None, vec![committed])], ..Facts::of(&request) };
    let mut memory = Memory::default();
    assert_eq!(memory.hears(&facts), ["quality-warning"]);
    assert_eq!(memory.sent[0].payload["details"].as_array().map(Vec::len), Some(2));
    assert_eq!(memory.known.len(), 2, "each is known by itself");
}

#[test]
fn the_text_for_people_is_plain_bounded_and_says_what_to_do() {
    let mut request = run(RequestState::Failed, 1);
    if let Some(error) = &mut request.error {
        error.message = format!("{}\r\n{}", error.message, "x".repeat(10_000));
    }
    let message = Message::of_run("orders\r\nBcc: x", &Facts::of(&request), EventKind::Failure, Vec::new());
    assert_eq!(message.subject(), "[Sluice] orders  Bcc: x failed");
    let text = message.text();
    assert!(text.contains("Error (auth, user has to act): the password was refused  x"), "{text}");
    assert!(text.contains("Stream: t") && text.len() < 4_000, "{}", text.len());
    let line = Line {
        event: "failure".into(),
        at: "2026-01-01T00:00:00Z".into(),
        pipeline: Named { id: "p1".into(), name: "orders".into() },
        run: "r1".into(),
        text: "why".into(),
    };
    let digest = Message::digest("acme", Timestamp::UNIX_EPOCH, vec![line], 2);
    assert_eq!(digest.subject(), "[Sluice] 3 events");
    assert!(
        digest.text().contains("- 2026-01-01T00:00:00Z orders: failure (run r1): why\n- and 2 more"),
        "{}",
        digest.text()
    );
}
