//! From BigQuery's types to Arrow's.
//!
//! | BigQuery | Arrow |
//! |---|---|
//! | BOOL, INT64, FLOAT64 | Boolean, Int64, Float64 |
//! | NUMERIC, BIGNUMERIC | Decimal128(38,9), Decimal256(76,38) |
//! | STRING, JSON, GEOGRAPHY | Utf8; the latter two are marked |
//! | BYTES | Binary |
//! | DATE, TIME | Date32, Time64(µs) |
//! | DATETIME, TIMESTAMP | Timestamp(µs), Timestamp(µs, UTC) |
//! | INTERVAL | Interval(MonthDayNano) |
//! | RANGE | Struct of `start` and `end` |
//! | ARRAY, STRUCT | List, Struct |
//!
//! That is what the Storage Read API sends, and what [`schema`] says of a table that is not read yet. Once there is a read
//! session, its own schema holds ([`session_schema`]), because batches pass through as they are. To support a new type: its
//! arm in [`scalar`], and in [`name`] if its name has parameters.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, FieldRef, Fields, IntervalUnit, Schema, SchemaRef, TimeUnit};
use sluice_sdk::{Error, Result};

use crate::rest::model::Field;

/// Field metadata: the type's name at the source.
const SOURCE_TYPE: &str = "sluice:source-type";
/// Field metadata: what a text column means.
const LOGICAL_TYPE: &str = "sluice:logical-type";

/// The type's name in GoogleSQL; the API still answers with older ones.
pub(crate) fn standard(field: &Field) -> &str {
    match field.r#type.as_str() {
        "INTEGER" => "INT64",
        "FLOAT" => "FLOAT64",
        "BOOLEAN" => "BOOL",
        "RECORD" => "STRUCT",
        "DECIMAL" => "NUMERIC",
        "BIGDECIMAL" => "BIGNUMERIC",
        other => other,
    }
}

/// Whether the field holds an array.
pub(crate) fn is_array(field: &Field) -> bool {
    field.mode.as_deref() == Some("REPEATED")
}

/// Whether the field is never NULL.
pub(crate) fn is_required(field: &Field) -> bool {
    field.mode.as_deref() == Some("REQUIRED")
}

/// The declared type, e.g. `NUMERIC(10,2)` or `ARRAY<STRING>`; of a record without its fields.
fn name(field: &Field) -> String {
    let standard = standard(field);
    let name = match (&field.precision, &field.scale, &field.max_length, &field.range_element_type) {
        (Some(precision), Some(scale), ..) => format!("{standard}({precision},{scale})"),
        (Some(precision), ..) => format!("{standard}({precision})"),
        (_, _, Some(length), _) => format!("{standard}({length})"),
        (_, _, _, Some(element)) => format!("RANGE<{}>", element.r#type),
        _ => standard.to_owned(),
    };
    if is_array(field) { format!("ARRAY<{name}>") } else { name }
}

/// What a text means to a sink that has a type for it.
fn logical(field: &Field) -> Option<&'static str> {
    match field.r#type.as_str() {
        "JSON" => Some("json"),
        "GEOGRAPHY" => Some("geography"),
        _ => None,
    }
}

/// What a column's metadata says.
fn metadata(field: &Field) -> HashMap<String, String> {
    let mut metadata = nested_metadata(field);
    metadata.insert(SOURCE_TYPE.to_owned(), name(field));
    metadata
}

/// What the metadata of a record's field says: only what a text means. Below the top, metadata is a part of the type, which
/// every split repeats.
fn nested_metadata(field: &Field) -> HashMap<String, String> {
    if is_array(field) { HashMap::new() } else { element_metadata(field) }
}

/// What the metadata of an array's element says.
fn element_metadata(field: &Field) -> HashMap<String, String> {
    logical(field).map(|logical| (LOGICAL_TYPE.to_owned(), logical.to_owned())).into_iter().collect()
}

/// What batches of these columns look like, as far as the API's description tells.
pub(crate) fn schema(columns: &[Field]) -> SchemaRef {
    let column = |field| described(field).with_nullable(!is_required(field)).with_metadata(metadata(field));
    Arc::new(Schema::new(columns.iter().map(column).collect::<Vec<_>>()))
}

/// A field as it stands in a record: a value is missing where the record itself is, so all of them can be.
fn described(field: &Field) -> ArrowField {
    let mut value = scalar(field);
    if is_array(field) {
        value = DataType::List(Arc::new(ArrowField::new("item", value, true).with_metadata(element_metadata(field))));
    }
    ArrowField::new(&field.name, value, true).with_metadata(nested_metadata(field))
}

