//! Who is told that a run ended, what is remembered of it, and what it is signed with.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::json;
use sluice_core::notify::schema::SchemaChange;
use sluice_core::quality::{Finding, Level};
use sluice_core::request::{Cause, RequestState};
use sluice_core::worker::Column;
use sluice_store::{
    ChangeError, MasterKey, MasterKeys, NewNotification, NewRequest, NewStream, NewTenant, News, Notice, Scope, Store,
    Target, Vault,
};

use crate::support::*;

on_both!(
    a_run_that_ends_is_news_once_whoever_looks,
    a_decision_that_fails_leaves_the_news_as_it_was,
    a_decision_is_made_from_what_the_target_was_told,
    a_digest_is_made_once_when_it_is_due,
    of_what_is_old_only_the_bounds_of_an_open_failure_are_kept,
    the_run_before_is_the_last_one_that_succeeded_or_failed,
    a_change_of_columns_and_what_checks_found_stay_with_the_load,
    a_tenant_has_one_secret_for_its_webhooks_until_it_is_replaced,
    a_replaced_secret_signs_beside_the_new_one_until_its_time_is_over,
    of_two_who_replace_a_secret_at_once_one_does,
);

async fn ended(store: &Store, id: &str, state: RequestState, at_us: i64) {
    let asked = NewRequest {
        id: id.into(),
        pipeline: "p1".into(),
        revision: 1,
        connection: "c1".into(),
        cause: Cause::Manual,
        moment_us: None,
        snapshot_date: None,
        requested_by: "user u1".into(),
        priority: 0,
        not_before_us: 0,
        traceparent: None,
    };
    store.ask_for_run(HERE, &asked, 1).await.unwrap();
    let claim = store.claim_run(HERE, id, "host", 2, 100).await.unwrap().unwrap();
    assert!(store.finish_run(&claim, state, None, at_us).await.unwrap());
}

fn notice(id: &str, kind: &str, at_us: i64) -> Notice {
    Notice {
        target: "email:a@example.com".into(),
        id: id.into(),
        kind: kind.into(),
        pipeline: "p1".into(),
        subject: String::new(),
        at_us,
        told_us: at_us,
        how: "now".into(),
        due_us: None,
        body: json!({"text": id}),
    }
}

fn waiting(id: &str, kind: &str, at_us: i64, due_us: i64) -> Notice {
    Notice { how: "digest".into(), due_us: Some(due_us), ..notice(id, kind, at_us) }
}

fn message(id: &str) -> NewNotification {
    NewNotification {
        id: id.into(),
        kind: "failure".into(),
        payload: json!({}),
        target: json!({"email": "a@example.com"}),
        not_before_us: 0,
    }
}

fn target() -> [Target; 1] {
    [Target { name: "email:a@example.com".into(), since_us: 0 }]
}

/// Records notices by way of a run that ends for them.
async fn told(store: &Store, run: &str, notices: Vec<Notice>) {
    ended(store, run, RequestState::Failed, 5).await;
    let news = News { notices, outbox: Vec::new() };
    assert!(store.tell(HERE, (run, "p1"), &[], 5, |_| Ok(news)).await.unwrap());
}

async fn known(store: &Store, run: &str, now_us: i64) -> Vec<Notice> {
    ended(store, run, RequestState::Failed, now_us).await;
    let mut seen = BTreeMap::new();
    let decide = |known: &BTreeMap<String, Vec<Notice>>| {
        seen.clone_from(known);
        Ok(News::default())
    };
    assert!(store.tell(HERE, (run, "p1"), &target(), now_us, decide).await.unwrap());
    seen.remove("email:a@example.com").unwrap()
}

