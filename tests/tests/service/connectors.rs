//! A tenant's own connectors: uploaded, approved, run, upgraded, gone back from, yanked.

use std::path::Path;

use serde_json::{Value, json};
use sluice_core::request::RequestState;
use sluice_store::{Plain, Scope, SecretChange, SecretValue};
use sluice_tests::binary::{Workspace, finish};
use sluice_tests::service::{Service, Site};
use sluice_tests::template::{Api, patched, template};
use sluice_tests::warehouse;

pub(crate) const ACME: Scope<'static> = Scope { tenant: "acme" };

/// A service with the tenants `acme` and `globex`, and tokens of their owners.
pub(crate) struct Stage {
    pub(crate) site: Site,
    pub(crate) service: Service,
    pub(crate) acme: String,
    pub(crate) globex: String,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let site = Site::on_sqlite().await;
        site.tenant("acme").await;
        site.tenant("globex").await;
        let (acme, globex) = (site.token("acme").await, site.token("globex").await);
        let service = site.start(&[]);
        Self { site, service, acme, globex }
    }

    fn upload(&self, component: &[u8], signature: Option<&[u8]>) -> (u16, Value) {
        use base64::Engine;

        let bearer = format!("Bearer {}", self.acme);
        let signature = signature.map(|bytes| base64::engine::general_purpose::STANDARD.encode(bytes));
        let mut headers = vec![("Authorization", bearer.as_str())];
        headers.extend(signature.as_deref().map(|text| ("Sluice-Signature", text)));
        let path = "/v1/tenants/acme/connector-versions";
        self.service.send_bytes("POST", path, &headers, ("application/wasm", component))
    }

    /// What an upload that must not pass fails at, and what is said of it.
    fn refused(&self, component: &[u8], signature: Option<&[u8]>) -> (String, String) {
        let (status, answer) = self.upload(component, signature);
        assert_eq!(status, 422, "{answer}");
        let findings = answer["findings"].as_array().unwrap();
        let failed = findings.iter().find(|one| one["outcome"] == "failed").unwrap();
        (failed["name"].as_str().unwrap().to_owned(), failed["detail"].as_str().unwrap().to_owned())
    }

    pub(crate) fn valid(&self, component: &[u8]) -> Value {
        let (status, version) = self.upload(component, None);
        assert_eq!(status, 201, "{version:#}");
        version
    }

    fn decide(&self, version: &Value, what: &str, body: &Value) -> (u16, Value) {
        let sha256 = version["sha256"].as_str().unwrap();
        let path = format!("/tenants/acme/connector-versions/{sha256}/{what}");
        self.service.ask("POST", &path, &self.acme, Some(body))
    }

    pub(crate) fn approve(&self, version: &Value) -> (u16, Value) {
        self.decide(version, "approve", &json!({"permissions": version["permissions_digest"]}))
    }

    pub(crate) fn installed(&self) -> Value {
        self.connector("acme", "widgets")
    }

    /// A connector as a tenant's owner sees it.
    pub(crate) fn connector(&self, tenant: &str, name: &str) -> Value {
        let token = if tenant == "acme" { &self.acme } else { &self.globex };
        let (status, connector) = self.service.ask("GET", &format!("/tenants/{tenant}/connectors/{name}"), token, None);
        assert_eq!(status, 200, "{connector}");
        connector
    }

    /// A connection to the API, and a pipeline of all its orders; the pipeline's id.
    pub(crate) async fn pipeline(&self, api: &Api) -> String {
        self.pipeline_of("acme", "widgets", api).await
    }

    /// The same of another tenant's, and with another connector.
    pub(crate) async fn pipeline_of(&self, tenant: &str, connector: &str, api: &Api) -> String {
        let key = serde_json::to_vec("fixture-key-1234").unwrap();
        let secret = SecretChange { field: "/api_key".into(), value: SecretValue::Set(Plain::new(key)) };
        let (config, grants) = (json!({"url": api.url}), json!({"private_network": true}));
        self.site.connection(tenant, "shop", connector, config, grants, &[secret]).await;
        let more = json!({"streams": [{"id": "orders", "read": {"incremental": "updated_at"}}]});
        self.site.pipeline(tenant, "orders", "shop", more, None).await
    }

    pub(crate) async fn digests(&self, run: &str) -> Vec<String> {
        let attempts = self.site.store().attempts_of(ACME, run).await.unwrap();
        attempts.into_iter().map(|attempt| attempt.connector_digest).collect()
    }
}

fn number(version: &str) -> String {
    format!("\"version\":\"{version}\"")
}

/// Another version of the component, with other texts in it.
pub(crate) fn version(component: &[u8], other: &str, changes: &[(&str, &str)]) -> Vec<u8> {
    let numbered = patched(component, &[(&number("0.1.0"), &number(other))]);
    patched(&numbered, changes)
}

