//! What keeps a version of a connector out, and what takes one out again: recordings, a process that is brought down, one tenant of many.

use std::path::Path;

use serde_json::{Value, json};
use sluice_core::request::RequestState;
use sluice_tests::binary::{Workspace, finish};
use sluice_tests::service::Site;
use sluice_tests::template::{Api, patched, template};

use crate::connectors::{ACME, Stage, component, version};

/// Something in the component that only a read comes to.
const READS: &str = "/data";

fn sha256(version: &Value) -> &str {
    version["sha256"].as_str().unwrap()
}

/// Records the component against the API; the file's name in the folder.
fn record(folder: &Workspace, component: &Path, api: &Api) -> &'static str {
    let connection =
        json!({"config": {"url": api.url, "api_key": "fixture-key-1234"}, "grants": {"private_network": true}});
    std::fs::write(folder.path().join("connection.yaml"), connection.to_string()).unwrap();
    let component = component.to_string_lossy();
    let arguments = ["connector", "record", &component, "--config", "connection.yaml", "--stream", "orders"];
    let recorded = finish(folder.command(&arguments).args(["-o", "orders.jsonl"]));
    assert_eq!(recorded.code(), Some(0), "{recorded:?}");
    "orders.jsonl"
}

#[tokio::test]
async fn a_version_that_no_longer_does_what_a_tenant_has_recorded_does_not_take_the_installed_ones_place() {
    let template = template();
    let first = component(&template.component);
    let stage = Stage::new().await;
    let api = Api::start(&template.project);
    let folder = Workspace::new();
    let uploaded = stage.valid(&first);
    assert_eq!(stage.approve(&uploaded).0, 200);
    stage.pipeline(&api).await;

    let to = format!("http://{}", stage.service.address);
    let recording = |what: &[&str], token: &str| {
        let arguments = [&["connector", "recording"], what, &["--to", &to, "--tenant", "acme", "--token-env", "TOKEN"]];
        finish(folder.command(&arguments.concat()).env("TOKEN", token))
    };
    let file = record(&folder, &template.component, &api);
    let added = recording(&["add", file], &stage.acme);
    assert_eq!(added.code(), Some(0), "{added:?}");
    let kept = &added.lines.last().unwrap()["recording"];
    assert_eq!(
        (&kept["name"], &kept["version"], &kept["digest"]),
        (&json!("orders"), &json!("0.1.0"), &uploaded["sha256"])
    );
    assert_eq!(kept["rows"], 500, "{kept}");
    let stranger = recording(&["add", file], &stage.globex);
    assert!(stranger.error().contains("answered 404"), "{stranger:?}");

    // It reads something else than the answers have: neither a check nor a list of streams shows that.
    let broken = stage.valid(&version(&first, "0.1.1", &[(READS, "/dxta")]));
    let (status, refused) = stage.approve(&broken);
    assert_eq!(status, 409, "{refused:#}");
    let findings = refused["findings"].as_array().unwrap();
    let failed: Vec<_> = findings.iter().filter(|one| one["outcome"] == "failed").collect();
    assert_eq!((failed.len(), &failed[0]["name"]), (1, &json!("recording orders: replay")), "{findings:#?}");
    assert!(failed[0]["detail"].as_str().unwrap().starts_with("read "), "{failed:#?}");
    let conforms = findings.iter().find(|one| one["name"] == "shop: conformance discover").unwrap();
    assert_eq!(conforms["outcome"], "passed", "{conforms}");
    assert_eq!(stage.installed()["version"], "0.1.0");

    // One that does the same takes its place; so does the other, once nothing is recorded any more.
    let same = stage.valid(&version(&first, "0.1.2", &[]));
    let (status, approved) = stage.approve(&same);
    assert_eq!(status, 200, "{approved:#}");
    let replay = approved["trial"].as_array().unwrap().last().unwrap();
    assert_eq!((&replay["name"], &replay["outcome"]), (&json!("recording orders: replay"), &json!("passed")));
    let fetched = recording(&["get", "widgets", "orders", "-o", "back.jsonl"], &stage.acme);
    assert_eq!(fetched.code(), Some(0), "{fetched:?}");
    let bytes = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert!(bytes("back.jsonl") == bytes(file), "it is another file than the one that was sent");
    assert_eq!(recording(&["delete", "widgets", "orders"], &stage.acme).code(), Some(0));
    assert_eq!(recording(&["list", "widgets"], &stage.acme).lines, Vec::<Value>::new());
    let (status, approved) = stage.approve(&broken);
    assert_eq!(status, 200, "{approved:#}");
    stage.service.kill();
}