async fn a_run_that_ends_is_news_once_whoever_looks(home: Home) {
    let store = home.store().await;
    ended(&store, "r1", RequestState::Failed, 20).await;
    ended(&store, "r2", RequestState::Succeeded, 10).await;
    ended(&store, "r3", RequestState::Stopped, 5).await;
    let news = store.untold_runs(9).await.unwrap();
    assert_eq!(news, [("local".to_owned(), "r2".to_owned()), ("local".to_owned(), "r1".to_owned())]);
    let mut hosts = tokio::task::JoinSet::new();
    for host in 0..6 {
        let store = home.store().await;
        hosts.spawn(async move {
            let news =
                News { notices: vec![notice("r1:0", "failure", 20)], outbox: vec![message(&format!("n{host}"))] };
            store.tell(HERE, ("r1", "p1"), &target(), 30, |_| Ok(news)).await.unwrap()
        });
    }
    assert_eq!(hosts.join_all().await.into_iter().filter(|told| *told).count(), 1);
    assert_eq!(store.notifications(HERE, None, 9).await.unwrap().len(), 1);
    assert_eq!(store.untold_runs(9).await.unwrap().len(), 1);
    assert!(!store.tell(ELSEWHERE, ("r2", "p1"), &[], 30, |_| Ok(News::default())).await.unwrap(), "not theirs");
}

async fn a_decision_that_fails_leaves_the_news_as_it_was(home: Home) {
    let store = home.store().await;
    ended(&store, "r1", RequestState::Failed, 20).await;
    let failed = store.tell(HERE, ("r1", "p1"), &target(), 30, |_| Err(sluice_core::RunError::internal("x"))).await;
    assert!(failed.is_err());
    assert_eq!(store.untold_runs(9).await.unwrap().len(), 1);
}

async fn a_decision_is_made_from_what_the_target_was_told(home: Home) {
    let store = home.store().await;
    let other = Notice { target: "email:b@example.com".into(), ..notice("b", "failure", 9) };
    let elsewhere = Notice { pipeline: "p2".into(), ..waiting("p2", "failure", 9, 99) };
    let warned = Notice { subject: "t rows".into(), told_us: 12, ..waiting("w", "quality-warning", 12, 99) };
    let all = vec![
        notice("f0", "failure", 1),
        notice("f1", "recovery", 3),
        notice("f2", "failure", 5),
        waiting("f3", "failure", 7, 99),
        waiting("f4", "failure", 8, 99),
        warned,
        other,
        elsewhere,
    ];
    told(&store, "r1", all).await;
    let known = known(&store, "r2", 20).await;
    let seen: Vec<_> =
        known.iter().map(|n| (n.id.as_str(), n.kind.as_str(), n.subject.as_str(), n.how.as_str())).collect();
    let expected = [
        ("f0", "failure", "", "now"),
        ("f1", "recovery", "", "now"),
        ("f2", "failure", "", "now"),
        ("f4", "failure", "", "digest"),
        ("", "quality-warning", "t rows", "digest"),
    ];
    assert_eq!(seen, expected);
}

async fn a_digest_is_made_once_when_it_is_due(home: Home) {
    let store = home.store().await;
    let one = waiting("f1", "failure", 7, 100);
    told(&store, "r1", vec![waiting("f2", "failure", 8, 200), one, notice("f0", "failure", 1)]).await;
    assert_eq!(store.due_digests(99, 9).await.unwrap(), []);
    assert_eq!(store.due_digests(100, 9).await.unwrap(), [("local".to_owned(), "email:a@example.com".to_owned())]);
    let make = |waiting: &[Notice], more: u64| {
        let ids: Vec<&str> = waiting.iter().map(|notice| notice.id.as_str()).collect();
        assert_eq!((ids, more), (vec!["f1", "f2"], 0));
        Ok(message("d1"))
    };
    assert!(!store.digest(HERE, "email:a@example.com", 99, make).await.unwrap(), "it is not due");
    assert!(store.digest(HERE, "email:a@example.com", 100, make).await.unwrap());
    assert!(!store.digest(HERE, "email:a@example.com", 300, make).await.unwrap());
    assert_eq!(store.due_digests(999, 9).await.unwrap(), []);
    assert_eq!(store.notifications(HERE, None, 9).await.unwrap()[0].id, "d1");
}