pub(crate) fn component(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[tokio::test]
async fn a_connector_goes_from_its_upload_to_a_run_through_an_upgrade_that_breaks_and_is_yanked() {
    let template = template();
    let first = component(&template.component);
    let stage = Stage::new().await;
    let api = Api::start(&template.project);

    let uploaded = stage.valid(&first);
    let report = uploaded["report"].as_array().unwrap();
    let names: Vec<&str> = report.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["file", "contract", "manifest", "secrets", "permissions", "compile", "signature"],
        "{report:#?}"
    );
    assert_eq!(stage.upload(&first, None).0, 200, "the same component is the same version");
    let unknown = stage.service.ask("GET", "/tenants/acme/connectors/widgets", &stage.acme, None);
    assert_eq!(unknown.0, 404, "nobody has approved it: {}", unknown.1);
    assert_eq!(stage.approve(&uploaded).0, 200);
    assert_eq!((&stage.installed()["origin"], &stage.installed()["sha256"]), (&json!("tenant"), &uploaded["sha256"]));

    let pipeline = stage.pipeline(&api).await;
    let run = stage.site.ask("acme", &pipeline).await;
    stage.site.run_in("acme", &run, RequestState::Succeeded).await;
    assert_eq!(stage.digests(&run).await, [uploaded["sha256"].as_str().unwrap()]);
    let table = stage.site.table("acme", "orders", "orders");
    assert_eq!(warehouse::integers(&table, "id"), (0..500).collect::<Vec<_>>());

    // A version without a column that the pipeline reads is tried, and does not take its place.
    let without = stage.valid(&version(&first, "0.1.1", &[("placed_on", "placed_at")]));
    let (status, refused) = stage.approve(&without);
    assert_eq!(status, 409, "{refused:#}");
    let gone = refused["findings"].as_array().unwrap().iter().find(|one| one["outcome"] == "failed").unwrap();
    assert_eq!(gone["name"], "shop: streams");
    assert_eq!(gone["detail"], "orders: column placed_on is gone, and a pipeline reads it");
    assert_eq!(stage.installed()["version"], "0.1.0");

    // One that only breaks when it reads passes the trial, and goes back by itself.
    let broken = stage.valid(&version(&first, "0.1.2", &[("/data", "/dxta")]));
    let (status, approved) = stage.approve(&broken);
    assert_eq!(status, 200, "{approved:#}");
    assert_eq!(stage.installed()["version"], "0.1.2");
    let run = stage.site.ask("acme", &pipeline).await;
    let done = stage.site.run_in("acme", &run, RequestState::Succeeded).await;
    assert_eq!(done.attempts, 2, "{:?}", done.error);
    let sha256 = |version: &Value| version["sha256"].as_str().unwrap().to_owned();
    assert_eq!(stage.digests(&run).await, [sha256(&broken), sha256(&uploaded)]);
    assert_eq!(stage.installed()["version"], "0.1.0");
    let (_, log) = stage.service.ask("GET", &format!("/tenants/acme/runs/{run}/logs"), &stage.acme, None);
    assert!(log.to_string().contains("it goes back to version 0.1.0"), "{log}");
    let (_, left) =
        stage.service.ask("GET", &format!("/tenants/acme/connector-versions/{}", sha256(&broken)), &stage.acme, None);
    assert_eq!((&left["state"], &left["decided_by"]), (&json!("replaced"), &json!("host")));
    let audit = stage.site.store().audit_after(ACME, 0, 1_000).await.unwrap();
    let back: Vec<_> = audit.iter().filter(|one| one.entry.action == "connector.go-back").collect();
    assert_eq!((back.len(), back[0].entry.actor.as_str()), (1, "host"));

    // Another tenant sees nothing of all this.
    for path in [format!("connector-versions/{}", sha256(&uploaded)), "connectors/widgets".to_owned()] {
        let (status, answer) = stage.service.ask("GET", &format!("/tenants/globex/{path}"), &stage.globex, None);
        assert_eq!(status, 404, "{answer}");
    }
    let (_, none) = stage.service.ask("GET", "/tenants/globex/connector-versions", &stage.globex, None);
    assert_eq!(none["items"], json!([]));

    assert_eq!(stage.decide(&uploaded, "yank", &json!({"reason": "it is old"})).0, 200);
    let run = stage.site.ask("acme", &pipeline).await;
    let failed = stage.site.run_in("acme", &run, RequestState::Failed).await;
    let error = failed.error.unwrap().message;
    assert!(error.contains("version 0.1.0 of the connector widgets was yanked (it is old)"), "{error}");
    stage.service.kill();
}

