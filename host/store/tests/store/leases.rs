//! The right to run a pipeline.

use sluice_core::error::{Actor, Kind};
use sluice_core::run::RunState;

use crate::support::*;

on_both!(
    only_one_process_runs_a_pipeline_and_the_error_names_it,
    of_many_that_want_a_lease_at_once_one_gets_it,
    a_lease_that_is_renewed_does_not_expire,
    whoever_lost_the_lease_can_record_nothing_more,
    what_a_process_that_died_leaves_behind_is_free_when_it_is_said_to_be,
);

async fn what_a_process_that_died_leaves_behind_is_free_when_it_is_said_to_be(home: Home) {
    let store = home.store().await;
    drop(store.lease(HERE, PIPELINE, 1_000).await.unwrap());
    let outlives = i64::try_from(store.lease_outlives().as_micros()).unwrap();
    let other = home.store().await;
    let early = other.lease(HERE, PIPELINE, 1_000 + outlives - 1).await;
    assert_eq!(early.is_err(), outlives > 0, "{early:?}");
    drop(early);
    other.lease(HERE, PIPELINE, 1_000 + outlives).await.unwrap();
}

async fn only_one_process_runs_a_pipeline_and_the_error_names_it(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let error = home.store().await.lease(HERE, PIPELINE, 1).await.unwrap_err();
    assert_eq!((error.kind, error.actor), (Kind::Transient, Actor::User));
    assert!(error.message.contains(&format!("process {}", std::process::id())), "{error}");
    let _of_another = store.lease(HERE, "another", 1).await.unwrap();
    let _of_another_tenant = store.lease(ELSEWHERE, PIPELINE, 1).await.unwrap();
    store.release(lease).await.unwrap();
    store.lease(HERE, PIPELINE, 2).await.unwrap();
    assert!(store.lease(HERE, "../x", 2).await.is_err());
}

async fn of_many_that_want_a_lease_at_once_one_gets_it(home: Home) {
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = home.store().await;
        tries.spawn(async move { store.lease(HERE, PIPELINE, 0).await });
    }
    let all = tries.join_all().await;
    assert_eq!(all.iter().filter(|lease| lease.is_ok()).count(), 1);
}

async fn a_lease_that_is_renewed_does_not_expire(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let every = i64::try_from(store.renew_every().as_micros()).unwrap();
    let mut now = 0;
    for _ in 0..20 {
        now += every;
        assert!(store.renew(&lease, now).await.unwrap());
        assert!(store.lease(HERE, PIPELINE, now + every).await.is_err());
    }
    // Late, but before anybody else came.
    assert!(store.renew(&lease, now + LATER).await.unwrap());
    store.begin_run(HERE, &lease, &new_run("r1"), now).await.unwrap();
}

async fn whoever_lost_the_lease_can_record_nothing_more(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    assert_eq!(lease.expires(), home.is_postgres());
    if !lease.expires() {
        // A lock on a file is lost with its process only.
        assert!(home.store().await.lease(HERE, PIPELINE, LATER).await.is_err());
        return;
    }
    let new = staged(&store, &lease, "r1", 7, "7").await;
    let next = home.store().await;
    let taken = next.lease(HERE, PIPELINE, LATER).await.unwrap();
    next.begin_run(HERE, &taken, &new_run("r2"), LATER).await.unwrap();

    assert!(!store.renew(&lease, LATER).await.unwrap());
    let load = &new.intent.load;
    let late_load = sluice_core::load::LoadId::new("r1", 1);
    let late = sluice_store::NewStream {
        run: "r1".into(),
        load: late_load,
        stream: STREAM.into(),
        table: table(),
        columns: None,
    };
    let all = [
        store.record_intents(HERE, &lease, std::slice::from_ref(&new), 5).await,
        store.apply_commits(HERE, &lease, &[receipt(&new)], 5).await,
        store.begin_run(HERE, &lease, &new_run("r3"), 5).await,
        store.begin_stream(HERE, &lease, &late, 5).await,
        store.save_names(HERE, &lease, STREAM, &[("a".to_owned(), "a".to_owned())].into()).await,
        store.plan_items(HERE, &lease, load, sluice_core::items::Items::default()).await,
        store.drop_intent(HERE, &lease, load, &sluice_core::RunError::internal("x"), 5).await,
        store.artifact_progressed(HERE, &lease, &artifact(load, "r1/part", 9, false)).await,
        store.artifact_finalized(HERE, &lease, &artifact(load, "r1/part", 9, true)).await,
        store.end_run(HERE, &lease, "r1", RunState::Succeeded, None, 5).await,
        store.end_stream(HERE, &lease, load, sluice_store::LoadState::Failed, &counts(1), None, 5).await,
        store.mark_abandoned(HERE, &lease, &new.intent.artifacts).await,
        store.artifact_opened(HERE, &lease, &artifact(load, "late", 0, false)).await,
        store.keep_back(HERE, &lease, (STREAM, "r1"), &state("7"), 5).await,
        store.drop_stale_items(HERE, &lease).await,
        store.forget_state(HERE, &lease, STREAM).await.map(drop),
        store.open_intents(HERE, &lease).await.map(drop),
        store.unfinished_artifacts(HERE, &lease).await.map(drop),
    ];
    for result in all {
        let error = result.unwrap_err();
        assert_eq!(error.kind, Kind::Transient);
        assert!(error.message.contains("now being run by process"), "{error}");
    }
    assert_eq!(next.open_intents(HERE, &taken).await.unwrap(), []);
    assert_eq!(next.unfinished_artifacts(HERE, &taken).await.unwrap(), new.intent.artifacts);
    let states: Vec<_> = next.last_runs(HERE, None, 9).await.unwrap().into_iter().map(|r| (r.id, r.state)).collect();
    assert_eq!(states, [("r2".to_owned(), RunState::Running), ("r1".to_owned(), RunState::Failed)]);
    // Handing back what was lost takes nothing away from whoever has it.
    store.release(lease).await.unwrap();
    assert!(store.lease(HERE, PIPELINE, LATER + 1).await.is_err());
}
