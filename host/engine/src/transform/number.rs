//! Conversions to booleans, integers, floats and decimals.

use std::cell::RefCell;
use std::fmt::Write;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType, Float32Type,
    Float64Type, Int64Type,
};
use arrow_array::{Array, ArrayRef, BooleanArray, PrimitiveArray, StringArray};
use arrow_buffer::i256;
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType};

use super::convert::{Kernel, Manner, in_range, is_text, relabel, unexpected};
use super::decimal_text;
use super::misfit::{
    LOSES_FRACTION, Misfits, NOT_A_BOOL, NOT_A_NUMBER, NOT_FINITE, OUT_OF_RANGE, Reason, TOO_MANY_DIGITS, check, each,
    each_text, mask, masked, note_lost,
};

pub(super) fn to_bool(from: &DataType) -> Option<Vec<Kernel>> {
    match from {
        // As in BigQuery: 0 is false, everything else true.
        from if from.is_integer() => Some(vec![relabel(DataType::Boolean)]),
        from if is_text(from) => Some(vec![relabel(DataType::Utf8), Arc::new(text_to_bool)]),
        _ => None,
    }
}

pub(super) fn to_integer(from: &DataType, to: &DataType, manner: Manner) -> Option<Vec<Kernel>> {
    let mut steps = match from {
        from if from.is_integer() => return Some(vec![in_range(to.clone())]),
        DataType::Boolean if manner == Manner::Asked => return Some(vec![relabel(to.clone())]),
        DataType::Duration(_) if manner == Manner::Native => vec![relabel(DataType::Int64)],
        from if from.is_floating() => {
            vec![relabel(DataType::Float64), Arc::new(move |array, misfits| float_to_int(array, misfits, manner))]
        }
        from if from.is_decimal() => match whole(from) {
            Some(whole) => vec![rescale(from.clone(), whole, manner), in_range(DataType::Int64)],
            None => vec![in_range(DataType::Int64)],
        },
        from if is_text(from) && manner == Manner::Asked => vec![relabel(DataType::Utf8), Arc::new(text_to_int)],
        _ => return None,
    };
    if *to != DataType::Int64 {
        steps.push(in_range(to.clone()));
    }
    Some(steps)
}

pub(super) fn to_float(from: &DataType, to: &DataType, manner: Manner) -> Option<Vec<Kernel>> {
    match (from, to) {
        (DataType::Float16, _) | (DataType::Float32, DataType::Float64) => Some(vec![relabel(to.clone())]),
        // Up to 32 bits every integer has its own Float64.
        (DataType::Int8 | DataType::Int16 | DataType::Int32, DataType::Float64)
        | (DataType::UInt8 | DataType::UInt16 | DataType::UInt32, DataType::Float64) => Some(vec![relabel(to.clone())]),
        (from, DataType::Float64) if manner == Manner::Asked && (from.is_integer() || from.is_decimal()) => {
            Some(vec![relabel(to.clone())])
        }
        (from, DataType::Float64) if manner == Manner::Asked && is_text(from) => {
            Some(vec![relabel(DataType::Utf8), Arc::new(text_to_float)])
        }
        _ => None,
    }
}

pub(super) fn to_decimal(from: &DataType, to: &DataType, manner: Manner) -> Option<Vec<Kernel>> {
    let target = to.clone();
    let exact = manner == Manner::Native;
    match from {
        from if from.is_integer() => Some(vec![super::convert::by_arrow(target, TOO_MANY_DIGITS)]),
        from if from.is_decimal() => Some(vec![rescale(from.clone(), target, manner)]),
        DataType::Float16 => Some(vec![
            relabel(DataType::Float32),
            Arc::new(move |array, misfits| float_to_decimal::<Float32Type>(array, misfits, &target, exact)),
        ]),
        DataType::Float32 => {
            Some(vec![Arc::new(move |array, misfits| float_to_decimal::<Float32Type>(array, misfits, &target, exact))])
        }
        DataType::Float64 => {
            Some(vec![Arc::new(move |array, misfits| float_to_decimal::<Float64Type>(array, misfits, &target, exact))])
        }
        from if is_text(from) => Some(vec![
            relabel(DataType::Utf8),
            Arc::new(move |array, misfits| text_to_decimal(array, misfits, &target, exact)),
        ]),
        _ => None,
    }
}