#[tokio::test]
async fn a_version_that_brings_its_process_down_is_gone_back_from() {
    let template = template();
    let first = component(&template.component);
    let stage = Stage::new().await;
    let api = Api::start(&template.project);
    let uploaded = stage.valid(&first);
    assert_eq!(stage.approve(&uploaded).0, 200);
    let pipeline = stage.pipeline(&api).await;
    let run = stage.site.ask("acme", &pipeline).await;
    stage.site.run_in("acme", &run, RequestState::Succeeded).await;
    let next = stage.valid(&version(&first, "0.1.1", &[]));
    assert_eq!(stage.approve(&next).0, 200);
    let Stage { site, service, acme, .. } = stage;
    service.kill();

    // Whatever a run begins with is killed. That says which version was tried when.
    let mut command = site.command(&[]);
    command.env("SLUICE_KILL_AT", "run.begun");
    let service = Site::begin(command);
    let run = site.ask("acme", &pipeline).await;
    let failed = site.run_in("acme", &run, RequestState::Failed).await;
    assert!(failed.error.unwrap().message.contains("SIGKILL"));
    let attempts = site.store().attempts_of(ACME, &run).await.unwrap();
    let digests: Vec<&str> = attempts.iter().map(|attempt| attempt.connector_digest.as_str()).collect();
    assert_eq!(digests, [sha256(&next), sha256(&uploaded), sha256(&uploaded)], "{attempts:?}");
    let (_, log) = service.ask("GET", &format!("/tenants/acme/runs/{run}/logs"), &acme, None);
    assert!(log.to_string().contains("it goes back to version 0.1.0"), "{log}");
    let (_, installed) = service.ask("GET", "/tenants/acme/connectors/widgets", &acme, None);
    assert_eq!(installed["version"], "0.1.0");
    service.kill();
}