async fn of_what_is_old_only_the_bounds_of_an_open_failure_are_kept(home: Home) {
    let store = home.store().await;
    let all = vec![
        notice("f0", "failure", 1),
        notice("f1", "recovery", 2),
        notice("f2", "failure", 3),
        notice("f3", "failure", 4),
        notice("f4", "failure", 5),
        waiting("f5", "failure", 6, 99),
        notice("s", "schema-change", 4),
    ];
    told(&store, "r1", all).await;
    // The end of the failure before, those between the first and the last one, the change.
    assert_eq!(store.forget_notices(50).await.unwrap(), 4);
    let kept = known(&store, "r2", 60).await;
    let seen: Vec<_> = kept.iter().map(|notice| notice.id.as_str()).collect();
    assert_eq!(seen, ["f1", "f2", "f5"]);
}

async fn the_run_before_is_the_last_one_that_succeeded_or_failed(home: Home) {
    let store = home.store().await;
    ended(&store, "r1", RequestState::Failed, 10).await;
    ended(&store, "r2", RequestState::Cancelled, 20).await;
    ended(&store, "r3", RequestState::Succeeded, 30).await;
    ended(&store, "r4", RequestState::Succeeded, 40).await;
    let failed = async |run: &str, at| store.failed_before(HERE, "p1", run, at).await.unwrap();
    assert!(!failed("r1", 10).await, "there is none before");
    assert!(failed("r3", 30).await);
    assert!(!failed("r4", 40).await);
    assert!(!store.failed_before(ELSEWHERE, "p1", "r3", 30).await.unwrap());
}

