//! Pipelines that are being set up, and how those that are there stand.

use std::sync::Arc;

use serde_json::{Value, json};
use sluice_core::RunError;
use sluice_core::request::{Cause, RequestState};
use sluice_core::schedule::Schedule;
use sluice_store::{
    ChangeError, DAY_US, DraftChange, Finished, MasterKey, MasterKeys, NewConnection, NewPipeline, NewRequest,
    NewTenant, OpenSecret, Owner, PipelineChange, Plain, Scope, SecretChange, SecretValue, Store, Timing, Vault,
};

use crate::support::*;

on_both!(
    a_draft_is_changed_by_its_author_who_saw_its_last_revision,
    a_finished_draft_is_a_connection_whose_secrets_open_and_a_pipeline,
    what_cannot_be_finished_stays_as_it_is,
    old_drafts_go_with_their_secrets,
    pipelines_stand_as_their_last_runs_ended,
    a_thousand_pipelines_are_looked_at_through_indexes,
);

const A: Scope<'static> = Scope { tenant: "a" };
const ANN: Owner<'static> = Owner { scope: A, owner: "user ann" };

fn vault() -> Vault {
    Vault::new(MasterKeys::new(MasterKey::new("m1", [1; 32]), vec![]), Arc::new(|_: &mut [u8]| Ok(())))
}

fn draft(content: Value, secrets: Vec<SecretChange>) -> DraftChange {
    DraftChange { content, secrets, moves: true }
}

fn secret(field: &str, text: &str) -> SecretChange {
    SecretChange { field: field.into(), value: SecretValue::Set(Plain::new(text)) }
}

async fn begun(home: &Home) -> Store {
    let store = home.store().await;
    for tenant in ["a", "b"] {
        store.create_tenant(&NewTenant { id: tenant.into(), name: tenant.into() }, 1).await.unwrap();
    }
    let new = draft(json!({"n": 1}), vec![secret("/password", "pw"), secret("/key", "k")]);
    store.create_draft(ANN, &vault(), "d", &new, 2, 5).await.unwrap();
    store
}

async fn a_draft_is_changed_by_its_author_who_saw_its_last_revision(home: Home) {
    let store = begun(&home).await;
    let next = DraftChange { moves: false, ..draft(json!({"n": 2}), vec![]) };
    assert_eq!(store.update_draft(ANN, &vault(), "d", 1, &next, 6).await, Ok(2));
    let stale = store.update_draft(ANN, &vault(), "d", 1, &next, 7).await;
    assert_eq!(stale, Err(ChangeError::Stale { what: "draft", seen: 1, now: 2 }));
    let remove = SecretChange { field: "/key".into(), value: SecretValue::Remove };
    store.update_draft(ANN, &vault(), "d", 2, &draft(json!({"n": 3}), vec![remove]), 8).await.unwrap();
    let found = store.draft(ANN, "d").await.unwrap().unwrap();
    assert_eq!((found.content, found.revision, found.source_revision, found.updated_us), (json!({"n": 3}), 3, 2, 8));
    assert_eq!(store.draft_secrets(A, "d").await.unwrap().len(), 1);
    for other in [Owner { owner: "user bob", ..ANN }, Owner { scope: Scope { tenant: "b" }, ..ANN }] {
        assert_eq!(store.draft(other, "d").await.unwrap(), None);
        assert_eq!(store.drafts(other, None, 9).await.unwrap(), []);
        let missing = ChangeError::Missing { what: "draft" };
        assert_eq!(store.update_draft(other, &vault(), "d", 3, &next, 9).await, Err(missing.clone()));
        assert_eq!(store.delete_draft(other, "d", 3).await, Err(missing));
    }
    store.create_draft(ANN, &vault(), "e", &next, 2, 9).await.unwrap();
    let full = store.create_draft(ANN, &vault(), "f", &next, 2, 9).await;
    assert!(matches!(full, Err(ChangeError::Refused(text)) if text.contains("2 drafts")));
    assert_eq!(store.drafts(ANN, Some("d"), 9).await.unwrap().len(), 1);
    store.delete_draft(ANN, "d", 3).await.unwrap();
    assert!(store.draft_secrets(A, "d").await.unwrap().is_empty());
}

