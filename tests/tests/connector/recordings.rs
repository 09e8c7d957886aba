//! Recordings: made against real servers, replayed without them.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sluice_tests::binary::{Ran, Workspace};
use sluice_tests::mysql::Server;
use sluice_tests::template::template;
use sluice_tests::{env, postgres, sandbox};

use crate::support::{Api, connector};

/// The key that the template's API wants.
const KEY: &str = "fixture-key-1234";

/// A built-in connector's component.
fn built_in(name: &str) -> String {
    Path::new(&env("SLUICE_TEST_CONNECTORS")).join(format!("{name}.wasm")).to_string_lossy().into_owned()
}

/// Writes a connection's file.
fn connection(folder: &Path, config: &Value, grants: &Value) {
    let connection = json!({"config": config, "grants": grants});
    std::fs::write(folder.join("connection.yaml"), connection.to_string()).unwrap();
}

/// Records, with more arguments, and returns the recording's text.
fn record(folder: &Path, component: &str, more: &[&str]) -> String {
    let mut all = vec!["record", "--config", "connection.yaml", "--output", "recording.jsonl", component];
    all.extend_from_slice(more);
    let ran = connector(folder, &all);
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    let event = ran.lines.last().unwrap();
    assert!(event["event"] == "recorded" && event["ended"].is_null() && event["rows"].as_u64() > Some(0), "{event}");
    std::fs::read_to_string(folder.join("recording.jsonl")).unwrap()
}

fn replay(folder: &Path, component: &str) -> Ran {
    connector(folder, &["replay", "recording.jsonl", component])
}

/// Replays as it was recorded; returns how many rows came.
fn assert_replays(folder: &Path, component: &str) -> u64 {
    let ran = replay(folder, component);
    let replayed = &ran.lines.last().unwrap()["replay"];
    assert!(ran.code() == Some(0) && replayed["same"] == true, "{ran:#?}");
    assert_eq!(replayed["differences"], json!([]));
    replayed["rows"].as_u64().unwrap()
}

/// No spelling of a secret is in a text, as it is or in what is in Base64 there.
fn assert_without(text: &str, secret: &str) {
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut spellings = vec![secret.to_owned(), percent, serde_json::to_string(secret).unwrap().replace('"', "")];
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        // Wherever it stands in what was encoded: but for its ends, one of these is there.
        for before in 0..3 {
            let encoded = engine.encode([&vec![0; before], secret.as_bytes()].concat());
            spellings.push(encoded[4..encoded.len() - 1].to_owned());
        }
    }
    for spelling in &spellings {
        assert!(!text.contains(spelling), "{spelling} is in the recording");
    }
    let bytes = text.split("{\"base64\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    for decoded in bytes.map(|base64| base64::engine::general_purpose::STANDARD.decode(base64).unwrap()) {
        let found = decoded.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret} is in bytes of the recording");
    }
}

#[test]
fn an_api_is_recorded_without_its_key_and_replayed_without_it() {
    let template = template();
    let folder = Workspace::new();
    let component = template.component.to_string_lossy().into_owned();
    let api = Api::start(&template.project);
    connection(folder.path(), &json!({"url": api.url, "api_key": KEY}), &json!({"private_network": true}));
    let text = record(folder.path(), &component, &["--limit", "150"]);
    drop(api);

    assert_without(&text, KEY);
    assert!(text.contains("stand-in-for-api_key") && text.contains("/orders?"), "it can be read");
    assert!(!text.to_lowercase().contains("x-api-key"), "what the host signs is not what the guest asks");
    assert!(assert_replays(folder.path(), &component) >= 150 + 25);
    let ran = connector(folder.path(), &["replay", "recording.jsonl", "--component", &component]);
    assert_eq!(ran.code(), Some(0), "{ran:?}");
}

