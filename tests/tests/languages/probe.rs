//! What the templates do without, in each language: TCP that becomes TLS, against a mail server, and what is remembered item by item,
//! against a bucket. The connectors are in tests/guests/languages.

use std::path::Path;

use serde_json::{Value, json};
use sluice_objects::encode::segment;
use sluice_sdk::http::Request;
use sluice_tests::binary::Workspace;
use sluice_tests::{env, sandbox, warehouse};

use crate::project::Project;

/// A bucket of its own, as people put files into it.
struct Bucket(String);

impl Bucket {
    fn new() -> Self {
        let name = sandbox::unique("probe").replace('_', "-");
        Self::send(Request::post(Self::api("/storage/v1/b?project=test-project"), json!({"name": name}).to_string()));
        Self(name)
    }

    fn put(&self, name: &str, text: &str) {
        let path = format!("/upload/storage/v1/b/{}/o?uploadType=media&name={}", self.0, segment(name));
        Self::send(Request::post(Self::api(&path), text).header("content-type", "text/plain"));
    }

    fn send(request: Request) {
        let mut response = request.send().unwrap();
        let body = response.read_whole(1 << 20).unwrap();
        assert!(response.is_success(), "{}: {}", response.doing(), String::from_utf8_lossy(&body));
    }

    fn api(path: &str) -> String {
        format!("{}{path}", env("SLUICE_TEST_GCS_ENDPOINT"))
    }
}

/// The probe's project, built.
fn probe(language: &str, code: &str) -> Project {
    let project = Project::new(language);
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests/languages");
    std::fs::copy(guests.join(code.replace("connector", "probe")), project.path().join(code)).unwrap();
    assert_eq!(project.build()["warnings"], json!([]));
    project
}

/// The server's configuration with other fields.
fn server(more: &Value) -> Value {
    let (host, port) =
        env("SLUICE_TEST_SMTP_ADDRESS").rsplit_once(':').map(|(h, p)| (h.to_owned(), p.to_owned())).unwrap();
    let authorities = std::fs::read_to_string(env("SLUICE_TEST_SMTP_CA")).unwrap();
    let config = json!({"host": host, "port": port.parse::<u16>().unwrap(), "authorities": authorities});
    sluice_tests::objects::with(config, more)
}

fn connection(project: &Project, config: &Value) {
    let file = json!({"config": config, "grants": {"private_network": true}});
    std::fs::write(project.path().join("connection.yaml"), file.to_string()).unwrap();
}

/// What a check says, in one text.
fn check(project: &Project, config: &Value) -> String {
    connection(project, config);
    let ran = project.connector(&["check", "--config", "connection.yaml"]);
    let step = |line: &Value| format!("{} {}: {}", line["name"], line["outcome"], line["detail"]).replace('"', "");
    ran.lines.iter().filter(|line| line["outcome"].is_string()).map(step).collect::<Vec<_>>().join("\n")
}

fn a_protocol_is_spoken_over_tcp_that_becomes_tls(project: &Project) {
    let steps = check(project, &server(&json!({})));
    assert_eq!(steps, "connect passed: 3 extensions\ntls passed: 3 extensions, None and 32 bytes to bind to");
    let read = project.connector(&["read", "extensions", "--config", "connection.yaml", "--limit", "100"]);
    let rows: Vec<String> = read.lines.iter().map(|row| format!("{} {}", row["name"], row["encrypted"])).collect();
    assert_eq!(rows.len(), 6, "{read:?}");
    assert!(rows.contains(&r#""STARTTLS" "false""#.to_owned()), "{rows:?}");
    assert!(!rows.contains(&r#""STARTTLS" "true""#.to_owned()), "offered again within TLS: {rows:?}");

    let unknown = check(project, &server(&json!({"authorities": null})));
    assert!(unknown.contains("server failed: config: ") && unknown.contains("certificate"), "{unknown}");
    let nobody = check(project, &server(&json!({"port": 9})));
    assert!(nobody.contains("server failed: transient: "), "{nobody}");
    let web = env("SLUICE_TEST_GCS_ENDPOINT").rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    let other = check(project, &server(&json!({"port": web, "host": "absent.invalid"})));
    assert!(other.contains("server failed: not-found: "), "{other}");
}

fn each_version_of_an_object_is_read_once(project: &Project) {
    let bucket = Bucket::new();
    let workspace = Workspace::new();
    let component = project.path().join(".sluice/connector.wasm");
    let config = json!({"url": env("SLUICE_TEST_GCS_ENDPOINT"), "bucket": bucket.0});
    workspace.pipeline(&format!(
        "name: probe\nsource:\n  connector: {}\n  config: {config}\n  grants: {{private_network: true}}\n\
         streams:\n  - {{id: objects, read: {{incremental: \"\"}}, changed_files: replace}}\n\
         sink: {{type: local, path: warehouse}}\n",
        component.display()
    ));
    let read = |expected: i64, why: &str| {
        let ran = workspace.run(&[]);
        assert_eq!(ran.code(), Some(0), "{why}: {ran:?}");
        assert_eq!(ran.summary()["streams"][0]["rows_read"], expected, "{why}");
    };
    bucket.put("a b/ä.txt", "one\ntwo\n");
    bucket.put("c.txt", "three\n");
    read(3, "all at first");
    read(0, "nothing is new");
    bucket.put("a b/ä.txt", "four\n");
    read(1, "what changed, in the place of what it was");
    assert_eq!(lines(&workspace), ["four", "three"]);
}

/// The lines that the warehouse has.
fn lines(workspace: &Workspace) -> Vec<String> {
    use arrow_array::cast::AsArray;
    let batches = warehouse::batches(&workspace.path().join("warehouse/main/objects"));
    let texts = |batch: &arrow_array::RecordBatch| -> Vec<String> {
        batch.column_by_name("line").unwrap().as_string::<i32>().iter().map(|line| line.unwrap().to_owned()).collect()
    };
    let mut lines: Vec<String> = batches.iter().flat_map(texts).collect();
    lines.sort();
    lines
}

#[test]
fn python_reaches_servers_and_remembers_items() {
    let project = probe("python", "connector.py");
    a_protocol_is_spoken_over_tcp_that_becomes_tls(&project);
    each_version_of_an_object_is_read_once(&project);
}

#[test]
fn typescript_reaches_servers_and_remembers_items() {
    let project = probe("js", "connector.ts");
    a_protocol_is_spoken_over_tcp_that_becomes_tls(&project);
    each_version_of_an_object_is_read_once(&project);
}
