//! A body that a schema takes, as small as it can be.

use serde_json::{Map, Value, json};

/// What an operation with this schema can be sent.
pub(super) fn sample(document: &Value, schema: &Value) -> Value {
    of(document, schema, "", 0)
}

fn of(document: &Value, schema: &Value, name: &str, depth: u32) -> Value {
    if depth > 12 {
        return Value::Null;
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = &document["components"]["schemas"][reference.rsplit('/').next().unwrap()];
        return of(document, schema, name, depth + 1);
    }
    if let Some(known) = [&schema["example"], &schema["const"], &schema["default"], &schema["enum"][0]]
        .into_iter()
        .find(|one| !one.is_null())
    {
        return known.clone();
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(all) = schema[choice].as_array() {
            let one = all.iter().find(|one| one["type"] != "null").unwrap();
            return of(document, one, name, depth + 1);
        }
    }
    let mut object = Map::new();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        if let Value::Object(fields) = of(document, part, name, depth + 1) {
            object.extend(fields);
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("string") => text(schema, name).into(),
        Some("integer" | "number") => schema["minimum"].as_i64().unwrap_or(1).into(),
        Some("boolean") => true.into(),
        Some("array") => json!([of(document, &schema["items"], name, depth + 1)]),
        _ => {
            for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                let value = of(document, &schema["properties"][required], required, depth + 1);
                object.insert(required.to_owned(), value);
            }
            object.into()
        }
    }
}

fn text(schema: &Value, name: &str) -> String {
    match (schema["format"].as_str().unwrap_or_default(), name) {
        ("password", _) => "four words nobody says".into(),
        ("date-time", _) => "2026-01-01T00:00:00Z".into(),
        ("date", _) => "2026-01-01".into(),
        ("uri", _) => "https://example.com/".into(),
        (_, "email") => "somebody@example.com".into(),
        _ => "x".repeat(usize::try_from(schema["minLength"].as_u64().unwrap_or(1)).unwrap().max(1)),
    }
}
