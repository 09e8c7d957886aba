//! Commits: all of what belongs together, or nothing.

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::load::{CommitReceipt, LoadId};
use sluice_core::run::{RunState, StreamCounts};
use sluice_store::LoadState;

use crate::support::*;

on_both!(
    a_commit_moves_state_counts_ledger_and_intent_together,
    a_commit_that_cannot_be_recorded_to_its_end_changes_nothing,
    loads_that_are_applied_together_are_applied_all_or_none,
    a_commit_of_another_number_of_rows_is_not_recorded,
    the_next_process_finds_what_a_killed_one_left,
    an_intent_that_cannot_be_committed_is_dropped_and_its_artifacts_are_left_to_abandon,
    a_tenant_sees_only_its_own,
);

async fn a_commit_moves_state_counts_ledger_and_intent_together(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, &lease, std::slice::from_ref(&new), 5).await.unwrap();
    assert_eq!(store.state_of(HERE, PIPELINE, STREAM).await.unwrap().revision, 0);
    assert_eq!(store.open_intents(HERE, &lease).await.unwrap().len(), 1);
    assert_eq!(store.unfinished_artifacts(HERE, &lease).await.unwrap(), [], "an open intent is settled first");

    for _ in 0..2 {
        store.apply_commits(HERE, &lease, &[receipt(&new)], 6).await.unwrap();
        let committed = store.state_of(HERE, PIPELINE, STREAM).await.unwrap();
        assert_eq!((committed.state, committed.revision), (state("7"), 1));
        assert_eq!((committed.updated_by_run.as_deref(), committed.updated_us), (Some("r1"), Some(6)));
        assert_eq!(store.open_intents(HERE, &lease).await.unwrap(), []);
        assert_eq!(store.unfinished_artifacts(HERE, &lease).await.unwrap(), []);
    }
    store.end_run(HERE, &lease, "r1", RunState::Succeeded, None, 9).await.unwrap();
    let run = store.last_runs(HERE, Some(PIPELINE), 10).await.unwrap().remove(0);
    assert_eq!((run.state, run.started_us, run.ended_us), (RunState::Succeeded, 1, Some(9)));
    assert_eq!(run.streams[0].counts, StreamCounts { committed: 7, ..counts(7) });
    assert!(run.streams[0].counts.reconciled());
    assert_eq!(
        (run.streams[0].state, run.streams[0].commit_reference.as_deref()),
        (LoadState::Committed, Some("folder"))
    );
}

async fn a_commit_that_cannot_be_recorded_to_its_end_changes_nothing(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, &lease, std::slice::from_ref(&new), 5).await.unwrap();
    let before = (store.open_intents(HERE, &lease).await.unwrap(), store.last_runs(HERE, None, 10).await.unwrap());
    // The last statement of the transaction fails.
    home.sql(match home {
        Home::Sqlite { .. } => {
            "CREATE TRIGGER fails BEFORE DELETE ON commit_intents BEGIN SELECT RAISE(ABORT, 'disk on fire'); END"
        }
        Home::Postgres { .. } => {
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'disk on fire'; END $$;
             CREATE TRIGGER fails BEFORE DELETE ON commit_intents FOR EACH ROW EXECUTE FUNCTION fail()"
        }
    })
    .await;

    let error = store.apply_commits(HERE, &lease, &[receipt(&new)], 6).await.unwrap_err();
    assert!(error.message.contains("disk on fire"), "{error}");
    assert_eq!(store.state_of(HERE, PIPELINE, STREAM).await.unwrap().revision, 0);
    let after = (store.open_intents(HERE, &lease).await.unwrap(), store.last_runs(HERE, None, 10).await.unwrap());
    assert_eq!(after, before);

    home.sql(if home.is_postgres() { "DROP TRIGGER fails ON commit_intents" } else { "DROP TRIGGER fails" }).await;
    store.apply_commits(HERE, &lease, &[receipt(&new)], 7).await.unwrap();
    assert_eq!(store.state_of(HERE, PIPELINE, STREAM).await.unwrap().state, state("7"));
}

async fn loads_that_are_applied_together_are_applied_all_or_none(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, &lease, std::slice::from_ref(&new), 5).await.unwrap();
    let stranger = CommitReceipt { load: LoadId::new("unknown", 0), rows_committed: 1, reference: String::new() };
    assert!(store.apply_commits(HERE, &lease, &[receipt(&new), stranger], 6).await.is_err());
    assert_eq!(store.state_of(HERE, PIPELINE, STREAM).await.unwrap().revision, 0);
    assert_eq!(store.open_intents(HERE, &lease).await.unwrap().len(), 1);
}

