//! MySQL and MariaDB through the sandbox, from the binary: values, TLS, kills, and what a person is told when something is wrong.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use std::path::PathBuf;

use arrow_cast::display::{ArrayFormatter, FormatOptions};
use sluice_tests::binary::{Ran, Workspace, finish};
use sluice_tests::mysql::{SERVERS, Server};
use sluice_tests::{sandbox, warehouse};

/// A database of its own for each test, dropped at the end.
struct Database {
    server: Server,
    name: String,
}

impl Database {
    fn new(server: Server) -> Self {
        let name = sandbox::unique("e2e");
        server.sql(&format!("CREATE DATABASE {name}"));
        Self { server, name }
    }

    fn sql(&self, statement: &str) -> String {
        self.server.sql(&format!("USE {}; {statement}", self.name))
    }

    /// `t` with rows `1..=rows` of some 100 bytes.
    fn numbered(&self, rows: u32) {
        self.sql("CREATE TABLE t (id bigint PRIMARY KEY, pad varchar(200), price decimal(12,2), at datetime(6))");
        self.insert(1, rows);
        self.sql("ANALYZE TABLE t");
    }

    fn recursion(&self) -> &'static str {
        match self.server {
            Server::Mariadb => "SET SESSION max_recursive_iterations",
            Server::Mysql => "SET SESSION cte_max_recursion_depth",
        }
    }

    fn insert(&self, first: u32, last: u32) {
        self.sql(&format!(
            "{} = 10000000; INSERT INTO t WITH RECURSIVE n AS (SELECT {first} AS x UNION ALL SELECT x + 1 FROM n WHERE x < {last})
             SELECT x, CONCAT(x, ' ', REPEAT('ä', x % 40)), x / 7, '2024-01-01' + INTERVAL x * 1000003 MICROSECOND FROM n",
            self.recursion()
        ));
    }

    /// Every row as the server's own client prints it.
    fn printed(&self) -> Vec<Vec<String>> {
        let text = self.sql("SELECT id, pad, price, at FROM t ORDER BY id");
        text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.server.sql(&format!("DROP DATABASE {}", self.name));
    }
}

fn local(source: &str, streams: &str) -> String {
    format!("name: mysql\n{source}streams:\n{streams}sink: {{type: local, path: warehouse}}\n")
}

fn run(source: &str, streams: &str) -> (Workspace, Ran) {
    let workspace = Workspace::new();
    workspace.pipeline(&local(source, streams));
    let ran = workspace.run(&[]);
    (workspace, ran)
}

/// As the servers' client prints moments.
const MOMENT: Option<&str> = Some("%Y-%m-%d %H:%M:%S%.6f");

fn table(workspace: &Workspace) -> PathBuf {
    workspace.path().join("warehouse/main/t")
}

