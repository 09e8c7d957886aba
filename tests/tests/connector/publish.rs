//! Signing and publishing.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use sluice_tests::binary::Workspace;
use sluice_tests::env;

use crate::support::connector;

/// A folder with a copy of a component.
fn with_component() -> Workspace {
    let folder = Workspace::new();
    copy("files", &folder, "c.wasm");
    folder
}

fn copy(name: &str, folder: &Workspace, to: &str) {
    let from = std::path::Path::new(&env("SLUICE_TEST_CONNECTORS")).join(format!("{name}.wasm"));
    std::fs::copy(from, folder.path().join(to)).unwrap();
}

#[test]
fn inspect_shows_what_a_component_is_and_asks_for() {
    let folder = Workspace::new();
    copy("postgres", &folder, "c.wasm");
    let ran = connector(folder.path(), &["inspect", "--component", "c.wasm"]);
    let found = &ran.lines[0];
    assert_eq!(found["manifest"]["name"], "postgres");
    assert_eq!(found["bytes"], std::fs::metadata(folder.path().join("c.wasm")).unwrap().len());
    assert_eq!(found["digest"].as_str().unwrap().len(), 64);
    let permissions = found["permissions"].as_array().unwrap();
    assert!(permissions.contains(&json!(["hosts", "{host}:{port}"])), "{permissions:?}");
    assert!(
        permissions.iter().any(|one| one[1].as_str().unwrap().contains("password (enters the sandbox)")),
        "{permissions:?}"
    );
    assert!(
        found["imports"]
            .as_array()
            .unwrap()
            .iter()
            .any(|name| name.as_str().unwrap().starts_with("sluice:source/net@"))
    );
}

#[test]
fn a_signature_holds_for_this_component_and_this_key_only() {
    let folder = with_component();
    let run = |arguments: &[&str]| connector(folder.path(), arguments);
    assert_eq!(run(&["keygen", "mine.key"]).code(), Some(0));
    let mode = std::fs::metadata(folder.path().join("mine.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(run(&["keygen", "mine.key"]).error().contains("is there already"));
    let signed = run(&["sign", "--component", "c.wasm", "--key", "mine.key"]);
    assert_eq!(signed.code(), Some(0), "{signed:?}");
    let verify = ["verify", "--component", "c.wasm", "--key", "mine.key.pub"];
    let verified = run(&verify);
    assert_eq!(verified.lines[0]["fingerprint"], signed.lines[0]["fingerprint"], "{verified:?}");

    // OpenSSL agrees about the key.
    let shown = std::process::Command::new("openssl")
        .args(["pkey", "-in", "mine.key", "-pubout"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(shown.stdout, std::fs::read(folder.path().join("mine.key.pub")).unwrap(), "{shown:?}");

    run(&["keygen", "other.key"]);
    let other = run(&["verify", "--component", "c.wasm", "--key", "other.key.pub"]);
    assert!(other.code() == Some(2) && other.error().contains("by another key"), "{other:?}");
    copy("postgres", &folder, "c.wasm");
    assert!(run(&verify).error().contains("of another component"));
}

#[test]
fn a_registry_on_disk_holds_components_by_digest_and_replaces_none() {
    let folder = with_component();
    let run = |arguments: &[&str]| connector(folder.path(), arguments);
    let publish = ["publish", "--component", "c.wasm", "--to", "oci:registry"];
    run(&["keygen", "mine.key"]);
    run(&["sign", "--component", "c.wasm", "--key", "mine.key"]);
    let published = run(&publish);
    assert_eq!((published.code(), &published.lines[0]["signed"]), (Some(0), &json!(true)), "{published:?}");
    assert_eq!(run(&publish).code(), Some(0), "once more is the same");

    let registry = folder.path().join("registry");
    let json = |path: &str| -> Value { serde_json::from_slice(&std::fs::read(registry.join(path)).unwrap()).unwrap() };
    let blob = |descriptor: &Value| {
        format!("blobs/sha256/{}", descriptor["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap())
    };
    assert_eq!(json("oci-layout"), json!({"imageLayoutVersion": "1.0.0"}));
    let entries = json("index.json")["manifests"].as_array().unwrap().clone();
    assert_eq!(entries.len(), 2, "{entries:?}");
    let artifact = json(&blob(&entries[0]));
    assert_eq!(artifact["layers"][0]["mediaType"], "application/wasm");
    let component = std::fs::read(folder.path().join("c.wasm")).unwrap();
    assert_eq!(std::fs::read(registry.join(blob(&artifact["layers"][0]))).unwrap(), component);
    let signature = json(&blob(&entries[1]));
    assert_eq!(signature["subject"]["digest"], entries[0]["digest"]);

    // Something else under the same name and version: the same component with a byte more in a section that nobody reads.
    let mut changed = component;
    changed.extend_from_slice(&[0, 2, 1, b'x']);
    std::fs::write(folder.path().join("c.wasm"), changed).unwrap();
    assert!(run(&publish).error().contains("of another component"), "its signature does not hold");
    std::fs::remove_file(folder.path().join("c.wasm.sig")).unwrap();
    let refused = run(&publish);
    assert!(refused.error().contains("is published already"), "{refused:?}");
    assert!(run(&["publish", "--component", "c.wasm", "--to", "registry/x"]).error().contains("oci:DIR"));
}
