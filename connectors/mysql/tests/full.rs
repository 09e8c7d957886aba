//! Full reads: one snapshot; splits are disjoint and complete.

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

use common::{Database, SERVERS, Server, full, hints, integers, read_split, read_split_from};
use serde_json::json;
use sluice_sdk::{Hints, Plan, Source};

/// Rows `1..=20000` of about 200 bytes.
const FILL: &str = "INSERT INTO t SELECT 1 + a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n, repeat('x', 200) \
    FROM n a, n b, n c, n d, n e WHERE e.n < 2";

fn numbers(database: &Database) {
    database.sql("CREATE TABLE n (n int); INSERT INTO n VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)");
}

fn small_splits() -> Hints {
    Hints { max_parallel: 4, split_bytes: 512 << 10, batch_bytes: 64 << 10 }
}

#[test]
fn a_table_is_one_split_and_one_snapshot_unless_more_is_allowed() {
    for server in SERVERS {
        let database = server.database("one");
        numbers(&database);
        database.sql(&format!("CREATE TABLE t (id int PRIMARY KEY, pad text); {FILL}; ANALYZE TABLE t"));
        let (plan, batches) = server.run(&json!({}), full(&database.id("t")), small_splits()).unwrap();
        assert_eq!((plan.splits.len(), plan.splits[0].resumable), (1, false));
        assert_eq!(integers(&batches, "id"), (1..=20_000).collect::<Vec<_>>());
        // A row weighs 208 bytes in Arrow, so 64 KiB hold about 315.
        assert!(batches.iter().all(|batch| batch.num_rows() <= 316), "batches keep to their size");
        assert!(batches.len() < 20_000 / 200, "and are not much smaller");
    }
}

#[test]
fn a_read_sees_one_moment_whatever_is_written_meanwhile() {
    for server in SERVERS {
        let database = server.database("moment");
        numbers(&database);
        database.sql(&format!(
            "CREATE TABLE t (id int PRIMARY KEY, pad text, v int DEFAULT 0); {}",
            FILL.replace("INTO t", "INTO t (id, pad)")
        ));
        let plan = server.source(&json!({})).plan(&[full(&database.id("t"))], &hints()).unwrap();
        // The rows are far more than a socket holds, so most are sent after the first has arrived.
        let name = database.name.clone();
        let mut written = false;
        let (mut schema, mut sum) = (Vec::new(), std::rc::Rc::new(std::cell::Cell::new((0_u64, 0_i64))));
        let seen = std::rc::Rc::clone(&sum);
        sluice_sdk::native::read(&mut server.source(&json!({})), &plan.splits[0], None, move |event| {
            match event {
                sluice_sdk::native::Event::Declared { schema: message, .. } => schema = message,
                sluice_sdk::native::Event::Pushed { message, .. } => {
                    if !written {
                        server.sql(&format!("UPDATE {name}.t SET v = 1; DELETE FROM {name}.t WHERE id > 19000; INSERT INTO {name}.t VALUES (90000, '', 1)"));
                        written = true;
                    }
                    let batch = sluice_sdk::native::decode(&schema, &message)?;
                    let (rows, ones) = seen.get();
                    let more: i64 = integers(std::slice::from_ref(&batch), "v").iter().sum();
                    seen.set((rows + batch.num_rows() as u64, ones + more));
                }
                sluice_sdk::native::Event::Checkpoint { .. } => {}
            }
            Ok(sluice_sdk::Directive::Continue)
        })
        .unwrap();
        assert_eq!(std::rc::Rc::make_mut(&mut sum).get(), (20_000, 0), "{server:?}");
    }
}

fn drifting(server: Server, database: &Database, table: &str) -> Plan {
    let changes = json!({ "splits": "drifting" });
    let (plan, batches) = server.run(&changes, full(&database.id(table)), small_splits()).unwrap();
    let mut ids = integers(&batches, "id");
    let all = ids.len();
    ids.dedup();
    assert_eq!((ids.len(), all), (20_000, 20_000), "{server:?} {table}: no row is missing or twice");
    plan
}

