//! What a program does with the service, from the connector to the rows, over HTTP and with real workers.

use serde_json::{Value, json};
use sluice_tests::service::{Service, Site};
use sluice_tests::warehouse;

/// A program that works with a tenant.
struct Program {
    service: Service,
    token: String,
}

impl Program {
    fn ask(&self, method: &str, path: &str, body: Option<&Value>, expected: u16) -> Value {
        let (status, answer) = self.service.ask(method, &format!("/tenants/acme{path}"), &self.token, body);
        assert_eq!(status, expected, "{method} {path}: {answer}");
        answer
    }

    fn id(&self, path: &str, body: &Value) -> String {
        self.ask("POST", path, Some(body), 201)["id"].as_str().unwrap().to_owned()
    }
}

async fn program(site: &Site) -> Program {
    site.tenant("acme").await;
    let token = site.token("acme").await;
    Program { service: site.start(&[]), token }
}

fn lake() -> Value {
    json!({
        "name": "Files", "connector": "files", "config": {"path": "/data", "streams": [{"name": "t", "glob": "acme/*.csv"}]},
        "grants": {"folders": {"/data": "lake"}}
    })
}

fn definition() -> Value {
    json!({"streams": [{"id": "t", "read": {"incremental": ""}}], "sink": {"type": "local", "path": "orders"}})
}

#[tokio::test]
async fn a_program_gets_from_a_connector_to_rows_and_sees_each_step() {
    let site = Site::on_sqlite().await;
    let it = program(&site).await;
    site.put("acme", "a.csv", 0..100);
    assert_eq!(it.ask("GET", "/connectors/files", None, 200)["capabilities"]["changed_files"], true);
    assert_eq!(it.ask("POST", "/connections/check", Some(&lake()), 200)["passed"], true);
    let connection = it.id("/connections", &lake());
    let streams = it.ask("GET", &format!("/connections/{connection}/streams"), None, 200);
    assert_eq!((&streams["items"][0]["id"], streams["next"].is_null()), (&"t".into(), true), "{streams}");
    let preview = json!({"stream": "t", "rows": 2});
    let preview = it.ask("POST", &format!("/connections/{connection}/preview"), Some(&preview), 200);
    assert_eq!(preview["rows"].as_array().unwrap().len(), 2, "{preview}");
    let mut body = json!({"name": "Orders", "connection": connection, "definition": definition()});
    assert_eq!(it.ask("POST", "/pipelines/validate", Some(&body), 200)["compared"], true);
    body["definition"]["streams"][0]["id"] = "tt".into();
    assert_eq!(it.ask("POST", "/pipelines/validate", Some(&body), 422)["field"], "streams[0].id");
    body["definition"]["streams"][0]["id"] = "t".into();
    let pipeline = it.id("/pipelines", &body);
    let run = it.id(&format!("/pipelines/{pipeline}/runs"), &json!({}));
    let events = it.ask("GET", &format!("/runs/{run}/events"), None, 200);
    assert!(events.as_str().unwrap().contains("\"state\":\"succeeded\""), "{events}");
    let details = it.ask("GET", &format!("/runs/{run}"), None, 200);
    let load = &details["attempts"][0]["streams"][0];
    assert_eq!(
        (&load["rows_read"], &load["rows_committed"], &load["reconciled"]),
        (&100.into(), &100.into(), &true.into())
    );
    let table = site.table("acme", "orders", "t");
    assert_eq!(warehouse::integers(&table, "id"), (0..100).collect::<Vec<_>>());
    let states = it.ask("GET", &format!("/pipelines/{pipeline}/state"), None, 200);
    assert_eq!(
        (&states["streams"][0]["stream"], &states["streams"][0]["revision"]),
        (&"t".into(), &1.into()),
        "{states}"
    );
    it.service.kill();
}

#[tokio::test]
async fn a_dry_run_tells_what_the_next_run_does_and_changes_nothing() {
    let site = Site::on_sqlite().await;
    let it = program(&site).await;
    site.put("acme", "a.csv", 0..100);
    let connection = it.id("/connections", &lake());
    let body = json!({"name": "Orders", "connection": connection, "definition": definition()});
    let pipeline = it.id("/pipelines", &body);
    let plan = || it.ask("POST", &format!("/pipelines/{pipeline}/dry-run"), None, 200);
    let (first, again) = (plan(), plan());
    assert_eq!(first, again, "the first one changed nothing");
    let stream = &first["streams"][0];
    assert_eq!((&stream["from"], &stream["table_exists"]), (&"beginning".into(), &false.into()), "{first}");
    assert_eq!((&stream["columns"][0]["name"], &first["passed"]), (&"id".into(), &true.into()));
    assert!(stream["splits"].as_u64().unwrap() > 0 && !site.table("acme", "orders", "t").exists());
    let run = it.id(&format!("/pipelines/{pipeline}/runs"), &json!({}));
    it.ask("GET", &format!("/runs/{run}/events"), None, 200);
    // Nothing is new, so there is nothing to read.
    let after = plan();
    let stream = &after["streams"][0];
    assert_eq!(
        (&stream["splits"], &stream["table_exists"], &stream["changes"]),
        (&0.into(), &true.into(), &json!([])),
        "{after}"
    );
    // A file with another column changes the table.
    std::fs::write(site.lake().join("acme/b.csv"), "id,extra\n7,x\n").unwrap();
    let wider = plan();
    let changes = wider["streams"][0]["changes"].as_array().unwrap().clone();
    assert!(changes.iter().any(|change| change.as_str().unwrap().contains("column extra is added")), "{wider}");
    it.service.kill();
}
