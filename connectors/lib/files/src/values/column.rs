//! Typed columns from cells, one column at a time: the type is decided once, not for each value.

use std::sync::Arc;

use arrow_array::builder::BooleanBufferBuilder;
use arrow_array::types::{ArrowPrimitiveType, Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray, StringArray, new_null_array};
use arrow_buffer::{Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

use super::cell::{Cell, CellKind, Records};
use super::kind::Kind;
use super::{number, time};
use crate::json::unescape;

/// What the text's format says about values.
#[derive(Clone, Debug)]
pub(crate) enum Syntax {
    Csv(CsvValues),
    Json,
}

/// What a CSV dialect says about values.
#[derive(Clone, Debug)]
pub(crate) struct CsvValues {
    pub(crate) quote: u8,
    pub(crate) escape: Option<u8>,
    pub(crate) empty_is_null: bool,
    pub(crate) nulls: Vec<Vec<u8>>,
}

impl CsvValues {
    /// Whether unquoted bytes mean null.
    #[inline]
    pub(crate) fn is_null(&self, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            return self.empty_is_null;
        }
        !self.nulls.is_empty() && self.nulls.iter().any(|null| null == bytes)
    }

    /// Takes out what marks quotes as part of the text.
    pub(crate) fn unescape(&self, bytes: &[u8], out: &mut Vec<u8>) {
        let escape = self.escape.unwrap_or(self.quote);
        let mut rest = bytes;
        while let Some(at) = memchr::memchr(escape, rest) {
            let (before, after) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            out.extend_from_slice(before);
            rest = match after {
                [_, next, tail @ ..] => {
                    out.push(*next);
                    tail
                }
                _ => &[],
            };
        }
        out.extend_from_slice(rest);
    }
}

/// A value that does not fit its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// The record.
    pub(crate) row: usize,
    /// What is wrong with it.
    pub(crate) reason: String,
}

/// How a column is built.
pub(crate) struct Wanted<'a> {
    pub(crate) kind: Kind,
    /// The user named the type: needless zeros may go.
    pub(crate) given: bool,
    pub(crate) syntax: &'a Syntax,
    /// Values that do not fit become null and are counted, instead of ending the read.
    pub(crate) lenient: bool,
}

/// A finished column, and how many values became null because they did not fit.
pub(crate) type Built = (ArrayRef, u64);

