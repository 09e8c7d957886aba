//! What changed between two schemas of a stream's table, in words that a person and a program can read. Names and types only, never
//! values.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::worker::Column;

/// One change of one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum SchemaChange {
    /// A column came.
    Added {
        /// Its name.
        column: String,
        /// Its type.
        r#type: String,
    },
    /// A column is not delivered any more; in the table it stays.
    Removed {
        /// Its name.
        column: String,
    },
    /// A column has another type.
    Retyped {
        /// Its name.
        column: String,
        /// The type before.
        from: String,
        /// The type now.
        to: String,
    },
    /// A column that always had a value may be NULL now.
    Relaxed {
        /// Its name.
        column: String,
    },
    /// A column that could be NULL always has a value now.
    Tightened {
        /// Its name.
        column: String,
    },
}

impl fmt::Display for SchemaChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { column, r#type } => write!(f, "new column {column} ({})", r#type),
            Self::Removed { column } => write!(f, "column {column} is gone"),
            Self::Retyped { column, from, to } => write!(f, "column {column} changed from {from} to {to}"),
            Self::Relaxed { column } => write!(f, "column {column} may be NULL now"),
            Self::Tightened { column } => write!(f, "column {column} is never NULL now"),
        }
    }
}

/// The changes that lead from one schema to the other, in the order of the columns' names. The order of columns says nothing.
pub fn changes(before: &[Column], after: &[Column]) -> Vec<SchemaChange> {
    let old: BTreeMap<&str, &Column> = before.iter().map(|column| (column.name.as_str(), column)).collect();
    let new: BTreeMap<&str, &Column> = after.iter().map(|column| (column.name.as_str(), column)).collect();
    let mut names: Vec<&str> = old.keys().chain(new.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter_map(|name| change(name, old.get(name).copied(), new.get(name).copied())).collect()
}

fn change(name: &str, old: Option<&Column>, new: Option<&Column>) -> Option<SchemaChange> {
    let column = name.to_owned();
    match (old, new) {
        (None, Some(new)) => Some(SchemaChange::Added { column, r#type: new.r#type.clone() }),
        (Some(_), None) => Some(SchemaChange::Removed { column }),
        (Some(old), Some(new)) if old.r#type != new.r#type => {
            Some(SchemaChange::Retyped { column, from: old.r#type.clone(), to: new.r#type.clone() })
        }
        (Some(old), Some(new)) if !old.nullable && new.nullable => Some(SchemaChange::Relaxed { column }),
        (Some(old), Some(new)) if old.nullable && !new.nullable => Some(SchemaChange::Tightened { column }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, r#type: &str, nullable: bool) -> Column {
        Column { name: name.into(), r#type: r#type.into(), nullable }
    }

    #[test]
    fn each_change_is_named_once_and_order_does_not_matter() {
        let before = [
            column("a", "Int64", false),
            column("b", "Utf8", true),
            column("c", "Int32", true),
            column("d", "Utf8", false),
            column("e", "Utf8", true),
        ];
        let after = [
            column("e", "Utf8", false),
            column("d", "Utf8", true),
            column("c", "Int64", true),
            column("x", "Date32", true),
            column("a", "Int64", false),
        ];
        let said: Vec<String> = changes(&before, &after).iter().map(ToString::to_string).collect();
        let expected = [
            "column b is gone",
            "column c changed from Int32 to Int64",
            "column d may be NULL now",
            "column e is never NULL now",
            "new column x (Date32)",
        ];
        assert_eq!(said, expected);
        assert_eq!(changes(&before, &before), []);
    }

    #[test]
    fn a_change_is_json_that_says_what_it_is() {
        let change = SchemaChange::Added { column: "x".into(), r#type: "Utf8".into() };
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(text, r#"{"change":"added","column":"x","type":"Utf8"}"#);
    }
}
