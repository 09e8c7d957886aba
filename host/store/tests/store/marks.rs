//! What the store expects to find on tables.

use sluice_core::error::{Actor, Kind, RunError};
use sluice_core::load::LoadId;
use sluice_core::mark::Expected;
use sluice_store::{NewIntent, NewState, Store};

use crate::support::*;

on_both!(
    a_mark_is_intended_with_the_intent_and_stands_with_the_commit,
    a_load_that_leaves_no_mark_changes_no_expectation,
    a_mark_whose_commit_is_given_up_stays_possible_until_it_is_settled,
    what_was_refused_is_accepted_by_a_person_and_by_nothing_else,
    a_table_without_a_mark_can_be_accepted_too,
    each_table_has_a_mark_of_its_own,
);

async fn expected(store: &Store) -> Expected {
    let mut marks = store.marks_of(HERE, PIPELINE).await.unwrap();
    assert_eq!(marks.len(), 1);
    let mark = marks.remove(0);
    assert_eq!((mark.stream.as_str(), mark.table), (STREAM, table()));
    mark.expected
}

fn of(last: Option<&LoadId>, intended: Option<&LoadId>) -> Expected {
    Expected { last: last.cloned(), intended: intended.cloned() }
}

async fn a_mark_is_intended_with_the_intent_and_stands_with_the_commit(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    assert_eq!(store.marks_of(HERE, PIPELINE).await.unwrap(), []);
    let first = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, &lease, std::slice::from_ref(&first), 5).await.unwrap();
    assert_eq!(expected(&store).await, of(None, Some(&first.intent.load)));
    assert!(!store.has_committed(HERE, &first.intent.load).await.unwrap());
    for _ in 0..2 {
        store.apply_commits(HERE, &lease, &[receipt(&first)], 6).await.unwrap();
        assert_eq!(expected(&store).await, of(Some(&first.intent.load), None));
    }
    assert!(store.has_committed(HERE, &first.intent.load).await.unwrap());
    assert!(!store.has_committed(ELSEWHERE, &first.intent.load).await.unwrap());
    assert_eq!(store.marks_of(ELSEWHERE, PIPELINE).await.unwrap(), []);
    let second = staged(&store, &lease, "r2", 7, "14").await;
    store.record_intents(HERE, &lease, std::slice::from_ref(&second), 7).await.unwrap();
    assert_eq!(expected(&store).await, of(Some(&first.intent.load), Some(&second.intent.load)));
}

async fn a_load_that_leaves_no_mark_changes_no_expectation(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let new = NewIntent { marks: false, ..staged(&store, &lease, "r1", 7, "7").await };
    store.record_intents(HERE, &lease, std::slice::from_ref(&new), 5).await.unwrap();
    store.apply_commits(HERE, &lease, &[receipt(&new)], 6).await.unwrap();
    assert_eq!(store.marks_of(HERE, PIPELINE).await.unwrap(), []);
}

async fn a_mark_whose_commit_is_given_up_stays_possible_until_it_is_settled(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let new = staged(&store, &lease, "r1", 7, "7").await;
    let load = &new.intent.load;
    store.record_intents(HERE, &lease, std::slice::from_ref(&new), 5).await.unwrap();
    let why = RunError::new(Kind::Transient, Actor::Sink, "gone");
    store.drop_intent(HERE, &lease, load, &why, 6).await.unwrap();
    assert_eq!(expected(&store).await, of(None, Some(load)));
    store.settle_mark(HERE, &lease, (STREAM, &table()), load).await.unwrap();
    assert_eq!(expected(&store).await, of(Some(load), None));
    assert!(!store.has_committed(HERE, load).await.unwrap());
}

async fn what_was_refused_is_accepted_by_a_person_and_by_nothing_else(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, &lease, std::slice::from_ref(&new), 5).await.unwrap();
    store.apply_commits(HERE, &lease, &[receipt(&new)], 6).await.unwrap();
    let (known, strange) = (&new.intent.load, LoadId::new("strange", 0));
    let place = (STREAM, &table());
    let by_hand = |id: &str, seen| NewState {
        id: id.into(),
        stream: STREAM.into(),
        state: Some(state("9")),
        seen,
        by: "user ann".into(),
    };
    store.change_state(HERE, &lease, &by_hand("h1", 1), 7).await.unwrap();
    assert_eq!(expected(&store).await, of(Some(known), None), "nothing was refused, so nothing is accepted");
    store.refuse_mark(HERE, &lease, place, Some(&strange)).await.unwrap();
    assert_eq!(expected(&store).await, of(Some(known), None));
    store.accept_marks(HERE, &lease, "another stream").await.unwrap();
    assert_eq!(expected(&store).await, of(Some(known), None));
    store.change_state(HERE, &lease, &by_hand("h2", 2), 8).await.unwrap();
    assert_eq!(expected(&store).await, of(Some(&strange), None));
    let stranger = LoadId::new("stranger", 0);
    store.refuse_mark(HERE, &lease, place, Some(&stranger)).await.unwrap();
    store.accept_marks(HERE, &lease, STREAM).await.unwrap();
    assert_eq!(expected(&store).await, of(Some(&stranger), None));
}

async fn a_table_without_a_mark_can_be_accepted_too(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, &lease, std::slice::from_ref(&new), 5).await.unwrap();
    store.apply_commits(HERE, &lease, &[receipt(&new)], 6).await.unwrap();
    store.refuse_mark(HERE, &lease, (STREAM, &table()), None).await.unwrap();
    store.accept_marks(HERE, &lease, STREAM).await.unwrap();
    assert_eq!(expected(&store).await, of(None, None));
}

async fn each_table_has_a_mark_of_its_own(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let one = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, &lease, std::slice::from_ref(&one), 5).await.unwrap();
    store.apply_commits(HERE, &lease, &[receipt(&one)], 6).await.unwrap();
    let mut other = staged(&store, &lease, "r2", 7, "14").await;
    other.intent.table.table = "renamed".into();
    store.record_intents(HERE, &lease, std::slice::from_ref(&other), 7).await.unwrap();
    store.apply_commits(HERE, &lease, &[receipt(&other)], 8).await.unwrap();
    let mut marks = store.marks_of(HERE, PIPELINE).await.unwrap();
    marks.sort_by(|a, b| a.expected.last.cmp(&b.expected.last));
    let seen: Vec<_> = marks.iter().map(|mark| (mark.table.clone(), mark.expected.last.clone())).collect();
    let expected = [(table(), Some(one.intent.load)), (other.intent.table.clone(), Some(other.intent.load))];
    assert_eq!(seen, expected);
}
