//! From nothing to a connector that reads.

use serde_json::json;
use sluice_tests::binary::Workspace;
use sluice_tests::conformance::{verdicts, with_outcome};
use sluice_tests::template::{Api, template};

use crate::support::connector;

#[test]
fn a_new_connector_builds_and_conforms_as_it_is_written() {
    let template = template();
    assert_eq!(template.built["warnings"], json!([]), "{}", template.built);
    let code = std::fs::read_to_string(template.project.join("src/lib.rs")).unwrap();
    assert!(code.lines().count() < 100);

    let component = template.component.to_string_lossy().into_owned();
    let ran = connector(&template.project, &["test", "--component", &component, "--report", "report.json"]);
    assert_eq!(ran.code(), Some(0), "{ran:#?}");
    assert_eq!(with_outcome(&ran, "failed"), Vec::<String>::new());
    let verdicts = verdicts(&ran);
    let skipped: Vec<_> = verdicts.iter().filter(|(_, (outcome, _))| outcome == "skipped").collect();
    assert_eq!(skipped.len(), 2, "{skipped:?}");
    assert_eq!(verdicts["recordings"].0, "passed");
    assert_eq!(verdicts["past-state"].1, "This is the first version of the connector.");
    assert_eq!(verdicts["splits"].1, "the manifest does not offer `splits`");
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(template.project.join("report.json")).unwrap()).unwrap();
    assert_eq!((&report["conforms"], &report["connector"]), (&json!(true), &json!("widgets")));
    assert_eq!(report["checks"].as_array().unwrap().len(), 22);
}

#[test]
fn a_connector_that_breaks_a_rule_is_told_which() {
    let template = template();
    let component = template.component.to_string_lossy().into_owned();
    let spec = std::fs::read_to_string(template.project.join("conformance.yaml")).unwrap();
    let wrong = [
        ("rows: 500", "rows: 501", "schema", "has 500 rows, and the specification says 501"),
        (
            "api_key: another-key",
            "api_key: fixture-key-1234",
            "check-fails",
            "a key that is not known: every step passed",
        ),
        ("9998-01-01", "2024-01-01", "future-state", "beyond its future state there are 497 rows"),
        ("{server}/large", "{server}", "memory", "must have ten times the rows"),
        ("\"5e-324\"", "\"1e-324\"", "extremes", "column weight (Float64): no row has \"1e-324\""),
        ("{server}/empty", "{server}", "empty", "should have no rows and has"),
        (
            "past-state: This is the first version of the connector.",
            "splits: none",
            "past-state",
            "say under `skip` why there is none",
        ),
    ];
    for (from, to, check, says) in wrong {
        assert!(spec.contains(from), "{from}");
        std::fs::write(template.project.join("wrong.yaml"), spec.replace(from, to)).unwrap();
        let ran =
            connector(&template.project, &["test", "--component", &component, "--spec", "wrong.yaml", "--only", check]);
        assert_eq!(ran.code(), Some(3), "{check}: {ran:?}");
        let (outcome, detail) = verdicts(&ran)[check].clone();
        assert!(outcome == "failed" && detail.contains(says), "{check}: {outcome}: {detail}");
    }
}

#[test]
fn a_connection_is_tried_listed_and_read_with_the_limits_of_production() {
    let template = template();
    let api = Api::start(&template.project);
    let folder = Workspace::new();
    let component = template.component.to_string_lossy().into_owned();
    let connection = |key: &str, more: &str| {
        let text =
            format!("config: {{url: \"{}\", api_key: {key}}}\ngrants: {{private_network: true}}\n{more}", api.url);
        std::fs::write(folder.path().join("connection.yaml"), text).unwrap();
    };
    let run = |arguments: &[&str]| {
        let all: Vec<&str> =
            arguments.iter().copied().chain(["--component", &component, "--config", "connection.yaml"]).collect();
        connector(folder.path(), &all)
    };

    connection("fixture-key-1234", "");
    let checked = run(&["check"]);
    assert_eq!((checked.code(), &checked.lines[0]["outcome"]), (Some(0), &json!("passed")), "{checked:?}");
    let listed = run(&["discover", "--contains", "ORD"]);
    assert_eq!((listed.lines.len(), &listed.lines[0]["id"]), (1, &json!("orders")), "{listed:?}");
    let rows = run(&["read", "orders", "--limit", "3", "--column", "id", "--column", "customer"]);
    assert_eq!(rows.lines[0], json!({"id": "0", "customer": "Customer 0"}), "{rows:?}");
    assert_eq!((rows.lines.len(), &rows.lines[3]["event"]), (4, &json!("more")));

    let incremental = ["read", "orders", "--limit", "1000", "--incremental", "updated_at", "--from", "state.json"];
    let first = run(&incremental);
    assert_eq!((first.lines.len(), first.code()), (501, Some(0)), "{:?}", first.stderr);
    assert!(first.lines[500]["state"].as_str().unwrap().contains("2024-01-01T08:18:00Z"), "{:?}", first.lines[500]);
    assert_eq!(run(&incremental).lines.len(), 1, "only the state: nothing is new");

    connection("wrong", "");
    let refused = run(&["check"]);
    assert_eq!(refused.code(), Some(2));
    assert!(refused.lines[0]["detail"].as_str().unwrap().contains("401 (the key is not known)"), "{refused:?}");
    let failed = run(&["read", "orders"]);
    assert!(failed.code() == Some(2) && failed.error().contains("answered 401"), "{failed:?}");

    connection("fixture-key-1234", "limits: {output_rows: 100}");
    let limited = run(&["read", "orders", "--limit", "1000"]);
    assert!(limited.error().contains("limits.instance.output_rows = 100"), "{limited:?}");
    connection("fixture-key-1234", "limts: {}");
    assert!(run(&["check"]).error().contains("limts"), "a misspelt field is named");
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let folder = Workspace::new();
    let refused = |arguments: &[&str], says: &str| {
        let ran = connector(folder.path(), arguments);
        assert!(ran.code() == Some(2) && ran.error().contains(says), "{arguments:?}: {ran:?}");
    };
    refused(&["new", "Not-A-Name"], "lower-case letters");
    refused(&["new", "shop", "--sdk", "/tmp"], "is not the folder sdk/rust");
    refused(&["build"], "there is no project");
    refused(&["inspect"], "name a component with --component");
    refused(&["inspect", "--component", "absent.wasm"], "absent.wasm cannot be read");
    std::fs::write(folder.path().join("text.wasm"), "no wasm").unwrap();
    let broken = connector(folder.path(), &["inspect", "--component", "text.wasm"]);
    assert!(broken.error().contains("not a valid WebAssembly component"), "{broken:?}");
    std::fs::create_dir(folder.path().join("shop")).unwrap();
    std::fs::write(folder.path().join("shop/file"), "mine").unwrap();
    refused(&["new", "shop"], "has something in it");
    let listed = connector(folder.path(), &["test", "--list"]);
    assert_eq!(listed.lines.len(), 22, "{listed:?}");
}
