//! Arrow columns → BigQuery columns, for the table and for its staging table. Pure.

use arrow_schema::{DataType, Field, SchemaRef};
use google_cloud_bigquery_v2::model::{TableFieldSchema, TableSchema};
use sluice_core::load::{LOGICAL_TYPE_KEY, LoadStrategy, SNAPSHOT_DATE_COLUMN, SOURCE_NAME_KEY, TableSpec};

use super::types::is_numeric;

/// What a schema is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The table that a person sees.
    Table,
    /// A staging table: nothing is required, and JSON and GEOGRAPHY are text, which a Parquet file can hold.
    Staging,
}

/// The columns of a load's table, with the snapshot date of a catalog.
pub(crate) fn table_schema(spec: &TableSpec) -> TableSchema {
    let mut fields = columns(&spec.schema, Purpose::Table);
    if matches!(spec.strategy, LoadStrategy::Catalog { .. }) {
        let date = TableFieldSchema::new().set_name(SNAPSHOT_DATE_COLUMN).set_type("DATE").set_mode("REQUIRED");
        fields.push(date.set_description("Day that the snapshot stands for"));
    }
    TableSchema::new().set_fields(fields)
}

/// The columns of a native schema.
pub(crate) fn columns(schema: &SchemaRef, purpose: Purpose) -> Vec<TableFieldSchema> {
    schema.fields().iter().map(|field| column(field, purpose)).collect()
}

fn column(field: &Field, purpose: Purpose) -> TableFieldSchema {
    let (item, mode) = match field.data_type() {
        DataType::List(item) => (item.as_ref(), "REPEATED"),
        _ if field.is_nullable() || purpose == Purpose::Staging => (field, "NULLABLE"),
        _ => (field, "REQUIRED"),
    };
    let mut column = TableFieldSchema::new().set_name(field.name()).set_type(kind(item, field, purpose)).set_mode(mode);
    if let DataType::Struct(fields) = item.data_type() {
        column = column.set_fields(fields.iter().map(|field| self::column(field, purpose)).collect::<Vec<_>>());
    }
    match field.metadata().get(SOURCE_NAME_KEY) {
        Some(name) if name != field.name() && purpose == Purpose::Table => {
            column.set_description(format!("Source name: {name}"))
        }
        _ => column,
    }
}

/// BigQuery's name of a type. `item` is the field itself, or a list's element.
fn kind(item: &Field, field: &Field, purpose: Purpose) -> &'static str {
    match item.data_type() {
        DataType::Boolean => "BOOLEAN",
        DataType::Int64 => "INTEGER",
        DataType::Float64 => "FLOAT",
        DataType::Decimal128(p, s) | DataType::Decimal256(p, s) if is_numeric(*p, *s) => "NUMERIC",
        DataType::Decimal128(..) | DataType::Decimal256(..) => "BIGNUMERIC",
        DataType::Binary => "BYTES",
        DataType::Date32 => "DATE",
        DataType::Time64(_) => "TIME",
        DataType::Timestamp(_, None) => "DATETIME",
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP",
        DataType::Struct(_) => "RECORD",
        _ if purpose == Purpose::Staging => "STRING",
        _ => match item.metadata().get(LOGICAL_TYPE_KEY).or_else(|| field.metadata().get(LOGICAL_TYPE_KEY)) {
            Some(logical) if logical == "json" => "JSON",
            Some(logical) if logical == "geography" => "GEOGRAPHY",
            _ => "STRING",
        },
    }
}

/// One name for a type that the API knows under two.
pub(crate) fn canonical(kind: &str) -> &str {
    match kind {
        "INT64" => "INTEGER",
        "FLOAT64" => "FLOAT",
        "BOOL" => "BOOLEAN",
        "STRUCT" => "RECORD",
        "BIGDECIMAL" => "BIGNUMERIC",
        "DECIMAL" => "NUMERIC",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use arrow_schema::{Schema, TimeUnit};

    use super::*;

    fn tagged(field: Field, key: &str, value: &str) -> Field {
        field.with_metadata(HashMap::from([(key.into(), value.into())]))
    }

    #[test]
    fn columns_have_bigquerys_types_modes_and_the_name_at_the_source() {
        let schema: SchemaRef = Arc::new(Schema::new(vec![
            tagged(Field::new("id", DataType::Int64, false), SOURCE_NAME_KEY, "Id"),
            tagged(Field::new("doc", DataType::Utf8, true), LOGICAL_TYPE_KEY, "json"),
            Field::new("big", DataType::Decimal128(38, 20), true),
            Field::new("at", DataType::Time64(TimeUnit::Microsecond), true),
            Field::new("tags", DataType::List(Arc::new(Field::new("element", DataType::Utf8, true))), true),
        ]));
        let table = columns(&schema, Purpose::Table);
        let seen: Vec<_> = table.iter().map(|c| (c.name.as_str(), c.r#type.as_str(), c.mode.as_str())).collect();
        let expected = [
            ("id", "INTEGER", "REQUIRED"),
            ("doc", "JSON", "NULLABLE"),
            ("big", "BIGNUMERIC", "NULLABLE"),
            ("at", "TIME", "NULLABLE"),
            ("tags", "STRING", "REPEATED"),
        ];
        assert_eq!(seen, expected);
        assert_eq!(table[0].description.as_deref(), Some("Source name: Id"));
    }

    #[test]
    fn a_staging_table_requires_nothing_and_holds_json_as_text() {
        let schema: SchemaRef = Arc::new(Schema::new(vec![
            Field::new("id", DataType::Int64, false),
            tagged(Field::new("doc", DataType::Utf8, true), LOGICAL_TYPE_KEY, "json"),
        ]));
        let staging = columns(&schema, Purpose::Staging);
        let seen: Vec<_> = staging.iter().map(|c| (c.r#type.as_str(), c.mode.as_str())).collect();
        assert_eq!(seen, [("INTEGER", "NULLABLE"), ("STRING", "NULLABLE")]);
    }
}
