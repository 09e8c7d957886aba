//! The audit log, repeated requests, changes of states by hand, notifications on their way.

use serde_json::json;
use sluice_core::run::StreamState;
use sluice_store::{Answer, AuditEntry, AuditFilter, ChangeError, NewNotification, NewState, Repeated};

use crate::support::*;

on_both!(
    the_audit_log_counts_without_a_gap_whoever_writes,
    the_audit_log_is_read_forwards_and_backwards_page_by_page,
    a_repeated_request_gets_the_first_answer,
    of_many_equal_requests_at_once_one_is_the_first,
    a_state_that_a_person_set_can_be_taken_back,
    a_change_of_a_state_that_has_moved_is_refused,
    a_reset_that_forgot_items_is_not_taken_back,
    a_notification_is_taken_by_one_sender_at_a_time,
    a_notification_is_tried_again_until_it_arrives_or_is_given_up,
);

fn entry(action: &str) -> AuditEntry {
    AuditEntry {
        actor: "user ann".into(),
        action: action.into(),
        object: "connection c1".into(),
        address: Some("192.0.2.1".into()),
        detail: json!({"name": ["a", "b"]}),
    }
}

async fn the_audit_log_counts_without_a_gap_whoever_writes(home: Home) {
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = home.store().await;
        writers.spawn(async move {
            for at in 0..10 {
                store.audit(HERE, &entry("connection.update"), at).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    let store = home.store().await;
    assert_eq!(store.audit(ELSEWHERE, &entry("connection.create"), 1).await.unwrap(), 1);
    let all = store.audit_after(HERE, 0, 100).await.unwrap();
    let numbers: Vec<u64> = all.iter().map(|record| record.seq).collect();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
}

async fn the_audit_log_is_read_forwards_and_backwards_page_by_page(home: Home) {
    let store = home.store().await;
    for (at, action) in [(5, "a"), (6, "b"), (7, "c")] {
        store.audit(HERE, &entry(action), at).await.unwrap();
    }
    let actions = |page: Vec<sluice_store::AuditRecord>| page.into_iter().map(|r| r.entry.action).collect::<Vec<_>>();
    assert_eq!(actions(store.audit_after(HERE, 0, 2).await.unwrap()), ["a", "b"]);
    assert_eq!(actions(store.audit_after(HERE, 2, 2).await.unwrap()), ["c"]);
    let found = async |filter: AuditFilter<'_>| actions(store.audit_before(HERE, filter, 2).await.unwrap());
    let all = AuditFilter::default();
    assert_eq!(found(all).await, ["c", "b"]);
    assert_eq!(found(AuditFilter { before: Some(2), ..all }).await, ["a"]);
    assert_eq!(found(AuditFilter { contains: Some("B"), from_us: Some(6), until_us: Some(7), ..all }).await, ["b"]);
    assert_eq!(found(AuditFilter { from_us: Some(7), until_us: Some(7), ..all }).await, [""; 0]);
    assert_eq!(found(AuditFilter { contains: Some("100%"), ..all }).await, [""; 0]);
    assert_eq!(found(AuditFilter { actor: Some("nobody"), ..all }).await, [""; 0]);
    assert_eq!(store.audit_after(ELSEWHERE, 0, 9).await.unwrap(), []);
    let first = store.audit_after(HERE, 0, 1).await.unwrap().remove(0);
    assert_eq!((first.at_us, first.entry), (5, entry("a")));
}

async fn a_repeated_request_gets_the_first_answer(home: Home) {
    let store = home.store().await;
    let reserve = async |print: &[u8], now| store.reserve_key(HERE, "k", print, 100 + now, now).await.unwrap();
    assert_eq!(reserve(b"post", 1).await, Repeated::First);
    assert_eq!(reserve(b"post", 2).await, Repeated::AtWork);
    assert_eq!(reserve(b"other", 2).await, Repeated::Misused);
    assert_eq!(store.reserve_key(ELSEWHERE, "k", b"x", 100, 2).await.unwrap(), Repeated::First, "a key is a tenant's");
    let answer = Answer { status: 201, body: b"{\"id\":1}".to_vec() };
    store.keep_answer(HERE, "k", &answer, 150).await.unwrap();
    assert_eq!(reserve(b"post", 3).await, Repeated::Answered(answer.clone()));
    store.forget_key(HERE, "k").await.unwrap();
    assert_eq!(reserve(b"post", 4).await, Repeated::Answered(answer.clone()), "what was answered stays");
    assert_eq!(reserve(b"post", 149).await, Repeated::Answered(answer), "longer than it was reserved for");
    assert_eq!(reserve(b"other", 150).await, Repeated::First, "until it expires");
    store.forget_key(HERE, "k").await.unwrap();
    assert_eq!(reserve(b"third", 151).await, Repeated::First);
    assert_eq!(store.forget_keys(1_000).await.unwrap(), 2);
}

async fn of_many_equal_requests_at_once_one_is_the_first(home: Home) {
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = home.store().await;
        requests.spawn(async move { store.reserve_key(HERE, "k", b"post", 100, 1).await.unwrap() });
    }
    let all = requests.join_all().await;
    assert_eq!(all.iter().filter(|seen| **seen == Repeated::First).count(), 1, "{all:?}");
    assert_eq!(all.iter().filter(|seen| **seen == Repeated::AtWork).count(), 7, "{all:?}");
}

fn change(id: &str, state: Option<StreamState>, seen: u64) -> NewState {
    NewState { id: id.into(), stream: STREAM.into(), state, seen, by: "user ann".into() }
}

async fn a_state_that_a_person_set_can_be_taken_back(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    store.change_state(HERE, &lease, &change("h1", Some(state("5")), 0), 10).await.unwrap();
    store.change_state(HERE, &lease, &change("h2", Some(state("9")), 1), 11).await.unwrap();
    let now = store.state_of(HERE, PIPELINE, STREAM).await.unwrap();
    assert_eq!((now.state, now.revision, now.updated_us), (state("9"), 2, Some(11)));
    store.undo_state(HERE, &lease, "h2", ("h3", "user bob"), 12).await.unwrap();
    assert_eq!(store.state_of(HERE, PIPELINE, STREAM).await.unwrap().state, state("5"));
    let again = store.undo_state(HERE, &lease, "h2", ("h4", "user bob"), 13).await.unwrap_err();
    assert!(matches!(again, ChangeError::Stale { .. }), "{again}");
    let states = store.states_of(HERE, PIPELINE).await.unwrap();
    assert_eq!(states.iter().map(|(stream, now)| (stream.as_str(), now.revision)).collect::<Vec<_>>(), [(STREAM, 3)]);
    assert!(store.states_of(ELSEWHERE, PIPELINE).await.unwrap().is_empty());
    let all = store.state_changes(HERE, PIPELINE, None, None, 10).await.unwrap();
    let seen: Vec<_> = all.iter().map(|c| (c.id.as_str(), c.changed_by.as_str(), c.undoes.as_deref())).collect();
    assert_eq!(seen, [("h3", "user bob", Some("h2")), ("h2", "user ann", None), ("h1", "user ann", None)]);
    assert_eq!((&all[0].before, &all[0].after), (&Some(state("9")), &Some(state("5"))));
    let older = store.state_changes(HERE, PIPELINE, Some(STREAM), Some((11, "h2")), 10).await.unwrap();
    assert_eq!((older.len(), older[0].id.as_str(), &older[0].before), (1, "h1", &None));
    assert_eq!(store.state_changes(ELSEWHERE, PIPELINE, None, None, 10).await.unwrap(), []);
}

async fn a_change_of_a_state_that_has_moved_is_refused(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    store.change_state(HERE, &lease, &change("h1", Some(state("1")), 0), 10).await.unwrap();
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, &lease, std::slice::from_ref(&new), 11).await.unwrap();
    store.apply_commits(HERE, &lease, &[receipt(&new)], 12).await.unwrap();
    let late = store.change_state(HERE, &lease, &change("h2", Some(state("3")), 1), 13).await.unwrap_err();
    assert_eq!(late, ChangeError::Stale { what: "state", seen: 1, now: 2 });
    assert!(store.undo_state(HERE, &lease, "h1", ("h3", "x"), 14).await.is_err(), "a run has committed since");
    assert_eq!(store.state_of(HERE, PIPELINE, STREAM).await.unwrap().state, state("7"));
    assert_eq!(store.state_changes(HERE, PIPELINE, None, None, 10).await.unwrap().len(), 1);
    // Revisions go on after a reset, so what a run commits then is not taken for an old change.
    store.change_state(HERE, &lease, &change("h4", None, 2), 15).await.unwrap();
    let next = staged(&store, &lease, "r2", 7, "8").await;
    store.record_intents(HERE, &lease, std::slice::from_ref(&next), 16).await.unwrap();
    store.apply_commits(HERE, &lease, &[receipt(&next)], 17).await.unwrap();
    for old in ["h1", "h4"] {
        assert!(store.undo_state(HERE, &lease, old, ("h5", "x"), 18).await.is_err(), "{old}");
    }
    assert_eq!(store.state_of(HERE, PIPELINE, STREAM).await.unwrap().state, state("8"));
    let unknown = store.undo_state(HERE, &lease, "h9", ("h3", "x"), 14).await.unwrap_err();
    assert_eq!(unknown, ChangeError::Missing { what: "change" });
}

async fn a_reset_that_forgot_items_is_not_taken_back(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    store.change_state(HERE, &lease, &change("h1", Some(state("1")), 0), 10).await.unwrap();
    store.change_state(HERE, &lease, &change("h2", None, 1), 11).await.unwrap();
    let reset = store.state_of(HERE, PIPELINE, STREAM).await.unwrap();
    assert_eq!((reset.state, reset.revision), (StreamState::default(), 2));
    store.undo_state(HERE, &lease, "h2", ("h3", "x"), 12).await.unwrap();
    assert_eq!(store.state_of(HERE, PIPELINE, STREAM).await.unwrap().state, state("1"), "there were no items");

    home.sql(
        "INSERT INTO item_streams (tenant, pipeline, stream, number) VALUES ('local', 'shop', 'public.orders', 1)",
    )
    .await;
    home.sql(if home.is_postgres() {
        "INSERT INTO stream_items (stream_number, item, value) VALUES (1, '\\x00112233445566778899aabbccddeeff', '\\x01')"
    } else {
        "INSERT INTO stream_items (stream_number, item, value) VALUES (1, x'00112233445566778899aabbccddeeff', x'01')"
    })
    .await;
    let seen = store.state_of(HERE, PIPELINE, STREAM).await.unwrap().revision;
    store.change_state(HERE, &lease, &change("h4", None, seen), 13).await.unwrap();
    assert_eq!(store.count_items(HERE, PIPELINE, STREAM).await.unwrap(), 0);
    let refused = store.undo_state(HERE, &lease, "h4", ("h5", "x"), 14).await.unwrap_err();
    assert!(matches!(&refused, ChangeError::Refused(text) if text.contains("cannot be brought back")), "{refused}");
}

fn message(id: &str, not_before_us: i64) -> NewNotification {
    NewNotification {
        id: id.into(),
        kind: "failure".into(),
        payload: json!({"run": "r1"}),
        target: json!({"email": ["a@example.com"]}),
        not_before_us,
    }
}

async fn a_notification_is_taken_by_one_sender_at_a_time(home: Home) {
    let store = home.store().await;
    let all: Vec<_> = (0..20).map(|n| message(&format!("n{n:02}"), 10)).collect();
    store.notify(HERE, &all, 5).await.unwrap();
    store.notify(HERE, &all, 6).await.unwrap();
    store.notify(ELSEWHERE, &[message("n00", 500)], 5).await.unwrap();
    assert_eq!(store.next_notification().await.unwrap(), Some(10));
    assert_eq!(store.take_notifications(9, &[], 100, 9).await.unwrap(), []);
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = home.store().await;
        senders.spawn(async move {
            let mut taken = Vec::new();
            for _ in 0..5 {
                taken.extend(store.take_notifications(3, &[], 100, 10).await.unwrap());
            }
            taken.into_iter().map(|n| n.id).collect::<Vec<_>>()
        });
    }
    let mut taken = senders.join_all().await.concat();
    taken.sort();
    assert_eq!(taken, all.iter().map(|n| n.id.clone()).collect::<Vec<_>>(), "each once, none left");
    // Whoever took them has died.
    let again = store.take_notifications(2, &[], 200, 100).await.unwrap();
    assert_eq!((again.len(), again[0].attempts, &again[0].payload), (2, 2, &json!({"run": "r1"})));
}

