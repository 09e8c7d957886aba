//! Whether a connection's configuration fits the JSON Schema of its connector's manifest.
//!
//! Checked by the host before any code of the connector runs, so that a mistake is named by its field, in the same words for
//! every connector. What only the connector can know (a bucket's name, a combination of fields) it checks itself.

pub(crate) mod bounds;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, PatternOptions, ValidationError};
use serde_json::Value;

use crate::error::{Actor, Kind, RunError};

/// Problems that one answer names; a person mends them a few at a time.
const MOST: usize = 8;

/// Memory that one compiled `pattern` of a schema may take, bytes: schemas come from whoever wrote the connector.
const PATTERN_BYTES: usize = 1 << 20;

/// A field of a configuration that does not fit, and why. Never holds the field's value, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field, as a JSON pointer; empty for the configuration as a whole.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// What of a configuration does not fit a schema; nothing if it does. A field that is null counts as left out.
///
/// # Errors
/// If the schema is not one: the connector's author has to act.
pub fn problems(schema: &Value, config: &Value) -> Result<Vec<Problem>, RunError> {
    // Linear in the text, whatever the pattern; and nothing is fetched: references stay inside the manifest.
    let patterns = PatternOptions::regex().size_limit(PATTERN_BYTES);
    let validator = jsonschema::options().with_pattern_options(patterns).build(schema).map_err(|e| {
        let message = format!("the connector's configuration schema is not valid: {}", e.masked());
        RunError::new(Kind::Protocol, Actor::Source, message)
    })?;
    let config = without_nulls(config);
    let mut problems: Vec<Problem> =
        validator.iter_errors(&config).take(MOST).map(|error| problem(&error, schema)).collect();
    problems.dedup();
    Ok(problems)
}

/// Fails if a configuration does not fit; the error names its first field, and all of them in its text.
///
/// # Errors
/// As said, or as [`problems`].
pub fn validate(schema: &Value, config: &Value) -> Result<(), RunError> {
    let problems = problems(schema, config)?;
    let Some(first) = problems.first() else { return Ok(()) };
    let field = if first.field.is_empty() { "/" } else { &first.field };
    let message = match problems.as_slice() {
        [one] => format!("the configuration does not fit the connector: {}", one.message),
        many => {
            let lines: Vec<String> =
                many.iter().map(|p| format!("{} {}", p.field, p.message).trim().to_owned()).collect();
            format!("the configuration does not fit the connector: {}", lines.join("; "))
        }
    };
    Err(RunError::config(field, message))
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        other => other.clone(),
    }
}

fn problem(error: &ValidationError<'_>, schema: &Value) -> Problem {
    let at = error.instance_path().to_string();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            Problem { field: format!("{at}/{}", escape(name)), message: format!("{name} is missing") }
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let name = unexpected.first().map(String::as_str).unwrap_or_default();
            let field = format!("{at}/{}", escape(name));
            Problem { field, message: format!("{} {}", unexpected.join(", "), unknown(schema, &at)) }
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<String> = options.as_array().into_iter().flatten().map(plain).collect();
            Problem { field: at, message: format!("it must be one of {}", options.join(", ")) }
        }
        ValidationErrorKind::Constant { expected_value } => {
            Problem { field: at, message: format!("it must be {}", plain(expected_value)) }
        }
        // YAML takes `off`, `y` or `0123` for something else than a text.
        ValidationErrorKind::Type { kind: TypeKind::Single(JsonType::String) }
            if error.instance().is_boolean() || error.instance().is_number() =>
        {
            Problem { field: at, message: "it must be a text; put it in quotes".to_owned() }
        }
        _ => Problem { field: at, message: error.masked_with("it").to_string() },
    }
}