#[test]
fn ranges_of_a_key_of_any_type_hold_every_row_once() {
    for server in SERVERS {
        let database = server.database("keys");
        numbers(&database);
        database.sql(&format!("CREATE TABLE t (id int PRIMARY KEY, pad text); {FILL}"));
        for (table, key, value) in [
            ("plain", "bigint unsigned", "id"),
            ("gap", "bigint", "IF(id > 10000, 9223372036854775807 - id, -id)"),
            ("moments", "datetime(6)", "'2024-01-01' + INTERVAL id SECOND"),
            ("stamps", "timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)", "'2024-01-01' + INTERVAL id MINUTE"),
            ("words", "varchar(64)", "CONCAT(LEFT(SHA2(id, 256), 30), '''\\\\', id)"),
            ("bytes", "varbinary(40)", "UNHEX(SHA2(id, 256))"),
            ("prices", "decimal(30,10)", "id / 7"),
        ] {
            database.sql(&format!(
                "CREATE TABLE {table} (k {key}, id int, pad text, PRIMARY KEY (k, id)); INSERT INTO {table} SELECT {value}, id, pad FROM t; ANALYZE TABLE {table}"
            ));
            let plan = drifting(server, &database, table);
            assert!((4..=40).contains(&plan.splits.len()), "{server:?} {table}: {} splits", plan.splits.len());
            assert!(plan.splits.iter().all(|split| split.resumable));
        }
        // One value of the key's first column in half of the rows cannot be cut, and is not cut wrongly.
        database.sql("CREATE TABLE skew (k int, id int, pad text, PRIMARY KEY (k, id)); INSERT INTO skew SELECT IF(id > 10000, 5, id), id, pad FROM t; ANALYZE TABLE skew");
        drifting(server, &database, "skew");
        database.sql("CREATE TABLE keyless AS SELECT * FROM t; ANALYZE TABLE keyless");
        assert_eq!(drifting(server, &database, "keyless").splits.len(), 1, "without a key there is nothing to cut by");
        database.sql("CREATE VIEW v AS SELECT * FROM t");
        assert_eq!(drifting(server, &database, "v").splits.len(), 1);
    }
}

#[test]
fn a_partitioned_table_is_read_whole() {
    for server in SERVERS {
        let database = server.database("partitions");
        numbers(&database);
        database.sql(&format!(
            "CREATE TABLE t (id int PRIMARY KEY, pad text) PARTITION BY HASH (id) PARTITIONS 7; {FILL}; ANALYZE TABLE t"
        ));
        let plan = drifting(server, &database, "t");
        assert!(plan.splits.len() > 3, "{}", plan.splits.len());
    }
}

#[test]
fn splits_of_a_locked_table_see_the_same_moment_and_writers_wait() {
    for server in SERVERS {
        let database = server.database("locked");
        numbers(&database);
        database.sql(&format!("CREATE TABLE t (id int PRIMARY KEY, pad text); {FILL}; ANALYZE TABLE t"));
        let changes = json!({ "splits": "locked" });
        let mut planner = server.source(&changes);
        let plan = planner.plan(&[full(&database.id("t"))], &small_splits()).unwrap();
        assert!(plan.splits.len() > 3 && plan.splits.iter().all(|split| !split.resumable));
        let write = format!("SET lock_wait_timeout = 1; DELETE FROM {}.t WHERE id = 1", database.name);
        let refused = server.client().args(["-e", &write]).output().unwrap();
        assert!(String::from_utf8_lossy(&refused.stderr).contains("Lock wait timeout"), "{refused:?}");
        let mut batches = Vec::new();
        for split in &plan.splits {
            batches.extend(read_split(&mut server.source(&changes), split).unwrap());
        }
        assert_eq!(integers(&batches, "id"), (1..=20_000).collect::<Vec<_>>());
        drop(planner);
        database.sql("DELETE FROM t WHERE id = 1");
    }
}

