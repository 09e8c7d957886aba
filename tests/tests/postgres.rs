//! Postgres through the sandbox, from the binary: values, TLS, and what a person is told when something is wrong.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use arrow_cast::display::{ArrayFormatter, FormatOptions};
use sluice_tests::binary::{Ran, Workspace};
use sluice_tests::postgres::{self, SAMPLES, Sample, source, sql};
use sluice_tests::{env, sandbox, warehouse};

/// A schema of its own for each test, dropped at the end.
struct Schema(String);

impl Schema {
    fn new() -> Self {
        let name = sandbox::unique("e2e");
        sql(&format!("CREATE SCHEMA {name}"));
        Self(name)
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        sql(&format!("DROP SCHEMA {} CASCADE", self.0));
    }
}

fn local(source: &str, streams: &str) -> String {
    format!("name: pg\n{source}streams:\n{streams}sink: {{type: local, path: warehouse}}\n")
}

fn run(source: &str, streams: &str) -> (Workspace, Ran) {
    let workspace = Workspace::new();
    workspace.pipeline(&local(source, streams));
    let ran = workspace.run(&[]);
    (workspace, ran)
}

/// Every value as text, row by row, in the order of `id`.
fn rows(workspace: &Workspace, table: &str) -> Vec<Vec<String>> {
    let batches = warehouse::batches(&workspace.path().join("warehouse/main").join(table));
    let options = FormatOptions::default().with_null("<null>");
    let mut rows = Vec::new();
    for batch in &batches {
        let columns: Vec<_> = batch.columns().iter().map(warehouse::with_offset_zone).collect();
        let formatters: Vec<_> =
            columns.iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            rows.push(formatters.iter().map(|formatter| formatter.value(row).to_string()).collect::<Vec<_>>());
        }
    }
    rows.sort_by_key(|row| row[0].parse::<i64>().unwrap());
    rows
}

