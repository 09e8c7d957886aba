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

use common::{Database, SERVERS, Server, hints, incremental, integers, read_split};
use serde_json::{Value, json};
use sluice_sdk::{Cursor, ErrorKind, Hints, Source};

/// A run that must go well: the ids it reads and the state it leaves.
fn step(changes: &Value, database: &Database, column: &str, state: Option<&Cursor>) -> (Vec<i64>, Cursor) {
    let selection = incremental(&database.id("t"), column, state);
    let (plan, batches) = database.server.run(changes, selection, hints()).unwrap();
    assert!(plan.splits.iter().all(|split| split.resumable), "ranges of values can be read again");
    (integers(&batches, "id"), plan.streams[0].state_after.clone().unwrap())
}

#[test]
fn a_counter_is_read_once_and_on_from_there() {
    for server in SERVERS {
        let database = server.database("counter");
        database.sql(
            "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, v text); INSERT INTO t (v) VALUES ('a'), ('b'), ('c')",
        );
        let (ids, state) = step(&json!({}), &database, "id", None);
        assert_eq!(ids, [1, 2, 3]);
        let (ids, state) = step(&json!({}), &database, "id", Some(&state));
        assert_eq!(ids, [0_i64; 0]);
        database.sql("INSERT INTO t (v) VALUES ('y'), ('z'); DELETE FROM t WHERE id = 2");
        let (ids, state) = step(&json!({}), &database, "id", Some(&state));
        assert_eq!(ids, [4, 5]);
        database.sql("DELETE FROM t");
        let (ids, again) = step(&json!({}), &database, "id", Some(&state));
        assert_eq!((ids, again), (vec![], state), "a table that shrank does not turn the state back");
    }
}

#[test]
fn an_empty_table_leaves_a_state_from_which_the_first_rows_are_read() {
    for server in SERVERS {
        let database = server.database("first");
        database.sql("CREATE TABLE t (id int PRIMARY KEY)");
        let (ids, state) = step(&json!({}), &database, "id", None);
        assert_eq!(ids, [0_i64; 0]);
        database.sql("INSERT INTO t VALUES (1)");
        assert_eq!(step(&json!({}), &database, "id", Some(&state)).0, [1]);
    }
}

#[test]
fn rows_with_the_newest_value_wait_until_it_cannot_come_again() {
    for server in SERVERS {
        let database = server.database("ties");
        database.sql("CREATE TABLE t (id int, batch int); INSERT INTO t VALUES (1, 1), (2, 1), (3, 2)");
        let (ids, state) = step(&json!({}), &database, "batch", None);
        assert_eq!(ids, [1, 2]);
        database.sql("INSERT INTO t VALUES (4, 2), (5, 3)");
        let (ids, state) = step(&json!({}), &database, "batch", Some(&state));
        assert_eq!(ids, [3, 4]);
        let (ids, _) = step(&json!({ "ties": "include" }), &database, "batch", Some(&state));
        assert_eq!(ids, [5]);
    }
}

#[test]
fn a_day_is_read_when_it_is_over() {
    for server in SERVERS {
        let database = server.database("days");
        database.sql(
            "CREATE TABLE t (id int, day date); INSERT INTO t VALUES (1, current_date - INTERVAL 2 DAY), (2, current_date),
             (3, current_date - INTERVAL 1 DAY), (4, current_date + INTERVAL 1 DAY)",
        );
        let (ids, state) = step(&json!({}), &database, "day", None);
        assert_eq!(ids, [1, 3]);
        database.sql("UPDATE t SET day = day - INTERVAL 10 DAY WHERE id IN (2, 4)");
        assert_eq!(step(&json!({}), &database, "day", Some(&state)).0, [0_i64; 0]);
    }
}

