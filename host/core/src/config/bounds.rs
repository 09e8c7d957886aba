//! Which configuration schemas are taken: ones whose form can be shown and whose check takes bounded time.
//!
//! A schema comes from whoever wrote the connector. References may make a small one endless, or so large that checking the empty
//! configuration takes for ever; so what it would be with every reference written out is counted, and is what has to fit.

use serde_json::{Map, Value};

/// Most values of a schema with its references written out.
const MAX_VALUES: usize = 20_000;
/// Deepest nesting of the same.
const MAX_DEPTH: usize = 48;
/// Most properties of one object, which are fields of a form.
const MAX_PROPERTIES: usize = 500;
/// Most options of one choice.
const MAX_OPTIONS: usize = 1_000;
/// Most patterns: each is a program of its own.
const MAX_PATTERNS: usize = 64;
/// Longest pattern, bytes.
const MAX_PATTERN: usize = 1_000;

/// Keywords that refer to somewhere else, or name a place for it, in ways that cannot be followed without evaluating the schema.
const INDIRECT: [&str; 6] = ["$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$anchor", "$id"];

/// Checks that a schema is within these bounds.
///
/// # Errors
/// The bound that it exceeds, as a clause that follows the schema's name.
pub(crate) fn check(schema: &Value) -> Result<(), String> {
    let mut walk = Walk { root: schema, values: 0, patterns: 0, open: Vec::new() };
    walk.value(schema, 0)
}

struct Walk<'a> {
    root: &'a Value,
    values: usize,
    patterns: usize,
    /// References that are being followed.
    open: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, value: &'a Value, depth: usize) -> Result<(), String> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(format!("has more than {MAX_VALUES} values with its references written out"));
        }
        if depth > MAX_DEPTH {
            return Err(format!("nests deeper than {MAX_DEPTH} levels with its references written out"));
        }
        match value {
            Value::Object(members) => self.object(members, depth),
            Value::Array(items) => items.iter().try_for_each(|item| self.value(item, depth + 1)),
            _ => Ok(()),
        }
    }

    fn object(&mut self, members: &'a Map<String, Value>, depth: usize) -> Result<(), String> {
        for (name, member) in members {
            match (name.as_str(), member) {
                ("$ref", Value::String(reference)) => self.follow(reference, depth)?,
                ("properties" | "patternProperties", Value::Object(fields)) => {
                    if fields.len() > MAX_PROPERTIES {
                        return Err(format!("has {} properties in one object; at most {MAX_PROPERTIES}", fields.len()));
                    }
                    if name == "patternProperties" {
                        fields.keys().try_for_each(|pattern| self.pattern(pattern))?;
                    }
                }
                ("enum", Value::Array(options)) if options.len() > MAX_OPTIONS => {
                    return Err(format!("has a choice of {} options; at most {MAX_OPTIONS}", options.len()));
                }
                ("pattern", Value::String(pattern)) => self.pattern(pattern)?,
                (name, Value::String(_) | Value::Bool(_)) if INDIRECT.contains(&name) => {
                    return Err(format!("uses {name}; only `$ref` to a place within it (`#/…`) is followed"));
                }
                _ => {}
            }
            self.value(member, depth + 1)?;
        }
        Ok(())
    }

    fn pattern(&mut self, pattern: &str) -> Result<(), String> {
        self.patterns += 1;
        if self.patterns > MAX_PATTERNS {
            return Err(format!("has more than {MAX_PATTERNS} patterns"));
        }
        if pattern.len() > MAX_PATTERN {
            return Err(format!("has a pattern of {} bytes; at most {MAX_PATTERN}", pattern.len()));
        }
        Ok(())
    }

    fn follow(&mut self, reference: &'a str, depth: usize) -> Result<(), String> {
        let shown: String = reference.chars().take(80).collect();
        let target = reference.strip_prefix('#').filter(|pointer| pointer.is_empty() || pointer.starts_with('/'));
        let target = target.and_then(|pointer| self.root.pointer(pointer));
        let Some(target) = target else {
            return Err(format!("refers to {shown:?}, which is no place within it (`#/…`)"));
        };
        if self.open.contains(&reference) {
            return Err(format!("refers to {shown:?} from within itself, so it has no end"));
        }
        self.open.push(reference);
        self.value(target, depth + 1)?;
        self.open.pop();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_within_are_followed_as_often_as_they_are_made() {
        let schema = json!({"type": "object", "$defs": {"a": {"type": "string"}},
            "properties": {"x": {"$ref": "#/$defs/a"}, "y": {"$ref": "#/$defs/a"}, "$id": {"type": "string"}}});
        assert_eq!(check(&schema), Ok(()));
    }

    #[test]
    fn what_has_no_end_is_refused_however_long_the_way_round() {
        let itself = json!({"type": "object", "$ref": "#"});
        assert!(check(&itself).unwrap_err().contains("from within itself"));
        let round = json!({"$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"items": {"$ref": "#/$defs/a"}}}});
        assert!(check(&round).unwrap_err().contains("from within itself"));
        // Pointers that differ in spelling only come round all the same.
        let spelled = json!({"$defs": {"a/b": {"$ref": "#/$defs/a~1b"}}});
        assert!(check(&spelled).unwrap_err().contains("from within itself"));
    }

    #[test]
    fn what_doubles_at_each_level_is_counted_as_it_would_be_written_out() {
        let mut defs = Map::new();
        for level in 0..40 {
            let next = json!({"$ref": format!("#/$defs/l{}", level + 1)});
            defs.insert(format!("l{level}"), json!({"allOf": [next, next]}));
        }
        defs.insert("l40".into(), json!({}));
        let bomb = json!({"$defs": defs, "$ref": "#/$defs/l0"});
        let refused = check(&bomb).unwrap_err();
        assert!(refused.contains("20000 values") || refused.contains("48 levels"), "{refused}");
    }

    #[test]
    fn references_elsewhere_and_indirect_ones_are_refused_by_name() {
        assert!(check(&json!({"$ref": "http://a.example/s.json"})).unwrap_err().contains("http://a.example/s.json"));
        assert!(check(&json!({"$ref": "#/absent"})).unwrap_err().contains("no place within it"));
        assert!(check(&json!({"$dynamicRef": "#a"})).unwrap_err().contains("$dynamicRef"));
    }

    #[test]
    fn each_bound_names_itself() {
        let many = |n: usize| (0..n).map(|i| (format!("p{i}"), json!({}))).collect::<Map<_, _>>();
        assert!(check(&json!({"properties": many(501)})).unwrap_err().contains("501 properties"));
        assert!(check(&json!({"enum": vec![0; 1001]})).unwrap_err().contains("1001 options"));
        assert!(check(&json!({"pattern": "a".repeat(1001)})).unwrap_err().contains("1001 bytes"));
        let patterns: Vec<Value> = (0..65).map(|i| json!({"pattern": i.to_string()})).collect();
        assert!(check(&json!({"allOf": patterns})).unwrap_err().contains("64 patterns"));
    }
}