#[test]
fn every_value_arrives_as_the_source_has_it() {
    let schema = Schema::new();
    postgres::table_of_samples(&schema.0, "t", SAMPLES);
    let (workspace, ran) =
        run(&source(&[("numeric_special", "'null'")]), &format!("  - {{id: {}.t, table: t}}\n", schema.0));
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    let rows = rows(&workspace, "t");
    assert_eq!(rows.len(), 2);
    let mut wrong = Vec::new();
    for (i, Sample { kind, value, parquet, .. }) in SAMPLES.iter().enumerate() {
        if rows[0][i + 1] != *parquet {
            wrong.push(format!("{kind} {value}: {:?}, not {parquet:?}", rows[0][i + 1]));
        }
        assert_eq!(rows[1][i + 1], "<null>", "{kind} NULL");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn splits_of_one_snapshot_hold_every_row_once() {
    let schema = Schema::new();
    sql(&format!(
        "CREATE TABLE {0}.t AS SELECT g AS id, repeat('x', 200) AS pad FROM generate_series(1, 60000) g; ANALYZE {0}.t",
        schema.0
    ));
    let streams = format!("  - {{id: {}.t, table: t}}\nlimits: {{parallel: 2, split_bytes: 2000000}}\n", schema.0);
    let (workspace, ran) = run(&source(&[]), &streams);
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    let ids = rows(&workspace, "t");
    assert_eq!(ids.len(), 60_000);
    assert!(ids.iter().enumerate().all(|(i, row)| row[0] == (i + 1).to_string()));
}

#[test]
fn all_streams_of_a_run_are_read_as_of_one_moment() {
    let schema = Schema::new();
    let name = &schema.0;
    sql(&format!(
        "CREATE TABLE {name}.late (id bigint); INSERT INTO {name}.late VALUES (1);
         CREATE VIEW {name}.slow AS SELECT 1 AS id, pg_sleep(2)::text AS {name}_waits"
    ));
    let workspace = Workspace::new();
    workspace.pipeline(&local(
        &source(&[]),
        &format!("  - {{id: {name}.slow, table: slow}}\n  - {{id: {name}.late, table: late}}\n"),
    ));
    let ran = std::thread::scope(|scope| {
        let running = scope.spawn(|| workspace.run(&[]));
        let reads = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%COPY%{name}_waits%'"
        );
        while sql(&reads) == "0" {
            assert!(!running.is_finished(), "the first stream is not being read");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        sql(&format!("INSERT INTO {name}.late VALUES (2)"));
        running.join().unwrap()
    });
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    assert_eq!(warehouse::integers(&workspace.path().join("warehouse/main/late"), "id"), [1]);
}

#[test]
fn a_stream_that_cannot_be_planned_fails_alone() {
    let schema = Schema::new();
    sql(&format!("CREATE TABLE {0}.t (id bigint); INSERT INTO {0}.t VALUES (1)", schema.0));
    let streams = format!("  - {{id: {0}.gone}}\n  - {{id: {0}.t, table: t}}\n  - {{id: {0}.lost}}\n", schema.0);
    let (workspace, ran) = run(&source(&[]), &streams);
    assert_eq!(ran.code(), Some(2), "{ran:?}");
    let states: Vec<_> = ran.summary()["streams"].as_array().unwrap().iter().map(|s| s["state"].clone()).collect();
    assert_eq!(states, ["failed", "committed", "failed"]);
    assert_eq!(warehouse::integers(&workspace.path().join("warehouse/main/t"), "id"), [1]);
}

#[test]
fn an_increment_reads_what_is_new_and_nothing_twice() {
    let schema = Schema::new();
    sql(&format!(
        "CREATE TABLE {0}.t (id bigint PRIMARY KEY); INSERT INTO {0}.t SELECT generate_series(1, 100)",
        schema.0
    ));
    let workspace = Workspace::new();
    workspace
        .pipeline(&local(&source(&[]), &format!("  - {{id: {}.t, table: t, read: {{incremental: id}}}}\n", schema.0)));
    assert_eq!(workspace.run(&[]).code(), Some(0));
    sql(&format!("INSERT INTO {}.t SELECT generate_series(101, 150)", schema.0));
    let second = workspace.run(&[]);
    assert_eq!(second.summary()["streams"][0]["rows_committed"], 50, "{second:?}");
    let third = workspace.run(&[]);
    assert_eq!(third.summary()["streams"][0]["rows_read"], 0, "{third:?}");
    assert_eq!(warehouse::integers(&workspace.path().join("warehouse/main/t"), "id"), (1..=150).collect::<Vec<_>>());
}

fn refused(more: &[(&str, &str)], words: &[&str]) {
    let (workspace, ran) = run(&source(more), "  - {id: public.nothing, table: t}\n");
    let error = format!("{} {}", ran.error(), ran.lines.last().unwrap()["error"]["field"]);
    assert_ne!(ran.code(), Some(0), "{more:?}");
    for word in words {
        assert!(error.contains(word), "{more:?}: expected {word:?} in: {error}");
    }
    assert!(!workspace.path().join("warehouse/main/t").exists(), "nothing is created for a run that cannot begin");
}

#[test]
fn a_wrong_password_and_a_wrong_user_are_named_as_such() {
    refused(&[("password", "wrong-password")], &["password", "sluice"]);
    refused(&[("user", "nobody_at_all")], &["nobody_at_all"]);
    refused(&[("database", "no_such_db")], &["no_such_db"]);
}

#[test]
fn an_unknown_host_is_named_as_such() {
    refused(&[("host", "no-such-host.invalid")], &["no-such-host.invalid"]);
}

#[test]
fn a_port_that_nobody_listens_on_is_worth_another_try() {
    let (_, ran) = run(&source(&[("port", "1")]), "  - {id: public.nothing}\n");
    assert_eq!(ran.code(), Some(3), "{ran:?}");
    assert_eq!(ran.lines.last().unwrap()["error"]["retry"], "later", "{ran:?}");
}

#[test]
fn without_a_grant_the_private_network_is_out_of_reach() {
    let source = source(&[]).replace("  grants: {private_network: true}\n", "");
    let (_, ran) = run(&source, "  - {id: public.nothing}\n");
    assert!(ran.error().contains("private_network"), "{}", ran.error());
}

#[test]
fn tls_is_checked_as_far_as_the_mode_says() {
    let pem = |path: &str| format!("{{file: {path}}}");
    let (good, wrong) = (pem(&env("SLUICE_TEST_POSTGRES_CA")), pem(&env("SLUICE_TEST_POSTGRES_WRONG_CA")));
    let schema = Schema::new();
    sql(&format!("CREATE TABLE {0}.t (id bigint); INSERT INTO {0}.t VALUES (1)", schema.0));
    let stream = format!("  - {{id: {}.t, table: t}}\n", schema.0);
    for mode in ["disable", "prefer", "require", "verify-ca", "verify-full"] {
        let (_, ran) = run(&source(&[("tls", mode), ("tls_ca", &good)]), &stream);
        assert_eq!(ran.code(), Some(0), "{mode}: {ran:?}");
    }
    refused(&[("tls", "verify-full"), ("tls_ca", &wrong)], &["certificate"]);
    refused(&[("tls", "verify-ca"), ("tls_ca", &wrong)], &["certificate"]);
    let no_tls = env("SLUICE_TEST_POSTGRES_NO_TLS_PORT");
    refused(&[("tls", "require"), ("port", &no_tls)], &["TLS"]);
}

#[test]
fn a_missing_table_a_dropped_column_and_a_revoked_grant_say_what_to_do() {
    let schema = Schema::new();
    let role = sandbox::unique("reader");
    sql(&format!("CREATE TABLE {0}.t (id bigint, gone text); INSERT INTO {0}.t VALUES (1, 'x')", schema.0));
    sql(&format!("CREATE ROLE {role} LOGIN PASSWORD 'reader-password'; GRANT USAGE ON SCHEMA {} TO {role}", schema.0));
    let stream = format!("  - {{id: {}.t, table: t, read: {{incremental: id}}, columns: [id, gone]}}\n", schema.0);

    let workspace = Workspace::new();
    workspace.pipeline(&local(&source(&[]), &stream));
    assert_eq!(workspace.run(&[]).code(), Some(0));
    sql(&format!("ALTER TABLE {}.t DROP COLUMN gone", schema.0));
    let dropped = workspace.run(&[]);
    assert!(dropped.error().contains("gone"), "{}", dropped.error());
    assert_eq!(dropped.summary()["streams"][0]["stream"], format!("{}.t", schema.0));

    sql(&format!("DROP TABLE {}.t", schema.0));
    let missing = workspace.run(&[]);
    assert!(missing.error().contains(&format!("{}.t", schema.0)), "{}", missing.error());
    assert_eq!(missing.code(), Some(2), "{missing:?}");

    // State was untouched by both: the table comes back, and only what is new is read.
    sql(&format!("CREATE TABLE {0}.t (id bigint, gone text); INSERT INTO {0}.t VALUES (1, 'x'), (2, 'y')", schema.0));
    workspace.pipeline(&local(&source(&[("user", &role), ("password", "reader-password")]), &stream));
    let revoked = workspace.run(&[]);
    assert!(revoked.error().contains("GRANT SELECT"), "{}", revoked.error());
    workspace.pipeline(&local(&source(&[("ties", "include")]), &stream));
    let again = workspace.run(&[]);
    assert_eq!(again.code(), Some(0), "{again:?}");
    let ids = warehouse::integers(&workspace.path().join("warehouse/main/t"), "id");
    assert!(ids.contains(&2) && ids.iter().filter(|id| **id == 1).count() == 1, "{ids:?}");
    drop(schema);
    sql(&format!("DROP ROLE {role}"));
}

#[test]
fn a_full_disk_is_named_and_leaves_the_state_where_it_was() {
    let schema = Schema::new();
    sql(&format!(
        "CREATE TABLE {0}.t AS SELECT g::bigint AS id, md5(g::text) || md5((g + 1)::text) AS pad \
         FROM generate_series(1, 100000) g; ALTER TABLE {0}.t ADD PRIMARY KEY (id)",
        schema.0
    ));
    let workspace = Workspace::new();
    let full = workspace.path().join("warehouse");
    std::fs::create_dir(&full).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"])
        .arg(&full)
        .status()
        .unwrap();
    assert!(mounted.success(), "a small file system can be mounted (the tests run as root)");
    workspace
        .pipeline(&local(&source(&[]), &format!("  - {{id: {}.t, table: t, read: {{incremental: id}}}}\n", schema.0)));
    let ran = workspace.run(&[]);
    let unmounted = std::process::Command::new("umount").arg(&full).status().unwrap();
    assert!(unmounted.success());
    assert_eq!(ran.code(), Some(4), "{ran:?}");
    let error = &ran.lines.last().unwrap()["error"];
    assert_eq!(error["kind"], "resources", "{error}");
    let again = workspace.run(&[]);
    assert_eq!(again.code(), Some(0), "{again:?}");
    assert_eq!(again.summary()["streams"][0]["rows_committed"].as_u64().unwrap(), 100_000);
}
