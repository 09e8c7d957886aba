//! The OpenAPI document as it is committed: what clients are generated from. A change of the API is a change of that file.

#![allow(
    clippy::disallowed_methods,
    reason = "`cargo xtask openapi` tells this test by the environment to write the file"
)]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::document;
use crate::testing::Service;

#[tokio::test]
async fn the_document_is_the_one_that_is_committed() {
    let service = Service::new().await;
    let document = document(&service.app);
    let text = serde_json::to_string_pretty(&sorted(serde_json::to_value(&document).unwrap())).unwrap() + "\n";
    assert!(text.contains("\"openapi\": \"3.1."), "{}", &text[..200]);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/openapi.json");
    if std::env::var_os("SLUICE_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = committed.lines().zip(text.lines()).find(|(committed, now)| committed != now);
    assert!(
        committed == text,
        "tests/golden/openapi.json is stale; run `cargo xtask openapi` (first difference: {differs:?})"
    );
}

/// The same with the members of objects in order: what keeps their order, and which, depends on the features of a build.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let ordered: BTreeMap<String, Value> =
                members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(ordered.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
