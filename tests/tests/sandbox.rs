//! Instances of a guest that behaves, and what becomes of them when it does not. The attacks themselves are in `hostile/`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use std::time::Duration;

use arrow_array::cast::AsArray;
use serde_json::json;
use sluice_core::RunError;
use sluice_core::error::Kind;
use sluice_core::limits::InstanceLimits;
use sluice_core::pipeline::Grants;
use sluice_runtime::{Budget, Connection, Instance, Read, Runtime};
use sluice_tests::{guest, sandbox};

fn limits() -> InstanceLimits {
    InstanceLimits { cpu_ms: 5_000, wall_ms: 20_000, memory_bytes: 192 << 20, ..InstanceLimits::default() }
}

/// A guest that spins until its time is over.
async fn spun(runtime: Runtime) -> RunError {
    let limits = InstanceLimits { cpu_ms: 1_500, ..limits() };
    let config = json!({"attack": "spin", "rows": 10});
    let connection = sandbox::connection(&runtime, &guest("hostile"), config, limits, Grants::default()).await.unwrap();
    sandbox::read(&connection, "numbers").await.unwrap_err()
}

async fn connected(config: serde_json::Value, limits: InstanceLimits) -> Connection {
    sandbox::connection(&sandbox::runtime(), &guest("hostile"), config, limits, Grants::default()).await.unwrap()
}

/// Begins to read the first split: the instance that planned it, the one that reads it, and the read.
async fn reading(connection: &Connection) -> (Instance, Instance, Read) {
    let planner = connection.instance().await.unwrap();
    let plan = sandbox::plan(&planner, "numbers").await.unwrap();
    let instance = connection.instance().await.unwrap();
    let planned = vec![("numbers".into(), plan.streams[0].schema.clone())];
    let read = instance.read(plan.splits[0].clone(), None, planned, Budget::new(1 << 20)).await.unwrap();
    (planner, instance, read)
}

fn assert_ended(error: &RunError, kind: Kind, words: &str) {
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.message.contains(words), "expected {words:?} in: {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_guest_yields_every_row_of_every_split() {
    let config = json!({"rows": 1000, "batch": 64, "splits": 3});
    let connection = connected(config, limits()).await;
    let batches = sandbox::read(&connection, "numbers").await.unwrap();
    assert_eq!(batches.iter().map(arrow_array::RecordBatch::num_rows).sum::<usize>(), 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_may_come_in_any_pieces_that_lie_where_its_metadata_says() {
    let config = json!({"attack": "odd-pieces", "rows": 20});
    let runtime = sandbox::runtime();
    let connection =
        sandbox::connection(&runtime, &guest("hostile"), config, limits(), Grants::default()).await.unwrap();
    let batches = sandbox::read(&connection, "numbers").await.unwrap();
    let ids: Vec<i64> = batches
        .iter()
        .flat_map(|batch| batch.column(0).as_primitive::<arrow_array::types::Int64Type>().values().to_vec())
        .collect();
    assert_eq!(ids, (0..20).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_was_ended_is_never_used_again() {
    let config = json!({"attack": "trap", "rows": 10});
    let connection = connected(config, limits()).await;
    let (planner, instance, read) = reading(&connection).await;
    read.finish().await.unwrap_err();
    let error = instance.check().await.unwrap_err();
    assert_ended(&error, Kind::Sandbox, "has ended");
    assert_eq!(planner.check().await.unwrap().len(), 2, "another instance of the same connector is unharmed");
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_handle_cancels_what_runs() {
    let config = json!({"attack": "sleep", "rows": 10});
    let connection = connected(config, limits()).await;
    let (_planner, instance, read) = reading(&connection).await;
    drop(instance);
    let error = tokio::time::timeout(Duration::from_secs(5), read.finish()).await.unwrap().unwrap_err();
    assert_ended(&error, Kind::Cancelled, "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_guest_goes_on_beside_ones_that_spin() {
    let runtime = sandbox::runtime();
    let spinning: Vec<_> = (0..4).map(|_| tokio::spawn(spun(runtime.clone()))).collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let config = json!({"rows": 20_000, "batch": 500, "splits": 2});
    let connection = connected(config, limits()).await;
    let batches = sandbox::read(&connection, "numbers").await.unwrap();
    assert_eq!(batches.iter().map(arrow_array::RecordBatch::num_rows).sum::<usize>(), 20_000);
    for spin in spinning {
        assert_ended(&spin.await.unwrap(), Kind::Sandbox, "limits.instance.cpu_ms = 1500");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planning_instance_may_say_goodbye() {
    let connection = connected(json!({"attack": "say-goodbye", "rows": 10}), limits()).await;
    let planner = connection.instance().await.unwrap();
    sandbox::plan(&planner, "numbers").await.unwrap();
    let log = planner.log().clone();
    planner.close().await;
    let lines: Vec<String> = log.take().into_iter().map(|line| line.text).collect();
    assert_eq!(lines, ["goodbye"]);
}
