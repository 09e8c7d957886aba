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

use common::{SERVERS, Server, env, full, hints, read_split};
use serde_json::{Value, json};
use sluice_sdk::{CheckStep, ErrorKind, Outcome, Selection, Source};

fn check(server: Server, changes: &Value) -> Vec<CheckStep> {
    server.source(changes).check().unwrap()
}

/// Name and outcome of each step, and the step that failed.
fn failed(server: Server, changes: &Value) -> (Vec<(String, Outcome)>, CheckStep) {
    let steps = check(server, changes);
    let failed = steps.iter().find(|step| step.outcome == Outcome::Failed).expect("a failed step").clone();
    assert!(!failed.remedy.is_empty(), "{failed:?}");
    (steps.into_iter().map(|step| (step.name, step.outcome)).collect(), failed)
}

#[test]
fn a_good_connection_passes_every_step() {
    for server in SERVERS {
        let database = server.database("good");
        database.sql("CREATE TABLE t (id int)");
        let steps = check(server, &json!({ "writer_wait_seconds": 60 }));
        let names: Vec<_> = steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names, ["connect", "tls", "log in", "version", "read", "writers", "replica"]);
        for step in &steps {
            let expected = if step.name == "tls" { Outcome::Warned } else { Outcome::Passed };
            assert_eq!(step.outcome, expected, "{step:?}");
        }
        let product = if server == Server::Mariadb { "MariaDB 10.11" } else { "MySQL 9" };
        assert!(steps[3].detail.starts_with(product), "{:?}", steps[3]);
    }
}

#[test]
fn a_wrong_password_is_the_login_that_failed() {
    for server in SERVERS {
        let (steps, failed) = failed(server, &json!({ "password": "wrong" }));
        assert_eq!(steps[0].1, Outcome::Passed);
        assert_eq!(failed.name, "log in");
        assert!(failed.detail.contains("Access denied for user 'sluice'"), "{failed:?}");
        assert!(steps[3..].iter().all(|(_, outcome)| *outcome == Outcome::Skipped));
        let error = server.error(&json!({ "password": "wrong" }), full("a.b"));
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Auth, Some("/password")));
        assert!(error.message.contains("Check user and password"), "{error}");
    }
}

#[test]
fn a_user_without_any_right_sees_nothing_and_is_told_the_grant() {
    for server in SERVERS {
        let user = server.env("READER_USER");
        let (_, failed) = failed(server, &json!({ "user": user }));
        assert_eq!(failed.name, "read");
        assert!(failed.remedy.contains(&format!("GRANT SELECT, SHOW VIEW ON ….* TO '{user}'@'%'")), "{failed:?}");
        let database = server.env("DATABASE");
        let error = server.error(&json!({ "user": user, "database": database }), full("a.b"));
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Permission, Some("/database")), "{error}");
    }
}

#[test]
fn a_missing_database_is_named() {
    for server in SERVERS {
        let (_, failed) = failed(server, &json!({ "database": "no such one" }));
        assert!(failed.detail.contains("no such one") && failed.remedy.contains("name of the database"), "{failed:?}");
    }
}

#[test]
fn a_port_where_nobody_listens_is_the_connection_that_failed() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (steps, failed) = failed(Server::Mysql, &json!({ "port": port }));
    assert_eq!((failed.name.as_str(), steps[1].1), ("connect", Outcome::Skipped));
}

#[test]
fn every_way_to_log_in_works() {
    let log_in = |server: Server, changes: Value| check(server, &changes)[2].clone();
    let step = log_in(Server::Mariadb, json!({}));
    assert!(step.detail.contains("mysql_native_password"), "{step:?}");
    for server in SERVERS {
        let step = log_in(server, json!({ "user": server.env("TRUST_USER"), "password": null }));
        assert!(step.detail.contains("without a password"), "{step:?}");
    }
    // The server forgets the password's hash: first the password itself, encrypted for its key, then the fast way.
    Server::Mysql.sql("FLUSH PRIVILEGES");
    let user = format!("cached_{}", std::process::id());
    Server::Mysql.sql(&format!("CREATE USER {user} IDENTIFIED BY 'pässword'"));
    let login = |changes: Value| {
        let mut login = json!({ "user": user, "password": "pässword" });
        login.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        log_in(Server::Mysql, login)
    };
    let refused = login(json!({ "allow_public_key_retrieval": false }));
    assert_eq!(refused.outcome, Outcome::Failed);
    assert!(refused.detail.contains("needs TLS, or the server's public key"), "{refused:?}");
    assert!(login(json!({})).detail.contains("encrypted for the server's RSA key"));
    assert!(login(json!({ "allow_public_key_retrieval": false })).detail.contains("fast"));
    Server::Mysql.sql(&format!("ALTER USER {user} IDENTIFIED BY 'pässword'"));
    let key = std::fs::read_to_string(env("SLUICE_TEST_MYSQL_PUBLIC_KEY")).unwrap();
    let pinned = json!({ "allow_public_key_retrieval": false, "server_public_key": key });
    assert!(login(pinned).detail.contains("encrypted for the server's RSA key"), "with the key that was configured");
    Server::Mysql.sql(&format!("DROP USER {user}"));

    let sha256 = env("SLUICE_TEST_MYSQL_SHA256_USER");
    let step = log_in(Server::Mysql, json!({ "user": sha256 }));
    assert!(step.detail.contains("encrypted for the server's RSA key"), "{step:?}");
    let wrong = log_in(Server::Mysql, json!({ "user": sha256, "password": "wrong" }));
    assert!(wrong.detail.contains("Access denied"), "{wrong:?}");
}