fn made(connection: bool, name: &str) -> Finished {
    let new = NewConnection {
        id: "d".into(),
        name: "shop".into(),
        connector: "postgres".into(),
        config: json!({"host": "db"}),
        grants: json!({}),
    };
    let first =
        PipelineChange { name: name.into(), connection: "d".into(), definition: json!({"streams": []}), enabled: true };
    let timing = Timing { schedule: Schedule::new("@hourly", "UTC"), next_due_us: Some(77) };
    Finished {
        connection: connection.then_some(new),
        pipeline: NewPipeline { id: format!("p-{name}"), first },
        timing: Some(timing),
    }
}

async fn a_finished_draft_is_a_connection_whose_secrets_open_and_a_pipeline(home: Home) {
    let store = begun(&home).await;
    store.finish_draft(ANN, "d", 1, &made(true, "orders"), "user ann", 9).await.unwrap();
    let opened = store.open_secrets(A, &vault(), "d").await.unwrap();
    assert_eq!(opened["/password"], OpenSecret::Plain(Plain::new("pw")));
    assert_eq!(opened.len(), 2);
    assert_eq!(store.draft(ANN, "d").await.unwrap(), None);
    assert!(store.draft_secrets(A, "d").await.unwrap().is_empty());
    let pipeline = store.pipeline(A, "p-orders").await.unwrap().unwrap();
    assert_eq!((pipeline.current.connection.as_str(), pipeline.revision), ("d", 1));
    assert_eq!(store.next_due().await.unwrap(), Some(77));
}

async fn what_cannot_be_finished_stays_as_it_is(home: Home) {
    let store = begun(&home).await;
    let missing = store.finish_draft(ANN, "d", 1, &made(false, "orders"), "user ann", 9).await;
    assert_eq!(missing, Err(ChangeError::Missing { what: "connection" }));
    store.finish_draft(ANN, "d", 1, &made(true, "orders"), "user ann", 9).await.unwrap();
    store.create_draft(ANN, &vault(), "e", &draft(json!({}), vec![secret("/password", "x")]), 9, 9).await.unwrap();
    let mut again = made(true, "orders");
    again.connection.as_mut().unwrap().id = "e".into();
    let taken = store.finish_draft(ANN, "e", 1, &again, "user ann", 9).await;
    assert_eq!(taken, Err(ChangeError::Taken { what: "connection", field: "name" }));
    assert_eq!(store.draft_secrets(A, "e").await.unwrap().len(), 1);
    assert_eq!(store.connections(A, None, None, 9).await.unwrap().len(), 1);
}

async fn old_drafts_go_with_their_secrets(home: Home) {
    let store = begun(&home).await;
    store.create_draft(ANN, &vault(), "e", &draft(json!({}), vec![]), 9, 50).await.unwrap();
    assert_eq!(store.forget_drafts(5).await.unwrap(), 0);
    assert_eq!(store.forget_drafts(50).await.unwrap(), 1);
    assert!(store.draft_secrets(A, "d").await.unwrap().is_empty());
    assert_eq!(store.drafts(ANN, None, 9).await.unwrap().len(), 1);
}

async fn run(store: &Store, id: &str, pipeline: &str, (at_us, state): (i64, RequestState)) {
    let new = NewRequest {
        id: id.into(),
        pipeline: pipeline.into(),
        revision: 1,
        connection: "d".into(),
        cause: Cause::Manual,
        moment_us: None,
        snapshot_date: None,
        requested_by: "user ann".into(),
        priority: 0,
        not_before_us: at_us,
        traceparent: None,
    };
    store.ask_for_run(A, &new, at_us).await.unwrap();
    let error = (state == RequestState::Failed).then(|| RunError::internal("it broke"));
    let claim = store.claim_run(A, id, "host", at_us, at_us + 100).await.unwrap().unwrap();
    assert!(store.finish_run(&claim, state, error.as_ref(), at_us + 10).await.unwrap());
}