#[test]
fn a_component_that_asks_something_else_is_told_what() {
    let template = template();
    let folder = Workspace::new();
    let component = template.component.to_string_lossy().into_owned();
    let api = Api::start(&template.project);
    connection(folder.path(), &json!({"url": api.url, "api_key": KEY}), &json!({"private_network": true}));
    record(folder.path(), &component, &["--stream", "customers"]);
    drop(api);

    // Another version, with another path in it.
    let mut bytes = std::fs::read(&component).unwrap();
    let places: Vec<usize> = (0..bytes.len() - 10).filter(|at| bytes[*at..].starts_with(b"/customers")).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| bytes[at..at + 10].copy_from_slice(b"/customerz"));
    std::fs::write(folder.path().join("changed.wasm"), bytes).unwrap();
    let ran = replay(folder.path(), "changed.wasm");
    assert_eq!(ran.code(), Some(3), "{ran:?}");
    let replayed = &ran.lines.last().unwrap()["replay"];
    assert_eq!(replayed["same"], false);
    let differences = replayed["differences"].as_array().unwrap();
    let asks =
        differences.iter().find(|one| one["aspect"] == "asks" && one["call"].as_str().unwrap().starts_with("read"));
    let message = asks.unwrap_or_else(|| panic!("{replayed:#}"))["message"].as_str().unwrap();
    assert!(message.contains("/customerz?") && message.contains("recorded was GET"), "{message}");
    assert!(message.contains("the URL differs at character"), "{message}");

    let other = connector(folder.path(), &["replay", "recording.jsonl", &built_in("files")]);
    assert!(
        other.code() == Some(2) && other.error().contains("is of connector widgets, and this is files"),
        "{other:?}"
    );
}

#[test]
fn a_recording_that_is_none_is_named_with_its_line() {
    let template = template();
    let folder = Workspace::new();
    let component = template.component.to_string_lossy().into_owned();
    let recorded = std::fs::read_to_string(template.project.join("recordings/orders.jsonl")).unwrap();
    let refused = |text: &str, says: &str| {
        std::fs::write(folder.path().join("recording.jsonl"), text).unwrap();
        let ran = replay(folder.path(), &component);
        assert!(ran.code() == Some(2) && ran.error().contains(says), "{says}: {ran:?}");
    };
    let lines: Vec<&str> = recorded.lines().collect();
    refused(&lines[..5].join("\n"), "recording.jsonl: it is cut off after line 5");
    refused(&recorded[..recorded.len() - 4], &format!("recording.jsonl, line {}: it is not an object", lines.len()));
    refused("PK\u{3}\u{4}", "recording.jsonl, line 1: it is not an object");
    refused(
        &recorded.replace("\"format\":1", "\"format\":2"),
        "it is of format 2, and this version of Sluice reads format 1",
    );
    refused(&recorded.replace("\"status\":200", "\"status\":\"ok\""), "\"http\": invalid type");
    let folders = recorded.replacen("\"config\":", "\"folders\":[\"/data\"],\"config\":", 1);
    let (head, rest) = folders.split_once('\n').unwrap();
    let file = json!({"file": {"folder": "/data", "path": "../../../etc/cron.d/x", "modified_us": 0, "content": "x"}});
    refused(&format!("{head}\n{file}\n{rest}"), "line 2: path \"../../../etc/cron.d/x\" leaves its folder");
}

#[test]
fn postgres_is_recorded_whatever_its_login_and_replayed_without_it() {
    let table = sandbox::unique("recorded");
    postgres::sql(&format!(
        "CREATE TABLE {table} AS SELECT n AS id, 'name ' || n AS name, now() AS changed FROM generate_series(1, 500) n; \
         GRANT SELECT ON {table} TO PUBLIC"
    ));
    let (password, component) = (env("SLUICE_TEST_POSTGRES_PASSWORD"), built_in("postgres"));
    for (user, tls) in [("", "verify-full"), ("", "disable"), ("MD5_", "disable"), ("PLAIN_", "verify-full")] {
        let folder = Workspace::new();
        let config = json!({
            "host": "127.0.0.1",
            "port": env("SLUICE_TEST_POSTGRES_PORT").parse::<u16>().unwrap(),
            "database": env("SLUICE_TEST_POSTGRES_DATABASE"),
            "user": env(&format!("SLUICE_TEST_POSTGRES_{user}USER")),
            "password": {"env": "SLUICE_TEST_POSTGRES_PASSWORD"},
            "tls": tls,
            "tls_ca": {"file": env("SLUICE_TEST_POSTGRES_CA")},
            "writer_wait_seconds": 0,
        });
        connection(folder.path(), &config, &json!({"private_network": true}));
        let text = record(folder.path(), &component, &["--stream", &format!("public.{table}")]);
        assert_without(&text, &password);
        assert_eq!(assert_replays(folder.path(), &component), 500, "{user} {tls}");
    }
    postgres::sql(&format!("DROP TABLE {table}"));
}

