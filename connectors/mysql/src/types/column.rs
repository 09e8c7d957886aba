//! Columns that are being filled: each value's bytes go straight into the buffer that becomes the Arrow array.

use std::sync::Arc;

use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, Float32Array, ListArray};
use arrow_buffer::i256;
use arrow_schema::DataType;
use sluice_sdk::Error;
use sluice_sql::fill::{self, Validity, Values, primitive};

use super::Kind;
use super::decimal::{self, Misfit};
use super::temporal::{self, Stamp};
use crate::config::ZeroDates;
use crate::wire::read::Bytes;

/// Why a value could not be taken.
pub(crate) type Fault = sluice_sql::fault::Fault<Own>;

/// What can only be wrong with a value of this database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    /// A date that is none.
    ZeroDate,
    /// A number that is no truth value.
    NotBoolean,
    /// A time that is no time of day.
    NotTimeOfDay,
}

/// Values of one column for the batch that is being filled.
#[derive(Debug)]
pub(crate) struct Column {
    store: Store,
    validity: Validity,
    /// Values that became NULL because a policy says so.
    lost: u64,
    zero_dates: ZeroDates,
    data_type: DataType,
    nullable: bool,
}

#[derive(Debug)]
enum Store {
    Bool(Vec<u8>),
    Flag(Vec<u8>),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    UInt8(Vec<u8>),
    UInt16(Vec<u16>),
    UInt32(Vec<u32>),
    UInt64(Vec<u64>),
    Bits(Vec<u64>),
    Float4(Vec<f32>),
    Float8(Vec<f64>),
    Decimal(Vec<i128>, u8),
    Wide(Vec<i256>, u8),
    Date(Vec<i32>),
    Stamp(Vec<i64>),
    TimeOfDay(Vec<i64>),
    Time(Values, u8),
    Text(Values),
    Bytes(Values),
    Geometry(Values),
    Vector(Vec<i32>, Vec<f32>),
}

impl Column {
    /// An empty column.
    pub(crate) fn new(kind: &Kind, nullable: bool, zero_dates: ZeroDates) -> Self {
        let store = match kind {
            Kind::Bool => Store::Bool(Vec::new()),
            Kind::Flag => Store::Flag(Vec::new()),
            Kind::Int8 => Store::Int8(Vec::new()),
            Kind::Int16 => Store::Int16(Vec::new()),
            Kind::Int32 => Store::Int32(Vec::new()),
            Kind::Int64 => Store::Int64(Vec::new()),
            Kind::UInt8 => Store::UInt8(Vec::new()),
            Kind::UInt16 => Store::UInt16(Vec::new()),
            Kind::UInt32 => Store::UInt32(Vec::new()),
            Kind::UInt64 => Store::UInt64(Vec::new()),
            Kind::Bits => Store::Bits(Vec::new()),
            Kind::Float4 => Store::Float4(Vec::new()),
            Kind::Float8 => Store::Float8(Vec::new()),
            Kind::Decimal { precision, scale } if *precision <= 38 => Store::Decimal(Vec::new(), *scale),
            Kind::Decimal { scale, .. } => Store::Wide(Vec::new(), *scale),
            Kind::Date => Store::Date(Vec::new()),
            Kind::DateTime | Kind::Timestamp => Store::Stamp(Vec::new()),
            Kind::TimeOfDay => Store::TimeOfDay(Vec::new()),
            Kind::Time { digits } => Store::Time(Values::default(), *digits),
            Kind::Text | Kind::Json => Store::Text(Values::default()),
            Kind::Bytes => Store::Bytes(Values::default()),
            Kind::Geometry => Store::Geometry(Values::default()),
            Kind::Vector => Store::Vector(vec![0], Vec::new()),
        };
        Self { store, validity: Validity::default(), lost: 0, zero_dates, data_type: kind.data_type(), nullable }
    }

