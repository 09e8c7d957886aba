//! Columns that are being filled: each field's bytes go straight into the buffer that becomes the Arrow array.
//!
//! A value that is not NULL costs its decoding and a push.

use std::sync::Arc;

use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, ListArray};
use arrow_buffer::i256;
use arrow_schema::DataType;
use sluice_sdk::Error;
use sluice_sql::fill::{self, Validity, Values, primitive};

use super::Kind;
use super::numeric::{Misfit, Numeric};
use super::temporal::{self, Moment};
use super::uuid::print_uuid;
use crate::config::{InfinityPolicy, NumericSpecial};

/// What becomes of values that Arrow's types do not have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policies {
    pub(crate) numeric: NumericSpecial,
    pub(crate) infinity: InfinityPolicy,
}

/// Why a value could not be taken.
pub(crate) type Fault = sluice_sql::fault::Fault<Own>;

/// What can only be wrong with a value of this database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    /// NaN or infinity where a decimal is needed.
    Special,
    /// An infinite date.
    Infinite,
    /// An array of more than one dimension.
    Dimensions,
}

/// Values of one column for the batch that is being filled.
#[derive(Debug)]
pub(crate) struct Column {
    store: Store,
    validity: Validity,
    /// Values that became NULL because a policy says so.
    lost: u64,
    policies: Policies,
    data_type: DataType,
    nullable: bool,
}

#[derive(Debug)]
enum Store {
    Bool(Vec<u8>),
    Int2(Vec<i16>),
    Int4(Vec<i32>),
    Int8(Vec<i64>),
    Oid(Vec<i64>),
    Float4(Vec<f32>),
    Float8(Vec<f64>),
    Decimal(Vec<i128>, u8),
    Wide(Vec<i256>, u8),
    Money(Vec<i128>),
    Date(Vec<i32>),
    Time(Vec<i64>),
    Timestamp(Vec<i64>),
    Text(Values),
    Numeric(Values),
    Jsonb(Values),
    Uuid(Values),
    Bytes(Values),
    List(Vec<i32>, Box<Column>),
}

impl Column {
    /// An empty column.
    pub(crate) fn new(kind: &Kind, nullable: bool, policies: Policies) -> Self {
        let store = match kind {
            Kind::Bool => Store::Bool(Vec::new()),
            Kind::Int2 => Store::Int2(Vec::new()),
            Kind::Int4 => Store::Int4(Vec::new()),
            Kind::Int8 => Store::Int8(Vec::new()),
            Kind::Oid => Store::Oid(Vec::new()),
            Kind::Float4 => Store::Float4(Vec::new()),
            Kind::Float8 => Store::Float8(Vec::new()),
            Kind::Decimal { precision, scale } if *precision <= 38 => Store::Decimal(Vec::new(), *scale),
            Kind::Decimal { scale, .. } => Store::Wide(Vec::new(), *scale),
            Kind::Money { .. } => Store::Money(Vec::new()),
            Kind::Date => Store::Date(Vec::new()),
            Kind::Time => Store::Time(Vec::new()),
            Kind::Timestamp | Kind::TimestampTz => Store::Timestamp(Vec::new()),
            Kind::Text | Kind::Json => Store::Text(Values::default()),
            Kind::Numeric => Store::Numeric(Values::default()),
            Kind::Jsonb => Store::Jsonb(Values::default()),
            Kind::Uuid => Store::Uuid(Values::default()),
            Kind::Bytes => Store::Bytes(Values::default()),
            Kind::List(element) => Store::List(vec![0], Box::new(Self::new(element, true, policies))),
        };
        Self { store, validity: Validity::default(), lost: 0, policies, data_type: kind.data_type(), nullable }
    }

