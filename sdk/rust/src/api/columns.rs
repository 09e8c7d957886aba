//! JSON records into Arrow, with a schema that the connector declares.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde_json::Value;

use super::time;
use crate::batch::{BatchBuilder, RowBuilder};
use crate::{Error, Result};

/// Most significant digits of a JSON number that survive being read as one.
const EXACT_DIGITS: usize = 15;

/// How a field of a record is written, and what it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A whole number of 64 bits, as a number or as a text.
    Int,
    /// A double.
    Float,
    /// A text; numbers and truth values become their spelling.
    Text,
    /// A decimal of this precision (at most 38) and scale, as a text or as a number. Numbers of more than 15 digits are refused,
    /// because JSON has lost some by then: have the API send texts.
    Decimal(u8, i8),
    /// `2024-12-31`.
    Date,
    /// `2024-12-31T23:59:59.123456+01:00`: a moment, which needs a zone.
    Timestamp,
    /// The same without a zone: what a clock on the wall showed.
    LocalTimestamp,
    /// Seconds since 1970, as a number: a moment.
    EpochSeconds,
    /// Milliseconds since 1970, as a number: a moment.
    EpochMillis,
    /// Anything, objects and lists among it, kept as JSON text.
    Json,
}

impl Type {
    fn arrow(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Text | Self::Json => DataType::Utf8,
            Self::Decimal(precision, scale) => DataType::Decimal128(precision, scale),
            Self::Date => DataType::Date32,
            Self::Timestamp | Self::EpochSeconds | Self::EpochMillis => {
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
            }
            Self::LocalTimestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        }
    }

    fn wants(self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Int => "a whole number of 64 bits".to_owned(),
            Self::Float => "a number".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Decimal(precision, scale) => {
                format!("a number of at most {precision} digits, {scale} of them behind the point")
            }
            Self::Date => "a date such as 2024-12-31".to_owned(),
            Self::Timestamp => "a time with its zone such as 2024-12-31T23:59:59Z".to_owned(),
            Self::LocalTimestamp => "a time without a zone such as 2024-12-31T23:59:59".to_owned(),
            Self::EpochSeconds => "seconds since 1970".to_owned(),
            Self::EpochMillis => "milliseconds since 1970".to_owned(),
            Self::Json => "JSON".to_owned(),
        }
    }
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    /// JSON pointer into the record.
    at: String,
    ty: Type,
    nullable: bool,
    description: Option<String>,
}

/// The columns of a stream, and where in a record their values are.
///
/// ```
/// use sluice_sdk::api::{Columns, Type};
///
/// let columns = Columns::new()
///     .required("id", Type::Int)
///     .optional("total", Type::Decimal(12, 2))
///     .optional("city", Type::Text).at("/address/city")
///     .required("updated_at", Type::Timestamp);
/// assert_eq!(columns.schema().fields().len(), 4);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Columns {
    columns: Vec<Column>,
}

impl Columns {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column that every record has; a record without it fails the read.
    #[must_use]
    pub fn required(self, name: impl Into<String>, ty: Type) -> Self {
        self.with(name.into(), ty, false)
    }

    /// Adds a column that may be missing or null.
    #[must_use]
    pub fn optional(self, name: impl Into<String>, ty: Type) -> Self {
        self.with(name.into(), ty, true)
    }

