//! Which parts of a connection's configuration are secrets, and keeping them apart.
//!
//! A connector marks secrets in the JSON Schema of its configuration with `"writeOnly": true`, on whatever level: in objects, lists,
//! alternatives and references. [`split`] takes them out, so that the rest can be stored and shown as it is; [`join`] puts
//! them back for the moment of use. Where a schema leaves it open (alternatives, patterns), what one reading calls a secret is
//! one; and where a schema is too deep or too large to be read, everything in that place is.
//!
//! [`Redactor`] removes known secrets from a text that is about to be logged or shown. It is the second line: what is
//! never written need not be removed.

mod redact;
mod reference;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

pub use redact::Redactor;
pub use reference::{SecretOffer, SecretRef};

/// Secrets by the JSON pointer of their place in the configuration.
pub type Secrets = BTreeMap<String, Value>;

/// How deep a configuration and its schema are followed.
const DEEPEST: usize = 64;

/// Steps after which the rest of a configuration is taken for secret: a schema can be made to branch without end.
const STEPS: usize = 50_000;

/// Words of JSON Schema under which alternatives for the same value stand.
const ALTERNATIVES: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// Words of JSON Schema under which one more schema for the same value stands.
const MORE: [&str; 4] = ["if", "then", "else", "not"];

/// A configuration in two parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    /// What may be stored, shown and returned. A secret in a list leaves null in its place.
    pub public: Value,
    /// What may not.
    pub secrets: Secrets,
    /// Secrets of objects that were given as null: whoever changes a configuration removes them so.
    pub cleared: BTreeSet<String>,
}

/// The places of a configuration that hold secrets, as JSON pointers; only places that are there.
pub fn pointers(schema: &Value, config: &Value) -> BTreeSet<String> {
    let mut marks = Marks { root: schema, found: BTreeSet::new(), steps: STEPS };
    marks.walk(schema, config, "", 0);
    marks.found
}

/// Takes the secrets out of a configuration. A secret that is null is none; in a list that is a place whose secret was left out.
pub fn split(schema: &Value, config: &Value) -> Parts {
    let mut parts = Parts { public: config.clone(), ..Parts::default() };
    for pointer in pointers(schema, config) {
        let parent = pointer.rsplit_once('/').and_then(|(parent, _)| config.pointer(parent));
        match take(&mut parts.public, &pointer) {
            Some(Value::Null) if parent.is_some_and(Value::is_object) => {
                parts.cleared.insert(pointer);
            }
            Some(Value::Null) | None => {}
            Some(value) => {
                parts.secrets.insert(pointer, value);
            }
        }
    }
    parts
}

/// Puts secrets back. Objects on the way are made where they are missing; what would need a list that is not there, or is
/// shorter, is left out.
pub fn join(public: &Value, secrets: &Secrets) -> Value {
    let mut config = public.clone();
    for (pointer, value) in secrets {
        put(&mut config, pointer, value.clone());
    }
    config
}

/// The secrets of a changed configuration, whose author left out what is to stay and wrote null for what is to go: those given
/// anew, and of the old ones those whose place is neither given anew nor cleared and still means the same. A secret in a list stays only if the list is as it was, because
/// otherwise the place of an element says nothing of which one it is.
///
/// Whether the old secrets may stay at all is for the caller to say first: not where the new configuration leads to
/// another host, or whoever may write a configuration could have its secrets sent to themselves.
pub fn carry_over(old: &Parts, new: &Parts) -> Secrets {
    let stays = |pointer: &str| {
        let lists = parents(pointer).filter(|parent| old.public.pointer(parent).is_some_and(Value::is_array));
        let mut lists = lists.map(|parent| old.public.pointer(parent) == new.public.pointer(parent));
        let parent = parents(pointer).last().unwrap_or_default();
        lists.all(|same| same) && (parent.is_empty() || new.public.pointer(parent).is_some_and(|p| !p.is_null()))
    };
    let kept = old.secrets.iter().filter(|(pointer, _)| stays(pointer) && !new.cleared.contains(*pointer));
    let mut secrets: Secrets = kept.map(|(pointer, value)| (pointer.clone(), value.clone())).collect();
    secrets.extend(new.secrets.clone());
    secrets
}

