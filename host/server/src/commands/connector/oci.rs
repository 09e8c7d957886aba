//! An OCI image layout on disk (image-spec 1.1): blobs by their digest, and an index of what they are.
//!
//! A component is an artifact as the CNCF's Wasm guidance has it: one layer `application/wasm` and a configuration that lists what it
//! imports. Its signature is an artifact of its own, whose subject is the component's.

use std::path::PathBuf;

use serde_json::{Map, Value, json};
use sluice_core::RunError;
use sluice_core::manifest::Manifest;

use super::inspect::digest;
use super::{bytes, write, wrong};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const NAME: &str = "org.opencontainers.image.ref.name";

/// Largest index that is read, bytes.
const MAX_INDEX: u64 = 16 << 20;

/// An image layout.
pub(super) struct Layout {
    folder: PathBuf,
}

/// What is put there.
pub(super) struct Published<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) imports: &'a [String],
    pub(super) component: &'a [u8],
    pub(super) manifest_json: &'a [u8],
    pub(super) signature: Option<&'a [u8]>,
}

impl Layout {
    /// The layout in a folder, which is made where there is none.
    pub(super) fn open(folder: PathBuf) -> Result<Self, RunError> {
        let mark = folder.join("oci-layout");
        let shown = folder.display();
        if mark.is_file() {
            let version: Value = serde_json::from_slice(&bytes(&mark, 4096)?).unwrap_or_default();
            if version.get("imageLayoutVersion").and_then(Value::as_str) != Some("1.0.0") {
                return Err(wrong(format!("{shown} is an image layout of another version than 1.0.0")));
            }
        } else {
            if std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
                return Err(wrong(format!(
                    "{shown} has something in it and is no OCI image layout; name another folder"
                )));
            }
            write(&mark, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        }
        Ok(Self { folder })
    }

    /// Puts a component there. A version that is there is never replaced by another component.
    pub(super) fn put(&self, published: &Published<'_>) -> Result<String, RunError> {
        let manifest = published.manifest;
        let tag = format!("{}:{}", manifest.name, manifest.version);
        let mut index = self.index()?;
        let layer = self.blob(published.component)?;
        let layer = with(&layer, json!({"mediaType": "application/wasm"}));
        let config = json!({
            "architecture": "wasm", "os": "wasip2", "layerDigests": [digest_of(&layer)],
            "component": {"exports": ["sluice:source/source"], "imports": published.imports},
        });
        let config = with(
            &self.blob(config.to_string().as_bytes())?,
            json!({"mediaType": "application/vnd.wasm.config.v0+json"}),
        );
        let about = self.blob(published.manifest_json)?;
        let about = with(&about, json!({"mediaType": "application/vnd.sluice.manifest.v0.1+json"}));
        let artifact = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer, about],
            "annotations": {
                "org.opencontainers.image.title": manifest.title, "org.opencontainers.image.version": manifest.version,
                "org.opencontainers.image.vendor": manifest.publisher, "org.opencontainers.image.description": manifest.description,
            },
        });
        let artifact = with(&self.blob(artifact.to_string().as_bytes())?, json!({"mediaType": MANIFEST}));
        let named =
            |entry: &&Value| entry.pointer("/annotations/org.opencontainers.image.ref.name") == Some(&json!(tag));
        match index.iter().find(named) {
            None => index.push(with(&artifact, json!({"annotations": {NAME: tag}}))),
            Some(there) if digest_of(there) == digest_of(&artifact) => {}
            Some(_) => {
                let message = "is published already, and is another component; raise the version in Cargo.toml";
                return Err(wrong(format!("{tag} {message}")));
            }
        }
        if let Some(signature) = published.signature {
            self.sign(&mut index, &artifact, signature)?;
        }
        let text =
            json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": index});
        write(&self.folder.join("index.json"), text.to_string().as_bytes())?;
        Ok(digest_of(&artifact).to_owned())
    }

    fn sign(&self, index: &mut Vec<Value>, artifact: &Value, signature: &[u8]) -> Result<(), RunError> {
        let kind = "application/vnd.sluice.signature.v1+json";
        let layer = with(&self.blob(signature)?, json!({"mediaType": kind}));
        let empty = with(&self.blob(b"{}")?, json!({"mediaType": "application/vnd.oci.empty.v1+json"}));
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind, "config": empty, "layers": [layer], "subject": artifact,
        });
        let descriptor =
            with(&self.blob(manifest.to_string().as_bytes())?, json!({"mediaType": MANIFEST, "artifactType": kind}));
        if index.iter().all(|entry| digest_of(entry) != digest_of(&descriptor)) {
            index.push(descriptor);
        }
        Ok(())
    }

    fn index(&self) -> Result<Vec<Value>, RunError> {
        let path = self.folder.join("index.json");
        if !path.is_file() {
            return Ok(Vec::new());
        }
        let index: Value = serde_json::from_slice(&bytes(&path, MAX_INDEX)?)
            .map_err(|e| wrong(format!("{} is not an index: {e}", path.display())))?;
        index
            .get("manifests")
            .and_then(Value::as_array)
            .cloned()
            .ok_or_else(|| wrong(format!("{} lists no manifests", path.display())))
    }

    /// Stores bytes by their digest; their descriptor.
    fn blob(&self, content: &[u8]) -> Result<Value, RunError> {
        let digest = digest(content);
        let path = self.folder.join("blobs/sha256").join(&digest);
        if !path.is_file() {
            write(&path, content)?;
        }
        Ok(json!({"digest": format!("sha256:{digest}"), "size": content.len()}))
    }
}

/// What a descriptor is of.
fn digest_of(descriptor: &Value) -> &str {
    descriptor.get("digest").and_then(Value::as_str).unwrap_or_default()
}

/// A descriptor with more members.
fn with(descriptor: &Value, more: Value) -> Value {
    let mut members = descriptor.as_object().cloned().unwrap_or_default();
    let more = if let Value::Object(more) = more { more } else { Map::new() };
    members.extend(more);
    Value::Object(members)
}