    /// Says where the value of the column that was added last is, if not under its own name: a JSON pointer such as
    /// `/customer/id`.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        if let Some(last) = self.columns.last_mut() {
            last.at = pointer.into();
        }
        self
    }

    /// Describes the column that was added last.
    #[must_use]
    pub fn described(mut self, description: impl Into<String>) -> Self {
        if let Some(last) = self.columns.last_mut() {
            last.description = Some(description.into());
        }
        self
    }

    fn with(mut self, name: String, ty: Type, nullable: bool) -> Self {
        let at = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        self.columns.push(Column { name, at, ty, nullable, description: None });
        self
    }

    /// The columns as Arrow has them. Fields carry the API's type, and JSON texts are marked as such.
    pub fn schema(&self) -> SchemaRef {
        let field = |column: &Column| {
            let mut metadata = HashMap::new();
            if column.ty == Type::Json {
                metadata.insert("sluice:logical-type".to_owned(), "json".to_owned());
            }
            if let Some(description) = &column.description {
                metadata.insert("sluice:description".to_owned(), description.clone());
            }
            Field::new(&column.name, column.ty.arrow(), column.nullable).with_metadata(metadata)
        };
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }

    /// Only these columns, in this order; all of them if none is named.
    ///
    /// # Errors
    /// `not-found` for a column that is not there.
    pub fn select(&self, names: &[String]) -> Result<Self> {
        if names.is_empty() {
            return Ok(self.clone());
        }
        let find = |name: &String| {
            self.columns.iter().find(|column| column.name == *name).cloned().ok_or_else(|| {
                let all: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
                Error::not_found(format!("there is no column {name}; there are {}", all.join(", ")))
            })
        };
        Ok(Self { columns: names.iter().map(find).collect::<Result<_>>()? })
    }

    /// Adds a record to a batch of this schema.
    ///
    /// # Errors
    /// `protocol`, naming the field, where a value is missing or does not fit. The record is left out then.
    pub fn append(&self, batch: &mut BatchBuilder, record: &Value) -> Result<()> {
        if !record.is_object() {
            return Err(Error::protocol(format!("it is {}, and a record is an object", kind(record))));
        }
        let mut row = batch.row();
        for column in &self.columns {
            row = column.append(row, record.pointer(&column.at).unwrap_or(&Value::Null))?;
        }
        row.end()
    }

    /// What a column of ordered values is: its type and where it is.
    pub(super) fn ordered(&self, name: &str) -> Result<Ordered> {
        let column = self
            .columns
            .iter()
            .find(|column| column.name == name)
            .ok_or_else(|| Error::not_found(format!("there is no column {name} to read increments by")))?;
        match column.ty {
            Type::Int
            | Type::Text
            | Type::Date
            | Type::Timestamp
            | Type::LocalTimestamp
            | Type::EpochSeconds
            | Type::EpochMillis => Ok(Ordered { name: column.name.clone(), at: column.at.clone(), ty: column.ty }),
            _ => Err(Error::unsupported(format!("column {name} has no order that increments can be read by"))),
        }
    }
}

impl Column {
    fn append<'a>(&self, row: RowBuilder<'a>, value: &Value) -> Result<RowBuilder<'a>> {
        if value.is_null() {
            if self.nullable {
                return row.null();
            }
            return Err(Error::protocol(format!("field {:?} is missing or null, and must not be", self.at)));
        }
        let wrong = || {
            let message = format!("field {:?} is {}, and should be {}", self.at, kind(value), self.ty.wants());
            Error::protocol(message)
        };
        match (self.ty, value) {
            (Type::Bool, Value::Bool(flag)) => row.bool(*flag),
            (Type::Float, Value::Number(number)) => row.float(number.as_f64().ok_or_else(wrong)?),
            (Type::Text, Value::String(text)) => row.text(text),
            (Type::Text, Value::Number(_) | Value::Bool(_)) | (Type::Json, _) => row.text(&value.to_string()),
            (Type::Decimal(..), _) => row.text(&plain(value).ok_or_else(wrong)?).map_err(|_| wrong()),
            (Type::Bool | Type::Float | Type::Text, _) => Err(wrong()),
            _ => row.int(number(self.ty, value).ok_or_else(wrong)?),
        }
    }
}

/// A value of a type that is a whole number in Arrow.
fn number(ty: Type, value: &Value) -> Option<i64> {
    match (ty, value) {
        (Type::Int, Value::Number(number)) => number.as_i64(),
        (Type::Int, Value::String(text)) => text.parse().ok(),
        (Type::Date, Value::String(text)) => time::date(text).map(i64::from),
        (Type::Timestamp, Value::String(text)) => {
            time::timestamp(text).filter(|(_, zoned)| *zoned).map(|(micros, _)| micros)
        }
        (Type::LocalTimestamp, Value::String(text)) => {
            time::timestamp(text).filter(|(_, zoned)| !zoned).map(|(micros, _)| micros)
        }
        (Type::EpochSeconds, Value::Number(number)) => number.as_i64()?.checked_mul(1_000_000),
        (Type::EpochMillis, Value::Number(number)) => number.as_i64()?.checked_mul(1000),
        _ => None,
    }
}

/// A decimal in plain notation; none for a number of which digits may be lost.
fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) if number.is_f64() => {
            let text = number.to_string();
            let mantissa = text.split(['e', 'E']).next()?.trim_end_matches(".0");
            let significant = mantissa.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
            (significant <= EXACT_DIGITS).then_some(text)?
        }
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return Some(text) };
    shift(mantissa, exponent.parse().ok()?)
}

