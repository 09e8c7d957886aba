//! What has to happen to a table so that a load fits into it. Pure: two schemas in, a plan out.

use google_cloud_bigquery_v2::model::TableFieldSchema;
use sluice_core::error::{Actor, Kind, RunError};
use sluice_core::load::{Evolution, TableName};

use super::schema::canonical;

/// The steps that bring a table up to a load.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// The whole schema after columns are added and relaxed, if any is.
    pub(crate) patch: Option<Vec<TableFieldSchema>>,
    /// Columns that become wider: name and new type. Done by DDL, which the API's PATCH does not offer.
    pub(crate) widen: Vec<(String, &'static str)>,
    /// What changes, in words.
    pub(crate) changes: Vec<String>,
}

impl Plan {
    pub(crate) fn is_empty(&self) -> bool {
        self.patch.is_none() && self.widen.is_empty()
    }
}

/// Compares the table as it is with the columns of a load.
///
/// # Errors
/// `schema-changed`, naming every column, if something is asked for that is never automatic or that the policy forbids.
pub(crate) fn plan(
    table: &TableName,
    existing: &[TableFieldSchema],
    wanted: &[TableFieldSchema],
    policy: Evolution,
) -> Result<Plan, RunError> {
    let mut differences = Differences::default();
    let merged = merge(existing, wanted, "", &mut differences);
    if !differences.refused.is_empty() {
        let what = differences.refused.join("; ");
        let message = format!(
            "table {table} does not fit the stream any more: {what}. Cast or rename the columns, or load into a new table"
        );
        return Err(RunError::new(Kind::SchemaChanged, Actor::User, message));
    }
    if policy == Evolution::Freeze && !differences.changes.is_empty() {
        let what = differences.changes.join("; ");
        let message = format!(
            "table {table} is frozen, but the stream asks for changes: {what}. Set `evolution: evolve` or change the table"
        );
        return Err(RunError::new(Kind::SchemaChanged, Actor::User, message).with_field("evolution"));
    }
    let patch = differences.patched.then_some(merged);
    Ok(Plan { patch, widen: differences.widen, changes: differences.changes })
}

