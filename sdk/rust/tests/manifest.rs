//! The derives: what they write, and that the host can read it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed assertion is how a test fails")]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use sluice_sdk::{Config, ConfigSchema, ConnectorManifest, Manifest};

/// Where the shop is.
#[derive(Deserialize, Config)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct ShopConfig {
    /// Name of the server,
    /// or its address.
    ///
    /// Without a scheme.
    #[config(title = "Host", example = "db.example.com", format = "hostname")]
    host: String,
    /// Its port.
    #[serde(default = "port")]
    #[config(default = 5432, minimum = 1, group = "Network")]
    port: u16,
    #[config(secret)]
    password: Option<String>,
    #[serde(rename = "client-key")]
    #[config(secret, multiline)]
    client_key: Option<String>,
    #[serde(default)]
    ratio: f64,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    labels: BTreeMap<String, i64>,
    /// How careful to be.
    #[serde(default)]
    #[config(default = "verify-full")]
    tls: Tls,
    nested: Nested,
    proxy: Option<Proxy>,
}

fn port() -> u16 {
    5432
}

#[derive(Deserialize, Config, Default)]
#[serde(rename_all = "kebab-case")]
#[allow(dead_code)]
enum Tls {
    /// Not at all.
    Off,
    #[default]
    VerifyFull,
}

#[derive(Deserialize, Config, Default)]
#[serde(rename_all = "camelCase", default)]
#[allow(dead_code)]
struct Nested {
    big_number: i64,
}

#[derive(Deserialize, Config)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(dead_code)]
enum Proxy {
    /// None.
    Direct,
    HttpProxy {
        url: String,
    },
}

#[derive(Manifest)]
#[manifest(
    name = "shop",
    title = "Shop \"1\"",
    description = "Orders.",
    publisher = "Sluice",
    docs = "https://example.com",
    icon = "<svg/>",
    config = ShopConfig,
    hosts("{host}:{port}", "api.example.com:443"),
    secrets_inside("password", "client-key"),
    folders("/data"),
    auth(bearer(token = "password"), header(name = "X-Key", value = "client-key")),
    capabilities(incremental, estimate),
    memory_bytes = 1048576
)]
struct Shop;

