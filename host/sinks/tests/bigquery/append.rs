//! Transactional loads by the Storage Write API.

use sluice_core::commit::{CommitError, Settled};
use sluice_sinks::Sink;

use crate::support::{World, numbered, permit_for};

const ALL: &str = "SELECT COUNT(*), COUNT(DISTINCT id), MIN(id), MAX(id) FROM {t}";

#[tokio::test]
async fn rows_of_all_splits_become_visible_at_once_by_one_commit() {
    let world = World::new("at_once").await;
    let batch = numbered(0, 50);
    let spec = world.spec(&batch.schema());
    world.sink.prepare(&spec).await.unwrap();
    let load = world.load(&spec);
    let first = world.write(&load, "a", &[numbered(0, 20), numbered(20, 50)]).await.unwrap();
    let second = world.write(&load, "b", &[numbered(50, 70)]).await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM {t}").await, 0, "nothing is visible before the commit");
    assert_eq!((first.rows_sent, first.rows_finalized, second.rows_finalized), (50, 50, 20));

    let permit = permit_for(&load, vec![first, second]);
    let receipt = world.sink.commit(&permit).await.unwrap();
    assert_eq!(receipt.rows_committed, 70);
    assert_eq!(world.query(ALL).await, [["70", "70", "0", "69"]]);
}

#[tokio::test]
async fn a_stream_is_in_the_ledger_before_it_holds_a_row_and_again_once_it_is_closed() {
    let world = World::new("ledger").await;
    let spec = world.spec(&numbered(0, 1).schema());
    world.sink.prepare(&spec).await.unwrap();
    let load = world.load(&spec);
    let mut writer = world.sink.open(&load, "a").await.unwrap();
    assert!(world.ledger.opened.lock().unwrap().is_empty(), "a split without rows needs no stream");
    writer.write(numbered(0, 10)).await.unwrap();
    let opened = world.ledger.opened.lock().unwrap().clone();
    assert_eq!((opened.len(), opened[0].rows, opened[0].finalized), (1, 0, false));
    let receipt = writer.finish().await.unwrap();
    assert_eq!(*world.ledger.finalized.lock().unwrap(), receipt.artifacts);
    assert_eq!((receipt.artifacts[0].name.as_str(), receipt.artifacts[0].rows), (opened[0].name.as_str(), 10));
}

#[tokio::test]
async fn a_load_without_rows_commits_nothing_and_is_settled() {
    let world = World::new("no_rows").await;
    let spec = world.spec(&numbered(0, 1).schema());
    world.sink.prepare(&spec).await.unwrap();
    let load = world.load(&spec);
    let receipt = world.write(&load, "a", &[]).await.unwrap();
    assert!(receipt.artifacts.is_empty());
    let permit = permit_for(&load, vec![receipt]);
    assert_eq!(world.sink.commit(&permit).await.unwrap().rows_committed, 0);
    assert!(matches!(world.sink.settle(permit.intent()).await.unwrap(), Settled::Committed { .. }));
}

#[tokio::test]
async fn a_batch_larger_than_a_request_is_cut_and_arrives_whole() {
    let mut config = crate::support::config();
    config.request_bytes = 70_000;
    let world = World::with("cut", config).await;
    let batch = numbered(0, 9_000);
    let spec = world.spec(&batch.schema());
    assert_eq!(world.run(&spec, &[("a", &[batch])]).await, 9_000);
    assert_eq!(world.query(ALL).await, [["9000", "9000", "0", "8999"]]);
}

#[tokio::test]
async fn committing_twice_is_found_out_and_adds_nothing() {
    let world = World::new("twice").await;
    let spec = world.spec(&numbered(0, 1).schema());
    world.sink.prepare(&spec).await.unwrap();
    let load = world.load(&spec);
    let receipt = world.write(&load, "a", &[numbered(0, 10)]).await.unwrap();
    let permit = permit_for(&load, vec![receipt]);
    assert_eq!(world.sink.settle(permit.intent()).await.unwrap(), Settled::Intact);
    world.sink.commit(&permit).await.unwrap();
    assert!(matches!(world.sink.settle(permit.intent()).await.unwrap(), Settled::Committed { .. }));
    assert_eq!(world.sink.commit(&permit).await.unwrap().rows_committed, 10);
    assert_eq!(world.number("SELECT COUNT(*) FROM {t}").await, 10);
}

#[tokio::test]
async fn a_stream_that_is_not_closed_is_refused_and_nothing_becomes_visible() {
    let world = World::new("not_closed").await;
    let spec = world.spec(&numbered(0, 1).schema());
    world.sink.prepare(&spec).await.unwrap();
    let load = world.load(&spec);
    let mut writer = world.sink.open(&load, "b").await.unwrap();
    writer.write(numbered(10, 20)).await.unwrap();
    let mut open = world.ledger.opened.lock().unwrap()[0].clone();
    (open.rows, open.finalized) = (10, true);
    let mut receipt = world.write(&load, "a", &[numbered(0, 10)]).await.unwrap();
    receipt.artifacts.push(open);
    (receipt.rows_sent, receipt.rows_finalized) = (20, 20);
    let refused = world.sink.commit(&permit_for(&load, vec![receipt])).await.unwrap_err();
    assert!(matches!(&refused, CommitError::Refused(e) if e.message.contains("committed none of them")), "{refused}");
    assert_eq!(world.number("SELECT COUNT(*) FROM {t}").await, 0);
}

#[tokio::test]
async fn a_stream_that_is_gone_is_lost() {
    let world = World::new("gone").await;
    let spec = world.spec(&numbered(0, 1).schema());
    world.sink.prepare(&spec).await.unwrap();
    let load = world.load(&spec);
    let receipt = world.write(&load, "a", &[numbered(0, 10)]).await.unwrap();
    let mut intent = permit_for(&load, vec![receipt]).intent().clone();
    intent.artifacts[0].name.push('x');
    assert!(matches!(world.sink.settle(&intent).await.unwrap(), Settled::Lost { .. }));
}

#[tokio::test]
async fn what_is_abandoned_never_becomes_visible_and_abandoning_twice_is_fine() {
    let world = World::new("abandon").await;
    let spec = world.spec(&numbered(0, 1).schema());
    world.sink.prepare(&spec).await.unwrap();
    let load = world.load(&spec);
    let receipt = world.write(&load, "a", &[numbered(0, 10)]).await.unwrap();
    for _ in 0..2 {
        world.sink.abandon(&receipt.artifacts).await.unwrap();
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM {t}").await, 0);
}

#[tokio::test]
async fn the_doctor_finds_a_server_that_works() {
    let world = World::new("doctor").await;
    world.sink.check().await.unwrap();
}

#[tokio::test]
async fn the_doctor_names_the_endpoint_that_does_not_answer() {
    let mut config = crate::support::config();
    config.grpc_endpoint = Some("http://127.0.0.1:1".into());
    config.answer_timeout = std::time::Duration::from_secs(1);
    let world = World::with("dead", config).await;
    let error = world.sink.check().await.unwrap_err();
    assert!(error.message.contains("http://127.0.0.1:1"), "{error}");
    assert_eq!(error.kind, sluice_core::error::Kind::Transient);
}