/// Refuses decimals beyond the precision that their type states: Arrow's buffers can hold them.
pub(super) fn check_precision(data_type: DataType) -> Kernel {
    fn checked<T: DecimalType>(array: &ArrayRef, misfits: &mut Misfits, precision: u8) -> Result<ArrayRef, ArrowError> {
        let decimals = array.as_primitive_opt::<T>().ok_or_else(|| unexpected(array))?;
        let start = misfits.len();
        check(decimals, misfits, |value| T::is_valid_decimal_precision(value, precision), TOO_MANY_DIGITS);
        masked(array, misfits, start)
    }
    Arc::new(move |array, misfits| match data_type {
        DataType::Decimal32(precision, _) => checked::<Decimal32Type>(array, misfits, precision),
        DataType::Decimal64(precision, _) => checked::<Decimal64Type>(array, misfits, precision),
        DataType::Decimal128(precision, _) => checked::<Decimal128Type>(array, misfits, precision),
        DataType::Decimal256(precision, _) => checked::<Decimal256Type>(array, misfits, precision),
        _ => Err(unexpected(array)),
    })
}

/// The same decimal type without digits after the point; `None` if it has none.
fn whole(decimal: &DataType) -> Option<DataType> {
    match decimal {
        DataType::Decimal32(precision, scale) if *scale > 0 => Some(DataType::Decimal32(*precision, 0)),
        DataType::Decimal64(precision, scale) if *scale > 0 => Some(DataType::Decimal64(*precision, 0)),
        DataType::Decimal128(precision, scale) if *scale > 0 => Some(DataType::Decimal128(*precision, 0)),
        DataType::Decimal256(precision, scale) if *scale > 0 => Some(DataType::Decimal256(*precision, 0)),
        _ => None,
    }
}

fn scale(decimal: &DataType) -> i8 {
    match decimal {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    }
}

/// Decimal to decimal. Arrow rounds half away from zero; where that is not wanted, what was rounded is found by casting back.
fn rescale(from: DataType, to: DataType, manner: Manner) -> Kernel {
    let may_round = scale(&to) < scale(&from);
    Arc::new(move |array, misfits| {
        let options = CastOptions { safe: true, ..CastOptions::default() };
        let out = cast_with_options(array, &to, &options)?;
        note_lost(array, &out, misfits, TOO_MANY_DIGITS);
        if !may_round || manner == Manner::Asked {
            return Ok(out);
        }
        let back = cast_with_options(&out, &from, &options)?;
        let start = misfits.len();
        let rows = match from {
            DataType::Decimal32(_, _) => different::<Decimal32Type>(array, &back),
            DataType::Decimal64(_, _) => different::<Decimal64Type>(array, &back),
            DataType::Decimal128(_, _) => different::<Decimal128Type>(array, &back),
            _ => different::<Decimal256Type>(array, &back),
        };
        for row in rows.ok_or_else(|| unexpected(array))? {
            if out.is_valid(row) {
                misfits.push(row, LOSES_FRACTION);
            }
        }
        masked(&out, misfits, start)
    })
}

/// Rows in which two arrays of one type hold different values.
fn different<T: ArrowPrimitiveType>(a: &ArrayRef, b: &ArrayRef) -> Option<Vec<usize>> {
    let (a, b) = (a.as_primitive_opt::<T>()?, b.as_primitive_opt::<T>()?);
    if a.values().iter().zip(b.values()).all(|(a, b)| a == b) {
        return Some(Vec::new());
    }
    let pairs = a.values().iter().zip(b.values()).enumerate();
    Some(pairs.filter(|(_, (a, b))| a != b).map(|(row, _)| row).collect())
}

fn float_to_int(array: &ArrayRef, misfits: &mut Misfits, manner: Manner) -> Result<ArrayRef, ArrowError> {
    // 2^63: the first float above every INT64; its negative is the lowest INT64.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let floats = array.as_primitive_opt::<Float64Type>().ok_or_else(|| unexpected(array))?;
    Ok(Arc::new(each::<_, Int64Type>(floats, misfits, |value| {
        let rounded = value.round();
        if !value.is_finite() {
            return Err(NOT_FINITE);
        }
        if manner == Manner::Native && rounded != value {
            return Err(LOSES_FRACTION);
        }
        // Checked on both sides, so that the conversion cannot saturate.
        if (-LIMIT..LIMIT).contains(&rounded) { Ok(rounded as i64) } else { Err(OUT_OF_RANGE) }
    })))
}

