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
use crate::vector::append;

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
            Kind::Int if self.given => {
                self.primitive::<Int64Type>(block, records, cells, |block, cell| number::int(cell.bytes(block)))
            }
            Kind::Int => self.primitive::<Int64Type>(block, records, cells, number::strict_int_in),
            Kind::Float => self.primitive::<Float64Type>(block, records, cells, number::float_in),
            Kind::Date => {
                self.primitive::<Date32Type>(block, records, cells, |block, cell| time::date(cell.bytes(block)))
            }
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

    /// The part of a cell that is to become something other than text; `None` is null.
    #[inline]
    fn scalar(&self, cell: Cell, block: &[u8]) -> Option<Cell> {
        let bytes = cell.bytes(block);
        match (cell.kind(), self.syntax) {
            (CellKind::Missing, _) => None,
            (CellKind::Plain, Syntax::Csv(csv)) => {
                if csv.is_null(bytes) {
                    return None;
                }
                let start = cell.end() - bytes.trim_ascii_start().len();
                let end = start + bytes.trim_ascii().len();
                (end > start || !csv.empty_is_null).then(|| Cell::new(start, end, CellKind::Plain))
            }
            (CellKind::Quoted, Syntax::Csv(csv)) => (!bytes.is_empty() || !csv.empty_is_null).then_some(cell),
            _ => Some(cell),
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

    /// The kind of cell whose bytes are the value as they are, without another look at the dialect: nearly all of them.
    fn direct(&self) -> Option<CellKind> {
        match self.syntax {
            Syntax::Csv(csv) if csv.nulls.is_empty() => Some(CellKind::Plain),
            Syntax::Csv(_) => None,
            Syntax::Json => match self.kind {
                Kind::Date | Kind::Timestamp | Kind::TimestampTz => Some(CellKind::Quoted),
                _ => Some(CellKind::Plain),
            },
        }
    }

    fn primitive<T: ArrowPrimitiveType>(
        &self,
        block: &[u8],
        records: &Records,
        cells: impl Iterator<Item = Cell>,
        parse: impl Fn(&[u8], Cell) -> Option<T::Native>,
    ) -> Result<Built, Misfit> {
        let mut values = vec![T::Native::default(); records.len()];
        let mut nulls: Option<NullBufferBuilder> = None;
        let mut misfits = 0;
        let direct = self.direct();
        for (row, (cell, slot)) in cells.zip(values.iter_mut()).enumerate() {
            if direct == Some(cell.kind())
                && let Some(value) = parse(block, cell)
            {
                *slot = value;
                if let Some(nulls) = &mut nulls {
                    nulls.append_non_null();
                }
                continue;
            }
            let value = self.odd_value(block, row, cell, &mut misfits, &parse)?;
            let nulls = match (&mut nulls, value) {
                (Some(nulls), _) => nulls,
                (None, Some(value)) => {
                    *slot = value;
                    continue;
                }
                (none, None) => {
                    let mut builder = NullBufferBuilder::new(records.len());
                    builder.append_n_non_nulls(row);
                    none.insert(builder)
                }
            };
            nulls.append(value.is_some());
            *slot = value.unwrap_or_default();
        }
        let nulls = nulls.and_then(|mut nulls| nulls.finish());
        Ok((Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values), nulls)), misfits))
    }

    /// A value that is not simply there: null, in quotes, between blanks, or none of the column's kind.
    #[inline(never)]
    fn odd_value<V>(
        &self,
        block: &[u8],
        row: usize,
        cell: Cell,
        misfits: &mut u64,
        parse: impl Fn(&[u8], Cell) -> Option<V>,
    ) -> Result<Option<V>, Misfit> {
        let Some(trimmed) = self.scalar(cell, block) else { return Ok(None) };
        match parse(block, trimmed).filter(|_| self.right_kind(cell)) {
            Some(value) => Ok(Some(value)),
            None if self.lenient => {
                *misfits += 1;
                Ok(None)
            }
            None => Err(self.misfit(row, cell, block)),
        }
    }

    fn booleans(&self, block: &[u8], records: &Records, cells: impl Iterator<Item = Cell>) -> Result<Built, Misfit> {
        let mut values = BooleanBufferBuilder::new(records.len());
        let mut nulls = NullBufferBuilder::new(records.len());
        let mut misfits = 0;
        for (row, cell) in cells.enumerate() {
            let boolean = |block: &[u8], cell: Cell| number::boolean(cell.bytes(block));
            let parsed = self.odd_value(block, row, cell, &mut misfits, boolean)?;
            values.append(parsed.unwrap_or_default());
            nulls.append(parsed.is_some());
        }
        Ok((Arc::new(BooleanArray::new(values.finish(), nulls.finish())), misfits))
    }

    fn texts(&self, block: &[u8], records: &Records, cells: impl Iterator<Item = Cell>) -> Result<Built, Misfit> {
        let mut offsets = vec![0_i32; records.len() + 1];
        let mut values: Vec<u8> = Vec::with_capacity(block.len() / records.width.max(1));
        let mut nulls = NullBufferBuilder::new(records.len());
        let mut misfits = 0;
        let plain = match self.syntax {
            Syntax::Csv(csv) if csv.nulls.is_empty() => Some(CellKind::Plain),
            Syntax::Json if self.kind != Kind::Json => Some(CellKind::Quoted),
            _ => None,
        };
        let ends = offsets.get_mut(1..).unwrap_or_default();
        for (row, (cell, end)) in cells.zip(ends).enumerate() {
            if plain == Some(cell.kind()) && cell.end() > cell.start() {
                append(&mut values, block, cell.start(), cell.end());
                nulls.append_non_null();
                *end = values.len() as i32;
                continue;
            }
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
            *end = values.len() as i32;
        }
        let nulls = nulls.finish();
        let (offsets, values) = (ScalarBuffer::from(offsets), Buffer::from_vec(values));
        match StringArray::try_new(OffsetBuffer::new(offsets.clone()), values.clone(), nulls.clone()) {
            Ok(array) => Ok((Arc::new(array), misfits)),
            Err(_) => self.broken_text(&offsets, &values, nulls.as_ref()),
        }
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

fn local(block: &[u8], cell: Cell) -> Option<i64> {
    let bytes = cell.bytes(block);
    match time::timestamp(bytes) {
        Some((micros, false)) => Some(micros),
        Some((_, true)) => None,
        None => time::date(bytes).map(|days| i64::from(days) * 86_400_000_000),
    }
}

fn zoned(block: &[u8], cell: Cell) -> Option<i64> {
    time::timestamp(cell.bytes(block)).and_then(|(micros, zoned)| zoned.then_some(micros))
}
