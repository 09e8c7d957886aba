//! Types: what Parquet takes, how a column is written down, and which type holds the values of two.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, IntervalUnit, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};

/// The schema in which Parquet takes the rows of `schema` without losing anything.
pub(super) fn native(schema: &SchemaRef) -> Result<SchemaRef, RunError> {
    if schema.fields().is_empty() {
        let message = "there is no column; a table in a warehouse needs at least one";
        return Err(RunError::new(Kind::Unsupported, Actor::User, message));
    }
    let mut fields: Vec<FieldRef> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        if fields.iter().any(|other| other.name() == field.name()) {
            let message = format!("column {} is there twice; rename one of them", field.name());
            return Err(RunError::new(Kind::Unsupported, Actor::User, message));
        }
        fields.push(native_field(field, field.name())?);
    }
    Ok(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())))
}

fn native_field(field: &FieldRef, column: &str) -> Result<FieldRef, RunError> {
    let native = native_type(field.data_type(), column)?;
    if native == *field.data_type() {
        return Ok(Arc::clone(field));
    }
    // A column of type Null is never not null, whatever its field says.
    let nullable = field.is_nullable() || *field.data_type() == DataType::Null;
    Ok(Arc::new(field.as_ref().clone().with_data_type(native).with_nullable(nullable)))
}

fn native_type(data_type: &DataType, column: &str) -> Result<DataType, RunError> {
    let nested = |field: &FieldRef| native_field(field, column);
    Ok(match data_type {
        DataType::Null | DataType::Utf8View | DataType::Interval(IntervalUnit::MonthDayNano) => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::Float16 => DataType::Float32,
        DataType::Date64 => DataType::Timestamp(TimeUnit::Millisecond, None),
        DataType::Timestamp(TimeUnit::Second, zone) => DataType::Timestamp(TimeUnit::Millisecond, zone.clone()),
        DataType::Time32(TimeUnit::Second) => DataType::Time32(TimeUnit::Millisecond),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Dictionary(_, value) => native_type(value, column)?,
        DataType::RunEndEncoded(_, value) => native_type(value.data_type(), column)?,
        DataType::List(item) | DataType::ListView(item) => DataType::List(nested(item)?),
        DataType::LargeList(item) | DataType::LargeListView(item) => DataType::LargeList(nested(item)?),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(nested(item)?, *size),
        DataType::Map(entries, sorted) => DataType::Map(nested(entries)?, *sorted),
        DataType::Struct(fields) if fields.is_empty() => return Err(no_place(column, data_type)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(nested).collect::<Result<Fields, _>>()?),
        DataType::Union(..) => return Err(no_place(column, data_type)),
        other => other.clone(),
    })
}

fn no_place(column: &str, data_type: &DataType) -> RunError {
    let message = format!("column {column} has type {data_type}, which Parquet cannot hold; leave it out or cast it");
    RunError::new(Kind::Unsupported, Actor::User, message)
}

/// A column as it is written down in `_schema.json`. Arrow's own text form of nested types cannot be read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Column {
    name: String,
    #[serde(rename = "type")]
    data_type: String,
    nullable: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    children: Vec<Column>,
}

impl Column {
    /// Writes a field down.
    pub(super) fn of(field: &Field) -> Self {
        let (data_type, children) = match field.data_type() {
            DataType::List(item) => ("List".to_owned(), vec![Self::of(item)]),
            DataType::LargeList(item) => ("LargeList".to_owned(), vec![Self::of(item)]),
            DataType::FixedSizeList(item, size) => (format!("FixedSizeList {size}"), vec![Self::of(item)]),
            DataType::Map(entries, false) => ("Map".to_owned(), vec![Self::of(entries)]),
            DataType::Map(entries, true) => ("SortedMap".to_owned(), vec![Self::of(entries)]),
            DataType::Struct(fields) => ("Struct".to_owned(), fields.iter().map(|f| Self::of(f)).collect()),
            leaf => (leaf.to_string(), Vec::new()),
        };
        let metadata = field.metadata().clone().into();
        Self { name: field.name().clone(), data_type, nullable: field.is_nullable(), metadata, children }
    }

