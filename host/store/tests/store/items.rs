//! What streams remember item by item.

use sluice_core::RunError;
use sluice_core::items::{ItemKey, Items};
use sluice_core::run::{ItemsAfter, PendingPlan, StreamState};
use sluice_store::{Lease, NewIntent, Store};

use crate::support::*;

on_both!(
    items_hold_with_the_commit_that_names_them_and_not_before,
    a_plan_that_is_not_carried_out_leaves_nothing_behind,
    a_stopped_run_keeps_what_is_to_be_remembered_once_its_plan_is_finished,
    a_read_from_the_beginning_and_a_reset_forget_what_went_before,
    more_keys_than_a_statement_takes_are_looked_up,
);

fn items(entries: &[(&str, &str)]) -> Items {
    let mut items = Items::default();
    entries.iter().for_each(|(name, value)| assert!(items.push(ItemKey::of(name), value.as_bytes())));
    items
}

async fn recalled(store: &Store, names: &[&str]) -> Vec<Option<String>> {
    let keys: Vec<ItemKey> = names.iter().map(|name| ItemKey::of(name)).collect();
    let values = store.recall_items(HERE, PIPELINE, STREAM, &keys).await.unwrap();
    values.into_iter().map(|value| value.map(|value| String::from_utf8(value).unwrap())).collect()
}

/// A load whose plan wants items remembered, up to the moment before the commit.
async fn remembering(store: &Store, lease: &Lease, run: &str, entries: &[(&str, &str)], anew: bool) -> NewIntent {
    let new = staged(store, lease, run, 1, run).await;
    let plan = new.intent.load.clone();
    store.plan_items(HERE, lease, &plan, items(entries)).await.unwrap();
    NewIntent { items_after: Some(ItemsAfter { plan, anew }), ..new }
}

async fn commit(store: &Store, lease: &Lease, new: &NewIntent) {
    store.record_intents(HERE, lease, std::slice::from_ref(new), 5).await.unwrap();
    store.apply_commits(HERE, lease, &[receipt(new)], 6).await.unwrap();
}

fn some(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|value| (!value.is_empty()).then(|| (*value).to_owned())).collect()
}

async fn items_hold_with_the_commit_that_names_them_and_not_before(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    commit(&store, &lease, &remembering(&store, &lease, "r1", &[("a", "1"), ("b", "1")], false).await).await;
    assert_eq!(recalled(&store, &["b", "a", "c", "a"]).await, some(&["1", "1", "", "1"]));

    let second = remembering(&store, &lease, "r2", &[("b", "2"), ("c", "2")], false).await;
    assert_eq!(recalled(&store, &["a", "b", "c"]).await, some(&["1", "1", ""]));
    store.record_intents(HERE, &lease, std::slice::from_ref(&second), 5).await.unwrap();
    assert_eq!(recalled(&store, &["a", "b", "c"]).await, some(&["1", "1", ""]));
    store.drop_stale_items(HERE, &lease).await.unwrap();
    for _ in 0..2 {
        store.apply_commits(HERE, &lease, &[receipt(&second)], 6).await.unwrap();
        assert_eq!(recalled(&store, &["a", "b", "c"]).await, some(&["1", "2", "2"]));
    }
    assert_eq!(planned(&home).await, 0);
    assert_eq!(store.count_items(HERE, PIPELINE, STREAM).await.unwrap(), 3);
    assert_eq!(store.count_items(ELSEWHERE, PIPELINE, STREAM).await.unwrap(), 0);
}

async fn a_plan_that_is_not_carried_out_leaves_nothing_behind(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let failed = remembering(&store, &lease, "r1", &[("a", "1")], false).await;
    assert_eq!(planned(&home).await, 1);
    store.drop_stale_items(HERE, &lease).await.unwrap();
    assert_eq!(planned(&home).await, 0);

    // The sink has lost what an open commit was to show.
    let lost = remembering(&store, &lease, "r2", &[("a", "1")], false).await;
    store.record_intents(HERE, &lease, std::slice::from_ref(&lost), 5).await.unwrap();
    store.drop_intent(HERE, &lease, &lost.intent.load, &RunError::internal("lost"), 6).await.unwrap();
    store.drop_stale_items(HERE, &lease).await.unwrap();
    assert_eq!((planned(&home).await, recalled(&store, &["a"]).await), (0, some(&[""])));
    drop(failed);
}

async fn a_stopped_run_keeps_what_is_to_be_remembered_once_its_plan_is_finished(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let stopped = remembering(&store, &lease, "r1", &[("a", "1")], false).await;
    let after = stopped.items_after.clone().unwrap();
    let pending = PendingPlan { splits: vec![], state_after: None, items: Some(after.clone()), held: None };
    let state = StreamState { cursor: None, pending: Some(pending) };
    commit(&store, &lease, &NewIntent { state_after: Some(state), items_after: None, ..stopped }).await;
    store.drop_stale_items(HERE, &lease).await.unwrap();
    assert_eq!((planned(&home).await, recalled(&store, &["a"]).await), (1, some(&[""])));

    let finished = NewIntent { items_after: Some(after), ..staged(&store, &lease, "r2", 1, "2").await };
    commit(&store, &lease, &finished).await;
    assert_eq!((planned(&home).await, recalled(&store, &["a"]).await), (0, some(&["1"])));
}

async fn a_read_from_the_beginning_and_a_reset_forget_what_went_before(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    commit(&store, &lease, &remembering(&store, &lease, "r1", &[("a", "1"), ("b", "1")], false).await).await;
    commit(&store, &lease, &remembering(&store, &lease, "r2", &[("b", "2")], true).await).await;
    assert_eq!(recalled(&store, &["a", "b"]).await, some(&["", "2"]));
    assert!(store.forget_state(HERE, &lease, STREAM).await.unwrap());
    assert_eq!(recalled(&store, &["a", "b"]).await, some(&["", ""]));
}

async fn more_keys_than_a_statement_takes_are_looked_up(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let names: Vec<String> = (0..12_345).map(|n| format!("logs/{n}.csv")).collect();
    let entries: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
    commit(&store, &lease, &remembering(&store, &lease, "r1", &entries, false).await).await;
    assert_eq!(store.count_items(HERE, PIPELINE, STREAM).await.unwrap(), 12_345);
    let asked: Vec<&str> = names.iter().map(String::as_str).chain(["never"]).collect();
    let mut expected: Vec<Option<String>> = names.iter().cloned().map(Some).collect();
    expected.push(None);
    assert!(recalled(&store, &asked).await == expected);
}

/// Chunks that wait for their plan to be carried out.
async fn planned(home: &Home) -> i64 {
    home.number("SELECT COUNT(*) FROM planned_items").await
}