#[test]
fn a_login_method_that_is_not_spoken_is_named() {
    let user = env("SLUICE_TEST_MARIADB_ED25519_USER");
    let error = Server::Mariadb.error(&json!({ "user": user }), full("a.b"));
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Unsupported, Some("/user")));
    assert!(error.message.contains("ed25519"), "{error}");
}

#[test]
fn a_user_who_may_only_come_over_tls_is_told_so() {
    for server in SERVERS {
        let error = server.error(&json!({ "user": server.env("TLS_USER") }), full("a.b"));
        assert_eq!(error.kind, ErrorKind::Auth);
        assert!(error.message.contains("set `tls`"), "{error}");
    }
}

#[test]
fn a_server_without_tls_is_refused_where_tls_is_required() {
    let port = env("SLUICE_TEST_MARIADB_NO_TLS_PORT").parse::<u16>().unwrap();
    for mode in ["require", "verify-ca", "verify-full"] {
        let (_, failed) = failed(Server::Mariadb, &json!({ "port": port, "tls": mode }));
        assert_eq!(failed.name, "tls");
        assert!(failed.detail.contains("does not speak TLS"), "{failed:?}");
    }
    let steps = check(Server::Mariadb, &json!({ "port": port, "tls": "prefer" }));
    assert!(steps[1].outcome == Outcome::Warned && steps[2].outcome == Outcome::Passed, "{steps:?}");
}

#[test]
fn a_missing_table_or_column_is_named() {
    for server in SERVERS {
        let database = server.database("missing");
        database.sql("CREATE TABLE t (id int)");
        let gone = server.error(&json!({}), full(&database.id("gone")));
        assert_eq!((gone.kind, gone.stream.clone()), (ErrorKind::NotFound, Some(database.id("gone"))));
        let column = server.error(&json!({}), Selection { columns: vec!["name".into()], ..full(&database.id("t")) });
        assert_eq!(column.kind, ErrorKind::NotFound);
        assert!(
            column.message.contains("column name does not exist") && column.message.contains("it has id"),
            "{column}"
        );
        assert!(server.error(&json!({}), full("orders")).message.contains("database.table"));
    }
}

#[test]
fn a_bad_filter_is_named_as_such() {
    for server in SERVERS {
        let database = server.database("filter");
        database.sql("CREATE TABLE t (id int)");
        for filter in ["idd > 1", "id >", "no_such_function(id)", "id = 1) OR (1 = 1; DROP TABLE t"] {
            let error = server.error(&json!({}), Selection { filter: Some(filter.into()), ..full(&database.id("t")) });
            assert!(error.message.starts_with("the stream cannot be read with its filter: "), "{filter}: {error}");
            assert!(
                !matches!(error.kind, ErrorKind::Transient | ErrorKind::Internal | ErrorKind::Protocol),
                "{filter}: {error:?}"
            );
        }
        let question = Selection { filter: Some("id = ?".into()), ..full(&database.id("t")) };
        assert!(server.error(&json!({}), question).message.contains("filter"));
        assert_eq!(database.sql("SELECT count(*) FROM t"), ["0"]);
    }
}

