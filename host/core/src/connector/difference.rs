//! How two versions of a connector differ, in sentences for whoever approves the newer one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::permissions::{Permission, Subject, permissions};
use super::shown;
use crate::manifest::Manifest;

/// Deepest level of a configuration's schema that is compared.
const DEEPEST: usize = 8;

/// What a change means for who uses the older version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The newer version may do more.
    Widens,
    /// It may do less.
    Narrows,
    /// Connections or pipelines of the older version may not fit any more.
    Breaks,
    /// Nothing has to be done.
    Neutral,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What it means.
    pub effect: Effect,
    /// What changes.
    pub text: String,
}

/// What changes from one version to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What it may do.
    pub permissions: Vec<Change>,
    /// How it is configured.
    pub configuration: Vec<Change>,
    /// What it can do.
    pub capabilities: Vec<Change>,
}

/// What changes from `old` to `new`.
pub fn difference(old: &Manifest, new: &Manifest) -> Difference {
    let mut configuration = Vec::new();
    schema(&old.config, &new.config, "", 0, &mut configuration);
    Difference {
        permissions: asked(&permissions(old), &permissions(new)),
        configuration,
        capabilities: capabilities(old, new),
    }
}

fn change(effect: Effect, text: String) -> Change {
    Change { effect, text }
}

fn asked(old: &[Permission], new: &[Permission]) -> Vec<Change> {
    let of = |all: &[Permission]| -> BTreeMap<(Subject, String), String> {
        all.iter().map(|one| ((one.subject, one.name.clone()), one.detail.clone())).collect()
    };
    let (old, new) = (of(old), of(new));
    let mut changes = Vec::new();
    for (key, detail) in &new {
        match old.get(key) {
            None => changes.push(change(Effect::Widens, format!("new: it {}", verb(detail)))),
            Some(before) if before != detail => {
                changes.push(change(Effect::Widens, format!("now it {}; before: {before}", verb(detail))));
            }
            Some(_) => {}
        }
    }
    for (_, detail) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
        changes.push(change(Effect::Narrows, format!("no more: {detail}")));
    }
    changes
}

/// A permission's sentence behind "it": some begin with what the host does.
fn verb(detail: &str) -> String {
    match detail.strip_prefix("the ") {
        Some(rest) => format!("has this: the {rest}"),
        None => detail.to_owned(),
    }
}

fn capabilities(old: &Manifest, new: &Manifest) -> Vec<Change> {
    let (old, new) = (&old.capabilities, &new.capabilities);
    let all = [
        ("incremental reads", old.incremental, new.incremental),
        ("splits that are read side by side", old.splits, new.splits),
        ("estimates of rows and bytes", old.estimate, new.estimate),
        ("row restrictions (`filter`)", old.filter, new.filter),
        ("files that have changed (`changed_files`)", old.changed_files, new.changed_files),
    ];
    let changed = all.into_iter().filter(|(_, before, after)| before != after);
    let told = changed.map(|(what, _, now)| match now {
        true => change(Effect::Neutral, format!("new: it offers {what}")),
        false => change(Effect::Breaks, format!("it offers {what} no more; pipelines that use them fail")),
    });
    told.collect()
}

fn schema(old: &Value, new: &Value, place: &str, depth: usize, changes: &mut Vec<Change>) {
    if depth > DEEPEST {
        return;
    }
    let none = Map::new();
    let of = |schema: &'_ Value| schema.get("properties").and_then(Value::as_object).cloned();
    let (before, after) = (of(old).unwrap_or_else(|| none.clone()), of(new).unwrap_or(none));
    let required = |schema: &Value, name: &str| {
        let names = schema.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|one| one.as_str() == Some(name)))
    };
    for (name, now) in &after {
        let field = format!("{place}/{}", shown(name));
        let (was_required, is_required) = (required(old, name), required(new, name));
        match before.get(name) {
            None if is_required => {
                changes.push(change(Effect::Breaks, format!("new field {field}, which has to be set")));
            }
            None => changes.push(change(Effect::Neutral, format!("new field {field}, which may be set"))),
            Some(was) => {
                if is_required && !was_required {
                    changes.push(change(Effect::Breaks, format!("field {field} has to be set now")));
                } else if was_required && !is_required {
                    changes.push(change(Effect::Neutral, format!("field {field} may be left out now")));
                }
                property(was, now, &field, changes);
                schema(was, now, &field, depth.saturating_add(1), changes);
            }
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        let text = format!("field {place}/{} is gone; connections that set it do not fit", shown(name));
        changes.push(change(Effect::Breaks, text));
    }
}

