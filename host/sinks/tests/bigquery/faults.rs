//! Exactly once, whatever happens to requests and answers on their way.

use std::time::{Duration, Instant};

use jiff::civil::date;
use sluice_core::commit::{CommitError, CommitPermit, Settled};
use sluice_core::error::Kind;
use sluice_core::load::{LoadStrategy, TableSpec};
use sluice_sinks::Sink;

use crate::proxy::Proxy;
use crate::support::{World, config, numbered, permit_for, setting};

const ALL: &str = "SELECT COUNT(*), COUNT(DISTINCT id), MAX(id) FROM {t}";

/// A world whose Storage API, and one whose REST API, is behind a proxy.
async fn behind_proxies(test: &str) -> (World, Proxy, Proxy) {
    let grpc = Proxy::before(&setting("SLUICE_TEST_BIGQUERY_GRPC")).await;
    let rest = Proxy::before(&setting("SLUICE_TEST_BIGQUERY_REST")).await;
    let mut config = config();
    config.grpc_endpoint = Some(grpc.url());
    config.rest_endpoint = Some(rest.url());
    config.answer_timeout = Duration::from_secs(3);
    let world = World::with(test, config).await;
    let spec = world.spec(&numbered(0, 1).schema());
    world.sink.prepare(&spec).await.unwrap();
    (world, grpc, rest)
}

fn rows(world: &World) -> TableSpec {
    world.spec(&numbered(0, 1).schema())
}

/// Commits; when the answer is lost, asks what became of it, and commits again what is intact.
async fn commit_as_a_run_does(sink: &impl Sink, mut permit: CommitPermit) {
    for _ in 0..5 {
        match sink.commit(&permit).await {
            Ok(_) => return,
            Err(CommitError::Refused(error)) => panic!("{error}"),
            Err(CommitError::Unclear(_)) => {}
        }
        let intent = permit.intent().clone();
        let Ok(settled) = sink.settle(&intent).await else { continue };
        match CommitPermit::from_settled(intent, &settled) {
            Some(again) => permit = again,
            None => return assert!(matches!(settled, Settled::Committed { .. }), "{settled:?}"),
        }
    }
    panic!("the commit stayed unclear");
}

/// Writes ten batches of twenty rows, calling `between` after each, and commits over a sound wire.
async fn written_with(world: &World, mut between: impl FnMut(usize)) {
    let load = world.load(&rows(world));
    let mut writer = world.sink.open(&load, "a").await.unwrap();
    for step in 0..10 {
        let from = i64::try_from(step).unwrap() * 20;
        writer.write(numbered(from, from + 20)).await.unwrap();
        between(step);
    }
    let receipt = writer.finish().await.unwrap();
    assert_eq!((receipt.rows_sent, receipt.rows_finalized), (200, 200));
    commit_as_a_run_does(&world.sink, permit_for(&load, vec![receipt])).await;
    assert_eq!(world.query(ALL).await, [["200", "200", "199"]]);
}

#[tokio::test]
async fn an_append_whose_answer_is_lost_is_sent_again_and_stored_once() {
    let (world, grpc, _) = behind_proxies("lost_append").await;
    written_with(&world, |step| {
        if step % 4 == 1 {
            grpc.lose_answers(1);
        }
    })
    .await;
    assert!(grpc.is_used_up());
}

#[tokio::test]
async fn appends_over_connections_that_keep_dying_are_stored_once() {
    let (world, grpc, _) = behind_proxies("dying").await;
    // Enough bytes for the handshake and some answers, so that each connection gets a little further.
    grpc.cut_after(400, 5);
    written_with(&world, |_| {}).await;
    assert!(grpc.is_used_up());
}

#[tokio::test]
async fn an_append_that_never_arrives_is_sent_again() {
    let (world, grpc, _) = behind_proxies("refused_wire").await;
    written_with(&world, |step| {
        if step == 2 {
            grpc.lose_answers(1);
            grpc.refuse(2);
        }
    })
    .await;
    assert!(grpc.is_used_up());
}

#[tokio::test]
async fn answers_later_than_the_time_limit_are_not_waited_for_and_rows_are_stored_once() {
    let (world, grpc, _) = behind_proxies("late").await;
    let load = world.load(&rows(&world));
    let mut writer = world.sink.open(&load, "a").await.unwrap();
    writer.write(numbered(0, 20)).await.unwrap();
    grpc.delay(Duration::from_secs(5));
    writer.write(numbered(20, 40)).await.unwrap();
    let on_time = async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        grpc.delay(Duration::ZERO);
    };
    let (receipt, ()) = tokio::join!(writer.finish(), on_time);
    world.sink.commit(&permit_for(&load, vec![receipt.unwrap()])).await.unwrap();
    assert_eq!(world.query(ALL).await, [["40", "40", "39"]]);
}

