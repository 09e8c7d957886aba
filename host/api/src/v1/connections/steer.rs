//! Where a connection sends its secrets. Whoever may change a configuration must not be able to have secrets that others put in sent to
//! a host of their own: when anything changes that leads elsewhere, the secrets have to be given again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sluice_core::manifest::Manifest;
use sluice_core::pipeline::Grants;
use sluice_core::secret::Secrets;

use super::input::in_body;
use crate::http::problem::Problem;

/// Words in the name of a field that leads somewhere.
const WORDS: [&str; 12] =
    ["host", "hostname", "hosts", "endpoint", "url", "uri", "port", "server", "address", "proxy", "domain", "account"];

/// Formats of JSON Schema for what leads somewhere.
const FORMATS: [&str; 8] = ["uri", "uri-reference", "iri", "hostname", "idn-hostname", "ipv4", "ipv6", "uri-template"];

/// How deep a configuration and its schema are followed.
const DEEPEST: usize = 32;

/// A configuration and its grants, before or after a change.
#[derive(Clone, Copy)]
pub(in crate::v1) struct Leads<'a> {
    /// Without the secrets.
    pub(in crate::v1) config: &'a Value,
    /// What it may do.
    pub(in crate::v1) grants: &'a Grants,
}

/// Checks that secrets which stay go where they went before. `kept` are those that were not given anew.
///
/// # Errors
/// Names the first that has to be given again.
pub(super) fn same_places<'k>(
    manifest: &Manifest,
    before: Leads<'_>,
    after: Leads<'_>,
    kept: impl Iterator<Item = &'k str>,
) -> Result<(), Problem> {
    let mut kept = kept;
    let Some(first) = kept.next() else { return Ok(()) };
    let Some(changed) = changed(manifest, before, after) else { return Ok(()) };
    let detail = format!(
        "{changed} decides where this secret is sent, and was changed: send the secret again, or null to remove it"
    );
    Err(Problem::field(in_body(first), detail))
}

/// The fields of the old secrets that are among the new ones without having been given anew.
pub(super) fn kept<'s>(secrets: &'s Secrets, given: &'s Secrets) -> impl Iterator<Item = &'s str> {
    secrets.keys().filter(|field| !given.contains_key(*field)).map(String::as_str)
}

/// Whether anything leads elsewhere now.
pub(in crate::v1) fn leads_elsewhere(manifest: &Manifest, before: Leads<'_>, after: Leads<'_>) -> bool {
    changed(manifest, before, after).is_some()
}

/// The first field that leads elsewhere now.
fn changed(manifest: &Manifest, before: Leads<'_>, after: Leads<'_>) -> Option<String> {
    if before.grants.google_token_endpoint != after.grants.google_token_endpoint {
        return Some("grants.google_token_endpoint".to_owned());
    }
    let (old, new) = (leading(manifest, before.config), leading(manifest, after.config));
    let fields: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let changed = fields.into_iter().find(|field| old.get(*field) != new.get(*field))?;
    Some(in_body(changed))
}

/// Every field that leads somewhere, with the defaults of the schema for those that the manifest's hosts name.
fn leading(manifest: &Manifest, config: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for template in &manifest.hosts {
        for name in template.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name) {
            let default = manifest.config.pointer(&format!("/properties/{name}/default"));
            if let Some(value) = config.get(name).filter(|value| !value.is_null()).or(default) {
                found.insert(format!("/{name}"), value.clone());
            }
        }
    }
    let defaults: BTreeMap<String, Value> = found.clone();
    walk(Some(&manifest.config), config, "", &mut found, 0);
    found.extend(defaults);
    found
}

fn walk(schema: Option<&Value>, value: &Value, at: &str, found: &mut BTreeMap<String, Value>, depth: usize) {
    let of_format = schema.and_then(|schema| schema.get("format")).and_then(Value::as_str);
    let address = value.as_str().is_some_and(|text| text.contains("://"));
    if depth > DEEPEST || address || of_format.is_some_and(|format| FORMATS.contains(&format)) {
        found.insert(at.to_owned(), value.clone());
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                if names_a_place(name) {
                    found.insert(at, value.clone());
                } else {
                    let schema = schema.and_then(|schema| schema.get("properties")).and_then(|named| named.get(name));
                    walk(schema, value, &at, found, depth + 1);
                }
            }
        }
        Value::Array(items) => {
            let schema = schema.and_then(|schema| schema.get("items"));
            for (index, value) in items.iter().enumerate() {
                walk(schema, value, &format!("{at}/{index}"), found, depth + 1);
            }
        }
        _ => {}
    }
}

/// `server_url`, `storage-endpoint`, `baseUrl`: the words of a name, however they are put together.
fn names_a_place(name: &str) -> bool {
    let mut spread = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            spread.push('_');
        }
        spread.push(c.to_ascii_lowercase());
    }
    let mut words = spread.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| WORDS.iter().any(|known| word == *known || (known.len() > 4 && word.ends_with(known))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest() -> Manifest {
        let text = json!({
            "contract": "0.1", "name": "demo", "version": "1", "title": "Demo",
            "config": {"type": "object", "properties": {
                "host": {"type": "string"}, "port": {"type": "integer", "default": 5432}, "region": {"type": "string"},
                "issuer": {"type": "string", "format": "uri"}, "batch": {"type": "integer"},
                "password": {"type": "string", "writeOnly": true}
            }},
            "hosts": ["{host}:{port}", "s3.{region}.example.com:443"]
        });
        Manifest::parse(text.to_string().as_bytes()).unwrap()
    }

    fn moved(before: &Value, after: &Value) -> Option<String> {
        let grants = Grants::default();
        changed(&manifest(), Leads { config: before, grants: &grants }, Leads { config: after, grants: &grants })
    }

    #[test]
    fn what_the_hosts_name_leads_somewhere_with_its_default() {
        let before = json!({"host": "a", "batch": 1});
        assert_eq!(moved(&before, &json!({"host": "a", "batch": 2, "port": 5432})), None);
        assert_eq!(moved(&before, &json!({"host": "b"})).as_deref(), Some("/config/host"));
        assert_eq!(moved(&before, &json!({"host": "a", "port": 1})).as_deref(), Some("/config/port"));
        assert_eq!(moved(&before, &json!({"host": "a", "region": "x"})).as_deref(), Some("/config/region"));
    }

    #[test]
    fn so_does_what_has_the_name_the_format_or_the_form_of_an_address() {
        let before = json!({"host": "a"});
        for field in ["token_endpoint", "baseUrl", "storage-endpoint", "authserver", "issuer"] {
            assert!(moved(&before, &json!({"host": "a", field: "x"})).is_some(), "{field}");
        }
        assert!(moved(&before, &json!({"host": "a", "login": [{"at": "https://evil.example"}]})).is_some());
        assert!(moved(&before, &json!({"host": "a", "export": "x", "report": 1, "database": "b"})).is_none());
    }

    #[test]
    fn another_token_endpoint_leads_elsewhere() {
        let (config, old) = (json!({"host": "a"}), Grants::default());
        let new = Grants { google_token_endpoint: Some("https://evil.example".into()), ..Grants::default() };
        let leads = |grants| Leads { config: &config, grants };
        let refused = same_places(&manifest(), leads(&old), leads(&new), ["/password"].into_iter());
        assert!(refused.is_err());
        assert!(same_places(&manifest(), leads(&old), leads(&new), std::iter::empty()).is_ok());
    }
}
