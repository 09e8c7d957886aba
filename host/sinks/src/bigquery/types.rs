//! Arrow types → the Arrow types that BigQuery takes. Pure.
//!
//! The table of all mappings is in [the module's documentation](super).

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use sluice_core::error::{Actor, Kind, RunError};
use sluice_core::load::LOGICAL_TYPE_KEY;

/// BigQuery nests structs this deep.
const DEEPEST: usize = 15;
/// BigQuery's limit of columns, nested ones included.
const MOST_COLUMNS: usize = 10_000;

/// The schema in which rows are wanted.
///
/// # Errors
/// Names the column whose type has no place in BigQuery.
pub(crate) fn native_schema(schema: &SchemaRef) -> Result<SchemaRef, RunError> {
    let mut columns = 0;
    let fields = schema
        .fields()
        .iter()
        .map(|field| native_field(field, field.name(), 1, &mut columns))
        .collect::<Result<Fields, _>>()?;
    if columns > MOST_COLUMNS {
        let message =
            format!("{columns} columns, nested ones included, are more than BigQuery's {MOST_COLUMNS}; choose columns");
        return Err(RunError::new(Kind::Unsupported, Actor::User, message).with_field("columns"));
    }
    Ok(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())))
}

fn native_field(field: &FieldRef, path: &str, depth: usize, columns: &mut usize) -> Result<FieldRef, RunError> {
    *columns += 1;
    let data_type = native_type(field.data_type(), path, depth, columns)?;
    // An array is never NULL, only empty.
    let nullable = field.is_nullable() && !matches!(data_type, DataType::List(_));
    let mut metadata = field.metadata().clone();
    if data_type != DataType::Utf8 {
        metadata.remove(LOGICAL_TYPE_KEY);
    }
    Ok(Arc::new(Field::new(field.name(), data_type, nullable).with_metadata(metadata)))
}

fn native_type(data_type: &DataType, path: &str, depth: usize, columns: &mut usize) -> Result<DataType, RunError> {
    if depth > DEEPEST {
        return Err(unsupported(path, &format!("is nested more than {DEEPEST} levels deep")));
    }
    Ok(match data_type {
        DataType::Boolean => DataType::Boolean,
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => DataType::Float64,
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => decimal(*p, *s),
        DataType::Date32 | DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Timestamp(_, None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(_, Some(_)) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::Null
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Duration(_)
        | DataType::Interval(_) => DataType::Utf8,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Dictionary(_, values) => native_type(values, path, depth, columns)?,
        DataType::RunEndEncoded(_, values) => native_type(values.data_type(), path, depth, columns)?,
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            let item = native_field(item, &format!("{path}[]"), depth, columns)?;
            if matches!(item.data_type(), DataType::List(_)) {
                let what = "is an array of arrays, which BigQuery does not have; leave it out or have it read as text";
                return Err(unsupported(path, what));
            }
            // One name for all: a reader of the Parquet files that are staged expects it. No element is NULL.
            DataType::List(Arc::new(item.as_ref().clone().with_name("element").with_nullable(false)))
        }
        DataType::Struct(fields) if fields.is_empty() => {
            return Err(unsupported(path, "is a record without fields; leave it out"));
        }
        DataType::Struct(fields) => {
            let nested =
                |field: &FieldRef| native_field(field, &format!("{path}.{}", field.name()), depth + 1, columns);
            DataType::Struct(fields.iter().map(nested).collect::<Result<Fields, _>>()?)
        }
        other => {
            return Err(unsupported(
                path,
                &format!("has the Arrow type {other}; leave it out or have it read as text"),
            ));
        }
    })
}

/// NUMERIC holds 29 digits before and 9 after the point, BIGNUMERIC 38 and 38; beyond that only text loses nothing.
fn decimal(precision: u8, scale: i8) -> DataType {
    let (precision, scale) = if scale < 0 {
        (precision.saturating_add(scale.unsigned_abs()), 0)
    } else {
        (precision.max(scale.unsigned_abs()), scale.unsigned_abs())
    };
    let whole = precision - scale;
    let signed = i8::try_from(scale).unwrap_or(i8::MAX);
    if whole > 38 || scale > 38 {
        DataType::Utf8
    } else if precision <= 38 {
        DataType::Decimal128(precision, signed)
    } else {
        DataType::Decimal256(precision, signed)
    }
}