    /// Reads a field back.
    pub(super) fn field(&self) -> Result<Field, String> {
        let children = self.children.iter().map(|child| child.field().map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
        let only = || children.first().cloned().ok_or_else(|| format!("column {} has no item type", self.name));
        let data_type = match self.data_type.as_str() {
            "List" => DataType::List(only()?),
            "LargeList" => DataType::LargeList(only()?),
            "Map" => DataType::Map(only()?, false),
            "SortedMap" => DataType::Map(only()?, true),
            "Struct" => DataType::Struct(children.into()),
            text => match text.strip_prefix("FixedSizeList ").map(str::parse) {
                Some(Ok(size)) => DataType::FixedSizeList(only()?, size),
                _ => DataType::from_str(text).map_err(|e| format!("column {}: {e}", self.name))?,
            },
        };
        Ok(Field::new(&self.name, data_type, self.nullable).with_metadata(self.metadata.clone()))
    }
}

/// Whether two types are the same to a reader of Parquet: Arrow has two widths of offsets, and names inside of lists are
/// not part of the data.
pub(super) fn same(one: &DataType, other: &DataType) -> bool {
    use DataType::{Binary, FixedSizeList, LargeBinary, LargeList, LargeUtf8, List, Map, Struct, Utf8};
    match (one, other) {
        (Utf8 | LargeUtf8, Utf8 | LargeUtf8) | (Binary | LargeBinary, Binary | LargeBinary) => true,
        (List(a) | LargeList(a), List(b) | LargeList(b)) | (Map(a, _), Map(b, _)) => same(a.data_type(), b.data_type()),
        (FixedSizeList(a, n), FixedSizeList(b, m)) => n == m && same(a.data_type(), b.data_type()),
        (Struct(a), Struct(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| a.name() == b.name() && same(a.data_type(), b.data_type()))
        }
        (one, other) => one == other,
    }
}

/// The type that holds every value of both, if there is one: the wider number, the finer time.
pub(super) fn wider(one: &DataType, other: &DataType) -> Option<DataType> {
    use DataType::{Decimal128, Float32, Float64, Time32, Time64, Timestamp};
    if same(one, other) {
        return Some(one.clone());
    }
    if let (Some(one), Some(other)) = (integer(one), integer(other)) {
        return wider_integer(one, other);
    }
    match (one, other) {
        (Float32, Float64) | (Float64, Float32) => Some(Float64),
        // The policy counts INT64 → FLOAT64 as a widening, as BigQuery does.
        (Float32 | Float64, int) | (int, Float32 | Float64) if integer(int).is_some() => Some(Float64),
        (Timestamp(a, zone), Timestamp(b, other)) if zone.is_some() == other.is_some() => {
            Some(Timestamp(finer(*a, *b)?, zone.clone()))
        }
        (Time32(_), Time64(unit)) | (Time64(unit), Time32(_)) => Some(Time64(*unit)),
        (Time64(_), Time64(_)) => Some(Time64(TimeUnit::Nanosecond)),
        _ => {
            let ((digits, scale), (other_digits, other_scale)) = (decimal(one)?, decimal(other)?);
            let scale = scale.max(other_scale);
            match digits.max(other_digits).checked_add(u8::try_from(scale).ok()?)? {
                precision @ 0..=38 if !is_256(one) && !is_256(other) => Some(Decimal128(precision, scale)),
                precision @ 0..=76 => Some(DataType::Decimal256(precision, scale)),
                _ => None,
            }
        }
    }
}

/// Sign and bits of an integer type.
fn integer(data_type: &DataType) -> Option<(bool, u8)> {
    Some(match data_type {
        DataType::Int8 => (true, 8),
        DataType::Int16 => (true, 16),
        DataType::Int32 => (true, 32),
        DataType::Int64 => (true, 64),
        DataType::UInt8 => (false, 8),
        DataType::UInt16 => (false, 16),
        DataType::UInt32 => (false, 32),
        DataType::UInt64 => (false, 64),
        _ => return None,
    })
}

fn wider_integer(one: (bool, u8), other: (bool, u8)) -> Option<DataType> {
    let ((signed, bits), (other_signed, other_bits)) = (one, other);
    let bits = match (signed, other_signed) {
        (true, false) => bits.max(other_bits.checked_mul(2)?),
        (false, true) => other_bits.max(bits.checked_mul(2)?),
        _ => bits.max(other_bits),
    };
    Some(match (signed || other_signed, bits) {
        (true, 8) => DataType::Int8,
        (true, 16) => DataType::Int16,
        (true, 32) => DataType::Int32,
        (true, 64) => DataType::Int64,
        (false, 8) => DataType::UInt8,
        (false, 16) => DataType::UInt16,
        (false, 32) => DataType::UInt32,
        (false, 64) => DataType::UInt64,
        _ => return None,
    })
}

/// Digits before the point, and scale, of a decimal or of an integer that is to become one.
fn decimal(data_type: &DataType) -> Option<(u8, i8)> {
    match data_type {
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) if *scale >= 0 => {
            Some((precision.checked_sub(scale.unsigned_abs())?, *scale))
        }
        other => integer(other).map(|(signed, bits)| match (signed, bits) {
            (_, 8) => (3, 0),
            (_, 16) => (5, 0),
            (_, 32) => (10, 0),
            (true, _) => (19, 0),
            (false, _) => (20, 0),
        }),
    }
}

fn is_256(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Decimal256(..))
}

/// The finer of two units; none where the finer one has a shorter range of years than the other needs.
fn finer(one: TimeUnit, other: TimeUnit) -> Option<TimeUnit> {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    match (one, other) {
        (a, b) if a == b => Some(a),
        (Nanosecond, _) | (_, Nanosecond) => None,
        (Microsecond, _) | (_, Microsecond) => Some(Microsecond),
        (Millisecond, _) | (_, Millisecond) => Some(Millisecond),
        (Second, Second) => Some(Second),
    }
}