struct Marks<'a> {
    root: &'a Value,
    found: BTreeSet<String>,
    steps: usize,
}

impl<'a> Marks<'a> {
    fn walk(&mut self, schema: &'a Value, value: &Value, at: &str, depth: usize) {
        let Some(schema) = schema.as_object() else { return };
        self.steps = self.steps.saturating_sub(1);
        let secret = schema.get("writeOnly").and_then(Value::as_bool) == Some(true);
        if secret || depth > DEEPEST || self.steps == 0 {
            self.found.insert(at.to_owned());
            return;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|to| self.local(to)) {
            self.walk(target, value, at, depth + 1);
        }
        for word in ALTERNATIVES {
            for alternative in schema.get(word).and_then(Value::as_array).into_iter().flatten() {
                self.walk(alternative, value, at, depth + 1);
            }
        }
        for more in MORE.iter().filter_map(|word| schema.get(*word)) {
            self.walk(more, value, at, depth + 1);
        }
        for more in schema.get("dependentSchemas").and_then(Value::as_object).into_iter().flat_map(Map::values) {
            self.walk(more, value, at, depth + 1);
        }
        match value {
            Value::Object(members) => self.object(schema, members, at, depth),
            Value::Array(items) => self.array(schema, items, at, depth),
            _ => {}
        }
    }

    fn object(&mut self, schema: &'a Map<String, Value>, members: &Map<String, Value>, at: &str, depth: usize) {
        let named = schema.get("properties").and_then(Value::as_object);
        for (name, value) in members {
            let at = format!("{at}/{}", escape(name));
            let own = named.and_then(|named| named.get(name));
            // Patterns are not matched: a secret under one of them makes secrets of all that no property names.
            let patterns = schema.get("patternProperties").and_then(Value::as_object);
            let others = patterns.into_iter().flat_map(Map::values);
            let others = others.chain(schema.get("additionalProperties")).chain(schema.get("unevaluatedProperties"));
            match own {
                Some(own) => self.walk(own, value, &at, depth + 1),
                None => others.for_each(|schema| self.walk(schema, value, &at, depth + 1)),
            }
        }
    }

    fn array(&mut self, schema: &'a Map<String, Value>, items: &[Value], at: &str, depth: usize) {
        let first = schema.get("prefixItems").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (index, value) in items.iter().enumerate() {
            let at = format!("{at}/{index}");
            match first.get(index) {
                Some(own) => self.walk(own, value, &at, depth + 1),
                None => ["items", "contains", "unevaluatedItems"]
                    .iter()
                    .filter_map(|word| schema.get(*word))
                    .for_each(|schema| self.walk(schema, value, &at, depth + 1)),
            }
        }
    }

    /// What a reference inside the schema points to; nothing is fetched.
    fn local(&self, reference: &str) -> Option<&'a Value> {
        self.root.pointer(reference.strip_prefix('#')?)
    }
}

/// A member's name in a JSON pointer (RFC 6901, section 3).
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The pointers above a pointer, from the outermost on.
fn parents(pointer: &str) -> impl Iterator<Item = &str> {
    pointer.match_indices('/').filter_map(|(at, _)| pointer.get(..at))
}

fn take(config: &mut Value, pointer: &str) -> Option<Value> {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return Some(config.take()) };
    match config.pointer_mut(parent)? {
        Value::Object(members) => members.remove(&name.replace("~1", "/").replace("~0", "~")),
        Value::Array(items) => items.get_mut(name.parse::<usize>().ok()?).map(Value::take),
        _ => None,
    }
}

fn put(config: &mut Value, pointer: &str, value: Value) {
    let mut place = config;
    for name in pointer.split('/').skip(1) {
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        let next = match place {
            Value::Object(members) => {
                Some(members.entry(name.replace("~1", "/").replace("~0", "~")).or_insert(Value::Null))
            }
            Value::Array(items) => name.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
            _ => None,
        };
        let Some(next) = next else { return };
        place = next;
    }
    *place = value;
}