#[test]
fn a_right_that_was_taken_away_names_the_grant() {
    for server in SERVERS {
        let database = server.database("grants");
        let (user, name) = (format!("grants_{}", std::process::id()), database.name.clone());
        let login = json!({ "user": user, "password": "x" });
        let id = database.id("t");
        database.sql(&format!(
            "CREATE TABLE t (id int, secret text); INSERT INTO t VALUES (1, 'x'); CREATE USER {user} IDENTIFIED BY 'x'"
        ));
        let error = server.error(&login, full(&id));
        assert_eq!(error.kind, ErrorKind::Permission, "{error}");
        assert!(error.message.contains(&format!("GRANT SELECT ON `{name}`.`t` TO '{user}'@'%'")), "{error}");

        server.sql(&format!("GRANT SELECT (id) ON {name}.t TO {user}"));
        let (_, batches) = server.run(&login, full(&id), hints()).unwrap();
        assert_eq!(batches[0].num_columns(), 1, "what may be read is read");
        let chosen = Selection { columns: vec!["secret".into()], ..full(&id) };
        assert!(matches!(server.error(&login, chosen).kind, ErrorKind::Permission | ErrorKind::NotFound));

        let plan = server.source(&login).plan(&[full(&id)], &hints()).unwrap();
        server.sql(&format!("REVOKE SELECT (id) ON {name}.t FROM {user}"));
        let error = read_split(&mut server.source(&login), &plan.splits[0]).unwrap_err();
        assert_eq!((error.kind, error.stream.clone()), (ErrorKind::Permission, Some(id)), "{error}");
        assert!(error.message.contains("GRANT SELECT"), "{error}");
        server.sql(&format!("DROP USER {user}"));
    }
}

#[test]
fn a_table_that_changed_after_the_plan_is_noticed() {
    for server in SERVERS {
        let database = server.database("changed");
        database.sql("CREATE TABLE t (id int, v int); INSERT INTO t VALUES (1, 2)");
        let plan = server.source(&json!({})).plan(&[full(&database.id("t"))], &hints()).unwrap();
        database.sql("ALTER TABLE t MODIFY v varchar(10)");
        let error = read_split(&mut server.source(&json!({})), &plan.splits[0]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Transient);
        assert!(error.message.contains("column v is no int"), "{error}");
        database.sql("ALTER TABLE t DROP COLUMN v");
        let error = read_split(&mut server.source(&json!({})), &plan.splits[0]).unwrap_err();
        assert_eq!((error.kind, error.stream.clone()), (ErrorKind::NotFound, Some(database.id("t"))), "{error}");
        database.sql("DROP TABLE t");
        let error = read_split(&mut server.source(&json!({})), &plan.splits[0]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
    }
}

#[test]
fn a_table_that_is_locked_against_readers_can_be_tried_again() {
    for server in SERVERS {
        let database = server.database("exclusive");
        database.sql("CREATE TABLE t (id int)");
        let mut other = server.client().stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        writeln!(other.stdin.as_mut().unwrap(), "LOCK TABLES {}.t WRITE; DO SLEEP(30);", database.name).unwrap();
        while server.sql("SELECT count(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'DO SLEEP(30)%'") == ["0"]
        {
        }
        let error = server.error(&json!({ "lock_timeout_seconds": 1 }), full(&database.id("t")));
        assert_eq!(
            (error.kind, error.field.as_deref()),
            (ErrorKind::Transient, Some("/lock_timeout_seconds")),
            "{error}"
        );
        assert!(error.message.contains("holds a lock"), "{error}");
        other.kill().unwrap();
        other.wait().unwrap();
        let sleepers = server.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'DO SLEEP(30)%'");
        for id in sleepers {
            server.sql(&format!("KILL {id}"));
        }
    }
}

#[test]
fn a_statement_that_takes_too_long_is_ended_by_the_server() {
    for server in SERVERS {
        let database = server.database("timeout");
        database.sql("CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2), (3)");
        let mut slow = full(&database.id("t"));
        slow.filter = Some("BENCHMARK(2000000000, SHA2(id, 512)) = 0".into());
        let error = server.error(&json!({ "statement_timeout_seconds": 1 }), slow);
        assert_eq!(error.field.as_deref(), Some("/statement_timeout_seconds"), "{server:?} {error}");
        assert!(error.message.contains("Raise `statement_timeout_seconds`"), "{error}");
    }
}

#[test]
fn a_view_that_lost_its_table_is_explained() {
    for server in SERVERS {
        let database = server.database("view");
        database.sql("CREATE TABLE t (id int); CREATE VIEW v AS SELECT * FROM t; DROP TABLE t");
        let error = server.error(&json!({}), full(&database.id("v")));
        assert!(matches!(error.kind, ErrorKind::Permission | ErrorKind::NotFound), "{error:?}");
    }
}

#[test]
fn a_setting_that_cannot_be_is_refused_before_anything_is_tried() {
    for (changes, field) in [
        (json!({ "host": "" }), "/host"),
        (json!({ "database": "" }), "/database"),
        (json!({ "password": "a\0b" }), "/password"),
        (json!({ "client_key": "x" }), "/client_certificate"),
    ] {
        let config = Server::Mysql.config(&changes);
        let Err(error) = connector_mysql::Mysql::open(config) else { panic!("{changes}") };
        assert_eq!(error.field.as_deref(), Some(field));
    }
}