#[derive(Default)]
struct Differences {
    refused: Vec<String>,
    changes: Vec<String>,
    widen: Vec<(String, &'static str)>,
    patched: bool,
}

fn merge(
    existing: &[TableFieldSchema],
    wanted: &[TableFieldSchema],
    prefix: &str,
    out: &mut Differences,
) -> Vec<TableFieldSchema> {
    let find = |name: &str, list: &[TableFieldSchema]| list.iter().position(|f| f.name.eq_ignore_ascii_case(name));
    let mut merged = existing.to_vec();
    for column in &mut merged {
        let path = format!("{prefix}{}", column.name);
        match find(&column.name, wanted).and_then(|at| wanted.get(at)) {
            Some(want) => merge_column(column, want, &path, prefix.is_empty(), out),
            // The load has no values for it, so it must take NULL; it stays.
            None if column.mode == "REQUIRED" => relax(column, &path, out),
            None => {}
        }
    }
    for want in wanted.iter().filter(|want| find(&want.name, existing).is_none()) {
        let mut added = want.clone();
        if added.mode == "REQUIRED" {
            added.mode = "NULLABLE".into();
        }
        out.changes.push(format!("column {prefix}{} {} is new", added.name, added.r#type));
        out.patched = true;
        merged.push(added);
    }
    merged
}

fn merge_column(column: &mut TableFieldSchema, want: &TableFieldSchema, path: &str, top: bool, out: &mut Differences) {
    let (has, wants) = (canonical(&column.r#type).to_owned(), canonical(&want.r#type).to_owned());
    if (column.mode == "REPEATED") != (want.mode == "REPEATED") {
        let of = |f: &TableFieldSchema| if f.mode == "REPEATED" { "an array" } else { "a single value" };
        out.refused.push(format!("column {path} is {} in the table and {} in the stream", of(column), of(want)));
        return;
    }
    if column.mode == "REQUIRED" && want.mode != "REQUIRED" {
        relax(column, path, out);
    }
    if has == "RECORD" && wants == "RECORD" {
        column.fields = merge(&column.fields, &want.fields, &format!("{path}."), out);
    } else if !holds(&has, &wants) {
        match widened(&has, &wants) {
            Some(to) if top && column.mode != "REPEATED" => {
                out.changes.push(format!("column {path} widens from {has} to {to}"));
                out.widen.push((column.name.clone(), to));
            }
            _ => out.refused.push(format!("column {path} is {has} in the table and {wants} in the stream")),
        }
    }
}

fn relax(column: &mut TableFieldSchema, path: &str, out: &mut Differences) {
    column.mode = "NULLABLE".into();
    out.changes.push(format!("column {path} may be NULL"));
    out.patched = true;
}

/// Whether a column of one type takes the values of another as they are.
fn holds(has: &str, wants: &str) -> bool {
    has == wants
        || matches!(
            (has, wants),
            ("NUMERIC" | "BIGNUMERIC", "INTEGER") | ("BIGNUMERIC", "NUMERIC") | ("STRING", "JSON" | "GEOGRAPHY")
        )
}

/// The type to which a column may be widened so that it takes another type's values.
fn widened(has: &str, wants: &str) -> Option<&'static str> {
    match (has, wants) {
        ("INTEGER", "NUMERIC") => Some("NUMERIC"),
        ("INTEGER" | "NUMERIC", "BIGNUMERIC") => Some("BIGNUMERIC"),
        ("INTEGER", "FLOAT") => Some("FLOAT64"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: &str, mode: &str) -> TableFieldSchema {
        TableFieldSchema::new().set_name(name).set_type(kind).set_mode(mode)
    }

    fn plan_for(existing: &[TableFieldSchema], wanted: &[TableFieldSchema]) -> Result<Plan, RunError> {
        plan(&TableName { dataset: "d".into(), table: "t".into() }, existing, wanted, Evolution::Evolve)
    }

    #[test]
    fn the_same_columns_under_their_other_names_need_nothing() {
        let existing = [column("ID", "INT64", "NULLABLE"), column("ok", "BOOL", "")];
        let wanted = [column("id", "INTEGER", "NULLABLE"), column("ok", "BOOLEAN", "NULLABLE")];
        assert!(plan_for(&existing, &wanted).unwrap().is_empty());
    }

    #[test]
    fn a_new_column_is_added_as_nullable_and_a_required_one_relaxed() {
        let existing = [column("a", "INTEGER", "REQUIRED"), column("gone", "STRING", "REQUIRED")];
        let wanted = [column("a", "INTEGER", "NULLABLE"), column("b", "STRING", "REQUIRED")];
        let patch = plan_for(&existing, &wanted).unwrap().patch.unwrap();
        let seen: Vec<_> = patch.iter().map(|c| (c.name.as_str(), c.mode.as_str())).collect();
        assert_eq!(seen, [("a", "NULLABLE"), ("gone", "NULLABLE"), ("b", "NULLABLE")]);
    }

    #[test]
    fn integers_widen_and_a_wider_column_takes_them_as_it_is() {
        let widen = |has, wants| plan_for(&[column("a", has, "")], &[column("a", wants, "NULLABLE")]).map(|p| p.widen);
        assert_eq!(widen("INTEGER", "NUMERIC").unwrap(), [("a".into(), "NUMERIC")]);
        assert_eq!(widen("NUMERIC", "BIGNUMERIC").unwrap(), [("a".into(), "BIGNUMERIC")]);
        assert_eq!(widen("INTEGER", "FLOAT").unwrap(), [("a".into(), "FLOAT64")]);
        assert_eq!(widen("BIGNUMERIC", "INTEGER").unwrap(), []);
    }

    #[test]
    fn every_column_that_does_not_fit_is_named() {
        let existing = [column("a", "STRING", ""), column("b", "DATE", ""), column("c", "STRING", "REPEATED")];
        let wanted = [column("a", "INTEGER", ""), column("b", "TIMESTAMP", ""), column("c", "STRING", "")];
        let error = plan_for(&existing, &wanted).unwrap_err();
        assert_eq!(error.kind, Kind::SchemaChanged);
        for name in ["column a is STRING", "column b is DATE", "column c is an array"] {
            assert!(error.message.contains(name), "{error}");
        }
    }

    #[test]
    fn a_frozen_table_refuses_even_what_could_be_added() {
        let name = TableName { dataset: "d".into(), table: "t".into() };
        let wanted = [column("a", "INTEGER", ""), column("b", "STRING", "")];
        let error = plan(&name, &[column("a", "INTEGER", "")], &wanted, Evolution::Freeze).unwrap_err();
        assert!(error.message.contains("column b STRING is new"), "{error}");
    }

    #[test]
    fn a_record_grows_inside() {
        let record = |fields: Vec<TableFieldSchema>| column("r", "RECORD", "").set_fields(fields);
        let existing = [record(vec![column("x", "STRING", "")])];
        let wanted = [record(vec![column("x", "STRING", ""), column("y", "STRING", "")])];
        let patch = plan_for(&existing, &wanted).unwrap().patch.unwrap();
        assert_eq!(patch[0].fields.len(), 2);
    }
}