    /// Adds a value in its binary form.
    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match &mut self.store {
            Store::Bool(values) => values.push(u8::from(fixed::<1>(bytes)? != [0])),
            Store::Int2(values) => values.push(i16::from_be_bytes(fixed(bytes)?)),
            Store::Int4(values) => values.push(i32::from_be_bytes(fixed(bytes)?)),
            Store::Int8(values) => values.push(i64::from_be_bytes(fixed(bytes)?)),
            Store::Oid(values) => values.push(i64::from(u32::from_be_bytes(fixed(bytes)?))),
            Store::Float4(values) => values.push(f32::from_be_bytes(fixed(bytes)?)),
            Store::Float8(values) => values.push(f64::from_be_bytes(fixed(bytes)?)),
            Store::Decimal(values, scale) => match numeric(bytes)?.to_i128(*scale) {
                Ok(value) => values.push(value),
                Err(misfit) => return self.misfit(misfit),
            },
            Store::Wide(values, scale) => match numeric(bytes)?.to_i256(*scale) {
                Ok(value) => values.push(value),
                Err(misfit) => return self.misfit(misfit),
            },
            Store::Money(values) => values.push(i128::from(i64::from_be_bytes(fixed(bytes)?))),
            Store::Date(values) => match temporal::date(i32::from_be_bytes(fixed(bytes)?), self.policies.infinity) {
                Moment::Value(value) => values.push(value),
                Moment::Lost => return self.lose(),
                Moment::Forbidden => return Err(Fault::Own(Own::Infinite)),
            },
            Store::Timestamp(values) => {
                match temporal::timestamp(i64::from_be_bytes(fixed(bytes)?), self.policies.infinity) {
                    Moment::Value(value) => values.push(value),
                    Moment::Lost => return self.lose(),
                    Moment::Forbidden => return Err(Fault::Own(Own::Infinite)),
                }
            }
            Store::Time(values) => values.push(temporal::time(i64::from_be_bytes(fixed(bytes)?))),
            Store::Text(values) | Store::Bytes(values) => values.push(bytes)?,
            Store::Numeric(values) => {
                let numeric = numeric(bytes)?;
                values.write(|out| numeric.print(out).map_err(|_| Fault::Malformed))?;
            }
            Store::Jsonb(values) => match bytes {
                [1, text @ ..] => values.push(text)?,
                _ => return Err(Fault::Malformed),
            },
            Store::Uuid(values) => values.push(&print_uuid(&fixed(bytes)?))?,
            Store::List(offsets, child) => {
                child.push_elements(bytes)?;
                offsets.push(i32::try_from(child.validity.rows()).map_err(|_| Fault::TooLarge)?);
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
            Store::Bool(values) => values.push(0),
            Store::Int2(values) => values.push(0),
            Store::Int4(values) | Store::Date(values) => values.push(0),
            Store::Int8(values) | Store::Oid(values) | Store::Time(values) | Store::Timestamp(values) => values.push(0),
            Store::Float4(values) => values.push(0.0),
            Store::Float8(values) => values.push(0.0),
            Store::Decimal(values, _) | Store::Money(values) => values.push(0),
            Store::Wide(values, _) => values.push(i256::ZERO),
            Store::Text(values)
            | Store::Numeric(values)
            | Store::Jsonb(values)
            | Store::Uuid(values)
            | Store::Bytes(values) => values.end()?,
            Store::List(offsets, child) => {
                offsets.push(i32::try_from(child.validity.rows()).map_err(|_| Fault::TooLarge)?)
            }
        }
        Ok(())
    }

    #[cold]
    fn misfit(&mut self, misfit: Misfit) -> Result<(), Fault> {
        match misfit {
            Misfit::Special if self.policies.numeric == NumericSpecial::Null => self.lose(),
            Misfit::Special => Err(Fault::Own(Own::Special)),
            Misfit::Range => Err(Fault::Range),
            Misfit::Malformed => Err(Fault::Malformed),
        }
    }

    #[cold]
    fn lose(&mut self) -> Result<(), Fault> {
        self.lost += 1;
        self.push_null()
    }

    /// Adds the elements of an array in its binary form. Lower bounds other than 1 are not kept.
    fn push_elements(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let (head, rest) = bytes.split_first_chunk::<12>().ok_or(Fault::Malformed)?;
        let [d0, d1, d2, d3, ..] = *head;
        match i32::from_be_bytes([d0, d1, d2, d3]) {
            0 => return if rest.is_empty() { Ok(()) } else { Err(Fault::Malformed) },
            1 => {}
            2.. => return Err(Fault::Own(Own::Dimensions)),
            _ => return Err(Fault::Malformed),
        }
        let (dimension, mut rest) = rest.split_first_chunk::<8>().ok_or(Fault::Malformed)?;
        let [s0, s1, s2, s3, ..] = *dimension;
        for _ in 0..u32::from_be_bytes([s0, s1, s2, s3]) {
            let (length, after) = rest.split_first_chunk::<4>().ok_or(Fault::Malformed)?;
            match usize::try_from(i32::from_be_bytes(*length)) {
                Err(_) => {
                    self.push_null()?;
                    rest = after;
                }
                Ok(length) => {
                    let (value, after) = after.split_at_checked(length).ok_or(Fault::Malformed)?;
                    self.push(value)?;
                    rest = after;
                }
            }
        }
        if rest.is_empty() { Ok(()) } else { Err(Fault::Malformed) }
    }