#[test]
fn moments_stay_behind_the_clock_as_far_as_configured() {
    for server in SERVERS {
        let database = server.database("lag");
        database.sql(
            "CREATE TABLE t (id int, at timestamp(6) NULL, local datetime(6), coarse timestamp NULL);
             INSERT INTO t SELECT n, now(6) - INTERVAL 20 * n SECOND, now(6) - INTERVAL 20 * n SECOND, now() - INTERVAL 20 * n + 2 SECOND
             FROM (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) numbers",
        );
        for column in ["at", "local"] {
            assert_eq!(step(&json!({ "cursor_lag_seconds": 50 }), &database, column, None).0, [3, 4], "{column}");
            assert_eq!(step(&json!({}), &database, column, None).0, [0, 1, 2, 3, 4], "{column}");
        }
        database.sql("UPDATE t SET coarse = now() + INTERVAL 30 SECOND WHERE id = 0");
        assert_eq!(step(&json!({}), &database, "coarse", None).0, [1, 2, 3, 4], "what lies in the future waits");
    }
}

#[test]
fn rows_without_a_place_are_read_by_the_first_run_only() {
    for server in SERVERS {
        let database = server.database("placeless");
        database.sql("CREATE TABLE t (id int, at datetime); INSERT INTO t VALUES (1, '2024-01-01'), (2, NULL), (3, '0000-00-00')");
        let (ids, state) = step(&json!({}), &database, "at", None);
        assert_eq!(ids, [1, 2, 3]);
        database.sql("INSERT INTO t VALUES (5, NULL), (6, '0000-00-00'), (7, '2024-01-02')");
        assert_eq!(step(&json!({}), &database, "at", Some(&state)).0, [7]);
    }
}

#[test]
fn every_type_that_can_be_a_cursor_goes_on_where_it_was() {
    for server in SERVERS {
        let database = server.database("cursors");
        for (declared, first, second) in [
            ("tinyint", "1", "2"),
            ("bigint unsigned", "1", "18446744073709551615"),
            ("decimal(65,30)", "99999999999999999999.1", "99999999999999999999.100000000000000000000000000001"),
            ("varchar(20)", "'a''\\\\x'", "'b'"),
            ("varchar(20) character set latin1", "'bä'", "'bä€'"),
            ("varchar(20) collate utf8mb4_bin", "'A'", "'a'"),
            ("char(4)", "'a'", "'b'"),
            ("date", "'2024-01-01'", "'2024-01-02'"),
            ("datetime(6)", "'1000-01-01'", "'2024-01-01 00:00:00.000001'"),
            ("timestamp(6) NULL", "'2024-01-01'", "'2024-01-01 00:00:00.000001'"),
        ] {
            database.sql(&format!("DROP TABLE IF EXISTS t; CREATE TABLE t (id int, c {declared}, UNIQUE (c)); INSERT INTO t VALUES (1, {first})"));
            let (ids, state) = step(&json!({}), &database, "c", None);
            assert_eq!(ids, [1], "{server:?} {declared}");
            database.sql(&format!("INSERT INTO t VALUES (2, {second})"));
            assert_eq!(step(&json!({}), &database, "c", Some(&state)).0, [2], "{server:?} {declared}");
        }
    }
}

/// A session that stays open.
struct Other(Child);

impl Other {
    fn run(server: Server, sql: &str) -> Self {
        let mut child =
            server.client().arg("--unbuffered").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        writeln!(child.stdin.as_mut().unwrap(), "{sql}").unwrap();
        Self(child)
    }

