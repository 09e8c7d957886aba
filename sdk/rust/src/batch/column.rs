//! One column in the making: values as they came, turned into Arrow when the batch is taken, so that an incomplete row can be
//! taken back.

use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, StringArray};
use arrow_schema::{DataType, Field, TimeUnit};
use serde_json::Value;

use crate::{Error, Result};

enum Values {
    Bools(Vec<Option<bool>>),
    Ints(Vec<Option<i64>>),
    Floats(Vec<Option<f64>>),
    Decimals(Vec<Option<i128>>),
    Texts(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

/// The values of a column.
pub(super) struct Column {
    name: String,
    ty: DataType,
    nullable: bool,
    values: Values,
}

impl Column {
    pub(super) fn new(field: &Field) -> Result<Self> {
        use DataType as T;
        let values = match field.data_type() {
            T::Boolean => Values::Bools(Vec::new()),
            T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => {
                Values::Ints(Vec::new())
            }
            T::Date32 | T::Date64 | T::Time32(_) | T::Time64(_) | T::Timestamp(..) => Values::Ints(Vec::new()),
            T::Float32 | T::Float64 => Values::Floats(Vec::new()),
            T::Decimal128(..) => Values::Decimals(Vec::new()),
            T::Utf8 => Values::Texts(Vec::new()),
            T::Binary => Values::Bytes(Vec::new()),
            other => {
                let message = format!("column {:?}: {other} cannot be built row by row", field.name());
                return Err(Error::unsupported(message));
            }
        };
        let (name, ty) = (field.name().clone(), field.data_type().clone());
        Ok(Self { name, ty, nullable: field.is_nullable(), values })
    }

    fn wrong<T>(&self, value: impl std::fmt::Display) -> Result<T> {
        let shown: String = value.to_string().chars().take(80).collect();
        Err(Error::protocol(format!("column {:?}: {shown} does not fit {}", self.name, self.ty)))
    }

    pub(super) fn null(&mut self) -> Result<usize> {
        if !self.nullable {
            return Err(Error::protocol(format!("column {:?} may not be null", self.name)));
        }
        match &mut self.values {
            Values::Bools(values) => values.push(None),
            Values::Ints(values) => values.push(None),
            Values::Floats(values) => values.push(None),
            Values::Decimals(values) => values.push(None),
            Values::Texts(values) => values.push(None),
            Values::Bytes(values) => values.push(None),
        }
        Ok(1)
    }

    pub(super) fn bool(&mut self, value: bool) -> Result<usize> {
        let Values::Bools(values) = &mut self.values else { return self.wrong(value) };
        values.push(Some(value));
        Ok(1)
    }

    pub(super) fn int(&mut self, value: i64) -> Result<usize> {
        if !fits(value, &self.ty) {
            return self.wrong(value);
        }
        match &mut self.values {
            Values::Ints(values) => values.push(Some(value)),
            // Doubles hold whole numbers up to 2^53.
            Values::Floats(values) if value.unsigned_abs() <= 1 << 53 => values.push(Some(value as f64)),
            Values::Decimals(_) => return self.text(&value.to_string()),
            _ => return self.wrong(value),
        }
        Ok(8)
    }

    pub(super) fn float(&mut self, value: f64) -> Result<usize> {
        let Values::Floats(values) = &mut self.values else { return self.wrong(value) };
        values.push(Some(value));
        Ok(8)
    }

    pub(super) fn text(&mut self, value: &str) -> Result<usize> {
        match (&mut self.values, &self.ty) {
            (Values::Texts(values), _) => {
                values.push(Some(value.to_owned()));
                Ok(value.len() + 4)
            }
            (Values::Decimals(values), DataType::Decimal128(precision, scale)) => {
                match decimal(value, *precision, *scale) {
                    Some(number) => {
                        values.push(Some(number));
                        Ok(16)
                    }
                    None => self.wrong(value),
                }
            }
            _ => self.wrong(value),
        }
    }

    pub(super) fn bytes(&mut self, value: &[u8]) -> Result<usize> {
        let Values::Bytes(values) = &mut self.values else { return self.wrong(format!("{} bytes", value.len())) };
        values.push(Some(value.to_vec()));
        Ok(value.len() + 4)
    }

    pub(super) fn json(&mut self, value: &Value) -> Result<usize> {
        match value {
            Value::Null => self.null(),
            Value::String(text) => self.text(text),
            other if matches!(self.values, Values::Texts(_)) => self.text(&other.to_string()),
            Value::Bool(flag) => self.bool(*flag),
            Value::Number(number) if matches!(self.values, Values::Decimals(_)) => self.text(&number.to_string()),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => self.int(whole),
                (None, Some(float)) => self.float(float),
                (None, None) => self.wrong(number),
            },
            other => self.wrong(other),
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        match &mut self.values {
            Values::Bools(values) => values.truncate(rows),
            Values::Ints(values) => values.truncate(rows),
            Values::Floats(values) => values.truncate(rows),
            Values::Decimals(values) => values.truncate(rows),
            Values::Texts(values) => values.truncate(rows),
            Values::Bytes(values) => values.truncate(rows),
        }
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef> {
        Ok(match &mut self.values {
            Values::Bools(values) => Arc::new(BooleanArray::from(std::mem::take(values))),
            Values::Texts(values) => Arc::new(StringArray::from(std::mem::take(values))),
            Values::Bytes(values) => Arc::new(values.drain(..).collect::<BinaryArray>()),
            Values::Decimals(values) => {
                Arc::new(PrimitiveArray::<Decimal128Type>::from(std::mem::take(values)).with_data_type(self.ty.clone()))
            }
            Values::Floats(values) if self.ty == DataType::Float32 => {
                let narrow: PrimitiveArray<Float32Type> = values.drain(..).map(|v| v.map(|v| v as f32)).collect();
                Arc::new(narrow)
            }
            Values::Floats(values) => Arc::new(PrimitiveArray::<Float64Type>::from(std::mem::take(values))),
            Values::Ints(values) => ints(std::mem::take(values), &self.ty)?,
        })
    }
}

/// Whether a whole number is within an integer type.
fn fits(value: i64, ty: &DataType) -> bool {
    match ty {
        DataType::Int8 => i8::try_from(value).is_ok(),
        DataType::Int16 => i16::try_from(value).is_ok(),
        DataType::Int32 | DataType::Date32 | DataType::Time32(_) => i32::try_from(value).is_ok(),
        DataType::UInt8 => u8::try_from(value).is_ok(),
        DataType::UInt16 => u16::try_from(value).is_ok(),
        DataType::UInt32 => u32::try_from(value).is_ok(),
        DataType::UInt64 => value >= 0,
        _ => true,
    }
}

/// Values that were checked when they came.
fn ints(values: Vec<Option<i64>>, ty: &DataType) -> Result<ArrayRef> {
    fn of<T: ArrowPrimitiveType>(values: Vec<Option<i64>>, ty: &DataType) -> ArrayRef
    where
        T::Native: TryFrom<i64>,
    {
        let typed = values.into_iter().map(|value| value.and_then(|value| T::Native::try_from(value).ok()));
        Arc::new(typed.collect::<PrimitiveArray<T>>().with_data_type(ty.clone()))
    }
    let make = match ty {
        DataType::Int8 => of::<Int8Type>,
        DataType::Int16 => of::<Int16Type>,
        DataType::Int32 => of::<Int32Type>,
        DataType::Int64 => of::<Int64Type>,
        DataType::UInt8 => of::<UInt8Type>,
        DataType::UInt16 => of::<UInt16Type>,
        DataType::UInt32 => of::<UInt32Type>,
        DataType::UInt64 => of::<UInt64Type>,
        DataType::Date32 => of::<Date32Type>,
        DataType::Date64 => of::<Date64Type>,
        DataType::Time32(TimeUnit::Second) => of::<Time32SecondType>,
        DataType::Time32(TimeUnit::Millisecond) => of::<Time32MillisecondType>,
        DataType::Time64(TimeUnit::Microsecond) => of::<Time64MicrosecondType>,
        DataType::Time64(TimeUnit::Nanosecond) => of::<Time64NanosecondType>,
        DataType::Timestamp(TimeUnit::Second, _) => of::<TimestampSecondType>,
        DataType::Timestamp(TimeUnit::Millisecond, _) => of::<TimestampMillisecondType>,
        DataType::Timestamp(TimeUnit::Microsecond, _) => of::<TimestampMicrosecondType>,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => of::<TimestampNanosecondType>,
        other => return Err(Error::unsupported(format!("{other} has no whole numbers"))),
    };
    Ok(make(values, ty))
}

/// A decimal in plain notation, exactly; none if it has more digits than the type.
fn decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = usize::try_from(scale).ok()?;
    let fraction = if fraction.len() > scale { fraction.trim_end_matches('0') } else { fraction };
    if (whole.is_empty() && fraction.is_empty()) || fraction.len() > scale {
        return None;
    }
    let mut value = 0_i128;
    let zeros = std::iter::repeat_n('0', scale - fraction.len());
    for digit in whole.chars().chain(fraction.chars()).chain(zeros) {
        value = value.checked_mul(10)?.checked_add(i128::from(digit.to_digit(10)?))?;
    }
    let limit = 10_i128.checked_pow(u32::from(precision))?;
    (value < limit).then_some(if negative { -value } else { value })
}