/// Whether a decimal of this size is a NUMERIC; otherwise it is a BIGNUMERIC.
pub(crate) fn is_numeric(precision: u8, scale: i8) -> bool {
    let scale = scale.max(0).unsigned_abs();
    scale <= 9 && precision.saturating_sub(scale) <= 29
}

/// Whether a type holds a TIME somewhere, which the Write API does not take as Arrow.
pub(crate) fn has_time(data_type: &DataType) -> bool {
    match data_type {
        DataType::Time64(_) => true,
        DataType::List(item) => has_time(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_time(field.data_type())),
        _ => false,
    }
}

fn unsupported(path: &str, what: &str) -> RunError {
    RunError::new(Kind::Unsupported, Actor::User, format!("column {path} {what}")).with_field(path)
}

#[cfg(test)]
mod tests {
    use arrow_schema::IntervalUnit;

    use super::*;

    fn native(data_type: DataType) -> Result<DataType, RunError> {
        let schema = Arc::new(Schema::new(vec![Field::new("c", data_type, true)]));
        native_schema(&schema).map(|schema| schema.field(0).data_type().clone())
    }

    #[test]
    fn every_scalar_becomes_the_type_that_bigquery_takes_and_loses_nothing() {
        let utc = Some("UTC".into());
        let cases = [
            (DataType::Boolean, DataType::Boolean),
            (DataType::Int8, DataType::Int64),
            (DataType::UInt32, DataType::Int64),
            (DataType::UInt64, DataType::Decimal128(20, 0)),
            (DataType::Float16, DataType::Float64),
            (DataType::Float32, DataType::Float64),
            (DataType::Decimal32(5, 2), DataType::Decimal128(5, 2)),
            (DataType::Decimal128(38, 9), DataType::Decimal128(38, 9)),
            (DataType::Decimal128(38, -2), DataType::Utf8),
            (DataType::Decimal128(20, -2), DataType::Decimal128(22, 0)),
            (DataType::Decimal256(60, 30), DataType::Decimal256(60, 30)),
            (DataType::Decimal256(76, 0), DataType::Utf8),
            (DataType::LargeUtf8, DataType::Utf8),
            (DataType::Utf8View, DataType::Utf8),
            (DataType::Null, DataType::Utf8),
            (DataType::LargeBinary, DataType::Binary),
            (DataType::FixedSizeBinary(16), DataType::Binary),
            (DataType::Date64, DataType::Date32),
            (DataType::Time32(TimeUnit::Second), DataType::Time64(TimeUnit::Microsecond)),
            (DataType::Timestamp(TimeUnit::Nanosecond, None), DataType::Timestamp(TimeUnit::Microsecond, None)),
            (
                DataType::Timestamp(TimeUnit::Second, Some("+02:00".into())),
                DataType::Timestamp(TimeUnit::Microsecond, utc),
            ),
            (DataType::Interval(IntervalUnit::MonthDayNano), DataType::Utf8),
            (DataType::Duration(TimeUnit::Second), DataType::Utf8),
            (DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::LargeUtf8)), DataType::Utf8),
        ];
        for (from, to) in cases {
            assert_eq!(native(from.clone()).unwrap(), to, "{from}");
        }
    }

    #[test]
    fn nested_types_are_mapped_all_the_way_down() {
        let inner = DataType::Struct(vec![Field::new("n", DataType::UInt8, true)].into());
        let list = DataType::LargeList(Arc::new(Field::new("item", inner, true)));
        let mapped = DataType::Struct(vec![Field::new("n", DataType::Int64, true)].into());
        assert_eq!(native(list).unwrap(), DataType::List(Arc::new(Field::new("element", mapped, false))));
    }

    #[test]
    fn a_type_without_a_place_is_refused_by_the_name_of_its_column() {
        let list = |item| DataType::List(Arc::new(Field::new("item", item, true)));
        let error = native(list(list(DataType::Int32))).unwrap_err();
        assert!(error.message.contains("column c is an array of arrays"), "{error}");
        let empty = DataType::Struct(vec![Field::new("e", DataType::Struct(Fields::empty()), true)].into());
        assert!(native(empty).unwrap_err().message.contains("column c.e is a record without fields"));
    }

    #[test]
    fn numeric_is_taken_exactly_as_far_as_it_reaches() {
        assert!(is_numeric(38, 9) && is_numeric(29, 0) && is_numeric(20, 0));
        assert!(!is_numeric(30, 0) && !is_numeric(38, 8) && !is_numeric(10, 10));
    }
}