    /// Bytes that the values take in Arrow.
    pub(crate) fn bytes(&self) -> usize {
        let rows = self.validity.rows() as usize;
        rows / 8
            + match &self.store {
                Store::Bool(_) => rows / 8,
                Store::Int2(_) => rows * 2,
                Store::Int4(_) | Store::Float4(_) | Store::Date(_) => rows * 4,
                Store::Int8(_) | Store::Oid(_) | Store::Float8(_) | Store::Time(_) | Store::Timestamp(_) => rows * 8,
                Store::Decimal(..) | Store::Money(_) => rows * 16,
                Store::Wide(..) => rows * 32,
                Store::Text(values)
                | Store::Numeric(values)
                | Store::Jsonb(values)
                | Store::Uuid(values)
                | Store::Bytes(values) => values.bytes(),
                Store::List(_, child) => rows * 4 + child.bytes(),
            }
    }

    /// Values that became NULL since this was asked last.
    pub(crate) fn take_lost(&mut self) -> u64 {
        let below = match &mut self.store {
            Store::List(_, child) => child.take_lost(),
            _ => 0,
        };
        below + std::mem::take(&mut self.lost)
    }

    /// The values as an array; the column is empty again, with room for as many.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef, Fault> {
        let nulls = self.validity.finish();
        let data_type = &self.data_type;
        let array: ArrayRef = match &mut self.store {
            Store::Bool(values) => fill::booleans(values, nulls),
            Store::Int2(values) => primitive::<Int16Type>(values, nulls, data_type),
            Store::Int4(values) => primitive::<Int32Type>(values, nulls, data_type),
            Store::Int8(values) | Store::Oid(values) => primitive::<Int64Type>(values, nulls, data_type),
            Store::Float4(values) => primitive::<Float32Type>(values, nulls, data_type),
            Store::Float8(values) => primitive::<Float64Type>(values, nulls, data_type),
            Store::Decimal(values, _) | Store::Money(values) => primitive::<Decimal128Type>(values, nulls, data_type),
            Store::Wide(values, _) => primitive::<Decimal256Type>(values, nulls, data_type),
            Store::Date(values) => primitive::<Date32Type>(values, nulls, data_type),
            Store::Time(values) => primitive::<Time64MicrosecondType>(values, nulls, data_type),
            Store::Timestamp(values) => primitive::<TimestampMicrosecondType>(values, nulls, data_type),
            Store::Text(values) | Store::Numeric(values) | Store::Jsonb(values) | Store::Uuid(values) => {
                values.texts(nulls)?
            }
            Store::Bytes(values) => values.binaries(nulls)?,
            Store::List(offsets, child) => {
                let offsets = fill::offsets(offsets);
                let DataType::List(field) = data_type else { return Err(Fault::Malformed) };
                let array = ListArray::try_new(field.clone(), offsets, child.finish()?, nulls);
                Arc::new(array.map_err(|_| Fault::Malformed)?)
            }
        };
        Ok(array)
    }
}

#[inline]
fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Fault> {
    bytes.try_into().map_err(|_| Fault::Malformed)
}

#[inline]
fn numeric(bytes: &[u8]) -> Result<Numeric<'_>, Fault> {
    Numeric::parse(bytes).ok_or(Fault::Malformed)
}

impl sluice_sql::fault::Own for Own {
    const NOT_UTF8: &'static str = "The database's encoding is probably SQL_ASCII, which lets anything in; leave the column out or \
                                    repair the values";

    fn explain(self, declared: &str) -> Error {
        match self {
            Self::Special => Error::unsupported(format!(
                "a value is NaN or infinite, which a decimal ({declared}) cannot be. Set `numeric_special` to null, or leave the \
                 rows out with a filter",
            ))
            .field("/numeric_special"),
            Self::Infinite => Error::unsupported(
                "a value is infinite. Set `infinity` to clamp or null, or leave the rows out with a filter",
            )
            .field("/infinity"),
            Self::Dimensions => Error::unsupported(format!(
                "a value has more than one dimension although the column is declared as {declared}. Set `arrays` to json",
            ))
            .field("/arrays"),
        }
    }
}
