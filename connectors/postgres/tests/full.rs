//! Full reads: splits are disjoint and complete, and see one snapshot.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "a failed assertion is how a test fails"
)]

mod common;

use std::time::{Duration, Instant};

use common::{Schema, full, hints, integers, read_split, run, source, sql};
use serde_json::json;
use sluice_sdk::{Hints, Source};

#[test]
fn splits_of_a_table_hold_every_row_once() {
    let schema = Schema::new("splits");
    schema.sql("CREATE TABLE $S.t (id int, pad text); INSERT INTO $S.t SELECT i, repeat('x', 200) FROM generate_series(1, 20000) i");
    let hints = Hints { max_parallel: 4, split_bytes: 512 << 10, batch_bytes: 64 << 10 };
    let (plan, batches) = run(&json!({}), full(&schema.id("t")), hints).unwrap();
    assert!(plan.splits.len() >= 8, "{} splits", plan.splits.len());
    assert!(plan.splits.iter().all(|split| !split.resumable));
    assert_eq!(integers(&batches, "id"), (1..=20_000).collect::<Vec<_>>());
    // A row weighs 208 bytes in Arrow, so 64 KiB hold about 315.
    assert!(batches.iter().all(|batch| batch.num_rows() <= 316), "batches keep to their size");
    assert!(batches.len() < 20_000 / 200, "and are not much smaller");
}

#[test]
fn splits_see_the_moment_of_the_plan_whatever_happens_meanwhile() {
    let schema = Schema::new("snapshot");
    schema.sql("CREATE TABLE $S.t (id int, v int); INSERT INTO $S.t SELECT i, 0 FROM generate_series(1, 5000) i");
    let hints = Hints { split_bytes: 32 << 10, ..hints() };
    let mut planner = source(json!({}));
    let plan = planner.plan(&[full(&schema.id("t"))], &hints).unwrap();
    assert!(plan.splits.len() > 2);
    let mut batches = Vec::new();
    for (index, split) in plan.splits.iter().enumerate() {
        schema.sql(&format!(
            "UPDATE $S.t SET v = v + 1; INSERT INTO $S.t VALUES ({}, 9); DELETE FROM $S.t WHERE id = {}",
            90_000 + index,
            5000 - index
        ));
        batches.extend(read_split(&mut source(json!({})), split).unwrap());
    }
    assert_eq!(integers(&batches, "id"), (1..=5000).collect::<Vec<_>>());
    assert!(integers(&batches, "v").iter().all(|v| *v == 0));
}

#[test]
fn a_snapshot_that_is_gone_is_said_and_can_be_tried_again() {
    let schema = Schema::new("gone");
    schema.sql("CREATE TABLE $S.t (id int)");
    let plan = source(json!({})).plan(&[full(&schema.id("t"))], &hints()).unwrap();
    let error = read_split(&mut source(json!({})), &plan.splits[0]).unwrap_err();
    assert_eq!(error.kind, sluice_sdk::ErrorKind::Transient);
    assert!(error.message.contains("snapshot of the plan is gone"), "{error}");
    assert_eq!(error.stream, Some(schema.id("t")));
}

#[test]
fn partitions_are_read_through_their_parent_in_balanced_splits() {
    let schema = Schema::new("partitions");
    schema.sql(
        "CREATE TABLE $S.p (id int, r int, pad text) PARTITION BY RANGE (r);
         CREATE TABLE $S.p0 PARTITION OF $S.p FOR VALUES FROM (0) TO (1);
         CREATE TABLE $S.p1 (pad text, r int, id int);
         ALTER TABLE $S.p ATTACH PARTITION $S.p1 FOR VALUES FROM (1) TO (2);
         CREATE TABLE $S.p2 PARTITION OF $S.p FOR VALUES FROM (2) TO (100) PARTITION BY RANGE (r);
         CREATE TABLE $S.p2a PARTITION OF $S.p2 FOR VALUES FROM (2) TO (100);
         INSERT INTO $S.p SELECT i, i % 3, repeat('x', 100) FROM generate_series(1, 9000) i; ANALYZE $S.p",
    );
    let hints = Hints { split_bytes: 256 << 10, ..hints() };
    let (plan, batches) = run(&json!({}), full(&schema.id("p")), hints).unwrap();
    assert!(plan.splits.len() >= 4, "{} splits", plan.splits.len());
    assert_eq!(integers(&batches, "id"), (1..=9000).collect::<Vec<_>>());
    assert_eq!(plan.streams[0].rows, Some(9000));
}

#[test]
fn what_has_no_blocks_is_read_as_one_split() {
    let schema = Schema::new("views");
    schema.sql(
        "CREATE TABLE $S.t AS SELECT i AS id FROM generate_series(1, 5000) i; CREATE VIEW $S.v AS SELECT * FROM $S.t;
         CREATE MATERIALIZED VIEW $S.m AS SELECT * FROM $S.t; CREATE TABLE $S.empty (id int)",
    );
    let hints = Hints { split_bytes: 16 << 10, ..hints() };
    for (stream, splits, rows) in [("v", 1, 5000), ("m", 12, 5000), ("empty", 1, 0)] {
        let (plan, batches) = run(&json!({}), full(&schema.id(stream)), hints).unwrap();
        assert!(plan.splits.len() == splits || splits > 1 && plan.splits.len() > 2, "{stream}: {}", plan.splits.len());
        assert_eq!(integers(&batches, "id"), (1..=rows).collect::<Vec<_>>(), "{stream}");
    }
}

#[test]
fn columns_and_filter_are_what_was_selected() {
    let schema = Schema::new("select");
    schema
        .sql("CREATE TABLE $S.t (a int, \"B \"\"c\" text, d int); INSERT INTO $S.t VALUES (1, 'x', 10), (2, 'y', 20)");
    let mut selection = full(&schema.id("t"));
    selection.columns = vec!["d".into(), "B \"c".into()];
    selection.filter = Some("a = 2 OR a = 3 -- a comment".into());
    let (plan, batches) = run(&json!({}), selection, hints()).unwrap();
    let names: Vec<_> = plan.streams[0].schema.fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["d", "B \"c"]);
    assert_eq!(common::texts(&batches, "B \"c"), [Some("y".to_owned())]);
}

#[test]
fn a_plan_of_several_streams_sees_them_at_one_moment() {
    let schema = Schema::new("streams");
    schema.sql("CREATE TABLE $S.a (id int); CREATE TABLE $S.b (id int); INSERT INTO $S.a VALUES (1); INSERT INTO $S.b VALUES (1)");
    let name = format!("sluice-streams-{}", std::process::id());
    let mut planner = source(json!({ "application_name": name }));
    let plan = planner.plan(&[full(&schema.id("a")), full(&schema.id("b"))], &hints()).unwrap();
    schema.sql("INSERT INTO $S.a VALUES (2); INSERT INTO $S.b VALUES (2)");
    for split in &plan.splits {
        assert_eq!(integers(&read_split(&mut source(json!({})), split).unwrap(), "id"), [1]);
    }
    assert_eq!(
        sql(&format!("SELECT state FROM pg_stat_activity WHERE application_name = '{name}'")),
        ["idle in transaction"]
    );
    drop(planner);
    // Nothing of ours stays behind.
    let begun = Instant::now();
    while sql(&format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'")) != ["0"] {
        assert!(begun.elapsed() < Duration::from_secs(10), "the planning session has ended with its source");
    }
}