fn texts(array: &ArrayRef) -> Result<&StringArray, ArrowError> {
    array.as_string_opt::<i32>().ok_or_else(|| unexpected(array))
}

fn text_to_int(array: &ArrayRef, misfits: &mut Misfits) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(each_text::<Int64Type>(texts(array)?, misfits, |text| {
        use std::num::IntErrorKind::{NegOverflow, PosOverflow};
        text.trim_ascii().parse::<i64>().map_err(|error| match error.kind() {
            PosOverflow | NegOverflow => OUT_OF_RANGE,
            _ => NOT_A_NUMBER,
        })
    })))
}

fn text_to_float(array: &ArrayRef, misfits: &mut Misfits) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(each_text::<Float64Type>(texts(array)?, misfits, |text| {
        let text = text.trim_ascii();
        let value = text.parse::<f64>().map_err(|_| NOT_A_NUMBER)?;
        // "1e999" is read as infinite; only who says so may mean it.
        if value.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit()) {
            Err(OUT_OF_RANGE)
        } else {
            Ok(value)
        }
    })))
}

fn text_to_bool(array: &ArrayRef, misfits: &mut Misfits) -> Result<ArrayRef, ArrowError> {
    const TRUE: [&str; 6] = ["true", "t", "yes", "y", "on", "1"];
    const FALSE: [&str; 6] = ["false", "f", "no", "n", "off", "0"];
    let start = misfits.len();
    let mut values = arrow_buffer::BooleanBufferBuilder::new(array.len());
    for (row, text) in texts(array)?.iter().enumerate() {
        let text = text.map(str::trim_ascii);
        let is = |words: &[&str]| text.is_some_and(|text| words.iter().any(|word| text.eq_ignore_ascii_case(word)));
        let yes = is(&TRUE);
        if text.is_some() && !yes && !is(&FALSE) {
            misfits.push(row, NOT_A_BOOL);
        }
        values.append(yes);
    }
    let out: ArrayRef = Arc::new(BooleanArray::new(values.finish(), array.nulls().cloned()));
    mask(&out, misfits.rows_since(start))
}

fn text_to_decimal(
    array: &ArrayRef,
    misfits: &mut Misfits,
    to: &DataType,
    exact: bool,
) -> Result<ArrayRef, ArrowError> {
    let texts = texts(array)?;
    match *to {
        DataType::Decimal128(precision, scale) => {
            let out = each_text::<Decimal128Type>(texts, misfits, |text| {
                small(decimal_text::parse(text, precision, scale, exact)?)
            });
            Ok(Arc::new(out.with_precision_and_scale(precision, scale)?))
        }
        DataType::Decimal256(precision, scale) => {
            let out =
                each_text::<Decimal256Type>(texts, misfits, |text| decimal_text::parse(text, precision, scale, exact));
            Ok(Arc::new(out.with_precision_and_scale(precision, scale)?))
        }
        _ => Err(unexpected(array)),
    }
}

/// Goes through the shortest text that names the float, so that 0.1 becomes 0.1 at any scale and not 0.1000…0055.
fn float_to_decimal<S>(
    array: &ArrayRef,
    misfits: &mut Misfits,
    to: &DataType,
    exact: bool,
) -> Result<ArrayRef, ArrowError>
where
    S: ArrowPrimitiveType,
    S::Native: std::fmt::LowerExp,
{
    let floats: &PrimitiveArray<S> = array.as_primitive_opt::<S>().ok_or_else(|| unexpected(array))?;
    let buffer = RefCell::new(String::new());
    let parse = |value: S::Native, precision, scale| -> Result<i256, Reason> {
        let mut text = buffer.borrow_mut();
        text.clear();
        write!(text, "{value:e}").map_err(|_| NOT_A_NUMBER)?;
        decimal_text::parse(&text, precision, scale, exact)
    };
    match *to {
        DataType::Decimal128(precision, scale) => {
            let out = each::<S, Decimal128Type>(floats, misfits, |value| small(parse(value, precision, scale)?));
            Ok(Arc::new(out.with_precision_and_scale(precision, scale)?))
        }
        DataType::Decimal256(precision, scale) => {
            let out = each::<S, Decimal256Type>(floats, misfits, |value| parse(value, precision, scale));
            Ok(Arc::new(out.with_precision_and_scale(precision, scale)?))
        }
        _ => Err(unexpected(array)),
    }
}

fn small(value: i256) -> Result<i128, Reason> {
    value.to_i128().ok_or(TOO_MANY_DIGITS)
}