async fn a_commit_of_another_number_of_rows_is_not_recorded(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, &lease, std::slice::from_ref(&new), 5).await.unwrap();
    let short = CommitReceipt { rows_committed: 6, ..receipt(&new) };
    let error = store.apply_commits(HERE, &lease, &[short], 6).await.unwrap_err();
    assert!(error.message.contains("7 rows") && error.message.contains("reports 6"), "{error}");
    assert_eq!(store.open_intents(HERE, &lease).await.unwrap().len(), 1);
}

async fn the_next_process_finds_what_a_killed_one_left(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, &lease, std::slice::from_ref(&new), 5).await.unwrap();
    let other = begin(&store, &lease, "r2", 6).await;
    store.artifact_opened(HERE, &lease, &artifact(&other, "r2/part", 0, false)).await.unwrap();
    // Never closed: its connection is still there, as that of a killed process would be to the file.
    std::mem::forget(store);
    drop(lease);

    let next = home.store().await;
    let lease = next.lease(HERE, PIPELINE, LATER).await.unwrap();
    let open = next.open_intents(HERE, &lease).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!((&open[0].intent, &open[0].state_after, &open[0].counts), (&new.intent, &new.state_after, &new.counts));
    assert_eq!((open[0].run.as_str(), open[0].stream.as_str()), ("r1", STREAM));
    let left = next.unfinished_artifacts(HERE, &lease).await.unwrap();
    assert_eq!(left, [artifact(&other, "r2/part", 0, false)]);
    next.apply_commits(HERE, &lease, &[receipt(&new)], 8).await.unwrap();
    next.mark_abandoned(HERE, &lease, &left).await.unwrap();
    assert_eq!(next.unfinished_artifacts(HERE, &lease).await.unwrap(), []);

    begin(&next, &lease, "r3", 9).await;
    let runs = next.last_runs(HERE, Some(PIPELINE), 10).await.unwrap();
    let states: Vec<_> = runs.iter().map(|r| (r.id.as_str(), r.state, r.streams[0].state)).collect();
    let expected = [
        ("r3", RunState::Running, LoadState::Running),
        ("r2", RunState::Failed, LoadState::Failed),
        ("r1", RunState::Failed, LoadState::Committed),
    ];
    assert_eq!(states, expected);
    assert_eq!(next.state_of(HERE, PIPELINE, STREAM).await.unwrap().state, state("7"));
}

async fn an_intent_that_cannot_be_committed_is_dropped_and_its_artifacts_are_left_to_abandon(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, &lease, std::slice::from_ref(&new), 5).await.unwrap();
    let why = RunError::new(Kind::NotFound, Actor::Sink, "the staged file is gone");
    store.drop_intent(HERE, &lease, &new.intent.load, &why, 6).await.unwrap();
    assert_eq!(store.open_intents(HERE, &lease).await.unwrap(), []);
    assert_eq!(store.unfinished_artifacts(HERE, &lease).await.unwrap(), new.intent.artifacts);
    let run = store.last_runs(HERE, None, 1).await.unwrap().remove(0);
    assert_eq!((run.streams[0].state, run.streams[0].error.as_ref()), (LoadState::Failed, Some(&why)));
    let error = store.apply_commits(HERE, &lease, &[receipt(&new)], 7).await.unwrap_err();
    assert!(error.message.contains("never recorded"), "{error}");
}

async fn a_tenant_sees_only_its_own(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, &lease, std::slice::from_ref(&new), 5).await.unwrap();
    let other = ELSEWHERE;
    let theirs = store.lease(other, PIPELINE, 0).await.unwrap();
    assert_eq!(store.open_intents(other, &theirs).await.unwrap(), []);
    assert_eq!(store.last_runs(other, None, 10).await.unwrap(), []);
    assert!(store.apply_commits(other, &theirs, &[receipt(&new)], 6).await.is_err());
    assert!(store.apply_commits(other, &lease, &[receipt(&new)], 6).await.is_err(), "nor with the lease of another");
    store.apply_commits(HERE, &lease, &[receipt(&new)], 6).await.unwrap();
    assert_eq!(store.state_of(other, PIPELINE, STREAM).await.unwrap().revision, 0);
    assert!(store.forget_state(HERE, &lease, STREAM).await.unwrap());
    assert!(!store.forget_state(HERE, &lease, STREAM).await.unwrap());
}
