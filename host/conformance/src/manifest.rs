//! What can be judged of a component without running it.

use std::collections::BTreeMap;

use serde_json::Value;
use sluice_core::config;
use sluice_core::manifest::{AuthScheme, Manifest};
use sluice_runtime::Inspected;

/// Words in a field's name that a secret is known by.
const SECRET_WORDS: [&str; 10] =
    ["password", "passwd", "secret", "token", "credential", "credentials", "apikey", "key", "passphrase", "sas"];

/// Words that make a name with one of those a harmless one.
const HARMLESS_WORDS: [&str; 8] = ["public", "primary", "id", "url", "endpoint", "name", "file", "columns"];

/// What is wrong with a manifest, though it can be read.
pub fn problems(manifest: &Manifest) -> Vec<String> {
    let mut problems = Vec::new();
    if let Err(error) = config::problems(&manifest.config, &Value::Object(serde_json::Map::new())) {
        problems.push(error.message);
    }
    if manifest.contract != "0.1" {
        problems.push(format!("contract is {:?}, and the component is built for 0.1", manifest.contract));
    }
    if !is_version(&manifest.version) {
        problems.push(format!("version {:?} is not MAJOR.MINOR.PATCH", manifest.version));
    }
    for (what, text) in [("title", &manifest.title), ("description", &manifest.description)] {
        if text.trim().is_empty() {
            problems.push(format!("{what} is empty; people choose connectors by it"));
        }
    }
    if manifest.config.get("additionalProperties") != Some(&Value::Bool(false)) {
        problems.push("the configuration takes fields that it does not know, so a misspelt one goes unnoticed; add #[serde(deny_unknown_fields)]".into());
    }
    let properties = manifest.config.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        let described =
            ["title", "description"].iter().any(|word| property.get(word).and_then(Value::as_str).is_some());
        if !described {
            problems.push(format!("configuration field {name} has no description; give it a doc comment"));
        }
    }
    problems
}

/// Fields that look like secrets and are not marked as such, but for those that are said to be none.
pub fn unmarked_secrets(manifest: &Manifest, not_secret: &BTreeMap<String, String>) -> Vec<String> {
    let marked: Vec<&str> = manifest.secret_fields().collect();
    let properties = manifest.config.get("properties").and_then(Value::as_object);
    let names = properties.into_iter().flatten().filter(|(_, property)| {
        let ty = property.get("type");
        // A number or a flag is no secret.
        !matches!(ty.and_then(Value::as_str), Some("integer" | "number" | "boolean" | "object" | "array"))
            && property.get("enum").is_none()
    });
    names
        .map(|(name, _)| name.as_str())
        .filter(|name| looks_secret(name) && !marked.contains(name) && !not_secret.contains_key(*name))
        .map(str::to_owned)
        .collect()
}

/// What a component declares and cannot use, or should not need. That it can use what it does not declare means nothing: the SDK
/// imports all there is.
pub fn permissions(inspected: &Inspected) -> Vec<String> {
    let manifest = &inspected.manifest;
    let imports = |start: &str| inspected.imports.iter().any(|import| import.starts_with(start));
    let (net, http) = (imports("sluice:source/net@"), imports("wasi:http/outgoing-handler@"));
    let mut notes = Vec::new();
    if !manifest.hosts.is_empty() && !net && !http {
        notes.push("it declares hosts, but imports neither net nor HTTP: it cannot reach them".to_owned());
    }
    if !manifest.auth.is_empty() && !http {
        notes.push("it declares how the host signs requests, but does not import HTTP".to_owned());
    }
    if !manifest.folders.is_empty() && !imports("wasi:filesystem/") {
        notes.push("it asks for folders, but does not import a filesystem".to_owned());
    }
    let signed: Vec<&str> = manifest.auth.iter().flat_map(AuthScheme::fields).map(|(field, _)| field).collect();
    for field in manifest.secret_fields() {
        let inside = manifest.secrets.inside.iter().any(|inside| inside == field);
        if inside && signed.contains(&field) {
            notes.push(format!("secret {field} enters the sandbox, although the host signs with it"));
        }
        if !inside && !signed.contains(&field) {
            notes.push(format!(
                "secret {field} is used by nobody: neither does it enter the sandbox nor does the host sign with it"
            ));
        }
    }
    notes
}

fn looks_secret(name: &str) -> bool {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(['_', '-']).collect();
    words.iter().any(|word| SECRET_WORDS.contains(word)) && !words.iter().any(|word| HARMLESS_WORDS.contains(word))
}

fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(config: &Value) -> Manifest {
        let text = json!({"contract": "0.1", "name": "demo", "version": "1.0.0", "title": "Demo", "description": "A demo.", "config": config});
        Manifest::parse(text.to_string().as_bytes()).unwrap()
    }

    fn described(properties: &Value) -> Value {
        json!({"type": "object", "additionalProperties": false, "properties": properties})
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        let config = described(&json!({
            "api_key": {"type": "string"}, "password": {"type": "string", "writeOnly": true}, "client-secret": {"type": "string"},
            "primary_key": {"type": "string"}, "access_key_id": {"type": "string"}, "token_url": {"type": "string"},
            "max_token": {"type": "integer"}, "sort_key": {"type": "string"}
        }));
        let fine = BTreeMap::from([("sort_key".to_owned(), "a column".to_owned())]);
        assert_eq!(unmarked_secrets(&manifest(&config), &fine), ["api_key", "client-secret"]);
    }

    #[test]
    fn what_people_and_forms_need_is_asked_for() {
        let good = described(&json!({"host": {"type": "string", "description": "Where."}}));
        assert_eq!(problems(&manifest(&good)), Vec::<String>::new());
        let bad = json!({"type": "object", "properties": {"host": {"type": "strnig"}}});
        let found = problems(&manifest(&bad)).join("\n");
        for part in ["schema is not valid", "does not know", "host has no description"] {
            assert!(found.contains(part), "{found}");
        }
        assert!(is_version("1.2.3-rc.1") && !is_version("1.2") && !is_version("v1.2.3"));
    }
}