fn column(name: &str) -> Column {
    Column { name: name.into(), r#type: "Int64".into(), nullable: true }
}

async fn a_change_of_columns_and_what_checks_found_stay_with_the_load(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    for (index, columns) in [vec!["a"], vec!["a", "b"], vec!["b", "a"]].into_iter().enumerate() {
        let run = format!("r{index}");
        store.begin_run(HERE, &lease, &new_run(&run), 1).await.unwrap();
        let load = sluice_core::load::LoadId::new(&run, 0);
        let columns = Some(columns.into_iter().map(column).collect());
        let new = NewStream { run, load: load.clone(), stream: STREAM.into(), table: table(), columns };
        store.begin_stream(HERE, &lease, &new, 2).await.unwrap();
        let found = Finding { check: 0, label: "rows".into(), level: Level::Warn, message: "few".into() };
        store.note_findings(HERE, &lease, &load, &[found]).await.unwrap();
    }
    let runs = store.last_runs(HERE, Some(PIPELINE), 9).await.unwrap();
    let changes = |id: &str| runs.iter().find(|run| run.id == id).unwrap().streams[0].schema_changes.clone();
    assert_eq!(changes("r0"), [], "there was nothing to compare with");
    assert_eq!(changes("r1"), [SchemaChange::Added { column: "b".into(), r#type: "Int64".into() }]);
    assert_eq!(changes("r2"), [], "an order is no change");
    assert!(runs.iter().all(|run| run.streams[0].findings[0].label == "rows"), "{runs:?}");
}

fn vault() -> Vault {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let dice = |buffer: &mut [u8]| {
        buffer.fill(NEXT.fetch_add(1, Ordering::Relaxed));
        Ok(())
    };
    Vault::new(MasterKeys::new(MasterKey::new("m1", [1; 32]), vec![]), Arc::new(dice))
}

async fn a_tenant_has_one_secret_for_its_webhooks_until_it_is_replaced(home: Home) {
    let store = home.store().await;
    for id in ["a", "b"] {
        store.create_tenant(&NewTenant { id: id.into(), name: id.into() }, 1).await.unwrap();
    }
    let (a, b) = (Scope { tenant: "a" }, Scope { tenant: "b" });
    let mut hosts = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let store = home.store().await;
        hosts.spawn(async move { store.signing_secrets(a, &vault(), 5).await.unwrap().current.expose().to_vec() });
    }
    let mut seen = hosts.join_all().await;
    seen.dedup();
    assert_eq!((seen.len(), seen[0].len()), (1, 64), "whoever is first makes it for all");
    assert_ne!(store.signing_secrets(b, &vault(), 5).await.unwrap().current.expose(), seen[0]);
    let new = store.replace_signing_secret(a, &vault(), 1, 6, 6).await.unwrap();
    assert_ne!(new.current.expose(), seen[0]);
    assert_eq!((new.previous.clone(), new.revision, new.created_us), (None, 2, 6), "no overlap was asked for");
    assert_eq!(store.signing_secrets(a, &vault(), 7).await.unwrap(), new);
    assert_eq!(home.number("SELECT COUNT(*) FROM webhook_secrets").await, 2);
}

async fn a_replaced_secret_signs_beside_the_new_one_until_its_time_is_over(home: Home) {
    let store = home.store().await;
    store.create_tenant(&NewTenant { id: "a".into(), name: "a".into() }, 1).await.unwrap();
    let a = Scope { tenant: "a" };
    assert_eq!(store.known_signing_secrets(a, &vault(), 5).await.unwrap(), None, "looking makes none");
    let stale = |now| ChangeError::Stale { what: "signing secret", seen: 7, now };
    assert_eq!(store.replace_signing_secret(a, &vault(), 7, 0, 5).await, Err(stale(0)));
    let first = store.replace_signing_secret(a, &vault(), 0, 100, 5).await.unwrap();
    assert_eq!((first.revision, &first.previous), (1, &None));
    let second = store.replace_signing_secret(a, &vault(), 1, 100, 10).await.unwrap();
    assert_eq!(second.previous, Some((first.current.clone(), 100)));
    assert_eq!(store.replace_signing_secret(a, &vault(), 7, 0, 5).await, Err(stale(2)));
    let at = async |now| store.known_signing_secrets(a, &vault(), now).await.unwrap().unwrap().previous;
    assert_eq!((at(99).await, at(100).await), (second.previous.clone(), None));
    // Replaced again within its time: there are never more than two.
    let third = store.replace_signing_secret(a, &vault(), 2, 200, 20).await.unwrap();
    assert_eq!(third.previous, Some((second.current.clone(), 200)));
    assert_eq!(store.end_previous_signing_secret(a, 3, 30).await, Ok(4));
    assert_eq!(at(31).await, None);
    let none = Err(ChangeError::Missing { what: "earlier signing secret" });
    assert_eq!(store.end_previous_signing_secret(a, 4, 31).await, none);
    // What is over is not kept.
    store.replace_signing_secret(a, &vault(), 4, 50, 40).await.unwrap();
    assert_eq!(store.forget_signing_secrets(49).await.unwrap(), 0);
    assert_eq!(store.forget_signing_secrets(50).await.unwrap(), 1);
    assert_eq!(home.number("SELECT COUNT(*) FROM webhook_secrets WHERE previous IS NOT NULL").await, 0);
    assert_eq!(store.signing_secrets(a, &vault(), 60).await.unwrap().revision, 5);
}

async fn of_two_who_replace_a_secret_at_once_one_does(home: Home) {
    let store = home.store().await;
    store.create_tenant(&NewTenant { id: "a".into(), name: "a".into() }, 1).await.unwrap();
    let a = Scope { tenant: "a" };
    for seen in 0..5 {
        let mut both = tokio::task::JoinSet::new();
        for _ in 0..2 {
            let store = home.store().await;
            both.spawn(async move { store.replace_signing_secret(a, &vault(), seen, 100, 10).await });
        }
        let both = both.join_all().await;
        assert_eq!(both.iter().filter(|one| one.is_ok()).count(), 1, "{both:?}");
    }
    assert_eq!(store.signing_secrets(a, &vault(), 11).await.unwrap().revision, 5);
}
