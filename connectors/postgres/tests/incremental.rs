//! Incremental reads: no row is read twice, and none falls between two runs.

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

use std::io::Write;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::{Schema, config, error, hints, incremental, integers, psql, read_split, run, source};
use serde_json::{Value, json};
use sluice_sdk::{Cursor, Hints, Source};

/// A run that must go well: the ids it reads and the state it leaves.
fn step(changes: &Value, schema: &Schema, column: &str, state: Option<&Cursor>) -> (Vec<i64>, Cursor) {
    let (plan, batches) = run(changes, incremental(&schema.id("t"), column, state), hints()).unwrap();
    assert!(plan.splits.iter().all(|split| split.resumable), "ranges of values can be read again");
    (integers(&batches, "id"), plan.streams[0].state_after.clone().unwrap())
}

#[test]
fn a_counter_is_read_once_and_on_from_there() {
    let schema = Schema::new("counter");
    schema.sql("CREATE TABLE $S.t (id serial PRIMARY KEY, v text); INSERT INTO $S.t (v) SELECT 'x' FROM generate_series(1, 10)");
    let (ids, state) = step(&json!({}), &schema, "id", None);
    assert_eq!(ids, (1..=10).collect::<Vec<_>>());
    let (ids, state) = step(&json!({}), &schema, "id", Some(&state));
    assert_eq!(ids, [0_i64; 0]);
    schema.sql("INSERT INTO $S.t (v) VALUES ('y'), ('z'); DELETE FROM $S.t WHERE id = 5");
    let (ids, state) = step(&json!({}), &schema, "id", Some(&state));
    assert_eq!(ids, [11, 12]);
    schema.sql("DELETE FROM $S.t");
    let (ids, again) = step(&json!({}), &schema, "id", Some(&state));
    assert_eq!((ids, again), (vec![], state), "a table that shrank does not turn the state back");
}

#[test]
fn an_empty_table_leaves_a_state_from_which_the_first_rows_are_read() {
    let schema = Schema::new("empty");
    schema.sql("CREATE TABLE $S.t (id int PRIMARY KEY)");
    let (ids, state) = step(&json!({}), &schema, "id", None);
    assert_eq!(ids, [0_i64; 0]);
    schema.sql("INSERT INTO $S.t VALUES (1)");
    assert_eq!(step(&json!({}), &schema, "id", Some(&state)).0, [1]);
}

#[test]
fn rows_with_the_newest_value_wait_until_it_cannot_come_again() {
    let schema = Schema::new("ties");
    schema.sql("CREATE TABLE $S.t (id int, batch int); INSERT INTO $S.t VALUES (1, 1), (2, 1), (3, 2)");
    let (ids, state) = step(&json!({}), &schema, "batch", None);
    assert_eq!(ids, [1, 2]);
    schema.sql("INSERT INTO $S.t VALUES (4, 2), (5, 3)");
    let (ids, state) = step(&json!({}), &schema, "batch", Some(&state));
    assert_eq!(ids, [3, 4]);
    let (ids, _) = step(&json!({ "ties": "include" }), &schema, "batch", Some(&state));
    assert_eq!(ids, [5]);
}

#[test]
fn a_day_is_read_when_it_is_over() {
    let schema = Schema::new("days");
    schema.sql("CREATE TABLE $S.t (id int, day date); INSERT INTO $S.t VALUES (1, current_date - 2), (2, current_date), (3, current_date - 1), (4, current_date + 1)");
    let (ids, state) = step(&json!({}), &schema, "day", None);
    assert_eq!(ids, [1, 3]);
    schema.sql("UPDATE $S.t SET day = day - 10 WHERE id IN (2, 4)");
    assert_eq!(step(&json!({}), &schema, "day", Some(&state)).0, [0_i64; 0]);
}