#[test]
fn a_configuration_type_becomes_a_json_schema() {
    let schema: Value = serde_json::from_str(ShopConfig::SCHEMA).unwrap();
    let expected = json!({
        "description": "Where the shop is.",
        "type": "object",
        "properties": {
            "host": {"type": "string", "title": "Host",
                "description": "Name of the server, or its address.\n\nWithout a scheme.",
                "examples": ["db.example.com"], "format": "hostname"},
            "port": {"type": "integer", "description": "Its port.", "x-group": "Network", "default": 5432,
                "minimum": 1, "maximum": 65535},
            "password": {"type": "string", "format": "password", "writeOnly": true},
            "client-key": {"type": "string", "format": "password", "writeOnly": true, "x-multiline": true},
            "ratio": {"type": "number"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "labels": {"type": "object", "additionalProperties": {"type": "integer"}},
            "tls": {"description": "How careful to be.", "default": "verify-full", "allOf": [
                {"type": "string", "enum": ["off", "verify-full"], "x-descriptions": {"off": "Not at all."}}]},
            "nested": {"type": "object", "properties": {"bigNumber": {"type": "integer"}}, "required": [],
                "x-order": ["bigNumber"]},
            "proxy": {"type": "object", "oneOf": [
                {"description": "None.", "type": "object", "properties": {"kind": {"const": "direct"}},
                    "required": ["kind"], "x-order": []},
                {"type": "object", "properties": {"kind": {"const": "http_proxy"}, "url": {"type": "string"}},
                    "required": ["kind", "url"], "x-order": ["url"]}]},
        },
        "required": ["host", "nested"],
        "additionalProperties": false,
        "x-order": ["host", "port", "password", "client-key", "ratio", "tags", "labels", "tls", "nested", "proxy"],
    });
    assert_eq!(schema, expected);
    assert_eq!(ShopConfig::SECRETS, r#"["password","client-key"]"#);
}

/// What several configurations have.
#[derive(Deserialize, Config)]
#[allow(dead_code)]
struct Common {
    /// Where.
    place: String,
    #[config(secret)]
    token: Option<String>,
}

/// All of it may be left out, and nothing is secret.
#[derive(Deserialize, Config)]
#[allow(dead_code)]
struct Harmless {
    quiet: Option<bool>,
}

#[derive(Deserialize, Config)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Flat {
    first: String,
    #[serde(flatten)]
    common: Common,
    #[config(secret)]
    last: Option<String>,
}

#[derive(Deserialize, Config)]
#[allow(dead_code)]
struct Around {
    #[serde(flatten)]
    harmless: Harmless,
}

#[derive(Deserialize, Config)]
#[allow(dead_code)]
struct Twice {
    own: i64,
    #[serde(flatten)]
    around: Around,
}

#[test]
fn fields_of_a_flattened_struct_are_the_outer_ones_where_they_stand() {
    let schema: Value = serde_json::from_str(Flat::SCHEMA).unwrap();
    let secret = json!({"type": "string", "format": "password", "writeOnly": true});
    let expected = json!({
        "type": "object",
        "properties": {"first": {"type": "string"}, "place": {"type": "string", "description": "Where."}, "token": secret,
            "last": secret},
        "required": ["first", "place"],
        "additionalProperties": false,
        "x-order": ["first", "place", "token", "last"],
    });
    assert_eq!(schema, expected);
    assert_eq!(Flat::SECRETS, r#"["last","token"]"#);
    let twice: Value = serde_json::from_str(Twice::SCHEMA).unwrap();
    assert_eq!((&twice["required"], &twice["x-order"]), (&json!(["own"]), &json!(["own", "quiet"])));
    assert_eq!(Twice::SECRETS, "[]");
}

#[test]
fn serde_reads_what_the_schema_of_a_flattened_struct_says_and_nothing_else() {
    let read = |value: Value| serde_json::from_value::<Flat>(value);
    let flat = read(json!({"first": "a", "place": "b", "token": "c"})).unwrap();
    assert_eq!((flat.common.place.as_str(), flat.common.token.as_deref()), ("b", Some("c")));
    let unknown = read(json!({"first": "a", "place": "b", "plaec": "c"})).err().unwrap();
    assert!(unknown.to_string().contains("plaec"), "{unknown}");
}

#[test]
fn the_manifest_is_a_constant_that_the_host_can_read() {
    const MANIFEST: &str = Shop::MANIFEST;
    let manifest: Value = serde_json::from_str(MANIFEST).unwrap();
    let expected = json!({
        "contract": "0.1",
        "name": "shop",
        "version": env!("CARGO_PKG_VERSION"),
        "title": "Shop \"1\"",
        "description": "Orders.",
        "publisher": "Sluice",
        "docs": "https://example.com",
        "icon": "<svg/>",
        "config": serde_json::from_str::<Value>(ShopConfig::SCHEMA).unwrap(),
        "secrets": {"inside": ["password", "client-key"]},
        "hosts": ["{host}:{port}", "api.example.com:443"],
        "auth": [{"scheme": "bearer", "token": "password"}, {"scheme": "header", "name": "X-Key", "value": "client-key"}],
        "folders": ["/data"],
        "capabilities": {"incremental": true, "splits": false, "estimate": true, "filter": false, "changed_files": false},
        "memory_bytes": 1_048_576,
    });
    assert_eq!(manifest, expected);
}

/// A source that asks for nothing.
#[derive(Manifest)]
#[manifest(name = "plain", title = "Plain", config = Nested)]
struct Plain;

#[test]
fn what_is_not_said_is_empty() {
    let manifest: Value = serde_json::from_str(Plain::MANIFEST).unwrap();
    assert_eq!(manifest["description"], "A source that asks for nothing.");
    assert_eq!(manifest["hosts"], json!([]));
    assert_eq!(manifest["secrets"], json!({"inside": []}));
    assert_eq!(manifest["memory_bytes"], Value::Null);
}

/// Where the objects are.
#[derive(Deserialize, Config)]
#[allow(dead_code)]
struct CloudConfig {
    key_id: Option<String>,
    #[config(secret)]
    key: Option<String>,
    #[config(secret)]
    token: Option<String>,
    #[serde(default)]
    region: String,
    #[serde(default)]
    default_credentials: bool,
}

/// A source that names every cloud's scheme.
#[derive(Manifest)]
#[manifest(
    name = "cloud",
    title = "Cloud",
    config = CloudConfig,
    auth(
        aws_sigv4(
            access_key = "key_id",
            secret_key = "key",
            session_token = "token",
            region = "region",
            service = "s3"
        ),
        azure_shared_key(account = "key_id", key = "key"),
        azure_sas(token = "token"),
        google_oauth(
            key = "key",
            application_default = "default_credentials",
            scopes("https://www.googleapis.com/auth/devstorage.read_only")
        ),
        google_oauth(key = "key", scopes("a", "b")),
        oauth2(token_url = "https://login.example.com/token", client_id = "key_id", client_secret = "key"),
        oauth2(token_url = "{region}", client_id = "key_id", client_secret = "key", refresh_token = "token", scopes("a"))
    )
)]
struct Cloud;

#[test]
fn the_clouds_schemes_are_stated_by_the_names_that_the_host_reads() {
    let manifest: Value = serde_json::from_str(Cloud::MANIFEST).unwrap();
    let expected = json!([
        {"scheme": "aws-sigv4", "access_key": "key_id", "secret_key": "key", "session_token": "token",
            "region": "region", "service": "s3"},
        {"scheme": "azure-shared-key", "account": "key_id", "key": "key"},
        {"scheme": "azure-sas", "token": "token"},
        {"scheme": "google-oauth", "key": "key", "application_default": "default_credentials",
            "scopes": ["https://www.googleapis.com/auth/devstorage.read_only"]},
        {"scheme": "google-oauth", "key": "key", "scopes": ["a", "b"]},
        {"scheme": "oauth2", "token_url": "https://login.example.com/token", "client_id": "key_id", "client_secret": "key"},
        {"scheme": "oauth2", "token_url": "{region}", "client_id": "key_id", "client_secret": "key", "refresh_token": "token",
            "scopes": ["a"]},
    ]);
    assert_eq!(manifest["auth"], expected);
}