/// `1.5` with an exponent of 3 is `1500`.
fn shift(mantissa: &str, exponent: i32) -> Option<String> {
    if exponent.unsigned_abs() > 80 {
        return None;
    }
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    let point = i32::try_from(whole.len()).ok()? + exponent;
    let length = i32::try_from(all.len()).ok()?;
    Some(match usize::try_from(point) {
        Err(_) => format!("{sign}0.{}{all}", "0".repeat(point.unsigned_abs() as usize)),
        Ok(_) if point >= length => format!("{sign}{all}{}", "0".repeat(usize::try_from(point - length).ok()?)),
        Ok(at) => format!("{sign}{}.{}", all.get(..at)?, all.get(at..)?),
    })
}

/// What a value is, without saying which: rows are nobody's to read in a log.
fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "true or false".to_owned(),
        Value::Number(number) if number.is_f64() => "a number with a fraction or an exponent".to_owned(),
        Value::Number(_) => "a whole number".to_owned(),
        Value::String(text) => format!("a text of {} characters", text.chars().count()),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// A column whose values have an order.
#[derive(Clone, Debug)]
pub(super) struct Ordered {
    pub(super) name: String,
    at: String,
    ty: Type,
}

/// A value of such a column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Number(i64),
    Text(String),
}

impl Ordered {
    /// The value of a record.
    pub(super) fn of(&self, record: &Value) -> Result<Key> {
        let value = record.pointer(&self.at).unwrap_or(&Value::Null);
        let key = match (self.ty, value) {
            (Type::Text, Value::String(text)) => Some(Key::Text(text.clone())),
            _ => number(self.ty, value).map(Key::Number),
        };
        key.ok_or_else(|| {
            let message = format!(
                "field {:?}, by which increments are read, is {}, and should be {}",
                self.at,
                kind(value),
                self.ty.wants()
            );
            Error::protocol(message)
        })
    }

    /// As states and parameters of requests spell it.
    pub(super) fn show(&self, key: &Key) -> String {
        match (key, self.ty) {
            (Key::Text(text), _) => text.clone(),
            (Key::Number(number), Type::Date) => time::show_date(*number),
            (Key::Number(number), Type::Timestamp) => time::show_timestamp(*number, "Z"),
            (Key::Number(number), Type::LocalTimestamp) => time::show_timestamp(*number, ""),
            (Key::Number(number), Type::EpochSeconds) => number.div_euclid(1_000_000).to_string(),
            (Key::Number(number), Type::EpochMillis) => number.div_euclid(1000).to_string(),
            (Key::Number(number), _) => number.to_string(),
        }
    }

    /// The key that was shown so.
    pub(super) fn parse(&self, text: &str) -> Result<Key> {
        let value = match self.ty {
            Type::Text => return Ok(Key::Text(text.to_owned())),
            Type::EpochSeconds | Type::EpochMillis => text.parse::<i64>().map(Value::from).ok(),
            _ => Some(Value::from(text)),
        };
        let number = value.and_then(|value| number(self.ty, &value));
        number.map(Key::Number).ok_or_else(|| {
            let message = format!(
                "the stored state is no value of column {}; reset the stream's state to read all rows again",
                self.name
            );
            Error::config(message)
        })
    }