#[test]
fn moments_stay_behind_the_clock_as_far_as_configured() {
    let schema = Schema::new("lag");
    schema.sql(
        "CREATE TABLE $S.t (id int, at timestamptz, local timestamp, coarse timestamptz(0));
         INSERT INTO $S.t SELECT i, now() - interval '20 s' * i, now()::timestamp - interval '20 s' * i, now() - interval '20 s' * i FROM generate_series(0, 4) i",
    );
    for column in ["at", "local"] {
        assert_eq!(step(&json!({ "cursor_lag_seconds": 50 }), &schema, column, None).0, [3, 4], "{column}");
        assert_eq!(step(&json!({}), &schema, column, None).0, [0, 1, 2, 3, 4], "{column}");
    }
    schema.sql("UPDATE $S.t SET coarse = now() + interval '30 s' WHERE id = 0");
    assert_eq!(step(&json!({}), &schema, "coarse", None).0, [1, 2, 3, 4], "what lies in the future waits");
}

#[test]
fn rows_without_a_place_are_read_by_the_first_run_only() {
    let schema = Schema::new("placeless");
    schema.sql(
        "CREATE TABLE $S.t (id int, at timestamptz);
         INSERT INTO $S.t VALUES (1, '2024-01-01'), (2, NULL), (3, 'infinity'), (4, '-infinity')",
    );
    let (ids, state) = step(&json!({}), &schema, "at", None);
    assert_eq!(ids, [1, 2, 3, 4]);
    schema.sql("INSERT INTO $S.t VALUES (5, NULL), (6, 'infinity'), (7, '2024-01-02')");
    assert_eq!(step(&json!({}), &schema, "at", Some(&state)).0, [7]);
}

#[test]
fn every_type_that_can_be_a_cursor_goes_on_where_it_was() {
    let schema = Schema::new("kinds");
    let values = [
        ("smallint", "1", "2"),
        ("bigint", "1", "9000000000"),
        ("numeric", "1.5", "1.50000001"),
        ("oid", "1", "4000000000"),
        ("text", "'a''\\x'", "'b'"),
        ("varchar(9)", "'A'", "'a'"),
        ("char(4)", "'a'", "'b'"),
        ("uuid", "'00000000-0000-0000-0000-000000000001'", "'f0000000-0000-0000-0000-000000000001'"),
        ("date", "'2024-01-01'", "'2024-01-02'"),
        ("timestamp", "'0044-03-15 BC'", "'2024-01-01 00:00:00.000001'"),
        ("timestamptz", "'2024-01-01'", "'2024-01-01 00:00:00.000001'"),
        ("$S.stamp", "'2024-01-01'", "'2024-01-02'"),
    ];
    schema.sql("CREATE DOMAIN $S.stamp AS timestamptz");
    for (declared, first, second) in values {
        schema.sql(&format!("DROP TABLE IF EXISTS $S.t; CREATE TABLE $S.t (id int, c {declared} UNIQUE); INSERT INTO $S.t VALUES (1, {first})"));
        let (ids, state) = step(&json!({}), &schema, "c", None);
        assert_eq!(ids, [1], "{declared}");
        schema.sql(&format!("INSERT INTO $S.t VALUES (2, {second})"));
        assert_eq!(step(&json!({}), &schema, "c", Some(&state)).0, [2], "{declared}");
    }
}

/// A session that stays open.
struct Other(Child);

impl Other {
    fn run(sql: &str) -> Self {
        let mut child = psql().stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        writeln!(child.stdin.as_mut().unwrap(), "{sql}").unwrap();
        Self(child)
    }