fn scalar(field: &Field) -> DataType {
    match standard(field) {
        "BOOL" => DataType::Boolean,
        "INT64" => DataType::Int64,
        "FLOAT64" => DataType::Float64,
        "NUMERIC" => DataType::Decimal128(38, 9),
        "BIGNUMERIC" => DataType::Decimal256(76, 38),
        "BYTES" => DataType::Binary,
        "DATE" => DataType::Date32,
        "TIME" => DataType::Time64(TimeUnit::Microsecond),
        "DATETIME" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "TIMESTAMP" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "INTERVAL" => DataType::Interval(IntervalUnit::MonthDayNano),
        "RANGE" => range(field),
        "STRUCT" => {
            let fields = field.fields.as_deref().unwrap_or_default();
            DataType::Struct(fields.iter().map(described).collect())
        }
        // STRING, JSON, GEOGRAPHY, and what BigQuery may have one day.
        _ => DataType::Utf8,
    }
}

fn range(field: &Field) -> DataType {
    let element = field.range_element_type.as_ref().map(|element| element.r#type.clone()).unwrap_or_default();
    let bound = scalar(&Field { r#type: element, ..Field::default() });
    let bounds = ["start", "end"].map(|name| ArrowField::new(name, bound.clone(), true));
    DataType::Struct(bounds.into_iter().collect())
}

/// The schema of a read session's batches, with what the API's description adds: the source's types, what texts mean,
/// and which columns are never NULL.
pub(crate) fn session_schema(serialized: &[u8], columns: &[Field]) -> Result<SchemaRef> {
    let session = arrow_ipc::convert::try_schema_from_ipc_buffer(serialized)
        .map_err(|e| Error::protocol(format!("the read session's Arrow schema cannot be read: {e}")))?;
    let fields = session.fields().iter().map(|field| {
        // Names in BigQuery are equal whatever their case.
        let described = columns.iter().find(|column| column.name.eq_ignore_ascii_case(field.name()));
        let nullable = field.is_nullable() && !described.is_some_and(is_required);
        annotated(field, described).with_nullable(nullable).with_metadata(described.map(metadata).unwrap_or_default())
    });
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

fn annotated(field: &FieldRef, described: Option<&Field>) -> ArrowField {
    let children = |fields: &Fields| -> Fields {
        let described = described.and_then(|field| field.fields.as_deref()).unwrap_or_default();
        let child = |field: &FieldRef| {
            annotated(field, described.iter().find(|inner| inner.name.eq_ignore_ascii_case(field.name())))
        };
        fields.iter().map(child).collect()
    };
    let data_type = match field.data_type() {
        DataType::Struct(fields) => DataType::Struct(children(fields)),
        DataType::List(item) => {
            let value = match item.data_type() {
                DataType::Struct(fields) => DataType::Struct(children(fields)),
                other => other.clone(),
            };
            let metadata = described.map(element_metadata).unwrap_or_default();
            DataType::List(Arc::new(ArrowField::new("item", value, item.is_nullable()).with_metadata(metadata)))
        }
        other => other.clone(),
    };
    let metadata = described.map(nested_metadata).unwrap_or_default();
    ArrowField::new(field.name(), data_type, field.is_nullable()).with_metadata(metadata)
}

#[cfg(test)]
mod tests {
    use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions, write_message};
    use serde_json::json;

    use super::*;

    fn fields(value: serde_json::Value) -> Vec<Field> {
        serde_json::from_value(value).unwrap()
    }

    fn serialized(schema: &Schema) -> Vec<u8> {
        let options = IpcWriteOptions::default();
        let mut tracker = DictionaryTracker::new(false);
        let data = IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(schema, &mut tracker, &options);
        let mut bytes = Vec::new();
        write_message(&mut bytes, data, &options).unwrap();
        bytes
    }

    #[test]
    fn every_type_has_its_arrow_type_and_keeps_its_own_name() {
        let columns = fields(json!([
            {"name": "a", "type": "INTEGER", "mode": "REQUIRED"}, {"name": "b", "type": "FLOAT"}, {"name": "c", "type": "BOOL"},
            {"name": "d", "type": "NUMERIC", "precision": "10", "scale": "2"}, {"name": "e", "type": "BIGNUMERIC"},
            {"name": "f", "type": "STRING", "maxLength": "5"}, {"name": "g", "type": "BYTES"}, {"name": "h", "type": "DATE"},
            {"name": "i", "type": "TIME"}, {"name": "j", "type": "DATETIME"}, {"name": "k", "type": "TIMESTAMP"},
            {"name": "l", "type": "JSON"}, {"name": "m", "type": "GEOGRAPHY"}, {"name": "n", "type": "INTERVAL"},
            {"name": "o", "type": "RANGE", "rangeElementType": {"type": "DATE"}},
            {"name": "p", "type": "JSON", "mode": "REPEATED"},
            {"name": "q", "type": "RECORD", "mode": "REPEATED", "fields": [{"name": "x", "type": "INT64", "mode": "REQUIRED"}]},
        ]));
        let schema = schema(&columns);
        let shown: Vec<String> = schema
            .fields()
            .iter()
            .map(|f| format!("{} {} {}", f.name(), f.metadata()[SOURCE_TYPE], f.data_type()))
            .collect();
        let start_end = "Struct(\"start\": Date32, \"end\": Date32)";
        let expected = [
            "a INT64 Int64".to_owned(),
            "b FLOAT64 Float64".into(),
            "c BOOL Boolean".into(),
            "d NUMERIC(10,2) Decimal128(38, 9)".into(),
            "e BIGNUMERIC Decimal256(76, 38)".into(),
            "f STRING(5) Utf8".into(),
            "g BYTES Binary".into(),
            "h DATE Date32".into(),
            "i TIME Time64(µs)".into(),
            "j DATETIME Timestamp(µs)".into(),
            "k TIMESTAMP Timestamp(µs, \"UTC\")".into(),
            "l JSON Utf8".into(),
            "m GEOGRAPHY Utf8".into(),
            "n INTERVAL Interval(MonthDayNano)".into(),
            format!("o RANGE<DATE> {start_end}"),
        ];
        assert_eq!(shown[..15], expected);
        assert!(!schema.field(0).is_nullable() && schema.field(1).is_nullable());
        assert_eq!(schema.field(11).metadata()[LOGICAL_TYPE], "json");
        assert_eq!(schema.field(12).metadata()[LOGICAL_TYPE], "geography");
        let DataType::List(item) = schema.field(15).data_type() else { panic!("a list") };
        assert_eq!(item.metadata()[LOGICAL_TYPE], "json");
        assert!(!schema.field(15).metadata().contains_key(LOGICAL_TYPE));
        let DataType::List(item) = schema.field(16).data_type() else { panic!("a list") };
        let DataType::Struct(inner) = item.data_type() else { panic!("a record") };
        assert!(inner[0].is_nullable());
    }

    #[test]
    fn the_sessions_types_hold_and_the_description_adds_to_them() {
        let session = Schema::new(vec![
            ArrowField::new("id", DataType::Int64, true),
            ArrowField::new("n", DataType::Decimal128(10, 2), true),
            ArrowField::new("s", DataType::Struct(vec![ArrowField::new("doc", DataType::Utf8, true)].into()), true),
            ArrowField::new("a", DataType::List(Arc::new(ArrowField::new("l", DataType::Utf8, true))), false),
        ]);
        let columns = fields(json!([
            {"name": "ID", "type": "INTEGER", "mode": "REQUIRED"}, {"name": "n", "type": "NUMERIC"},
            {"name": "s", "type": "RECORD", "fields": [{"name": "doc", "type": "JSON"}]},
            {"name": "a", "type": "STRING", "mode": "REPEATED"},
        ]));
        let schema = session_schema(&serialized(&session), &columns).unwrap();
        assert!(!schema.field(0).is_nullable());
        assert_eq!(schema.field(1).data_type(), &DataType::Decimal128(10, 2));
        let DataType::Struct(inner) = schema.field(2).data_type() else { panic!("a record") };
        assert_eq!(inner[0].metadata()[LOGICAL_TYPE], "json");
        let DataType::List(item) = schema.field(3).data_type() else { panic!("a list") };
        assert_eq!((item.name().as_str(), schema.field(3).is_nullable()), ("item", false));
        assert_eq!(schema.field(3).metadata()[SOURCE_TYPE], "ARRAY<STRING>");
    }

    #[test]
    fn a_schema_that_is_none_is_the_servers_fault() {
        let error = session_schema(b"junk", &[]).unwrap_err();
        assert_eq!(error.kind, sluice_sdk::ErrorKind::Protocol);
    }
}