/// Says that a field is not known, and at the top of the configuration which ones are.
fn unknown(schema: &Value, at: &str) -> String {
    let known = schema.get("properties").and_then(Value::as_object).filter(|_| at.is_empty());
    match known {
        Some(known) => {
            let mut names: Vec<&str> = known.keys().map(String::as_str).collect();
            names.sort_unstable();
            format!("is not a field; there are {}", names.join(", "))
        }
        None => "is not a field here".to_owned(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A member's name in a JSON pointer (RFC 6901, section 3).
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "host": {"type": "string", "minLength": 1},
                "port": {"type": "integer", "minimum": 1, "maximum": 65535},
                "tls": {"enum": ["disable", "require"]},
                "password": {"type": "string", "writeOnly": true, "pattern": "^[a-z]+$"},
                "streams": {"type": "array", "items": {"type": "object", "required": ["id"], "additionalProperties": false,
                    "properties": {"id": {"type": "string"}}}}
            },
            "required": ["host"],
            "additionalProperties": false
        })
    }

    fn found(config: &Value) -> Vec<(String, String)> {
        problems(&schema(), config).unwrap().into_iter().map(|p| (p.field, p.message)).collect()
    }

    #[test]
    fn what_fits_has_no_problems_and_null_counts_as_left_out() {
        assert_eq!(found(&json!({"host": "h", "port": 5432, "tls": "require", "password": null})), []);
    }

    #[test]
    fn each_field_that_does_not_fit_is_named_with_what_it_must_be() {
        let one = |config: Value| found(&config).pop().unwrap();
        assert_eq!(one(json!({"port": 1})), ("/host".into(), "host is missing".into()));
        assert_eq!(
            one(json!({"host": "h", "tls": "maybe"})),
            ("/tls".into(), "it must be one of disable, require".into())
        );
        assert_eq!(one(json!({"host": "h", "port": "5432"})).0, "/port");
        assert_eq!(one(json!({"host": false})), ("/host".into(), "it must be a text; put it in quotes".into()));
        assert_eq!(one(json!({"host": "h", "port": 0})), ("/port".into(), "it is less than the minimum of 1".into()));
        assert_eq!(
            one(json!({"host": "h", "hots": "x"})),
            ("/hots".into(), "hots is not a field; there are host, password, port, streams, tls".into())
        );
        assert_eq!(
            one(json!({"host": "h", "streams": [{"id": "a"}, {"id": "b", "gzip": true}]})),
            ("/streams/1/gzip".into(), "gzip is not a field here".into())
        );
    }

    #[test]
    fn a_value_is_never_repeated_because_it_may_be_a_secret() {
        for config in [json!({"host": "h", "password": "S3cret!"}), json!({"host": "h", "password": ["S3cret!"]})] {
            let error = validate(&schema(), &config).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("/password"));
            assert!(!error.to_string().contains("S3cret"), "{error}");
        }
    }

    #[test]
    fn several_problems_are_named_at_once() {
        let error = validate(&schema(), &json!({"port": 0, "hots": 1})).unwrap_err();
        for word in ["/host host is missing", "/port it is less", "/hots hots is not a field"] {
            assert!(error.message.contains(word), "{error}");
        }
    }

    #[test]
    fn a_schema_that_is_none_is_the_authors_to_mend_and_nothing_is_fetched() {
        let error = problems(&json!({"type": "no-such-type"}), &json!({})).unwrap_err();
        assert_eq!((error.kind, error.actor), (Kind::Protocol, Actor::Source));
        assert!(problems(&json!({"$ref": "http://127.0.0.1:1/schema.json"}), &json!({})).is_err());
        assert!(problems(&json!({"$ref": "file:///etc/passwd"}), &json!({})).is_err());
    }

    #[test]
    fn a_pattern_that_would_take_for_ever_elsewhere_is_linear_here() {
        let schema = json!({"properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}});
        let config = json!({"a": format!("{}b", "a".repeat(50_000))});
        assert_eq!(problems(&schema, &config).unwrap().len(), 1);
        let bomb = json!({"properties": {"a": {"type": "string", "pattern": "^((a{1,1000}){1,1000}){1,1000}$"}}});
        assert!(problems(&bomb, &json!({"a": "x"})).is_err());
    }
}