async fn a_notification_is_tried_again_until_it_arrives_or_is_given_up(home: Home) {
    let store = home.store().await;
    store.notify(HERE, &[message("n1", 0), message("n2", 0)], 1).await.unwrap();
    assert_eq!(store.take_notifications(9, &[], 50, 2).await.unwrap().len(), 2);
    store.notification_failed(HERE, "n1", "no route", Some(30), 3).await.unwrap();
    store.notification_failed(ELSEWHERE, "n2", "not theirs", None, 3).await.unwrap();
    store.notification_delivered(HERE, "n2", 4).await.unwrap();
    let again = store.take_notifications(9, &[], 60, 30).await.unwrap();
    assert_eq!((again.len(), again[0].id.as_str(), again[0].last_error.as_deref()), (1, "n1", Some("no route")));
    store.notification_failed(HERE, "n1", "still none", None, 31).await.unwrap();
    assert_eq!(store.take_notifications(9, &[], 999, 900).await.unwrap(), []);
    assert_eq!(store.next_notification().await.unwrap(), None);
    let all = store.notifications(HERE, None, 9).await.unwrap();
    let ends: Vec<_> = all.iter().map(|n| (n.id.as_str(), n.delivered_us, n.given_up_us)).collect();
    assert_eq!(ends, [("n2", Some(4), None), ("n1", None, Some(31))]);
    assert_eq!(store.notifications(HERE, Some((1, "n2")), 9).await.unwrap()[0].id, "n1");
    assert_eq!(store.notifications(ELSEWHERE, None, 9).await.unwrap(), []);
    assert_eq!(store.forget_notifications(31).await.unwrap(), 1);
}
