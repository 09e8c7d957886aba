//! Values of guests without Arrow, built into batches of the declared schema.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, BooleanBuilder, PrimitiveBuilder, StringBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Decimal256Type, DecimalType, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, ArrowNativeTypeOp, RecordBatch, RecordBatchOptions};
use arrow_buffer::ArrowNativeType;
use arrow_schema::{DataType, Field, SchemaRef, TimeUnit};

use super::Refused;

/// A value of a row, as the contract's `value`.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A truth value.
    Boolean(bool),
    /// An integer; also a time of day in the column's unit.
    Integer(i64),
    /// A floating-point number.
    Number(f64),
    /// Text; also a decimal in plain notation.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Days since 1970-01-01.
    Date(i32),
    /// A point in time in the column's unit.
    Timestamp(i64),
}

/// A column, as the contract's `column`.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Truth values.
    Booleans(Vec<Option<bool>>),
    /// Integers, dates, times and timestamps.
    Integers(Vec<Option<i64>>),
    /// Floating-point numbers.
    Numbers(Vec<Option<f64>>),
    /// Text and decimals.
    Texts(Vec<Option<String>>),
    /// Bytes.
    Binaries(Vec<Option<Vec<u8>>>),
}

/// Builds a batch from rows.
///
/// # Errors
/// Names the row and column that do not fit.
pub fn from_rows(schema: &SchemaRef, rows: &[Vec<Value>]) -> Result<RecordBatch, Refused> {
    let width = schema.fields().len();
    if let Some((row, values)) = rows.iter().enumerate().find(|(_, values)| values.len() != width) {
        return Err(Refused::new(format!("row {row} has {} values, but the schema has {width} columns", values.len())));
    }
    let columns =
        schema.fields().iter().enumerate().map(|(at, field)| build(field, &Cells::Rows(rows, at), rows.len()));
    assemble(schema, columns.collect::<Result<_, _>>()?, rows.len())
}

/// Builds a batch from columns.
///
/// # Errors
/// Names the column that does not fit.
pub fn from_columns(schema: &SchemaRef, columns: &[Column]) -> Result<RecordBatch, Refused> {
    if columns.len() != schema.fields().len() {
        let (got, want) = (columns.len(), schema.fields().len());
        return Err(Refused::new(format!("{got} columns were pushed, but the schema has {want}")));
    }
    let rows = columns.first().map_or(0, Column::len);
    let arrays = schema.fields().iter().zip(columns).map(|(field, column)| {
        if column.len() != rows {
            return Err(Refused::new(format!(
                "column {:?} has {} values, others have {rows}",
                field.name(),
                column.len()
            )));
        }
        build(field, &Cells::Column(column), rows)
    });
    assemble(schema, arrays.collect::<Result<_, _>>()?, rows)
}

fn assemble(schema: &SchemaRef, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Refused> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), arrays, &options)
        .map_err(|e| Refused::new(format!("the rows do not fit their schema: {e}")))
}

impl Column {
    fn len(&self) -> usize {
        match self {
            Self::Booleans(values) => values.len(),
            Self::Integers(values) => values.len(),
            Self::Numbers(values) => values.len(),
            Self::Texts(values) => values.len(),
            Self::Binaries(values) => values.len(),
        }
    }
}

/// One column's values, however they arrived. Each accessor: `None` if the value is of another kind, `Some(None)` for null.
enum Cells<'a> {
    Rows(&'a [Vec<Value>], usize),
    Column(&'a Column),
}

macro_rules! accessor {
    ($name:ident -> $type:ty, $column:ident, [$($value:pat => $out:expr),+]) => {
        fn $name(&self, row: usize) -> Option<Option<$type>> {
            match self {
                Self::Rows(rows, at) => match rows.get(row)?.get(*at)? {
                    Value::Null => Some(None),
                    $($value => Some(Some($out)),)+
                    _ => None,
                },
                Self::Column(Column::$column(values)) => {
                    values.get(row).map(|value| value.as_ref().map(|v| <$type>::from_ref(v)))
                }
                Self::Column(_) => None,
            }
        }
    };
}

/// Borrowing for what is borrowed, copying for what is small.
trait FromRef<'a, T: ?Sized> {
    fn from_ref(value: &'a T) -> Self;
}

impl FromRef<'_, bool> for bool {
    fn from_ref(value: &bool) -> Self {
        *value
    }
}

impl FromRef<'_, i64> for i64 {
    fn from_ref(value: &i64) -> Self {
        *value
    }
}

