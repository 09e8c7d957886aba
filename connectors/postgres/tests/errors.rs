//! What goes wrong names the field or the stream, and says what to do.

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
use std::net::TcpListener;
use std::process::Stdio;

use common::{Schema, env, error, full, hints, psql, read_split, source, sql};
use serde_json::{Value, json};
use sluice_sdk::{CheckStep, ErrorKind, Outcome, Selection, Source};

fn check(changes: Value) -> Vec<CheckStep> {
    source(changes).check().unwrap()
}

/// Name and outcome of each step, and the step that failed.
fn failed(changes: Value) -> (Vec<(String, Outcome)>, CheckStep) {
    let steps = check(changes);
    let failed = steps.iter().find(|step| step.outcome == Outcome::Failed).expect("a failed step").clone();
    assert!(!failed.remedy.is_empty(), "{failed:?}");
    (steps.into_iter().map(|step| (step.name, step.outcome)).collect(), failed)
}

#[test]
fn a_good_connection_passes_every_step() {
    let schema = Schema::new("good");
    schema.sql("CREATE TABLE $S.t (id int)");
    let steps = check(json!({}));
    let names: Vec<_> = steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["connect", "tls", "log in", "version", "read", "replica"]);
    assert!(steps.iter().all(|step| matches!(step.outcome, Outcome::Passed | Outcome::Warned)), "{steps:?}");
    assert!(steps[2].detail.contains("SCRAM-SHA-256"), "{:?}", steps[2]);
}

#[test]
fn a_wrong_password_is_the_login_that_failed() {
    let (steps, failed) = failed(json!({ "password": "wrong" }));
    assert_eq!(steps[0].1, Outcome::Passed);
    assert_eq!(failed.name, "log in");
    assert!(failed.detail.contains("password authentication failed"), "{failed:?}");
    assert!(failed.remedy.contains("Check user and password"), "{failed:?}");
    assert!(steps[3..].iter().all(|(_, outcome)| *outcome == Outcome::Skipped));
    let error = error(&json!({ "password": "wrong" }), full("a.b"));
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Auth, Some("/password")));
}

#[test]
fn a_missing_database_is_named() {
    let (_, failed) = failed(json!({ "database": "no such one" }));
    assert!(failed.detail.contains("no such one"), "{failed:?}");
    assert!(failed.remedy.contains("name of the database"), "{failed:?}");
}

#[test]
fn a_port_where_nobody_listens_is_the_connection_that_failed() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (steps, failed) = failed(json!({ "port": port }));
    assert_eq!((failed.name.as_str(), steps[1].1), ("connect", Outcome::Skipped));
}

#[test]
fn something_that_is_no_postgres_is_a_broken_protocol() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let error = error(&json!({ "port": port }), full("a.b"));
    assert!(error.message.contains("PostgreSQL server?") || error.message.contains("bytes; rows can"), "{error}");
}

#[test]
fn every_way_to_log_in_works() {
    for (user, method) in [("MD5", "MD5"), ("TRUST", "without a password")] {
        let steps = check(json!({ "user": env(&format!("SLUICE_TEST_POSTGRES_{user}_USER")) }));
        assert!(steps[2].outcome == Outcome::Passed && steps[2].detail.contains(method), "{:?}", steps[2]);
    }
    let plain = env("SLUICE_TEST_POSTGRES_PLAIN_USER");
    let (_, failed) = failed(json!({ "user": plain }));
    assert!(failed.detail.contains("clear text"), "{failed:?}");
    let steps = check(json!({ "user": plain, "allow_cleartext_password": true }));
    assert!(steps[2].detail.contains("clear-text password"), "{:?}", steps[2]);
}

#[test]
fn a_server_without_tls_is_refused_where_tls_is_required() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().write_all(b"N");
        }
    });
    for mode in ["require", "verify-ca", "verify-full"] {
        let (_, failed) = failed(json!({ "port": port, "tls": mode }));
        assert_eq!(failed.name, "tls");
        assert!(failed.detail.contains("does not speak TLS"), "{failed:?}");
    }
}

#[test]
fn a_missing_table_or_column_is_named() {
    let schema = Schema::new("missing");
    schema.sql("CREATE TABLE $S.t (id int)");
    let gone = error(&json!({}), full(&schema.id("gone")));
    assert_eq!((gone.kind, gone.stream.clone()), (ErrorKind::NotFound, Some(schema.id("gone"))));
    let column = error(&json!({}), Selection { columns: vec!["name".into()], ..full(&schema.id("t")) });
    assert_eq!(column.kind, ErrorKind::NotFound);
    assert!(column.message.contains("column name does not exist") && column.message.contains("it has id"), "{column}");
    let no_id = error(&json!({}), full("orders"));
    assert!(no_id.message.contains("schema.table"), "{no_id}");
}

#[test]
fn a_bad_filter_is_named_as_such() {
    let schema = Schema::new("filter");
    schema.sql("CREATE TABLE $S.t (id int)");
    for filter in ["idd > 1", "id >", "id + 1", "id = 'x'"] {
        let error = error(&json!({}), Selection { filter: Some(filter.into()), ..full(&schema.id("t")) });
        assert!(error.message.starts_with("the stream cannot be read with its filter: "), "{filter}: {error}");
        assert!(!matches!(error.kind, ErrorKind::Transient | ErrorKind::Internal), "{filter}: {error:?}");
    }
    let write = Selection { filter: Some("nextval('pg_catalog.x') > 0".into()), ..full(&schema.id("t")) };
    assert!(error(&json!({}), write).message.contains("filter"));
}