#[test]
fn mysql_is_recorded_and_replayed() {
    for server in [Server::Mariadb, Server::Mysql] {
        let database = sandbox::unique("recorded");
        server.sql(&format!(
            "CREATE DATABASE {database}; CREATE TABLE {database}.t (id INT PRIMARY KEY, name TEXT); \
             INSERT INTO {database}.t VALUES (1, 'a'), (2, NULL), (3, 'c')"
        ));
        let folder = Workspace::new();
        let config = json!({
            "host": server.env("HOST"), "port": server.env("PORT").parse::<u16>().unwrap(), "database": database,
            "user": server.env("USER"), "password": server.env("PASSWORD"), "writer_wait_seconds": 0,
        });
        connection(folder.path(), &config, &json!({"private_network": true}));
        let text = record(folder.path(), &built_in("mysql"), &["--stream", &format!("{database}.t")]);
        server.sql(&format!("DROP DATABASE {database}"));
        assert_without(&text, &server.env("PASSWORD"));
        assert_eq!(assert_replays(folder.path(), &built_in("mysql")), 3);
    }
}

#[test]
fn an_object_store_is_recorded_without_its_keys_and_replayed_without_it() {
    let name = sandbox::unique("recorded").replace('_', "-");
    let bucket = PathBuf::from(env("SLUICE_TEST_S3_ROOT")).join(&name);
    std::fs::create_dir_all(bucket.join("orders")).unwrap();
    for part in 0..3 {
        let rows: String = (0..100).map(|n| format!("{},name {n}\n", part * 100 + n)).collect();
        std::fs::write(bucket.join(format!("orders/{part}.csv")), format!("id,name\n{rows}")).unwrap();
    }
    let folder = Workspace::new();
    let config = json!({
        "bucket": name, "endpoint": env("SLUICE_TEST_S3_ENDPOINT"), "access_key_id": env("SLUICE_TEST_S3_ACCESS_KEY"),
        "secret_access_key": {"env": "SLUICE_TEST_S3_SECRET_KEY"},
        "streams": [{"name": "orders", "glob": "orders/*.csv"}],
    });
    connection(folder.path(), &config, &json!({"private_network": true}));
    let text = record(folder.path(), &built_in("s3"), &["--incremental"]);
    std::fs::remove_dir_all(&bucket).unwrap();
    assert_without(&text, &env("SLUICE_TEST_S3_SECRET_KEY"));
    assert!(!text.contains("AWS4-HMAC-SHA256"), "requests are taken down before they are signed");
    assert_eq!(assert_replays(folder.path(), &built_in("s3")), 300);
}

#[test]
fn a_granted_folder_is_recorded_as_a_whole_and_replayed_without_it() {
    let folder = Workspace::new();
    let data = folder.path().join("data");
    std::fs::create_dir_all(data.join("orders")).unwrap();
    std::fs::write(data.join("orders/a.csv"), "id,name\n1,a\n2,b\n").unwrap();
    let config = json!({"streams": [{"name": "orders", "glob": "orders/*.csv"}]});
    connection(folder.path(), &config, &json!({"folders": {"/data": "data"}}));
    record(folder.path(), &built_in("files"), &[]);
    std::fs::remove_dir_all(&data).unwrap();
    assert_eq!(assert_replays(folder.path(), &built_in("files")), 2);

    let changed = std::fs::read_to_string(folder.path().join("recording.jsonl")).unwrap().replace("2,b", "2,c");
    std::fs::write(folder.path().join("recording.jsonl"), changed).unwrap();
    let ran = replay(folder.path(), &built_in("files"));
    let differences = &ran.lines.last().unwrap()["replay"]["differences"];
    assert_eq!(ran.code(), Some(3), "{ran:?}");
    assert_eq!(differences[0]["aspect"], "delivers");
    assert_eq!(differences[0]["message"], "stream orders: batch 1 (2 rows) has other values in column name");

    std::fs::create_dir_all(&data).unwrap();
    std::fs::File::create(data.join("large.csv")).unwrap().set_len(40 << 20).unwrap();
    let refused =
        connector(folder.path(), &["record", "--config", "connection.yaml", "-o", "large.jsonl", &built_in("files")]);
    assert!(refused.code() == Some(2) && refused.error().contains("at most 32 MiB"), "{refused:?}");
    assert!(!folder.path().join("large.jsonl").exists());
}