    /// The key of a moment; none for types that are none.
    pub(super) fn moment(&self, micros: i64) -> Option<Key> {
        match self.ty {
            Type::Timestamp => Some(Key::Number(micros)),
            Type::EpochSeconds => Some(Key::Number(micros.div_euclid(1_000_000) * 1_000_000)),
            Type::EpochMillis => Some(Key::Number(micros.div_euclid(1000) * 1000)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType};
    use serde_json::json;

    use super::*;
    use crate::ErrorKind;

    fn batch(columns: &Columns) -> BatchBuilder {
        BatchBuilder::new(columns.schema(), 1 << 20).unwrap()
    }

    #[test]
    fn every_type_becomes_what_it_is() {
        let columns = Columns::new()
            .required("i", Type::Int)
            .optional("d", Type::Decimal(20, 4))
            .optional("date", Type::Date)
            .optional("t", Type::Timestamp)
            .optional("s", Type::EpochSeconds)
            .optional("ms", Type::EpochMillis)
            .optional("local", Type::LocalTimestamp)
            .optional("city", Type::Text)
            .at("/address/city")
            .optional("tags", Type::Json);
        let mut rows = batch(&columns);
        let record = json!({"i": "9007199254740993", "d": "-12.5", "date": "2024-02-29", "t": "1970-01-01T01:00:00+01:00", "s": 2, "ms": 3,
            "local": "1970-01-01T00:00:01", "address": {"city": "Köln"}, "tags": ["a", {"b": null}]});
        columns.append(&mut rows, &record).unwrap();
        columns.append(&mut rows, &json!({"i": -1, "d": 0.25, "tags": "x", "address": {"city": 7}})).unwrap();
        columns.append(&mut rows, &json!({"i": 0, "d": 1.5e3})).unwrap();
        let batch = rows.take().unwrap();
        assert_eq!(batch.column(0).as_primitive::<Int64Type>().values(), &[9_007_199_254_740_993, -1, 0]);
        assert_eq!(batch.column(1).as_primitive::<Decimal128Type>().values(), &[-125_000, 2500, 15_000_000]);
        assert_eq!(batch.column(2).as_primitive::<Date32Type>().value(0), 19_782);
        let moment = |column: usize| batch.column(column).as_primitive::<TimestampMicrosecondType>().value(0);
        assert_eq!([moment(3), moment(4), moment(5), moment(6)], [0, 2_000_000, 3000, 1_000_000]);
        assert_eq!(batch.column(7).as_string::<i32>().iter().collect::<Vec<_>>(), [Some("Köln"), Some("7"), None]);
        let tags = batch.column(8).as_string::<i32>();
        assert_eq!((tags.value(0), tags.value(1)), ("[\"a\",{\"b\":null}]", "\"x\""));
        assert_eq!(batch.schema().field(8).metadata()["sluice:logical-type"], "json");
    }

    #[test]
    fn what_does_not_fit_names_its_field_and_not_its_value() {
        let columns = Columns::new().required("id", Type::Int).optional("when", Type::Timestamp).at("/meta/when");
        let columns = columns.optional("price", Type::Decimal(6, 2));
        for (record, part) in [
            (json!({"id": "secret-1"}), "field \"/id\" is a text of 8 characters, and should be a whole number"),
            (json!({}), "field \"/id\" is missing or null"),
            (
                json!({"id": 1, "meta": {"when": "2024-01-01T00:00:00"}}),
                "field \"/meta/when\" is a text of 19 characters, and should be a time with its zone",
            ),
            (json!({"id": 1, "price": "12345.00"}), "at most 6 digits, 2 of them"),
            (json!({"id": 1, "price": 1.005}), "field \"/price\""),
            (json!({"id": 1, "price": "1,5"}), "field \"/price\""),
            (json!({"id": 1.5}), "a number with a fraction"),
            (json!([1]), "a list of 1, and a record is an object"),
        ] {
            let error = columns.append(&mut batch(&columns), &record).unwrap_err();
            assert!(error.kind == ErrorKind::Protocol && error.message.contains(part), "{error}");
            assert!(!error.message.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_decimal_is_exact_or_refused() {
        let exact = |value: Value| plain(&value);
        assert_eq!(exact(json!(1e-7)).as_deref(), Some("0.0000001"));
        assert_eq!(exact(json!(12345678901234.5)).as_deref(), Some("12345678901234.5"));
        assert_eq!(exact(json!("1e3")).as_deref(), Some("1000"));
        assert_eq!(exact(json!(0.123_456_789_012_345_68)), None);
        assert_eq!(exact(json!("1e999")), None);
        assert_eq!(exact(json!(true)), None);
    }

    #[test]
    fn columns_are_chosen_by_name_in_the_order_wanted() {
        let columns = Columns::new().required("a", Type::Int).required("b", Type::Text).required("c/d", Type::Bool);
        let chosen = columns.select(&["c/d".to_owned(), "a".to_owned()]).unwrap();
        let mut rows = batch(&chosen);
        chosen.append(&mut rows, &json!({"a": 1, "c/d": true})).unwrap();
        assert_eq!(rows.take().unwrap().schema().field(0).name(), "c/d");
        let error = columns.select(&["x".to_owned()]).unwrap_err();
        assert!(error.kind == ErrorKind::NotFound && error.message.contains("a, b, c/d"), "{error}");
    }

    #[test]
    fn keys_come_back_from_their_spelling() {
        let columns =
            Columns::new().required("t", Type::Timestamp).required("s", Type::EpochSeconds).required("n", Type::Int);
        for (name, value, shown) in [
            ("t", json!("2024-01-01T00:00:00.000001+00:00"), "2024-01-01T00:00:00.000001Z"),
            ("s", json!(17), "17"),
            ("n", json!(-3), "-3"),
        ] {
            let ordered = columns.ordered(name).unwrap();
            let key = ordered.of(&json!({ name: value })).unwrap();
            assert_eq!(ordered.show(&key), shown);
            assert_eq!(ordered.parse(shown).unwrap(), key);
        }
        assert!(Columns::new().required("j", Type::Json).ordered("j").is_err());
        assert_eq!(columns.ordered("t").unwrap().parse("soon").unwrap_err().kind, ErrorKind::Config);
    }
}