#[tokio::test]
async fn what_should_not_be_uploaded_is_refused_by_name() {
    let template = template();
    let first = component(&template.component);
    let stage = Stage::new().await;

    let (what, says) = stage.refused(b"hello, this is no wasm", None);
    assert!(what == "file" && says.contains("not a valid WebAssembly component"), "{what}: {says}");
    let cache = std::env::temp_dir().join("sluice-tests-compiled");
    let compiled = std::fs::read_dir(cache)
        .unwrap()
        .flatten()
        .find(|entry| entry.path().extension().is_some_and(|e| e == "cwasm"));
    if let Some(compiled) = compiled {
        let (what, says) = stage.refused(&std::fs::read(compiled.path()).unwrap(), None);
        assert!(what == "file" && says.contains("holds compiled code"), "{what}: {says}");
    }
    let (what, says) = stage.refused(b"\x7fELF\x02\x01\x01\0", None);
    assert!(what == "file" && says.contains("holds compiled code"), "{what}: {says}");
    let (what, says) = stage.refused(&bomb(120_000), None);
    assert!(what == "file" && says.contains("functions or more; at most 100000 are compiled"), "{what}: {says}");
    let (what, says) = stage.refused(&patched(&first, &[("\"contract\":\"0.1\"", "\"contract\":\"9.9\"")]), None);
    assert!(what == "contract" && says.contains("9.9"), "{what}: {says}");
    let (what, says) = stage.refused(&patched(&first, &[("\"name\":\"widgets\"", "\"name\":\"WIDGETS\"")]), None);
    assert!(what == "contract" && says.contains("lower-case"), "{what}: {says}");

    let folder = Workspace::new();
    std::fs::write(folder.path().join("c.wasm"), &first).unwrap();
    let run = |arguments: &[&str]| finish(&mut folder.command(arguments));
    assert_eq!(run(&["connector", "keygen", "mine.key"]).code(), Some(0));
    assert_eq!(run(&["connector", "sign", "--component", "c.wasm", "--key", "mine.key"]).code(), Some(0));
    let signature = std::fs::read(folder.path().join("c.wasm.sig")).unwrap();
    let (what, says) = stage.refused(&version(&first, "0.2.0", &[]), Some(&signature));
    assert!(what == "signature" && says.contains("of another component"), "{what}: {says}");
    let (status, kept) = stage.upload(&first, Some(&signature));
    assert_eq!(status, 201, "{kept:#}");
    assert!(kept["signed_by"].as_str().unwrap().starts_with("SHA256:"));
    let (_, all) = stage.service.ask("GET", "/tenants/acme/connector-versions", &stage.acme, None);
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
    stage.service.kill();
}

#[tokio::test]
async fn authors_publish_with_the_command_and_operators_install_for_everybody() {
    let template = template();
    let stage = Stage::new().await;
    let folder = Workspace::new();
    let path = template.component.to_string_lossy().into_owned();
    let to = format!("http://{}", stage.service.address);
    let publish = [
        "connector",
        "publish",
        "--component",
        &path,
        "--to",
        &to,
        "--tenant",
        "acme",
        "--token-env",
        "TOKEN",
        "--approve",
    ];
    let published = finish(folder.command(&publish).env("TOKEN", &stage.acme));
    assert_eq!(published.code(), Some(0), "{published:#?}");
    let last = published.lines.last().unwrap();
    assert_eq!((&last["event"], &last["version"]["state"]), (&json!("approved"), &json!("installed")));
    assert_eq!(stage.installed()["version"], "0.1.0");
    let stranger = finish(folder.command(&publish).env("TOKEN", &stage.globex));
    assert!(stranger.error().contains("answered 404"), "{stranger:?}");

    let other = folder.path().join("gadgets.wasm");
    let named = patched(&component(&template.component), &[("\"name\":\"widgets\"", "\"name\":\"gadgets\"")]);
    std::fs::write(&other, named).unwrap();
    let added = stage.site.admin(&["connector", "add", &other.to_string_lossy()]);
    assert!(added.status.success(), "{added:?}");
    let (_, seen) = stage.service.ask("GET", "/tenants/globex/connectors/gadgets", &stage.globex, None);
    assert_eq!((&seen["origin"], &seen["yanked"]), (&json!("operator"), &Value::Null), "{seen}");
    let sha256 = seen["sha256"].as_str().unwrap();
    let yanked = stage.site.admin(&["connector", "yank", sha256, "--reason", "it leaks"]);
    assert!(yanked.status.success(), "{yanked:?}");
    let (_, seen) = stage.service.ask("GET", "/tenants/globex/connectors/gadgets", &stage.globex, None);
    assert_eq!(seen["yanked"], "it leaks");
    let listed = stage.site.admin(&["connector", "list"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!((&listed["name"], &listed["state"]), (&json!("gadgets"), &json!("yanked")));
    let audit = stage.site.store().audit_after(Scope { tenant: "globex" }, 0, 100).await.unwrap();
    let actions: Vec<&str> = audit.iter().map(|one| one.entry.action.as_str()).collect();
    assert_eq!(actions, ["connector.approve", "connector.yank"]);
    stage.service.kill();
}

/// A core module with so many functions that do nothing.
fn bomb(functions: u32) -> Vec<u8> {
    let mut bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0".to_vec();
    let mut section = |id: u8, each: &[u8]| {
        let mut content = leb(functions);
        content.extend(each.repeat(functions as usize));
        bytes.push(id);
        bytes.extend(leb(u32::try_from(content.len()).unwrap()));
        bytes.extend(content);
    };
    section(3, &[0]);
    section(10, &[2, 0, 0x0b]);
    bytes
}

fn leb(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
