//! Guests that misbehave: each ends with its own limit's error, and a healthy guest beside it is unharmed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

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

async fn attack_with(runtime: &Runtime, attack: &str, limits: InstanceLimits, grants: Grants) -> RunError {
    let config = json!({"attack": attack, "rows": 10, "host": "127.0.0.1", "port": 9, "password": "hunter2222"});
    attack_configured(runtime, config, limits, grants).await
}

async fn attack_configured(
    runtime: &Runtime,
    config: serde_json::Value,
    limits: InstanceLimits,
    grants: Grants,
) -> RunError {
    let connection = sandbox::connection(runtime, &guest("hostile"), config, limits, grants).await.unwrap();
    sandbox::read(&connection, "numbers").await.unwrap_err()
}

async fn attack(name: &str) -> RunError {
    attack_with(&sandbox::runtime(), name, limits(), Grants::default()).await
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
async fn an_endless_loop_ends_at_the_cpu_limit() {
    let limits = InstanceLimits { cpu_ms: 300, ..limits() };
    let begun = Instant::now();
    let error = attack_with(&sandbox::runtime(), "spin", limits, Grants::default()).await;
    assert_ended(&error, Kind::Sandbox, "limits.instance.cpu_ms = 300");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_outlives_its_deadline_is_ended_while_it_sleeps() {
    let limits = InstanceLimits { wall_ms: 400, ..limits() };
    let error = attack_with(&sandbox::runtime(), "sleep", limits, Grants::default()).await;
    assert_ended(&error, Kind::Sandbox, "limits.instance.wall_ms = 400");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_ends_at_the_limit_that_the_error_names() {
    let limits = InstanceLimits { memory_bytes: 32 << 20, ..limits() };
    let error = attack_with(&sandbox::runtime(), "memory", limits, Grants::default()).await;
    assert_ended(&error, Kind::Sandbox, "limits.instance.memory_bytes is 33554432");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bottomless_recursion_ends_at_the_stack_limit() {
    let error = attack("stack").await;
    assert_ended(&error, Kind::Sandbox, "stack overflowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_crash_with_its_last_words_and_without_secrets() {
    let error = attack("trap").await;
    assert_ended(&error, Kind::Sandbox, "the connector crashed");
    assert!(error.message.contains("boom, my password is [secret]"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_rows_ends_at_the_row_limit() {
    let limits = InstanceLimits { output_rows: 1_000_000, ..limits() };
    let error = attack_with(&sandbox::runtime(), "flood", limits, Grants::default()).await;
    assert_ended(&error, Kind::Sandbox, "limits.instance.output_rows = 1000000");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_bytes_ends_at_the_byte_limit() {
    let limits = InstanceLimits { output_bytes: 16 << 20, ..limits() };
    let error = attack_with(&sandbox::runtime(), "flood", limits, Grants::default()).await;
    assert_ended(&error, Kind::Sandbox, "limits.instance.output_bytes = 16777216");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_batch_are_refused() {
    assert_ended(&attack("garbage").await, Kind::Sandbox, "continuation marker");
    assert_ended(&attack("huge-length").await, Kind::Sandbox, "2147483647 bytes; at most");
    assert_ended(&attack("huge-batch").await, Kind::Sandbox, "limits.instance.batch_bytes is 67108864");
    assert_ended(&attack("huge-call").await, Kind::Sandbox, "limits.instance.hostcall_bytes = 100663296");
    assert_ended(&attack("short-row").await, Kind::Sandbox, "row 0 has 1 values");
    assert_ended(&attack("wrong-kind").await, Kind::Sandbox, "of another kind than its type Int64");
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_that_are_no_batch_are_refused() {
    assert_ended(
        &attack("missing-piece").await,
        Kind::Sandbox,
        "the message claims a body of 320 bytes, but 256 follow",
    );
    assert_ended(
        &attack("shifted-pieces").await,
        Kind::Sandbox,
        "the message claims a body of 320 bytes, but 384 follow",
    );
    assert_ended(
        &attack("long-metadata").await,
        Kind::Sandbox,
        "the message claims a body of 320 bytes, but 640 follow",
    );
    assert_ended(&attack("no-metadata").await, Kind::Sandbox, "continuation marker");
    assert_ended(&attack("many-pieces").await, Kind::Sandbox, "came in 100000 pieces; at most 30000 are taken");
    assert_ended(&attack("overlapping-pieces").await, Kind::Sandbox, "limits.instance.batch_bytes is 67108864");
    assert_ended(&attack("piece-bomb").await, Kind::Sandbox, "limits.instance.hostcall_bytes = 100663296");
    assert_ended(&attack("piece-beyond-memory").await, Kind::Sandbox, "out of bounds of memory");
    assert_ended(&attack("endless-piece").await, Kind::Sandbox, "out of bounds of memory");
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
async fn lies_about_schema_stream_channel_and_checkpoint_break_the_contract() {
    assert_ended(&attack("another-schema").await, Kind::Sandbox, "1 columns instead of 2");
    assert_ended(&attack("another-stream").await, Kind::Sandbox, "plan does not have this stream");
    assert_ended(&attack("undeclared-channel").await, Kind::Sandbox, "channel 7 was never declared");
    assert_ended(&attack("lying-checkpoint").await, Kind::Sandbox, "speaks of 11 rows, but 10 were pushed");
    assert_ended(&attack("cursor-bomb").await, Kind::Sandbox, "a cursor has 1048576 bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_remembered_only_while_a_plan_runs_and_only_for_its_streams() {
    let outside = "items can only be recalled and remembered while `plan` runs";
    assert_ended(&attack("items-while-reading").await, Kind::Sandbox, outside);
    assert_ended(&attack("items-recall-while-reading").await, Kind::Sandbox, outside);
    let unasked = "replaces files of a stream whose changed files are not to be replaced";
    assert_ended(&attack("items-replace").await, Kind::Sandbox, unasked);
    assert_ended(&attack("items-stranger").await, Kind::Sandbox, "not asked to plan another, whose items it wants");
    assert_ended(&attack("items-recall-stranger").await, Kind::Sandbox, "not asked to plan another");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_is_bounded_and_each_bound_says_so() {
    assert_ended(&attack("items-long-key").await, Kind::Sandbox, "5000 bytes in one key; at most 4096");
    assert_ended(&attack("items-recall-long-key").await, Kind::Sandbox, "5000 bytes in one key; at most 4096");
    assert_ended(&attack("items-long-value").await, Kind::Sandbox, "300 bytes in one value; at most 255");
    let many = "10001 entries remembered in one call; at most 10000";
    assert_ended(&attack("items-many-at-once").await, Kind::Sandbox, many);
    assert_ended(&attack("items-recall-many-at-once").await, Kind::Sandbox, "10001 keys recalled in one call");
    let patient = || InstanceLimits { cpu_ms: 100_000, wall_ms: 200_000, ..limits() };
    let error = attack_with(&sandbox::runtime(), "items-many", patient(), Grants::default()).await;
    assert_ended(&error, Kind::Sandbox, "2010000 entries remembered by one plan; at most 2000000");
    assert_eq!(error.stream.as_deref(), Some("numbers"));
    let error = attack_with(&sandbox::runtime(), "items-bytes", patient(), Grants::default()).await;
    assert_ended(&error, Kind::Sandbox, "bytes remembered by one plan; at most 134217728");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_network_is_what_the_manifest_declares_and_the_operator_grants() {
    assert_ended(&attack("connect-undeclared").await, Kind::Permission, "undeclared.example.com");
    assert_ended(&attack("connect").await, Kind::Permission, "127.0.0.1");
    let metadata = json!({"attack": "connect", "rows": 10, "host": "169.254.169.254", "port": 80});
    let granted = Grants { private_network: true, ..Grants::default() };
    let error = attack_configured(&sandbox::runtime(), metadata, limits(), granted).await;
    assert_ended(&error, Kind::Permission, "169.254.169.254");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_connections_ends_at_the_limit() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = json!({"attack": "connection-flood", "rows": 10, "host": "127.0.0.1", "port": port});
    let granted = Grants { private_network: true, ..Grants::default() };
    let error = attack_configured(&sandbox::runtime(), config, limits(), granted).await;
    assert_ended(&error, Kind::Permission, "limits.instance.connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_file_but_granted_ones_and_no_environment() {
    let folder = tempfile::tempdir().unwrap();
    let folders = BTreeMap::from([("/data".to_owned(), folder.path().to_path_buf())]);
    let granted = || Grants { folders: folders.clone(), ..Grants::default() };
    let runtime = sandbox::runtime();
    assert_ended(&attack("files").await, Kind::NotFound, "no file");
    assert_ended(&attack_with(&runtime, "escape-folder", limits(), granted()).await, Kind::NotFound, "no file");
    assert_ended(&attack_with(&runtime, "write-folder", limits(), granted()).await, Kind::NotFound, "not written");
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "something was written");
    assert_ended(&attack("environment").await, Kind::NotFound, "0 variables and arguments");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_the_manifest_does_not_ask_for_stays_outside() {
    let config = json!({"token": "outside-only", "password": "inside"});
    let connection = connected(config, limits()).await;
    let steps = connection.instance().await.unwrap().check().await.unwrap();
    assert_eq!(steps[0].detail, "the sandbox holds nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn terminal_escapes_of_a_guest_are_shown_not_obeyed() {
    let connection = connected(json!({}), limits()).await;
    let steps = connection.instance().await.unwrap().check().await.unwrap();
    assert_eq!(steps[1].name, "terminal\\u{1b}[2J");
    assert_eq!(steps[1].detail, "\\u{202e}reversed");
}

#[tokio::test(flavor = "multi_thread")]
async fn log_floods_are_counted_and_forgeries_escaped() {
    for (attack, expect_dropped) in [("log-flood", true), ("log-forgery", false)] {
        let config = json!({"attack": attack, "rows": 10, "password": "hunter2222"});
        let small = InstanceLimits { log_bytes: 10_000, ..limits() };
        let connection = connected(config, small).await;
        let (_, instance, read) = reading(&connection).await;
        read.finish().await.unwrap();
        let lines = instance.log().take();
        assert!(lines.iter().map(|line| line.text.len()).sum::<usize>() <= 10_000);
        assert_eq!(instance.log().dropped() > 0, expect_dropped);
        if !expect_dropped {
            assert_eq!(lines.len(), 1);
            assert_eq!(lines[0].text, "\\u{1b}[2Jfirst\\n2026-01-01 ERROR forged [secret]");
        }
    }
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
    let spinning: Vec<_> = (0..4)
        .map(|_| {
            let runtime = runtime.clone();
            tokio::spawn(async move {
                let limits = InstanceLimits { cpu_ms: 1_500, ..limits() };
                attack_with(&runtime, "spin", limits, Grants::default()).await
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let config = json!({"rows": 20_000, "batch": 500, "splits": 2});
    let connection = connected(config, limits()).await;
    let batches = sandbox::read(&connection, "numbers").await.unwrap();
    assert_eq!(batches.iter().map(arrow_array::RecordBatch::num_rows).sum::<usize>(), 20_000);
    for spin in spinning {
        assert_ended(&spin.await.unwrap(), Kind::Sandbox, "limits.instance.cpu_ms = 1500");
    }
}

async fn closed_after_planning(attack: &str) -> (Duration, Vec<String>) {
    let config = json!({"attack": attack, "rows": 10});
    let connection = connected(config, limits()).await;
    let planner = connection.instance().await.unwrap();
    sandbox::plan(&planner, "numbers").await.unwrap();
    let log = planner.log().clone();
    let begun = Instant::now();
    planner.close().await;
    (begun.elapsed(), log.take().into_iter().map(|line| line.text).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planning_instance_may_say_goodbye() {
    let (_, log) = closed_after_planning("say-goodbye").await;
    assert_eq!(log, ["goodbye"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planning_instance_that_never_leaves_is_not_waited_for() {
    let (took, _) = closed_after_planning("never-leave").await;
    assert!(took >= sluice_runtime::GOODBYE && took < Duration::from_secs(15), "{took:?}");
}
