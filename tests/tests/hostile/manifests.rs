//! What a connector says of itself, and the form that it asks to be shown.

use serde_json::{Map, Value, json};
use sluice_core::pipeline::Grants;
use sluice_runtime::Connection;
use sluice_tests::attack::{Outcome, limits, load, surroundings};
use sluice_tests::crafted::{Core, SOURCE, component, export, manifest, manifest_section, outside};

/// Loads a connector whose manifest has these fields.
async fn with(fields: Value) -> Outcome {
    stating(changed(fields).to_string().as_bytes()).await
}

fn changed(fields: Value) -> Value {
    let mut manifest = manifest();
    for (field, value) in fields.as_object().unwrap() {
        manifest[field] = value.clone();
    }
    manifest
}

async fn stating(manifest: &[u8]) -> Outcome {
    load(&outside(&[manifest_section(manifest), export(SOURCE)])).await.map(|_| "loaded".into())
}

/// Configures a connector whose manifest has these fields.
async fn configured(fields: Value, config: &Value) -> Outcome {
    let connector = load(&component(&Core::default(), &changed(fields))).await?;
    Connection::new(connector, config, Grants::default(), limits(), &surroundings()).map(|_| "configured".into())
}

async fn form(properties: Value) -> Outcome {
    with(json!({"config": {"type": "object", "properties": properties}})).await
}

pub(crate) async fn manifest_bomb() -> Outcome {
    with(json!({"description": "x".repeat(2 << 20)})).await
}

pub(crate) async fn manifest_nest() -> Outcome {
    let nested = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let text = manifest().to_string().replace("{}", &nested);
    stating(text.as_bytes()).await
}

pub(crate) async fn unknown_claim() -> Outcome {
    with(json!({"capabilities": {"root_access": true}})).await
}

pub(crate) async fn hidden_secret() -> Outcome {
    with(json!({
        "config": {"type": "object", "properties": {"token": {"type": "string"}}},
        "auth": [{"scheme": "bearer", "token": "token"}],
    }))
    .await
}

pub(crate) async fn contract_lie() -> Outcome {
    with(json!({"contract": "7.2"})).await
}

pub(crate) async fn imitated_title() -> Outcome {
    with(json!({"title": "P\u{43e}stgreSQL"})).await
}

pub(crate) async fn escaping_title() -> Outcome {
    with(json!({"title": "Postgres\u{1b}[2J"})).await
}

pub(crate) async fn title_of_markup() -> Outcome {
    with(json!({"title": "<script>alert(1)</script>"})).await
}

pub(crate) async fn climbing_name() -> Outcome {
    with(json!({"name": "../../etc/cron.d/x"})).await
}

pub(crate) async fn script_link() -> Outcome {
    with(json!({"docs": "javascript:alert(1)"})).await
}

pub(crate) async fn climbing_folder() -> Outcome {
    with(json!({"folders": ["/data/../../etc"]})).await
}

pub(crate) async fn half_of_the_internet() -> Outcome {
    configured(json!({"hosts": ["*.com:443"]}), &json!({})).await
}

pub(crate) async fn endless_schema() -> Outcome {
    form(json!({"tree": {"type": "object", "properties": {"branch": {"$ref": "#/properties/tree"}}}})).await
}

pub(crate) async fn doubling_schema() -> Outcome {
    let mut defs = Map::new();
    for level in 0..40 {
        let next = json!({"$ref": format!("#/$defs/l{}", level + 1)});
        defs.insert(format!("l{level}"), json!({"allOf": [next, next]}));
    }
    defs.insert("l40".into(), json!({}));
    with(json!({"config": {"type": "object", "$defs": defs, "properties": {"x": {"$ref": "#/$defs/l0"}}}})).await
}

pub(crate) async fn choice_bomb() -> Outcome {
    form(json!({"x": {"enum": (0..100_000).collect::<Vec<u32>>()}})).await
}

pub(crate) async fn fetched_schema() -> Outcome {
    form(json!({"x": {"$ref": "http://127.0.0.1:9/schema.json"}})).await
}

fn pattern(pattern: &str) -> Value {
    json!({"config": {"type": "object", "properties": {"x": {"type": "string", "pattern": pattern}}}})
}

pub(crate) async fn pattern_bomb() -> Outcome {
    configured(pattern("^((a{1,1000}){1,1000}){1,1000}$"), &json!({"x": "a"})).await
}

pub(crate) async fn slow_pattern() -> Outcome {
    configured(pattern("^(a+)+$"), &json!({"x": format!("{}b", "a".repeat(50_000))})).await
}