#[test]
fn locked_tables_of_one_plan_are_of_the_same_moment() {
    for server in SERVERS {
        let database = server.database("several");
        database.sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE VIEW v AS SELECT * FROM a");
        let changes = json!({ "splits": "locked" });
        let mut planner = server.source(&changes);
        let selections = ["a", "b", "v"].map(|table| full(&database.id(table)));
        let plan = planner.plan(&selections, &hints()).unwrap();
        assert_eq!(plan.streams.len(), 3);
        for table in ["a", "b"] {
            let write = format!("SET lock_wait_timeout = 1; INSERT INTO {}.{table} VALUES (1)", database.name);
            let refused = server.client().args(["-e", &write]).output().unwrap();
            assert!(String::from_utf8_lossy(&refused.stderr).contains("Lock wait timeout"), "{table}: {refused:?}");
        }
        drop(planner);
        database.sql("INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)");
    }
}

#[test]
fn empty_tables_and_tables_of_one_row_are_read() {
    for server in SERVERS {
        let database = server.database("empty");
        database.sql("CREATE TABLE nothing (id int PRIMARY KEY); CREATE TABLE one (id int PRIMARY KEY); INSERT INTO one VALUES (7)");
        for splits in ["none", "drifting", "locked"] {
            let changes = json!({ "splits": splits });
            let small = Hints { split_bytes: 1, ..hints() };
            let (plan, batches) = server.run(&changes, full(&database.id("nothing")), small).unwrap();
            assert_eq!((plan.splits.is_empty(), batches.len()), (false, 0), "{splits}");
            let (_, batches) = server.run(&changes, full(&database.id("one")), small).unwrap();
            assert_eq!(integers(&batches, "id"), [7], "{splits}");
        }
    }
}

#[test]
fn a_split_that_was_read_to_its_end_is_not_read_again() {
    for server in SERVERS {
        let database = server.database("done");
        database.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
        let plan = server.source(&json!({})).plan(&[full(&database.id("t"))], &hints()).unwrap();
        let (batches, cursors) = read_split_from(&mut server.source(&json!({})), &plan.splits[0], None).unwrap();
        assert_eq!((integers(&batches, "id"), cursors.len()), (vec![1, 2], 1));
        let (again, _) = read_split_from(&mut server.source(&json!({})), &plan.splits[0], cursors.last()).unwrap();
        assert!(again.is_empty());
    }
}

#[test]
fn columns_and_filter_are_what_was_selected() {
    for server in SERVERS {
        let database = server.database("select");
        database.sql("CREATE TABLE t (a int, `B ``c` text, d int); INSERT INTO t VALUES (1, 'x', 10), (2, 'y', 20)");
        let mut selection = full(&database.id("t"));
        selection.columns = vec!["d".into(), "B `c".into()];
        selection.filter = Some("a = 2 OR `B ``c` = 'it''s \\' ?' -- a comment".into());
        let (plan, batches) = server.run(&json!({}), selection, hints()).unwrap();
        let names: Vec<_> = plan.streams[0].schema.fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names, ["d", "B `c"]);
        assert_eq!(common::texts(&batches, "B `c"), [Some("y".to_owned())]);
    }
}

#[test]
fn a_table_of_an_engine_without_snapshots_is_read_and_that_is_said() {
    for server in SERVERS {
        let database = server.database("myisam");
        database.sql("CREATE TABLE t (id int) ENGINE = MyISAM; INSERT INTO t VALUES (1)");
        assert_eq!(integers(&server.rows(full(&database.id("t"))).unwrap(), "id"), [1]);
        let filter = sluice_sdk::DiscoverFilter { ids: vec![database.id("t")], page_size: 10, ..Default::default() };
        let found = server.source(&json!({})).discover(&filter, None).unwrap();
        assert!(found.streams[0].description.as_deref().unwrap().contains("MyISAM has no snapshots"));
    }
}