    /// Takes a value that is not NULL from the front of a row's bytes.
    #[inline]
    pub(crate) fn take(&mut self, row: &mut Bytes<'_>) -> Result<(), Fault> {
        match &mut self.store {
            Store::Int8(values) => values.push(i8::from_le_bytes(fixed(row)?)),
            Store::Int16(values) => values.push(i16::from_le_bytes(fixed(row)?)),
            Store::Int32(values) => values.push(i32::from_le_bytes(fixed(row)?)),
            Store::Int64(values) => values.push(i64::from_le_bytes(fixed(row)?)),
            Store::UInt8(values) => values.push(u8::from_le_bytes(fixed(row)?)),
            Store::UInt16(values) => values.push(u16::from_le_bytes(fixed(row)?)),
            Store::UInt32(values) => values.push(u32::from_le_bytes(fixed(row)?)),
            Store::UInt64(values) => values.push(u64::from_le_bytes(fixed(row)?)),
            Store::Float4(values) => values.push(f32::from_le_bytes(fixed(row)?)),
            Store::Float8(values) => values.push(f64::from_le_bytes(fixed(row)?)),
            Store::Bool(values) => match fixed::<1>(row)? {
                [value @ (0 | 1)] => values.push(value),
                _ => return Err(Fault::Own(Own::NotBoolean)),
            },
            Store::Decimal(values, scale) => values.push(decimal::to_i128(text(row)?, *scale)?),
            Store::Wide(values, scale) => values.push(decimal::to_i256(text(row)?, *scale)?),
            Store::Date(values) => match Stamp::read(row).ok_or(Fault::Malformed)?.days() {
                Some(days) => values.push(days),
                None => return self.no_date(),
            },
            Store::Stamp(values) => match Stamp::read(row).ok_or(Fault::Malformed)?.micros() {
                Some(micros) => values.push(micros),
                None => return self.no_date(),
            },
            Store::TimeOfDay(values) => {
                let span = temporal::span(row).ok_or(Fault::Malformed)?;
                values.push(temporal::time_of_day(span).ok_or(Fault::Own(Own::NotTimeOfDay))?);
            }
            Store::Time(values, digits) => {
                let span = temporal::span(row).ok_or(Fault::Malformed)?;
                values.write::<Fault>(|out| {
                    temporal::print(span, *digits, out);
                    Ok(())
                })?;
            }
            Store::Text(values) | Store::Bytes(values) => values.push(text(row)?)?,
            Store::Flag(values) => values.push(u8::from(bits(text(row)?)? != 0)),
            Store::Bits(values) => values.push(bits(text(row)?)?),
            Store::Geometry(values) => values.push(text(row)?.get(4..).ok_or(Fault::Malformed)?)?,
            Store::Vector(offsets, values) => {
                let (numbers, []) = text(row)?.as_chunks::<4>() else { return Err(Fault::Malformed) };
                values.extend(numbers.iter().map(|number| f32::from_le_bytes(*number)));
                offsets.push(i32::try_from(values.len()).map_err(|_| Fault::TooLarge)?);
            }
        }
        self.validity.value();
        Ok(())
    }

    /// Adds a NULL.
    #[inline]
    pub(crate) fn push_null(&mut self) -> Result<(), Fault> {
        if !self.nullable {
            return Err(Fault::Null);
        }
        self.validity.null();
        match &mut self.store {
            Store::Bool(values) | Store::Flag(values) | Store::UInt8(values) => values.push(0),
            Store::Int8(values) => values.push(0),
            Store::Int16(values) => values.push(0),
            Store::Int32(values) | Store::Date(values) => values.push(0),
            Store::Int64(values) | Store::Stamp(values) | Store::TimeOfDay(values) => values.push(0),
            Store::UInt16(values) => values.push(0),
            Store::UInt32(values) => values.push(0),
            Store::UInt64(values) | Store::Bits(values) => values.push(0),
            Store::Float4(values) => values.push(0.0),
            Store::Float8(values) => values.push(0.0),
            Store::Decimal(values, _) => values.push(0),
            Store::Wide(values, _) => values.push(i256::ZERO),
            Store::Time(values, _) | Store::Text(values) | Store::Bytes(values) | Store::Geometry(values) => {
                values.end()?
            }
            Store::Vector(offsets, values) => offsets.push(i32::try_from(values.len()).map_err(|_| Fault::TooLarge)?),
        }
        Ok(())
    }

    #[cold]
    fn no_date(&mut self) -> Result<(), Fault> {
        match self.zero_dates {
            ZeroDates::Fail => Err(Fault::Own(Own::ZeroDate)),
            ZeroDates::Null => {
                self.lost += 1;
                self.push_null()
            }
        }
    }

