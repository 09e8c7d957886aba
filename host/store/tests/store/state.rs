//! What streams remember, and what their sinks have begun.

use std::collections::BTreeMap;

use sluice_core::load::LoadId;
use sluice_core::run::{Held, PendingPlan, StreamState};

use crate::support::*;

on_both!(
    what_a_state_holds_is_not_unfinished_until_it_is_given_up_or_committed,
    an_artifact_must_be_opened_before_it_is_finalized_and_its_load_begun_before_that,
    a_column_keeps_its_first_name_and_fields_of_different_structs_may_share_one,
);

async fn what_a_state_holds_is_not_unfinished_until_it_is_given_up_or_committed(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let new = staged(&store, &lease, "r1", 7, "7").await;
    let held = Held { intent: new.intent.clone(), counts: new.counts.clone() };
    let pending = PendingPlan { splits: vec![], state_after: None, items: None, held: Some(vec![held]) };
    let holding = StreamState { pending: Some(pending), ..state("1") };
    let owner = (STREAM, "r1");
    store.keep_back(HERE, &lease, owner, &holding, 5).await.unwrap();
    assert_eq!(store.unfinished_artifacts(HERE, &lease).await.unwrap(), []);
    assert_eq!(store.state_of(HERE, PIPELINE, STREAM).await.unwrap().state, holding);
    // Given up, kept again, and forgotten.
    store.keep_back(HERE, &lease, owner, &holding.without_pending(), 6).await.unwrap();
    assert_eq!(store.unfinished_artifacts(HERE, &lease).await.unwrap(), new.intent.artifacts);
    assert_eq!(store.state_of(HERE, PIPELINE, STREAM).await.unwrap().state, state("1"));
    store.keep_back(HERE, &lease, owner, &holding, 7).await.unwrap();
    store.forget_state(HERE, &lease, STREAM).await.unwrap();
    assert_eq!(store.unfinished_artifacts(HERE, &lease).await.unwrap(), new.intent.artifacts);
    // Kept and committed by a later run.
    store.keep_back(HERE, &lease, owner, &holding, 8).await.unwrap();
    store.record_intents(HERE, &lease, std::slice::from_ref(&new), 9).await.unwrap();
    store.apply_commits(HERE, &lease, &[receipt(&new)], 10).await.unwrap();
    assert_eq!(store.state_of(HERE, PIPELINE, STREAM).await.unwrap().state, state("7"));
    store.keep_back(HERE, &lease, owner, &state("7"), 11).await.unwrap();
    assert_eq!(store.unfinished_artifacts(HERE, &lease).await.unwrap(), [], "what is committed stays committed");
}

async fn an_artifact_must_be_opened_before_it_is_finalized_and_its_load_begun_before_that(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let load = begin(&store, &lease, "r1", 1).await;
    assert!(store.artifact_finalized(HERE, &lease, &artifact(&load, "x", 1, true)).await.is_err());
    assert!(store.artifact_opened(HERE, &lease, &artifact(&LoadId::new("other", 0), "x", 0, false)).await.is_err());
    let open = artifact(&load, "x", 0, false);
    store.artifact_opened(HERE, &lease, &open).await.unwrap();
    store.mark_abandoned(HERE, &lease, &[open]).await.unwrap();
    assert!(store.artifact_finalized(HERE, &lease, &artifact(&load, "x", 1, true)).await.is_err());
}

async fn a_column_keeps_its_first_name_and_fields_of_different_structs_may_share_one(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let names = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    };
    store.save_names(HERE, &lease, "s", &names(&[("Größe", "Gr_e"), ("a b", "a_b")])).await.unwrap();
    store.save_names(HERE, &lease, "s", &names(&[("a b", "other"), ("new", "new")])).await.unwrap();
    let expected = names(&[("Größe", "Gr_e"), ("a b", "a_b"), ("new", "new")]);
    assert_eq!(store.names_of(HERE, PIPELINE, "s").await.unwrap(), expected);

    store.save_names(HERE, &lease, "s", &names(&[("a/x", "x"), ("b/x", "x")])).await.unwrap();
    assert_eq!(store.names_of(HERE, PIPELINE, "s").await.unwrap().len(), 5);
}
