//! What a connector is tried against.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_core::limits::InstanceLimits;
use sluice_core::pipeline::Grants;

/// A source that really is there, what is in it, and what is not tried and why: `conformance.yaml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// A program that serves the source while the checks run.
    #[serde(default)]
    pub server: Option<Server>,
    /// A connection that works.
    pub connection: Connected,
    /// Streams of the connection that are read, and what is known of each.
    pub streams: BTreeMap<String, StreamSpec>,
    /// Configurations that the connector's check must report as failed, by a name for people. Fields replace the connection's; null
    /// takes one away.
    #[serde(default)]
    pub refused: BTreeMap<String, Value>,
    /// Configurations with which the check itself must fail, by a name for people.
    #[serde(default)]
    pub errors: BTreeMap<String, Broken>,
    /// Streams without rows.
    #[serde(default)]
    pub empty: Option<Variant>,
    /// Streams with nulls and extremes in every type.
    #[serde(default)]
    pub extremes: Option<Extremes>,
    /// A stream with ten times the data.
    #[serde(default)]
    pub large: Option<Large>,
    /// A stream whose source keeps the connector waiting.
    #[serde(default)]
    pub slow: Option<Variant>,
    /// Files with recordings of the connector, which it must still do as it did.
    #[serde(default)]
    pub recordings: Vec<PathBuf>,
    /// Configuration fields that look like secrets and are none, and why.
    #[serde(default)]
    pub not_secret: BTreeMap<String, String>,
    /// Checks that are not made, and why.
    #[serde(default)]
    pub skip: BTreeMap<String, String>,
}

/// A program that serves the source. Its first line on standard output is its URL, which stands for `{server}` in configurations.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The program and its arguments, run in the specification's folder.
    pub command: Vec<String>,
}

/// A configured connection.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Connected {
    /// The connector's configuration.
    #[serde(default)]
    pub config: Value,
    /// What an operator grants.
    #[serde(default)]
    pub grants: Grants,
    /// Bounds of each instance; production's defaults where it says nothing.
    #[serde(default)]
    pub limits: InstanceLimits,
}

/// What is known of a stream.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamSpec {
    /// Rows that a full read has.
    #[serde(default)]
    pub rows: Option<u64>,
    /// The column that increments are read by; empty where the source needs none. Without it, the stream is read in full only.
    #[serde(default)]
    pub increment: Option<String>,
    /// A state, as the connector writes it, that lies beyond every row.
    #[serde(default)]
    pub future: Option<Value>,
    /// States that earlier versions of the connector wrote.
    #[serde(default)]
    pub past: Vec<Past>,
}

/// A state of an earlier version.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Past {
    /// The version that wrote it.
    pub version: String,
    /// The state; a text as it is, anything else as JSON.
    pub state: Value,
    /// Rows beyond it.
    pub rows: u64,
}

/// A configuration with which a check must fail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broken {
    /// Fields that replace the connection's.
    pub config: Value,
    /// The field that the error must name, as a JSON pointer.
    #[serde(default)]
    pub field: Option<String>,
}

/// The connection with other fields, and streams there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Fields that replace the connection's.
    #[serde(default)]
    pub config: Value,
    /// Streams to read.
    pub streams: Vec<String>,
}

/// Nulls and extremes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extremes {
    /// Fields that replace the connection's.
    #[serde(default)]
    pub config: Value,
    /// The stream, which has a null in every column that may be null.
    pub stream: String,
    /// Values that must be there, by column, as `sluice connector read` shows them. Each column of the stream must have some.
    pub values: BTreeMap<String, Vec<String>>,
}

/// More of the same.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Large {
    /// Fields that replace the connection's.
    #[serde(default)]
    pub config: Value,
    /// The stream that is measured, as the connection has it.
    pub stream: String,
    /// The stream with ten times the rows, if it has another name.
    #[serde(default)]
    pub large_stream: Option<String>,
}

/// A configuration with some fields replaced; null takes one away.
pub(crate) fn replaced(config: &Value, fields: &Value) -> Value {
    let mut all = config.as_object().cloned().unwrap_or_default();
    for (name, value) in fields.as_object().into_iter().flatten() {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    Value::Object(all)
}

/// A state's bytes: a text as it is, anything else as JSON.
pub(crate) fn state_bytes(state: &Value) -> Vec<u8> {
    match state {
        Value::String(text) => text.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_replace_others_and_null_takes_one_away() {
        let config = json!({"a": 1, "b": 2});
        assert_eq!(replaced(&config, &json!({"a": 3, "b": null, "c": 4})), json!({"a": 3, "c": 4}));
        assert_eq!(replaced(&config, &Value::Null), config);
    }

    #[test]
    fn a_state_is_text_or_json() {
        assert_eq!(state_bytes(&json!("a,b")), b"a,b");
        assert_eq!(state_bytes(&json!({"version": 1})), br#"{"version":1}"#);
    }
}