impl FromRef<'_, f64> for f64 {
    fn from_ref(value: &f64) -> Self {
        *value
    }
}

impl<'a> FromRef<'a, String> for &'a str {
    fn from_ref(value: &'a String) -> Self {
        value
    }
}

impl<'a> FromRef<'a, Vec<u8>> for &'a [u8] {
    fn from_ref(value: &'a Vec<u8>) -> Self {
        value
    }
}

impl<'a> Cells<'a> {
    accessor!(boolean -> bool, Booleans, [Value::Boolean(v) => *v]);
    accessor!(integer -> i64, Integers, [Value::Integer(v) | Value::Timestamp(v) => *v, Value::Date(v) => i64::from(*v)]);
    accessor!(number -> f64, Numbers, [Value::Number(v) => *v]);
    accessor!(text -> &'a str, Texts, [Value::Text(v) => v.as_str()]);
    accessor!(binary -> &'a [u8], Binaries, [Value::Bytes(v) => v.as_slice()]);
}

fn build(field: &Field, cells: &Cells<'_>, rows: usize) -> Result<ArrayRef, Refused> {
    macro_rules! integers {
        ($type:ty) => {
            primitive::<$type>(field, rows, |row| {
                let cell = cells.integer(row).ok_or(Misfit::Kind)?;
                cell.map(|v| v.try_into().map_err(|_| Misfit::Range)).transpose()
            })
        };
    }
    match field.data_type() {
        DataType::Boolean => {
            let mut builder = BooleanBuilder::with_capacity(rows);
            each(field, rows, |row| cells.boolean(row).ok_or(Misfit::Kind).map(|v| builder.append_option(v)))?;
            Ok(Arc::new(builder.finish()))
        }
        DataType::Int8 => integers!(Int8Type),
        DataType::Int16 => integers!(Int16Type),
        DataType::Int32 => integers!(Int32Type),
        DataType::Int64 => integers!(Int64Type),
        DataType::UInt8 => integers!(UInt8Type),
        DataType::UInt16 => integers!(UInt16Type),
        DataType::UInt32 => integers!(UInt32Type),
        DataType::UInt64 => integers!(UInt64Type),
        DataType::Date32 => integers!(Date32Type),
        DataType::Time32(TimeUnit::Second) => integers!(Time32SecondType),
        DataType::Time32(TimeUnit::Millisecond) => integers!(Time32MillisecondType),
        DataType::Time64(TimeUnit::Microsecond) => integers!(Time64MicrosecondType),
        DataType::Time64(TimeUnit::Nanosecond) => integers!(Time64NanosecondType),
        DataType::Timestamp(TimeUnit::Second, _) => integers!(TimestampSecondType),
        DataType::Timestamp(TimeUnit::Millisecond, _) => integers!(TimestampMillisecondType),
        DataType::Timestamp(TimeUnit::Microsecond, _) => integers!(TimestampMicrosecondType),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => integers!(TimestampNanosecondType),
        #[expect(clippy::cast_possible_truncation, reason = "the guest declared the column as 32-bit")]
        DataType::Float32 => {
            primitive::<Float32Type>(field, rows, |row| Ok(cells.number(row).ok_or(Misfit::Kind)?.map(|v| v as f32)))
        }
        DataType::Float64 => primitive::<Float64Type>(field, rows, |row| cells.number(row).ok_or(Misfit::Kind)),
        DataType::Decimal128(precision, scale) => decimals::<Decimal128Type>(field, cells, rows, *precision, *scale),
        DataType::Decimal256(precision, scale) => decimals::<Decimal256Type>(field, cells, rows, *precision, *scale),
        DataType::Utf8 => {
            let mut builder = StringBuilder::new();
            each(field, rows, |row| cells.text(row).ok_or(Misfit::Kind).map(|v| builder.append_option(v)))?;
            Ok(Arc::new(builder.finish()))
        }
        DataType::Binary => {
            let mut builder = BinaryBuilder::new();
            each(field, rows, |row| cells.binary(row).ok_or(Misfit::Kind).map(|v| builder.append_option(v)))?;
            Ok(Arc::new(builder.finish()))
        }
        other => Err(Refused::new(format!(
            "column {:?} has the type {other}, which only Arrow IPC carries; push it as a batch",
            field.name()
        ))),
    }
}

fn decimals<T: DecimalType>(
    field: &Field,
    cells: &Cells<'_>,
    rows: usize,
    precision: u8,
    scale: i8,
) -> Result<ArrayRef, Refused> {
    primitive::<T>(field, rows, |row| match cells.text(row).ok_or(Misfit::Kind)? {
        None => Ok(None),
        Some(text) => parse_decimal::<T>(text, precision, scale).map(Some),
    })
}

/// Reads plain decimal notation without losing a digit: what does not fit the scale does not fit.
fn parse_decimal<T: DecimalType>(text: &str, precision: u8, scale: i8) -> Result<T::Native, Misfit> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = usize::try_from(scale).map_err(|_| Misfit::Range)?;
    let fraction = fraction.trim_end_matches('0');
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !plain(whole) || !plain(fraction) || fraction.len() > scale {
        return Err(Misfit::Range);
    }
    let ten = T::Native::usize_as(10);
    let mut value = T::Native::ZERO;
    let padding = std::iter::repeat_n(b'0', scale - fraction.len());
    for digit in whole.bytes().chain(fraction.bytes()).chain(padding) {
        let digit = T::Native::usize_as(usize::from(digit - b'0'));
        value = value.mul_checked(ten).and_then(|v| v.add_checked(digit)).map_err(|_| Misfit::Range)?;
    }
    if negative {
        value = value.neg_wrapping();
    }
    T::validate_decimal_precision(value, precision, scale.try_into().unwrap_or(0)).map_err(|_| Misfit::Range)?;
    Ok(value)
}

enum Misfit {
    Kind,
    Range,
}

fn primitive<T: ArrowPrimitiveType>(
    field: &Field,
    rows: usize,
    mut value: impl FnMut(usize) -> Result<Option<T::Native>, Misfit>,
) -> Result<ArrayRef, Refused> {
    let mut builder = PrimitiveBuilder::<T>::with_capacity(rows).with_data_type(field.data_type().clone());
    each(field, rows, |row| value(row).map(|v| builder.append_option(v)))?;
    Ok(Arc::new(builder.finish()))
}

fn each(field: &Field, rows: usize, mut append: impl FnMut(usize) -> Result<(), Misfit>) -> Result<(), Refused> {
    (0..rows).try_for_each(|row| {
        append(row).map_err(|misfit| {
            let why = match misfit {
                Misfit::Kind => "is of another kind than its type",
                Misfit::Range => "is outside the range of its type",
            };
            Refused::new(format!("the value in row {row} of column {:?} {why} {}", field.name(), field.data_type()))
        })
    })
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_schema::Schema;

    use super::*;

    fn schema(data_type: DataType) -> SchemaRef {
        Arc::new(Schema::new(vec![Field::new("c", data_type, true)]))
    }

    #[test]
    fn rows_become_typed_columns_with_nulls() {
        let rows = [vec![Value::Integer(7)], vec![Value::Null]];
        let batch = from_rows(&schema(DataType::Int16), &rows).unwrap();
        let column = batch.column(0).as_primitive::<Int16Type>();
        assert_eq!(column.iter().collect::<Vec<_>>(), [Some(7), None]);
    }

    #[test]
    fn decimals_keep_every_digit_or_are_refused() {
        let data_type = DataType::Decimal128(5, 2);
        let column = |text: &str| from_columns(&schema(data_type.clone()), &[Column::Texts(vec![Some(text.into())])]);
        let value = |text: &str| column(text).unwrap().column(0).as_primitive::<Decimal128Type>().value(0);
        assert_eq!(value("-123.4"), -12_340);
        assert_eq!(value("0.050"), 5);
        assert!(column("1.234").unwrap_err().0.contains("outside the range"));
        assert!(column("1234.00").unwrap_err().0.contains("outside the range"));
        assert!(column("1e3").is_err());
        assert!(column("").is_err());
    }

    #[test]
    fn a_value_of_another_kind_is_refused_by_row_and_column() {
        let error = from_rows(&schema(DataType::Int64), &[vec![Value::Text("x".into())]]).unwrap_err();
        assert_eq!(error.0, "the value in row 0 of column \"c\" is of another kind than its type Int64");
    }

    #[test]
    fn a_short_row_is_refused() {
        assert!(from_rows(&schema(DataType::Int64), &[vec![]]).unwrap_err().0.contains("row 0 has 0 values"));
    }

    #[test]
    fn an_integer_outside_its_type_is_refused_not_cut() {
        let error = from_rows(&schema(DataType::UInt8), &[vec![Value::Integer(256)]]).unwrap_err();
        assert!(error.0.contains("outside the range"), "{error}");
    }
}