async fn pipelines_stand_as_their_last_runs_ended(home: Home) {
    let store = begun(&home).await;
    store.finish_draft(ANN, "d", 1, &made(true, "orders"), "user ann", 9).await.unwrap();
    let now = 100 * DAY_US;
    let stand = async || store.standings(A, now, 10).await.unwrap().remove(0);
    let first = stand().await;
    assert_eq!((first.name.as_str(), first.good, first.last.clone(), first.failures), ("orders", None, None, (0, 0)));
    assert_eq!(first.schedule, Some((Schedule::new("@hourly", "UTC"), Some(77))));
    run(&store, "r1", "p-orders", (now - 3 * DAY_US, RequestState::Failed)).await;
    run(&store, "r2", "p-orders", (now - 2 * DAY_US, RequestState::Succeeded)).await;
    run(&store, "r3", "p-orders", (now - DAY_US / 2, RequestState::Failed)).await;
    let then = stand().await;
    assert_eq!(then.good.map(|(_, to)| to), Some(now - 2 * DAY_US + 10));
    let last = then.last.unwrap();
    assert_eq!(
        (last.id.as_str(), last.state, last.error.unwrap().message.as_str()),
        ("r3", RequestState::Failed, "it broke")
    );
    assert_eq!(then.failures, (1, 2));
    let days = store.daily(A, 96).await.unwrap();
    let counts: Vec<_> = days.iter().map(|one| (one.day, one.succeeded, one.failed, one.rows)).collect();
    assert_eq!(counts, [(97, 0, 1, 0), (98, 1, 0, 0), (99, 0, 1, 0)]);
    assert_eq!(store.standings(Scope { tenant: "b" }, now, 10).await.unwrap(), []);
}

async fn a_thousand_pipelines_are_looked_at_through_indexes(home: Home) {
    let store = begun(&home).await;
    store.finish_draft(ANN, "d", 1, &made(true, "orders"), "user ann", 9).await.unwrap();
    home.sql(
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 999) \
         INSERT INTO pipelines (tenant, id, name, connection_id, definition, enabled, revision, created_us, updated_us, updated_by) \
         SELECT 'a', 'p' || n, 'name ' || n, 'd', '{}', 1, 1, 0, 0, 'ann' FROM s",
    )
    .await;
    home.sql(
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 20000) \
         INSERT INTO run_requests (tenant, id, pipeline, revision, connection, cause, requested_by, state, priority, \
         not_before_us, queued_us, started_us, ended_us, attempts) \
         SELECT 'a', 'r' || n, 'p' || (n % 999), 1, 'd', 'scheduled', 'schedule', \
         CASE WHEN n % 7 = 0 THEN 'failed' ELSE 'succeeded' END, 0, 0, CAST(n AS BIGINT) * 10000000, \
         CAST(n AS BIGINT) * 10000000, CAST(n AS BIGINT) * 10000000 + 1, 1 FROM s",
    )
    .await;
    home.sql(
        "INSERT INTO runs (tenant, id, pipeline, state, connector, connector_digest, contract, pipeline_fingerprint, started_us) \
         VALUES ('a', 'x', 'p1', 'succeeded', 'c', 'd', '0.1', 'f', 0)",
    )
    .await;
    home.sql(
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 20000) \
         INSERT INTO run_streams (tenant, load_id, run_id, pipeline, stream, dataset_name, table_name, state, rows_read, \
         rows_quarantined, values_nulled, rows_sent, rows_finalized, rows_committed, bytes_read, started_us, ended_us) \
         SELECT 'a', 'l' || n, 'x', 'p1', 's', 'd', 't', 'committed', 3, 0, 0, 3, 3, 3, 30, 0, \
         CAST(n AS BIGINT) * 10000000 FROM s",
    )
    .await;
    home.sql("ANALYZE").await;
    let now = 200_000_000_000;
    assert_eq!(store.standings(A, now, 5_000).await.unwrap().len(), 1_000);
    let days = store.daily(A, 2).await.unwrap();
    assert_eq!((days[0].day, days[0].rows, days[0].bytes), (2, 3 * 2_721, 30 * 2_721));
    let newest = "SELECT r.id FROM run_requests r WHERE r.tenant = 'a' AND r.pipeline = 'p5' AND r.state = 'succeeded' \
                  ORDER BY r.queued_us DESC, r.id DESC LIMIT 1";
    let plan = home.plan(newest).await;
    assert!(plan.contains("run_requests_by_pipeline"), "{plan}");
    let loaded =
        "SELECT SUM(rows_committed), SUM(bytes_read) FROM run_streams WHERE tenant = 'a' AND ended_us >= 199000000000";
    let plan = home.plan(loaded).await;
    assert!(plan.contains("run_streams_by_end"), "{plan}");
}