/// One field's own rules; those of fields below it are compared apart.
fn property(was: &Value, now: &Value, field: &str, changes: &mut Vec<Change>) {
    let secret = |schema: &Value| schema.get("writeOnly").and_then(Value::as_bool) == Some(true);
    match (secret(was), secret(now)) {
        (false, true) => {
            changes.push(change(
                Effect::Breaks,
                format!("field {field} is a secret now; set it again at each connection"),
            ));
        }
        (true, false) => {
            let text = format!("field {field} is no secret any more: it is stored and shown in the clear");
            changes.push(change(Effect::Breaks, text));
        }
        _ => {}
    }
    if was.get("default") != now.get("default") {
        let value = |schema: &Value| schema.get("default").map_or("none".to_owned(), |one| shown(&one.to_string()));
        let text = format!("field {field}: the default is {}, and was {}", value(now), value(was));
        changes.push(change(Effect::Neutral, text));
    }
    // Texts for people change nothing.
    const APART: [&str; 8] =
        ["writeOnly", "default", "title", "description", "examples", "properties", "required", "$comment"];
    let (before, after) = (was.as_object(), now.as_object());
    let names = before.into_iter().chain(after).flat_map(Map::keys);
    let mut rules: Vec<&str> =
        names.map(String::as_str).filter(|name| !APART.contains(name) && was.get(name) != now.get(name)).collect();
    rules.sort_unstable();
    rules.dedup();
    if !rules.is_empty() {
        let value =
            |schema: &Value, name: &str| schema.get(name).map_or("none".to_owned(), |one| shown(&one.to_string()));
        let each =
            rules.iter().map(|name| format!("{} is {}, and was {}", shown(name), value(now, name), value(was, name)));
        let each: Vec<String> = each.collect();
        changes.push(change(Effect::Breaks, format!("field {field}: {}", each.join("; "))));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::permissions::tests::manifest;
    use super::*;

    fn texts(changes: &[Change]) -> Vec<(Effect, &str)> {
        changes.iter().map(|one| (one.effect, one.text.as_str())).collect()
    }

    #[test]
    fn the_same_is_no_difference() {
        let other = manifest(json!({"version": "1.0.1", "title": "Better", "description": "new words"}));
        assert_eq!(difference(&manifest(json!({})), &other), Difference::default());
    }

    #[test]
    fn what_a_version_may_do_more_and_less_is_told_apart() {
        let new = manifest(
            json!({"hosts": ["{url}", "evil.example.net:443"], "secrets": {"inside": ["password", "api_key"]}}),
        );
        let found = difference(&manifest(json!({})), &new);
        assert_eq!(
            texts(&found.permissions),
            [
                (Effect::Widens, "new: it reaches evil.example.net:443, whatever the connection's configuration says"),
                (
                    Effect::Widens,
                    "new: it has this: the secret api_key enters the sandbox, where the connector's own code sees it"
                ),
                (
                    Effect::Narrows,
                    "no more: reaches login.example.com:443, whatever the connection's configuration says"
                ),
            ]
        );
    }

    #[test]
    fn what_connections_would_not_fit_any_more_is_named_by_its_field() {
        let new = json!({
            "type": "object", "additionalProperties": false, "required": ["url", "region"],
            "properties": {
                "url": {"type": "string", "pattern": "^https://"}, "api_key": {"type": "string", "writeOnly": true},
                "password": {"type": "string", "writeOnly": true}, "region": {"type": "string"},
                "timeout": {"type": "integer", "description": "Seconds."}
            }
        });
        let found = difference(&manifest(json!({})), &manifest(json!({"config": new})));
        assert_eq!(
            texts(&found.configuration),
            [
                (Effect::Breaks, "new field /region, which has to be set"),
                (Effect::Neutral, "new field /timeout, which may be set"),
                (Effect::Breaks, "field /url: pattern is \"^https://\", and was none"),
                (Effect::Breaks, "field /page is gone; connections that set it do not fit"),
            ]
        );
    }

    #[test]
    fn a_field_that_becomes_a_secret_or_ceases_to_be_one_is_told() {
        let config = |secret: bool, default: u32| {
            json!({"config": {"type": "object", "properties": {"a": {"type": "string", "writeOnly": secret},
                "b": {"type": "object", "properties": {"c": {"type": "integer", "default": default}}}}},
                "secrets": {"inside": []}, "auth": []})
        };
        let (open, closed) = (manifest(config(false, 1)), manifest(config(true, 2)));
        let told = |old, new| difference(old, new).configuration;
        assert!(texts(&told(&open, &closed))[0].1.contains("/a is a secret now"));
        assert_eq!(texts(&told(&open, &closed))[1].1, "field /b/c: the default is 2, and was 1");
        assert!(texts(&told(&closed, &open))[0].1.contains("no secret any more"));
    }

    #[test]
    fn capabilities_come_and_go() {
        let new = manifest(json!({"capabilities": {"splits": true}}));
        let found = difference(&manifest(json!({})), &new);
        assert_eq!(
            texts(&found.capabilities),
            [
                (Effect::Breaks, "it offers incremental reads no more; pipelines that use them fail"),
                (Effect::Neutral, "new: it offers splits that are read side by side"),
            ]
        );
    }
}