#[tokio::test]
async fn a_version_for_all_tenants_is_tried_with_each_and_left_by_the_one_that_it_fails() {
    let template = template();
    let gadgets = patched(&component(&template.component), &[("\"name\":\"widgets\"", "\"name\":\"gadgets\"")]);
    let stage = Stage::new().await;
    let api = Api::start(&template.project);
    let folder = Workspace::new();
    let add = |component: &[u8], more: &[&str]| {
        let path = folder.path().join("gadgets.wasm");
        std::fs::write(&path, component).unwrap();
        let (path, with) = (path.to_string_lossy(), ["--master-key", "master.key", "--allow-private-network"]);
        stage.site.admin(&[&["connector", "add", &path], with.as_slice(), more].concat())
    };
    let added = add(&gadgets, &[]);
    assert!(added.status.success(), "{added:?}");
    let pipeline = stage.pipeline_of("acme", "gadgets", &api).await;
    let run = stage.site.ask("acme", &pipeline).await;
    stage.site.run_in("acme", &run, RequestState::Succeeded).await;

    let without = add(&version(&gadgets, "0.1.1", &[("placed_on", "placed_at")]), &[]);
    let (out, error) = (String::from_utf8_lossy(&without.stdout), String::from_utf8_lossy(&without.stderr));
    assert!(!without.status.success(), "{out}");
    assert!(out.contains("orders: column placed_on is gone, and a pipeline reads it"), "{out}");
    assert!(format!("{out}{error}").contains("the installed version stays"), "{out}{error}");
    assert_eq!(stage.connector("acme", "gadgets")["version"], "0.1.0");

    // One that only breaks when it reads: the tenant whose run shows that goes back, and nobody else.
    let broken = version(&gadgets, "0.1.2", &[(READS, "/dxta")]);
    let added = add(&broken, &[]);
    assert!(added.status.success(), "{added:?}");
    assert_eq!(stage.connector("acme", "gadgets")["version"], "0.1.2");
    let run = stage.site.ask("acme", &pipeline).await;
    let done = stage.site.run_in("acme", &run, RequestState::Succeeded).await;
    assert_eq!(done.attempts, 2, "{:?}", done.error);
    let (left, theirs) = (stage.connector("acme", "gadgets"), stage.connector("globex", "gadgets"));
    assert_eq!((&left["version"], &theirs["version"]), (&json!("0.1.0"), &json!("0.1.2")));
    assert_eq!((&left["held"]["by"], &left["held"]["instead_of"]), (&json!("host"), &theirs["sha256"]));
    assert_eq!(theirs["held"], Value::Null);

    let added = add(&version(&gadgets, "0.1.3", &[]), &["--without-trial"]);
    assert!(added.status.success(), "{added:?}");
    let now = stage.connector("acme", "gadgets");
    assert_eq!((&now["version"], &now["held"]), (&json!("0.1.3"), &Value::Null));
    stage.service.kill();
}

#[tokio::test]
async fn what_a_tenant_has_of_a_connector_is_of_no_use_to_another() {
    let template = template();
    let stage = Stage::new().await;
    let api = Api::start(&template.project);
    let uploaded = stage.valid(&component(&template.component));
    assert_eq!(stage.approve(&uploaded).0, 200);
    let folder = Workspace::new();
    let file = std::fs::read(folder.path().join(record(&folder, &template.component, &api))).unwrap();
    let put = |tenant: &str, token: &str| {
        let path = format!("/v1/tenants/{tenant}/connectors/widgets/recordings/orders");
        let bearer = format!("Bearer {token}");
        stage.service.send_bytes("PUT", &path, &[("Authorization", &bearer)], ("application/x-ndjson", &file))
    };
    assert_eq!(put("acme", &stage.acme).0, 201);
    assert_eq!(put("acme", &stage.globex).0, 404, "a stranger's token");
    assert_eq!(put("globex", &stage.globex).0, 404, "a connector that the tenant has not");
    let ask = |method: &str, path: &str, body: Option<&Value>| {
        let (status, answer) = stage.service.ask(method, &format!("/tenants/globex/{path}"), &stage.globex, body);
        assert!([404, 422].contains(&status), "{method} {path}: {status} {answer}");
        answer
    };
    let digest = sha256(&uploaded);
    ask("GET", &format!("connector-versions/{digest}"), None);
    let approval = json!({"permissions": uploaded["permissions_digest"]});
    ask("POST", &format!("connector-versions/{digest}/approve"), Some(&approval));
    ask("POST", &format!("connector-versions/{digest}/yank"), Some(&json!({"reason": "x"})));
    ask("POST", "connectors/widgets/rollback", Some(&json!({"from": digest, "reason": "x"})));
    ask("GET", "connectors/widgets/recordings", None);
    ask("GET", "connectors/widgets/recordings/orders", None);
    ask("DELETE", "connectors/widgets/recordings/orders", None);
    // Neither by the name nor by the digest can it be configured.
    for connector in ["widgets", digest, &format!("{digest}.wasm")] {
        let body = json!({"name": "theirs", "connector": connector, "config": {"url": api.url, "api_key": "fixture-key-1234"}});
        let answer = ask("POST", "connections", Some(&body));
        assert_eq!(answer["field"], "connector", "{answer}");
    }
    stage.service.kill();
}
