//! The conformance kit, for every object store.

use std::path::Path;

use serde_json::{Value, json};

use super::{Bucket, with};
use crate::binary::Workspace;
use crate::conformance::{assert_conforms, files, test};

/// The bucket's connector conforms. `refused` are configurations that its check must refuse, by a name.
///
/// The specification is that of the connector `files`, which has the same streams, with the bucket's connection.
///
/// # Panics
/// If it does not.
pub fn conforms(bucket: &dyn Bucket, refused: &Value) {
    for (key, content) in files() {
        bucket.put(&key, content.as_bytes());
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors/files/conformance.yaml");
    let text = std::fs::read_to_string(source).expect("the specification");
    let (_, about_streams) = text.split_once("streams:\n  events:").expect("streams");
    let (streams, _) = about_streams.split_once("refused:").expect("refused");
    let (_, rest) = text.split_once("empty:").expect("empty");
    let globs = ["events/*.ndjson", "extremes/*.ndjson", "little/*.csv", "much/*.csv", "nothing/*.csv", "orders/*.csv"];
    let named = |glob: &&str| json!({"name": glob.split('/').next(), "glob": glob});
    let config = with(bucket.config(), &json!({"streams": globs.iter().map(named).collect::<Vec<_>>()}));
    let connection = json!({"config": config, "grants": bucket.grants()});
    let spec = format!("connection: {connection}\nstreams:\n  events:{streams}refused: {refused}\nempty:{rest}");
    let workspace = Workspace::new();
    let path = workspace.path().join("conformance.yaml");
    std::fs::write(&path, spec).expect("the specification");
    let ran = test(&workspace, bucket.connector(), &path, &[]);
    assert_conforms(&ran, &["future-state", "keys", "past-state", "recordings"]);
}
