//! What `sluice connector test` said.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::binary::{Ran, Workspace, finish};
use crate::env;

/// Tries a built-in connector against a specification.
///
/// # Panics
/// If the binary does not start.
pub fn test(workspace: &Workspace, name: &str, spec: &Path, variables: &[(&str, String)]) -> Ran {
    let component = Path::new(&env("SLUICE_TEST_CONNECTORS")).join(format!("{name}.wasm"));
    let (component, spec) = (component.to_string_lossy().into_owned(), spec.to_string_lossy().into_owned());
    let mut command = workspace.command(&["connector", "test", "--component", &component, "--spec", &spec]);
    for (variable, value) in variables {
        command.env(variable, value);
    }
    finish(&mut command)
}

/// What each check came to, by its name: outcome and detail.
pub fn verdicts(ran: &Ran) -> BTreeMap<String, (String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let checked = ran.lines.iter().filter(|line| line["event"] == "checked").map(|line| &line["check"]);
    checked.map(|check| (text(&check["name"]), (text(&check["outcome"]), text(&check["detail"])))).collect()
}

/// The names of checks with this outcome.
pub fn with_outcome(ran: &Ran, outcome: &str) -> Vec<String> {
    verdicts(ran).into_iter().filter(|(_, (found, _))| found == outcome).map(|(name, _)| name).collect()
}

/// Every check was made and passed, but for these, which were skipped.
///
/// # Panics
/// If not.
pub fn assert_conforms(ran: &Ran, skipped: &[&str]) {
    let failed: Vec<_> = verdicts(ran).into_iter().filter(|(_, (outcome, _))| outcome == "failed").collect();
    assert!(ran.code() == Some(0) && failed.is_empty(), "{failed:#?} {:?} {}", ran.lines.last(), ran.stderr);
    assert_eq!(with_outcome(ran, "skipped"), skipped, "{:#?}", verdicts(ran));
    assert_eq!(verdicts(ran).len(), 22);
}

/// Files that connectors of files are tried with: 2,000 orders in four files, 500 events, a file without rows, nulls and extremes, and
/// 20,000 and 200,000 rows.
///
/// # Panics
/// Never: writing to a text does not fail.
pub fn files() -> Vec<(String, String)> {
    let numbered = |from: usize, to: usize| {
        let mut text = "id,name,price\n".to_owned();
        for id in from..to {
            writeln!(text, "{id},name {id},{}.{:02}", id / 7, id % 100).expect("a text");
        }
        text
    };
    let mut all = Vec::new();
    for part in 0..4 {
        all.push((format!("orders/{part}.csv"), numbered(part * 500, (part + 1) * 500)));
        all.push((format!("little/{part}.csv"), numbered(part * 5_000, (part + 1) * 5_000)));
        all.push((format!("much/{part}.csv"), numbered(part * 50_000, (part + 1) * 50_000)));
    }
    let events: String = (0..500).map(|id| format!("{{\"id\": {id}, \"tags\": [\"a\", {id}]}}\n")).collect();
    all.push(("events/e.ndjson".to_owned(), events));
    all.push(("nothing/empty.csv".to_owned(), "id,name\n".to_owned()));
    let extremes = "\
        {\"big\": -9223372036854775808, \"real\": -1.7976931348623157e308, \"flag\": false, \"words\": \"\", \"moment\": \"0001-01-01T00:00:00Z\", \"tree\": {\"a\": [null, 1]}}\n\
        {\"big\": null, \"real\": null, \"flag\": null, \"words\": null, \"moment\": null, \"tree\": null}\n\
        {\"big\": 9223372036854775807, \"real\": 5e-324, \"flag\": true, \"words\": \"grüße 🚰\\n\", \"moment\": \"9999-12-31T23:59:59.999999Z\", \"tree\": {\"a\": []}}\n";
    all.push(("extremes/e.ndjson".to_owned(), extremes.to_owned()));
    all
}