#[tokio::test]
async fn a_stream_whose_closing_is_not_answered_is_closed_again_and_counted_the_same() {
    let (world, grpc, _) = behind_proxies("lost_close").await;
    let load = world.load(&rows(&world));
    let mut writer = world.sink.open(&load, "a").await.unwrap();
    writer.write(numbered(0, 20)).await.unwrap();
    grpc.lose_answers_of_new_connections(2);
    let receipt = writer.finish().await.unwrap();
    assert_eq!(receipt.rows_finalized, 20);
    assert!(grpc.is_used_up());
    world.sink.commit(&permit_for(&load, vec![receipt])).await.unwrap();
    assert_eq!(world.query(ALL).await, [["20", "20", "19"]]);
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_unclear_and_is_found_to_be_done() {
    let (world, grpc, _) = behind_proxies("lost_commit").await;
    let load = world.load(&rows(&world));
    let receipts = vec![
        world.write(&load, "a", &[numbered(0, 20)]).await.unwrap(),
        world.write(&load, "b", &[numbered(20, 30)]).await.unwrap(),
    ];
    let permit = permit_for(&load, receipts);
    grpc.lose_answers_of_new_connections(1);
    let unclear = world.sink.commit(&permit).await.unwrap_err();
    assert!(matches!(unclear, CommitError::Unclear(_)), "{unclear}");
    assert!(matches!(world.sink.settle(permit.intent()).await.unwrap(), Settled::Committed { .. }));
    assert_eq!(world.query(ALL).await, [["30", "30", "29"]]);
}

#[tokio::test]
async fn a_commit_that_never_arrives_is_unclear_and_can_be_made_later() {
    let (world, grpc, _) = behind_proxies("no_commit").await;
    let load = world.load(&rows(&world));
    let receipt = world.write(&load, "a", &[numbered(0, 20)]).await.unwrap();
    let permit = permit_for(&load, vec![receipt]);
    grpc.refuse(1);
    let unclear = world.sink.commit(&permit).await.unwrap_err();
    assert!(matches!(unclear, CommitError::Unclear(_)), "{unclear}");
    let settled = world.sink.settle(permit.intent()).await.unwrap();
    assert_eq!(settled, Settled::Intact);
    let again = CommitPermit::from_settled(permit.intent().clone(), &settled).unwrap();
    world.sink.commit(&again).await.unwrap();
    assert_eq!(world.query(ALL).await, [["20", "20", "19"]]);
}

#[tokio::test]
async fn a_snapshot_over_a_wire_that_loses_answers_is_there_once() {
    let (world, _, rest) = behind_proxies("lost_rest").await;
    let mut spec = rows(&world);
    spec.name = world.table("snapshot");
    spec.strategy = LoadStrategy::Catalog { snapshot_date: date(2026, 1, 1) };
    world.sink.prepare(&spec).await.unwrap();
    let load = world.load(&spec);
    let mut writer = world.sink.open(&load, "a").await.unwrap();
    rest.lose_answers(1);
    writer.write(numbered(0, 1_000)).await.unwrap();
    rest.lose_answers(2);
    let receipt = writer.finish().await.unwrap();
    assert_eq!(receipt.rows_finalized, 1_000);
    let permit = permit_for(&load, vec![receipt]);
    rest.lose_answers(3);
    let committed = match world.sink.commit(&permit).await {
        Ok(_) => world.sink.settle(permit.intent()).await.unwrap(),
        Err(CommitError::Unclear(_)) => world.sink.settle(permit.intent()).await.unwrap(),
        Err(error) => panic!("{error}"),
    };
    assert!(matches!(committed, Settled::Committed { .. }), "{committed:?}");
    assert!(rest.is_used_up());
    let snapshot = format!("SELECT COUNT(*), COUNT(DISTINCT id) FROM `{}`.snapshot", world.dataset);
    assert_eq!(world.query(&snapshot).await, [["1000", "1000"]]);
}

#[tokio::test]
async fn a_server_that_stays_away_is_a_transient_failure_after_a_bounded_time() {
    let (world, grpc, _) = behind_proxies("away").await;
    let load = world.load(&rows(&world));
    let mut writer = world.sink.open(&load, "a").await.unwrap();
    writer.write(numbered(0, 20)).await.unwrap();
    grpc.lose_answers(1);
    grpc.refuse(1_000);
    writer.write(numbered(20, 40)).await.unwrap();
    let begin = Instant::now();
    let error = writer.finish().await.unwrap_err();
    assert_eq!(error.kind, Kind::Transient, "{error}");
    assert!(begin.elapsed() < Duration::from_secs(90), "{:?}", begin.elapsed());
    assert!(grpc.connections() > 5, "it was tried more than once");
    assert_eq!(world.number("SELECT COUNT(*) FROM {t}").await, 0);
}