    fn end(mut self, sql: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{sql}").unwrap();
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

/// Waits until a statement of the open session has taken effect: its row is there, not committed.
fn until_written(database: &Database) {
    let question = "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; SELECT count(*) FROM t WHERE id = 2";
    while database.sql(question) != ["1"] {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_row_that_commits_late_is_waited_for() {
    for server in SERVERS {
        let database = server.database("late");
        database.sql("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY); INSERT INTO t VALUES ()");
        let late = Other::run(server, &format!("BEGIN; INSERT INTO {}.t VALUES ();", database.name));
        until_written(&database);
        // Overtakes the open transaction: 3 is visible before 2.
        database.sql("INSERT INTO t VALUES ()");
        let refused = server.error(&json!({ "writer_wait_seconds": 1 }), incremental(&database.id("t"), "id", None));
        assert_eq!(refused.kind, ErrorKind::Transient);
        assert!(refused.message.contains("has been writing for longer than 1 s"), "{refused}");
        let waiting = std::thread::spawn({
            let id = database.id("t");
            move || {
                server
                    .run(&json!({ "writer_wait_seconds": 300 }), incremental(&id, "id", None), hints())
                    .map(|(_, batches)| integers(&batches, "id"))
            }
        });
        while server.sql("SELECT count(*) > 0 FROM information_schema.PROCESSLIST WHERE INFO LIKE 'DO SLEEP%'") != ["1"]
        {
        }
        late.end("COMMIT;");
        assert_eq!(waiting.join().unwrap().unwrap(), [1, 2, 3], "{server:?}");
    }
}

#[test]
fn without_the_right_to_see_writers_an_incremental_read_says_what_to_do() {
    for server in SERVERS {
        let database = server.database("process");
        let user = format!("process_{}", std::process::id());
        database.sql(&format!(
            "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE USER {user} IDENTIFIED BY 'x'; GRANT SELECT ON {}.* TO {user}",
            database.name
        ));
        let login = json!({ "user": user, "password": "x", "writer_wait_seconds": 5 });
        let error = server.error(&login, incremental(&database.id("t"), "id", None));
        assert_eq!(
            (error.kind, error.field.as_deref()),
            (ErrorKind::Permission, Some("/writer_wait_seconds")),
            "{error}"
        );
        assert!(error.message.contains(&format!("GRANT PROCESS ON *.* TO '{user}'@'%'")), "{error}");
        let login = json!({ "user": user, "password": "x", "writer_wait_seconds": 0 });
        let (_, batches) = server.run(&login, incremental(&database.id("t"), "id", None), hints()).unwrap();
        assert_eq!(integers(&batches, "id"), [1]);
        server.sql(&format!("DROP USER {user}"));
    }
}

#[test]
fn a_large_range_is_cut_by_values_where_there_is_an_index() {
    for server in SERVERS {
        let database = server.database("ranges");
        database.sql(
            "CREATE TABLE n (n int); INSERT INTO n VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
             CREATE TABLE t (id int PRIMARY KEY, at datetime(6), other int, pad text, INDEX (at));
             INSERT INTO t SELECT x, '2024-01-01' + INTERVAL x SECOND, 20000 - x, repeat('x', 100)
             FROM (SELECT 1 + a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n AS x FROM n a, n b, n c, n d, n e WHERE e.n < 2) numbers;
             ANALYZE TABLE t",
        );
        let hints = Hints { split_bytes: 512 << 10, ..hints() };
        for column in ["id", "at"] {
            let (plan, batches) = server.run(&json!({}), incremental(&database.id("t"), column, None), hints).unwrap();
            assert!(plan.splits.len() > 3, "{server:?} {column}: {}", plan.splits.len());
            assert_eq!(integers(&batches, "id"), (1..=20_000).collect::<Vec<_>>(), "{server:?} {column}");
        }
        let changes = json!({ "ties": "include" });
        let (plan, batches) = server.run(&changes, incremental(&database.id("t"), "other", None), hints).unwrap();
        assert_eq!(plan.splits.len(), 1, "every part would read the whole table");
        assert_eq!(integers(&batches, "id"), (1..=20_000).collect::<Vec<_>>());
    }
}

#[test]
fn a_split_can_be_read_after_its_planner_is_gone() {
    for server in SERVERS {
        let database = server.database("resumed");
        database.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
        let plan = server.source(&json!({})).plan(&[incremental(&database.id("t"), "id", None)], &hints()).unwrap();
        database.sql("INSERT INTO t VALUES (3)");
        let batches = read_split(&mut server.source(&json!({})), &plan.splits[0]).unwrap();
        assert_eq!(integers(&batches, "id"), [1, 2], "the bound is the plan's");
    }
}

#[test]
fn a_column_without_an_order_is_refused_with_a_reason() {
    for server in SERVERS {
        let database = server.database("unordered");
        database.sql("CREATE TABLE t (id int, j double)");
        let error = |column: &str, state: Option<&Cursor>| {
            server.error(&json!({}), incremental(&database.id("t"), column, state)).message
        };
        assert!(error("j", None).contains("double has no order"));
        assert!(error("gone", None).contains("cursor column gone does not exist"));
        assert!(error("", None).contains("needs a cursor column"));
        let state = step(&json!({}), &database, "id", None).1;
        assert!(
            error("id", Some(&String::from_utf8(state).unwrap().replace("null", "\"1 OR TRUE\"").into_bytes()))
                .contains("reset the stream's state")
        );
    }
}