    fn end(mut self, sql: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{sql}").unwrap();
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

fn until(schema: &Schema, question: &str) {
    let begun = Instant::now();
    while schema.sql(question) != ["t"] {
        assert!(begun.elapsed() < Duration::from_secs(20), "{question}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_row_that_commits_late_is_waited_for() {
    let schema = Schema::new("late");
    schema.sql("CREATE TABLE $S.t (id serial PRIMARY KEY); INSERT INTO $S.t DEFAULT VALUES");
    let late = Other::run(&format!("BEGIN; INSERT INTO {}.t DEFAULT VALUES;", schema.0));
    until(&schema, "SELECT last_value = 2 FROM $S.t_id_seq");
    // Overtakes the open transaction: 3 is visible before 2.
    schema.sql("INSERT INTO $S.t DEFAULT VALUES");
    let refused = error(&json!({ "writer_wait_seconds": 1 }), incremental(&schema.id("t"), "id", None));
    assert_eq!(refused.kind, sluice_sdk::ErrorKind::Transient);
    assert!(refused.message.contains("writing to the stream's table"), "{refused}");
    let waiting = std::thread::spawn({
        let id = schema.id("t");
        move || {
            run(&json!({ "writer_wait_seconds": 20 }), incremental(&id, "id", None), hints())
                .map(|(_, batches)| integers(&batches, "id"))
        }
    });
    until(
        &schema,
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'sluice' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()",
    );
    late.end("COMMIT;");
    assert_eq!(waiting.join().unwrap().unwrap(), [1, 2, 3]);
    let late = Other::run(&format!("BEGIN; INSERT INTO {}.t DEFAULT VALUES;", schema.0));
    until(&schema, "SELECT last_value = 4 FROM $S.t_id_seq");
    let (ids, _) = step(&json!({ "writer_wait_seconds": 0 }), &schema, "id", None);
    assert_eq!(ids, [1, 2, 3], "whoever does not want to wait does not");
    late.end("ROLLBACK;");
}

#[test]
fn a_large_range_is_cut_by_values_where_there_is_an_index_and_by_blocks_where_there_is_none() {
    let schema = Schema::new("ranges");
    schema.sql(
        "CREATE TABLE $S.t (id int PRIMARY KEY, other int, pad text);
         INSERT INTO $S.t SELECT i, 20000 - i, repeat('x', 100) FROM generate_series(1, 20000) i; ANALYZE $S.t",
    );
    let hints = Hints { split_bytes: 512 << 10, ..hints() };
    let (plan, batches) = run(&json!({}), incremental(&schema.id("t"), "id", None), hints).unwrap();
    assert!(plan.splits.len() > 3 && plan.splits.iter().all(|split| split.resumable), "{}", plan.splits.len());
    assert_eq!(integers(&batches, "id"), (1..=20_000).collect::<Vec<_>>());

    let (plan, batches) =
        run(&json!({ "ties": "include" }), incremental(&schema.id("t"), "other", None), hints).unwrap();
    assert!(plan.splits.len() > 3 && plan.splits.iter().all(|split| !split.resumable));
    assert_eq!(integers(&batches, "id"), (1..=20_000).collect::<Vec<_>>());
}

#[test]
fn a_split_by_values_can_be_read_after_its_planner_is_gone() {
    let schema = Schema::new("resumed");
    schema.sql("CREATE TABLE $S.t (id int PRIMARY KEY); INSERT INTO $S.t VALUES (1), (2)");
    let plan = source(json!({})).plan(&[incremental(&schema.id("t"), "id", None)], &hints()).unwrap();
    schema.sql("INSERT INTO $S.t VALUES (3)");
    let batches = read_split(&mut source(json!({})), &plan.splits[0]).unwrap();
    assert_eq!(integers(&batches, "id"), [1, 2], "the bound is the plan's");
}

#[test]
fn a_column_without_an_order_is_refused_with_a_reason() {
    let schema = Schema::new("unordered");
    schema.sql("CREATE TABLE $S.t (id int, j jsonb)");
    assert!(error(&json!({}), incremental(&schema.id("t"), "j", None)).message.contains("jsonb has no order"));
    assert!(
        error(&json!({}), incremental(&schema.id("t"), "gone", None))
            .message
            .contains("cursor column gone does not exist")
    );
    assert!(error(&json!({}), incremental(&schema.id("t"), "", None)).message.contains("needs a cursor column"));
    let state = step(&json!({}), &schema, "id", None).1;
    assert!(error(&json!({}), incremental(&schema.id("t"), "j", Some(&state))).message.contains("jsonb"));
    let _ = config(json!({}));
}