/// Every value as text, row by row, in the order of the first column, a number.
fn rows(workspace: &Workspace) -> Vec<Vec<String>> {
    let options =
        FormatOptions::default().with_null("NULL").with_timestamp_format(MOMENT).with_timestamp_tz_format(MOMENT);
    let mut rows = Vec::new();
    for batch in &warehouse::batches(&table(workspace)) {
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

/// Type, a value, and what arrives in Parquet.
const VALUES: &[(&str, &str, &str)] = &[
    ("tinyint", "-128", "-128"),
    ("smallint unsigned", "65535", "65535"),
    ("mediumint", "-8388608", "-8388608"),
    ("int unsigned", "4294967295", "4294967295"),
    ("bigint", "-9223372036854775808", "-9223372036854775808"),
    ("bigint unsigned", "18446744073709551615", "18446744073709551615"),
    ("float", "1.5", "1.5"),
    ("double", "-0.1", "-0.1"),
    ("decimal(20,4)", "-1234567890123456.7891", "-1234567890123456.7891"),
    (
        "decimal(65,30)",
        "-99999999999999999999999999999999999.999999999999999999999999999999",
        "-99999999999999999999999999999999999.999999999999999999999999999999",
    ),
    ("bit(1)", "b'1'", "true"),
    ("bit(12)", "b'100000000001'", "2049"),
    ("varchar(20)", "'grüße 🚰'", "grüße 🚰"),
    ("varchar(20) character set latin1", "'größe €'", "größe €"),
    ("enum('a','b')", "'b'", "b"),
    ("set('a','b')", "'a,b'", "a,b"),
    ("varbinary(5)", "x'00ff10'", "00ff10"),
    ("json", "'{\"a\": [1, null]}'", "{\"a\": [1, null]}"),
    ("date", "'1000-03-15'", "1000-03-15"),
    ("datetime(6)", "'2024-02-29 23:59:59.123456'", "2024-02-29 23:59:59.123456"),
    ("timestamp(6) NULL", "'2024-02-29 23:59:59.123456'", "2024-02-29 23:59:59.123456"),
    ("time(3)", "'-838:59:58.125'", "-838:59:58.125"),
    ("year", "2155", "2155"),
    ("point", "POINT(1, 2)", "0101000000000000000000f03f0000000000000040"),
];

#[test]
fn every_value_arrives_as_the_source_has_it() {
    for server in SERVERS {
        let database = Database::new(server);
        let columns: Vec<String> = VALUES.iter().enumerate().map(|(i, (kind, ..))| format!("c{i} {kind}")).collect();
        let values: Vec<&str> = VALUES.iter().map(|(_, value, _)| *value).collect();
        database.sql(&format!(
            "CREATE TABLE t (id bigint PRIMARY KEY, {}); SET time_zone = '+00:00'; INSERT INTO t VALUES (1, {}); INSERT INTO t (id) VALUES (2)",
            columns.join(", "),
            values.join(", ")
        ));
        let (workspace, ran) = run(&server.source(&[]), &format!("  - {{id: {}.t, table: t}}\n", database.name));
        assert_eq!(ran.code(), Some(0), "{ran:?}");
        let rows = rows(&workspace);
        assert_eq!(rows.len(), 2);
        for (i, (kind, value, expected)) in VALUES.iter().enumerate() {
            assert_eq!(rows[0][i + 1], *expected, "{server:?} {kind} {value}");
            assert_eq!(rows[1][i + 1], "NULL", "{server:?} {kind} NULL");
        }
    }
}

#[test]
fn every_row_arrives_once_with_one_split_and_with_many() {
    for server in SERVERS {
        let database = Database::new(server);
        database.numbered(30_000);
        let printed = database.printed();
        assert_eq!(printed.len(), 30_000);
        for splits in ["none", "drifting", "locked"] {
            let streams =
                format!("  - {{id: {}.t, table: t}}\nlimits: {{parallel: 2, split_bytes: 500000}}\n", database.name);
            let (workspace, ran) = run(&server.source(&[("splits", splits)]), &streams);
            assert_eq!(ran.code(), Some(0), "{ran:?}");
            assert!(rows(&workspace) == printed, "{server:?} {splits}: every row is as the server's client prints it");
        }
    }
}

#[test]
fn an_increment_reads_what_is_new_and_nothing_twice() {
    for server in SERVERS {
        let database = Database::new(server);
        database.numbered(100);
        let workspace = Workspace::new();
        let stream = format!("  - {{id: {}.t, table: t, read: {{incremental: id}}}}\n", database.name);
        workspace.pipeline(&local(&server.source(&[]), &stream));
        assert_eq!(workspace.run(&[]).code(), Some(0));
        database.insert(101, 150);
        let second = workspace.run(&[]);
        assert_eq!(second.summary()["streams"][0]["rows_committed"], 50, "{second:?}");
        let third = workspace.run(&[]);
        assert_eq!(third.summary()["streams"][0]["rows_read"], 0, "{third:?}");
        assert!(rows(&workspace) == database.printed());
    }
}

#[test]
fn a_run_killed_at_any_point_is_there_exactly_once_after_the_next_run() {
    let server = Server::Mysql;
    let database = Database::new(server);
    database.numbered(20_000);
    let stream = format!("  - {{id: {}.t, table: t, read: {{incremental: id}}}}\n", database.name);
    let limits = "limits: {parallel: 2, split_bytes: 400000, batch_bytes: 100000}\n";
    for point in ["batch.written*5", "ledger.finalized", "commit.recorded", "commit.visible"] {
        let workspace = Workspace::new();
        workspace.pipeline(&local(&server.source(&[]), &(stream.clone() + limits)));
        workspace.run_killed_at(point, &[]);
        let ran = workspace.run(&[]);
        assert_eq!(ran.code(), Some(0), "{point}: {ran:?}");
        assert!(rows(&workspace) == database.printed(), "{point}");
    }
}

#[test]
fn a_day_of_a_catalog_killed_while_it_is_written_has_one_copy_after_the_next_run() {
    let server = Server::Mariadb;
    let database = Database::new(server);
    database.numbered(5_000);
    let stream = format!("  - {{id: {}.t, table: t, load: catalog}}\nlimits: {{batch_bytes: 50000}}\n", database.name);
    let day = ["--snapshot-date", "2026-02-28"];
    for point in ["batch.written*3", "commit.recorded"] {
        let workspace = Workspace::new();
        workspace.pipeline(&local(&server.source(&[]), &stream));
        assert_eq!(workspace.run(&day).code(), Some(0));
        workspace.run_killed_at(point, &day);
        assert_eq!(workspace.run(&day).code(), Some(0), "{point}");
        assert_eq!(warehouse::integers(&table(&workspace), "id"), (1..=5_000).collect::<Vec<_>>(), "{point}");
    }
}

fn refused(server: Server, more: &[(&str, &str)], words: &[&str]) {
    let (workspace, ran) = run(&server.source(more), "  - {id: nowhere.nothing, table: t}\n");
    let error = format!("{} {}", ran.error(), ran.lines.last().unwrap()["error"]["field"]);
    assert_ne!(ran.code(), Some(0), "{more:?}");
    for word in words {
        assert!(error.contains(word), "{server:?} {more:?}: expected {word:?} in: {error}");
    }
    assert!(!table(&workspace).exists(), "nothing is created for a run that cannot begin");
}

#[test]
fn a_wrong_password_a_wrong_user_and_a_missing_table_are_named_as_such() {
    for server in SERVERS {
        refused(server, &[("password", "wrong-password")], &["Access denied", "Check user and password", "/password"]);
        refused(server, &[("user", "nobody_at_all")], &["nobody_at_all"]);
        refused(server, &[("database", "no_such_db")], &["no_such_db", "/database"]);
        refused(server, &[], &["nowhere.nothing does not exist"]);
    }
}

#[test]
fn tls_is_checked_as_far_as_the_mode_says() {
    let pem = |path: &str| format!("{{file: {path}}}");
    for server in SERVERS {
        let (good, wrong) = (pem(&server.env("CA")), pem(&server.env("WRONG_CA")));
        let database = Database::new(server);
        database.numbered(10);
        let stream = format!("  - {{id: {}.t, table: t}}\n", database.name);
        for mode in ["prefer", "require", "verify-ca", "verify-full"] {
            // A user who may not come in without TLS.
            let user = server.env("TLS_USER");
            let (_, ran) = run(&server.source(&[("tls", mode), ("tls_ca", &good), ("user", &user)]), &stream);
            assert_eq!(ran.code(), Some(0), "{server:?} {mode}: {ran:?}");
        }
        let more = [("tls", "disable"), ("allow_public_key_retrieval", "true")];
        assert_eq!(run(&server.source(&more), &stream).1.code(), Some(0), "{server:?}");
        refused(server, &[("tls", "verify-full"), ("tls_ca", &wrong)], &["certificate"]);
        refused(server, &[("tls", "verify-ca"), ("tls_ca", &wrong)], &["certificate"]);
        let name = server.env("WRONG_NAME");
        refused(server, &[("tls", "verify-full"), ("tls_ca", &good), ("host", &name)], &["certificate"]);
    }
    let no_tls = Server::Mariadb.env("NO_TLS_PORT");
    refused(Server::Mariadb, &[("tls", "require"), ("port", &no_tls)], &["does not speak TLS"]);
}

#[test]
fn a_password_that_the_server_has_forgotten_is_sent_inside_tls_or_encrypted_for_its_key() {
    let server = Server::Mysql;
    let user = sandbox::unique("sha2");
    let database = Database::new(server);
    database.numbered(10);
    let forget = || {
        server.sql(&format!(
            "CREATE USER IF NOT EXISTS {user} IDENTIFIED BY 'pässword'; GRANT SELECT ON *.* TO {user}; ALTER USER {user} IDENTIFIED BY 'pässword'"
        ));
    };
    let stream = format!("  - {{id: {}.t, table: t}}\n", database.name);
    let key = format!("{{file: {}}}", server.env("PUBLIC_KEY"));
    for more in [
        &[("tls", "require")][..],
        &[("tls", "disable"), ("allow_public_key_retrieval", "true")],
        &[("tls", "disable"), ("server_public_key", &key)],
    ] {
        forget();
        let login = [&[("user", user.as_str()), ("password", "pässword")], more].concat();
        let (workspace, ran) = run(&server.source(&login), &stream);
        assert_eq!(ran.code(), Some(0), "{more:?}: {ran:?}");
        assert_eq!(rows(&workspace).len(), 10);
    }
    forget();
    refused(server, &[("user", &user), ("password", "pässword"), ("tls", "disable")], &["/allow_public_key_retrieval"]);
    server.sql(&format!("DROP USER {user}"));
}

#[test]
fn check_and_discover_show_what_there_is() {
    for server in SERVERS {
        let database = Database::new(server);
        database.numbered(10);
        let workspace = Workspace::new();
        let source = server.source(&[("database", &database.name)]);
        workspace.pipeline(&local(&source, &format!("  - {{id: {}.t, table: t}}\n", database.name)));
        let checked = finish(&mut workspace.command(&["check", "pipeline.yaml"]));
        assert_eq!(checked.code(), Some(0), "{checked:?}");
        let found = finish(&mut workspace.command(&["discover", "pipeline.yaml"]));
        let stream = found.lines.iter().find(|line| line["event"] == "stream").unwrap();
        assert_eq!(stream["id"], format!("{}.t", database.name), "{found:?}");
        assert_eq!(stream["primary_key"][0], "id", "{found:?}");
    }
}