#[test]
fn a_right_that_was_taken_away_names_the_grant() {
    let schema = Schema::new("grants");
    let user = env("SLUICE_TEST_POSTGRES_PLAIN_USER");
    let changes = json!({ "user": user, "allow_cleartext_password": true });
    schema.sql(&format!(
        "CREATE TABLE $S.t (id int, secret text); INSERT INTO $S.t VALUES (1, 'x'); GRANT USAGE ON SCHEMA $S TO {user}"
    ));
    let error = error(&changes, full(&schema.id("t")));
    assert_eq!(error.kind, ErrorKind::Permission);
    assert!(error.message.contains(&format!("GRANT SELECT ON {}.t TO {user}", schema.0)), "{error}");

    schema.sql(&format!("GRANT SELECT (id) ON $S.t TO {user}"));
    let (_, batches) = common::run(&changes, full(&schema.id("t")), hints()).unwrap();
    assert_eq!(batches[0].num_columns(), 1, "what may be read is read");
    let chosen = Selection { columns: vec!["secret".into()], ..full(&schema.id("t")) };
    assert!(common::error(&changes, chosen).message.contains("may not read column secret"));

    let mut planner = source(changes.clone());
    let plan = planner.plan(&[full(&schema.id("t"))], &hints()).unwrap();
    schema.sql(&format!("REVOKE SELECT (id) ON $S.t FROM {user}"));
    let error = read_split(&mut source(changes), &plan.splits[0]).unwrap_err();
    assert_eq!((error.kind, error.stream.clone()), (ErrorKind::Permission, Some(schema.id("t"))));
    assert!(error.message.contains("GRANT SELECT"), "{error}");
}

#[test]
fn a_table_cannot_change_under_a_plan() {
    let schema = Schema::new("locked");
    schema.sql("CREATE TABLE $S.t (id int, v int); INSERT INTO $S.t VALUES (1, 2)");
    let mut planner = source(json!({}));
    let plan = planner.plan(&[full(&schema.id("t"))], &hints()).unwrap();
    let output = psql()
        .args(["-c", &format!("SET lock_timeout = '200ms'; ALTER TABLE {}.t DROP COLUMN v", schema.0)])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("lock timeout"), "the plan holds its lock");
    drop(planner);
    schema.sql("ALTER TABLE $S.t DROP COLUMN v");
    // The planner is gone, and with it the snapshot; a plan by values would get as far as the missing column.
    assert!(read_split(&mut source(json!({})), &plan.splits[0]).is_err());
    let incremental = common::incremental(&schema.id("t"), "id", None);
    let plan = source(json!({ "ties": "include" })).plan(&[incremental], &hints()).unwrap();
    schema.sql("ALTER TABLE $S.t ADD v int; ALTER TABLE $S.t DROP COLUMN id");
    let error = read_split(&mut source(json!({})), &plan.splits[0]).unwrap_err();
    assert_eq!((error.kind, error.stream.clone()), (ErrorKind::NotFound, Some(schema.id("t"))));
    assert!(error.message.contains("The column is gone or renamed"), "{error}");
}

#[test]
fn a_table_that_is_locked_against_readers_can_be_tried_again() {
    let schema = Schema::new("exclusive");
    schema.sql("CREATE TABLE $S.t (id int)");
    let mut other = psql().stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    writeln!(other.stdin.as_mut().unwrap(), "BEGIN; LOCK TABLE {}.t IN ACCESS EXCLUSIVE MODE;", schema.0).unwrap();
    while schema.sql("SELECT count(*) FROM pg_locks WHERE relation = '$S.t'::regclass AND granted") != ["1"] {}
    let error = error(&json!({ "lock_timeout_seconds": 1 }), full(&schema.id("t")));
    assert_eq!(error.kind, ErrorKind::Transient);
    assert!(error.message.contains("holds a lock"), "{error}");
    // And a listing is not held up by it.
    let filter = sluice_sdk::DiscoverFilter { ids: vec![schema.id("t")], page_size: 10, ..Default::default() };
    assert_eq!(source(json!({ "lock_timeout_seconds": 1 })).discover(&filter, None).unwrap().streams.len(), 1);
    drop(other.stdin.take());
    other.wait().unwrap();
}

#[test]
fn a_statement_that_takes_too_long_is_ended_by_the_server() {
    let schema = Schema::new("timeout");
    schema.sql("CREATE TABLE $S.t (id int); INSERT INTO $S.t VALUES (1)");
    let slow = Selection { filter: Some("pg_sleep(5) IS NOT NULL".into()), ..full(&schema.id("t")) };
    let error = error(&json!({ "statement_timeout_seconds": 1 }), slow);
    assert_eq!(error.field.as_deref(), Some("/statement_timeout_seconds"));
    assert!(error.message.contains("Raise `statement_timeout_seconds`"), "{error}");
}

#[test]
fn a_connection_that_the_server_cuts_can_be_tried_again() {
    let schema = Schema::new("cut");
    schema.sql("CREATE TABLE $S.t (id int); INSERT INTO $S.t VALUES (1)");
    let name = format!("sluice-cut-{}", std::process::id());
    let slow = Selection { filter: Some("pg_sleep(10) IS NOT NULL".into()), ..full(&schema.id("t")) };
    let changes = json!({ "application_name": name });
    let reading = std::thread::spawn(move || error(&changes, slow));
    let kill = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '{name}' AND query LIKE 'COPY%'"
    );
    while sql(&kill) == ["0"] {}
    let error = reading.join().unwrap();
    assert_eq!(error.kind, ErrorKind::Transient, "{error}");
}