    /// Bytes that the values take in Arrow.
    pub(crate) fn bytes(&self) -> usize {
        let rows = self.validity.rows() as usize;
        rows / 8
            + match &self.store {
                Store::Bool(_) | Store::Flag(_) => rows / 8,
                Store::Int8(_) | Store::UInt8(_) => rows,
                Store::Int16(_) | Store::UInt16(_) => rows * 2,
                Store::Int32(_) | Store::UInt32(_) | Store::Float4(_) | Store::Date(_) => rows * 4,
                Store::Int64(_) | Store::UInt64(_) | Store::Bits(_) | Store::Float8(_) => rows * 8,
                Store::Stamp(_) | Store::TimeOfDay(_) => rows * 8,
                Store::Decimal(..) => rows * 16,
                Store::Wide(..) => rows * 32,
                Store::Time(values, _) | Store::Text(values) | Store::Bytes(values) | Store::Geometry(values) => {
                    values.bytes()
                }
                Store::Vector(_, values) => rows * 4 + values.len() * 4,
            }
    }

    /// Values that became NULL since this was asked last.
    pub(crate) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// The values as an array; the column is empty again, with room for as many.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef, Fault> {
        let nulls = self.validity.finish();
        let data_type = &self.data_type;
        Ok(match &mut self.store {
            Store::Bool(values) | Store::Flag(values) => fill::booleans(values, nulls),
            Store::Int8(values) => primitive::<Int8Type>(values, nulls, data_type),
            Store::Int16(values) => primitive::<Int16Type>(values, nulls, data_type),
            Store::Int32(values) => primitive::<Int32Type>(values, nulls, data_type),
            Store::Int64(values) => primitive::<Int64Type>(values, nulls, data_type),
            Store::UInt8(values) => primitive::<UInt8Type>(values, nulls, data_type),
            Store::UInt16(values) => primitive::<UInt16Type>(values, nulls, data_type),
            Store::UInt32(values) => primitive::<UInt32Type>(values, nulls, data_type),
            Store::UInt64(values) | Store::Bits(values) => primitive::<UInt64Type>(values, nulls, data_type),
            Store::Float4(values) => primitive::<Float32Type>(values, nulls, data_type),
            Store::Float8(values) => primitive::<Float64Type>(values, nulls, data_type),
            Store::Decimal(values, _) => primitive::<Decimal128Type>(values, nulls, data_type),
            Store::Wide(values, _) => primitive::<Decimal256Type>(values, nulls, data_type),
            Store::Date(values) => primitive::<Date32Type>(values, nulls, data_type),
            Store::Stamp(values) => primitive::<TimestampMicrosecondType>(values, nulls, data_type),
            Store::TimeOfDay(values) => primitive::<Time64MicrosecondType>(values, nulls, data_type),
            Store::Time(values, _) | Store::Text(values) => values.texts(nulls)?,
            Store::Bytes(values) | Store::Geometry(values) => values.binaries(nulls)?,
            Store::Vector(offsets, values) => {
                let DataType::List(field) = data_type else { return Err(Fault::Malformed) };
                let numbers = Arc::new(Float32Array::from(std::mem::take(values)));
                let array = ListArray::try_new(Arc::clone(field), fill::offsets(offsets), numbers, nulls);
                Arc::new(array.map_err(|_| Fault::Malformed)?)
            }
        })
    }
}

#[inline]
fn fixed<const N: usize>(row: &mut Bytes<'_>) -> Result<[u8; N], Fault> {
    row.array().ok_or(Fault::Malformed)
}

#[inline]
fn text<'a>(row: &mut Bytes<'a>) -> Result<&'a [u8], Fault> {
    row.string().ok_or(Fault::Malformed)
}

/// A bit string as a number, the first byte the most significant.
fn bits(bytes: &[u8]) -> Result<u64, Fault> {
    if bytes.len() > size_of::<u64>() {
        return Err(Fault::Malformed);
    }
    Ok(bytes.iter().fold(0, |acc, byte| acc << 8 | u64::from(*byte)))
}

impl From<Misfit> for Fault {
    fn from(misfit: Misfit) -> Self {
        match misfit {
            Misfit::Malformed => Self::Malformed,
            Misfit::Range => Self::Range,
        }
    }
}

impl sluice_sql::fault::Own for Own {
    const NOT_UTF8: &'static str = "Leave the column out or repair the values";

    fn explain(self, declared: &str) -> Error {
        match self {
            Self::ZeroDate => Error::unsupported(
                "a value is a date that is none, such as 0000-00-00. Set `zero_dates` to null, or leave the rows out with a filter",
            )
            .field("/zero_dates"),
            Self::NotBoolean => {
                Error::unsupported(format!("a value of {declared} is neither 0 nor 1. Set `tinyint1` to integer"))
                    .field("/tinyint1")
            }
            Self::NotTimeOfDay => Error::unsupported(
                "a value is no time of day, because it is negative or longer than a day. Set `times` to text",
            )
            .field("/times"),
        }
    }
}