impl Wanted<'_> {
    /// Builds a column of the records; `None` is one that the file does not have.
    pub(crate) fn build(&self, block: &[u8], records: &Records, column: Option<usize>) -> Result<Built, Misfit> {
        let Some(at) = column else {
            let field = self.kind.field("");
            return Ok((new_null_array(field.data_type(), records.len()), 0));
        };
        let cells = records.column(at);
        match self.kind {
            Kind::Int if self.given => self.primitive::<Int64Type>(block, records, cells, number::int),
            Kind::Int => self.primitive::<Int64Type>(block, records, cells, number::strict_int),
            Kind::Float => self.primitive::<Float64Type>(block, records, cells, number::float),
            Kind::Date => self.primitive::<Date32Type>(block, records, cells, time::date),
            Kind::Timestamp => self.primitive::<TimestampMicrosecondType>(block, records, cells, local),
            Kind::TimestampTz => {
                let (array, misfits) = self.primitive::<TimestampMicrosecondType>(block, records, cells, zoned)?;
                let DataType::Timestamp(_, zone) = self.kind.field("").data_type().clone() else {
                    return Ok((array, misfits));
                };
                let typed = array.as_any().downcast_ref::<PrimitiveArray<TimestampMicrosecondType>>();
                let typed = typed.map(|array| array.clone().with_timezone_opt(zone));
                Ok((typed.map_or(array, |array| Arc::new(array)), misfits))
            }
            Kind::Bool => self.booleans(block, records, cells),
            Kind::Null | Kind::Text | Kind::Json => self.texts(block, records, cells),
        }
    }

    /// The bytes of a cell that is to become something other than text; `None` is null.
    #[inline]
    fn scalar<'b>(&self, cell: Cell, block: &'b [u8]) -> Option<&'b [u8]> {
        let bytes = cell.bytes(block);
        match (cell.kind(), self.syntax) {
            (CellKind::Missing, _) => None,
            (CellKind::Plain, Syntax::Csv(csv)) => {
                if csv.is_null(bytes) {
                    return None;
                }
                let trimmed = bytes.trim_ascii();
                (!trimmed.is_empty() || !csv.empty_is_null).then_some(trimmed)
            }
            (CellKind::Quoted, Syntax::Csv(csv)) => (!bytes.is_empty() || !csv.empty_is_null).then_some(bytes),
            _ => Some(bytes),
        }
    }

    /// Whether a cell of JSON has the right kind for the column: numbers are not in quotes, moments are.
    #[inline]
    fn right_kind(&self, cell: Cell) -> bool {
        match self.syntax {
            Syntax::Csv(_) => true,
            Syntax::Json => match self.kind {
                Kind::Date | Kind::Timestamp | Kind::TimestampTz => cell.kind() == CellKind::Quoted,
                _ => cell.kind() == CellKind::Plain || (self.given && cell.kind() == CellKind::Quoted),
            },
        }
    }

    fn misfit(&self, row: usize, cell: Cell, block: &[u8]) -> Misfit {
        let text = String::from_utf8_lossy(cell.bytes(block).get(..80).unwrap_or(cell.bytes(block))).into_owned();
        Misfit { row, reason: format!("{text:?} is no {}", self.kind.name()) }
    }

    fn primitive<T: ArrowPrimitiveType>(
        &self,
        block: &[u8],
        records: &Records,
        cells: impl Iterator<Item = Cell>,
        parse: impl Fn(&[u8]) -> Option<T::Native>,
    ) -> Result<Built, Misfit> {
        let mut values = Vec::with_capacity(records.len());
        let mut nulls = NullBufferBuilder::new(records.len());
        let mut misfits = 0;
        for cell in cells {
            let parsed = match self.scalar(cell, block) {
                None => None,
                Some(bytes) => match parse(bytes).filter(|_| self.right_kind(cell)) {
                    Some(value) => Some(value),
                    None if self.lenient => {
                        misfits += 1;
                        None
                    }
                    None => return Err(self.misfit(values.len(), cell, block)),
                },
            };
            if let Some(value) = parsed {
                values.push(value);
                nulls.append_non_null();
            } else {
                values.push(T::Native::default());
                nulls.append_null();
            }
        }
        let array = PrimitiveArray::<T>::new(ScalarBuffer::from(values), nulls.finish());
        Ok((Arc::new(array), misfits))
    }

    fn booleans(&self, block: &[u8], records: &Records, cells: impl Iterator<Item = Cell>) -> Result<Built, Misfit> {
        let mut values = BooleanBufferBuilder::new(records.len());
        let mut nulls = NullBufferBuilder::new(records.len());
        let mut misfits = 0;
        for (row, cell) in cells.enumerate() {
            let parsed = match self.scalar(cell, block) {
                None => None,
                Some(bytes) => match number::boolean(bytes).filter(|_| self.right_kind(cell)) {
                    Some(value) => Some(value),
                    None if self.lenient => {
                        misfits += 1;
                        None
                    }
                    None => return Err(self.misfit(row, cell, block)),
                },
            };
            values.append(parsed.unwrap_or_default());
            nulls.append(parsed.is_some());
        }
        Ok((Arc::new(BooleanArray::new(values.finish(), nulls.finish())), misfits))
    }

    fn texts(&self, block: &[u8], records: &Records, cells: impl Iterator<Item = Cell>) -> Result<Built, Misfit> {
        let mut offsets: Vec<i32> = Vec::with_capacity(records.len() + 1);
        offsets.push(0);
        let mut values: Vec<u8> = Vec::with_capacity(block.len() / records.width.max(1));
        let mut nulls = NullBufferBuilder::new(records.len());
        let mut misfits = 0;
        for (row, cell) in cells.enumerate() {
            let before = values.len();
            let there = match self.text(cell, block, &mut values) {
                Ok(there) => there,
                Err(_) if self.lenient => {
                    values.truncate(before);
                    misfits += 1;
                    false
                }
                Err(reason) => return Err(Misfit { row, reason }),
            };
            nulls.append(there);
            offsets.push(values.len() as i32);
        }
        let nulls = nulls.finish();
        if std::str::from_utf8(&values).is_err() {
            return self.broken_text(&offsets, &values, nulls.as_ref());
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let array = StringArray::try_new(offsets, Buffer::from_vec(values), nulls)
            .map_err(|error| Misfit { row: 0, reason: error.to_string() })?;
        Ok((Arc::new(array), misfits))
    }

    /// Adds a cell's text; false for null.
    #[inline]
    fn text(&self, cell: Cell, block: &[u8], out: &mut Vec<u8>) -> Result<bool, String> {
        let bytes = cell.bytes(block);
        match (cell.kind(), self.syntax) {
            (CellKind::Missing, _) => return Ok(false),
            (CellKind::Plain, Syntax::Csv(csv)) => {
                if csv.is_null(bytes) {
                    return Ok(false);
                }
                out.extend_from_slice(bytes);
            }
            (CellKind::Escaped, Syntax::Csv(csv)) => csv.unescape(bytes, out),
            (CellKind::Quoted | CellKind::Escaped, Syntax::Json) if self.kind == Kind::Json => {
                let with_quotes = block.get(cell.start().saturating_sub(1)..cell.end() + 1);
                out.extend_from_slice(with_quotes.unwrap_or_default());
            }
            (CellKind::Escaped, Syntax::Json) => unescape(bytes, out)?,
            _ => out.extend_from_slice(bytes),
        }
        Ok(true)
    }

    /// Finds the values that are not UTF-8.
    #[cold]
    fn broken_text(&self, offsets: &[i32], values: &[u8], nulls: Option<&NullBuffer>) -> Result<Built, Misfit> {
        let mut misfits = 0;
        let mut texts: Vec<Option<&str>> = Vec::with_capacity(offsets.len());
        for (row, pair) in offsets.windows(2).enumerate() {
            let [from, to] = pair else { continue };
            let bytes = values.get(*from as usize..*to as usize).unwrap_or_default();
            let valid = nulls.is_none_or(|nulls| nulls.is_valid(row));
            match std::str::from_utf8(bytes) {
                _ if !valid => texts.push(None),
                Ok(text) => texts.push(Some(text)),
                Err(_) if self.lenient => {
                    misfits += 1;
                    texts.push(None);
                }
                Err(error) => {
                    let reason = format!(
                        "the text is not UTF-8 (byte {} of the value); name the file's encoding in csv.encoding",
                        error.valid_up_to()
                    );
                    return Err(Misfit { row, reason });
                }
            }
        }
        Ok((Arc::new(StringArray::from(texts)), misfits))
    }
}

fn local(bytes: &[u8]) -> Option<i64> {
    match time::timestamp(bytes) {
        Some((micros, false)) => Some(micros),
        Some((_, true)) => None,
        None => time::date(bytes).map(|days| i64::from(days) * 86_400_000_000),
    }
}

fn zoned(bytes: &[u8]) -> Option<i64> {
    time::timestamp(bytes).and_then(|(micros, zoned)| zoned.then_some(micros))
}
