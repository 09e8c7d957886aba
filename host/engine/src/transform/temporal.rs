//! Conversions to dates, times of day and timestamps.
//!
//! All units are read through Arrow's reinterpretation as 64-bit integers, which copies nothing for 64-bit types.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Int64Type, Time32MillisecondType, Time64MicrosecondType, TimestampMicrosecondType,
    TimestampMillisecondType,
};
use arrow_array::{ArrayRef, Int64Array};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, TimeUnit};

use super::clock::{self, DAY_MICROS, DAY_SECONDS, MAX_DAY, MIN_DAY};
use super::convert::{Kernel, Manner, is_text, relabel, unexpected};
use super::misfit::{
    DATE_RANGE, HAS_A_ZONE, LOSES_NANOS, Misfits, Reason, TIME_RANGE, check as check_values, each, each_text, masked,
};

/// Steps of a unit in a second.
pub(super) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Refuses dates outside 0001 to 9999 and times outside the day; `None` where a type cannot hold such values.
pub(super) fn check(data_type: &DataType) -> Option<Kernel> {
    let (range, reason) = match data_type {
        DataType::Date32 => (MIN_DAY..MAX_DAY + 1, DATE_RANGE),
        DataType::Date64 => (MIN_DAY * DAY_SECONDS * 1_000..(MAX_DAY + 1) * DAY_SECONDS * 1_000, DATE_RANGE),
        // 64 bits of nanoseconds reach from 1677 to 2262.
        DataType::Timestamp(TimeUnit::Nanosecond, _) => return None,
        DataType::Timestamp(unit, _) => {
            let day = DAY_SECONDS * per_second(*unit);
            (MIN_DAY * day..(MAX_DAY + 1) * day, DATE_RANGE)
        }
        DataType::Time32(unit) | DataType::Time64(unit) => (0..DAY_SECONDS * per_second(*unit), TIME_RANGE),
        _ => return None,
    };
    if *data_type == DataType::Date32 {
        return Some(Arc::new(check_date));
    }
    Some(Arc::new(move |array, misfits| {
        let start = misfits.len();
        check_values(&integers(array)?, misfits, |value| range.contains(&value), reason);
        masked(array, misfits, start)
    }))
}

/// As the rest of [`check`], but without widening the commonest type.
fn check_date(array: &ArrayRef, misfits: &mut Misfits) -> Result<ArrayRef, ArrowError> {
    let days = array.as_primitive_opt::<Date32Type>().ok_or_else(|| unexpected(array))?;
    let start = misfits.len();
    check_values(days, misfits, |day| (MIN_DAY..=MAX_DAY).contains(&i64::from(day)), DATE_RANGE);
    masked(array, misfits, start)
}

pub(super) fn to_date(from: &DataType, manner: Manner) -> Option<Vec<Kernel>> {
    let to = DataType::Date32;
    match from {
        DataType::Date64 => Some(vec![convert::<Date32Type>(to, |millis| day(millis.div_euclid(DAY_SECONDS * 1_000)))]),
        DataType::Timestamp(unit, _) if manner == Manner::Asked => {
            let per_day = DAY_SECONDS * per_second(*unit);
            Some(vec![convert::<Date32Type>(to, move |value| day(value.div_euclid(per_day)))])
        }
        from if is_text(from) && manner == Manner::Asked => {
            Some(vec![relabel(DataType::Utf8), read::<Date32Type>(to, clock::parse_date)])
        }
        _ => None,
    }
}

pub(super) fn to_time(from: &DataType, to: &DataType, manner: Manner) -> Option<Vec<Kernel>> {
    let target = to.clone();
    match (from, to) {
        // A warehouse of Parquet files has times in milliseconds, too.
        (DataType::Time32(unit), DataType::Time32(TimeUnit::Millisecond)) => {
            let unit = *unit;
            Some(vec![convert::<Time32MillisecondType>(target, move |value| {
                let millis = scaled(value, unit, TimeUnit::Millisecond, manner)?;
                i32::try_from(millis).map_err(|_| TIME_RANGE)
            })])
        }
        (DataType::Time32(unit) | DataType::Time64(unit), DataType::Time64(TimeUnit::Microsecond)) => {
            let unit = *unit;
            Some(vec![convert::<Time64MicrosecondType>(target, move |value| {
                scaled(value, unit, TimeUnit::Microsecond, manner)
            })])
        }
        (DataType::Timestamp(unit, _), DataType::Time64(TimeUnit::Microsecond)) if manner == Manner::Asked => {
            let unit = *unit;
            let per_day = DAY_SECONDS * per_second(unit);
            Some(vec![convert::<Time64MicrosecondType>(target, move |value| {
                scaled(value.rem_euclid(per_day), unit, TimeUnit::Microsecond, manner)
            })])
        }
        (from, DataType::Time64(TimeUnit::Microsecond)) if is_text(from) && manner == Manner::Asked => {
            Some(vec![relabel(DataType::Utf8), read::<Time64MicrosecondType>(target, clock::parse_time)])
        }
        _ => None,
    }
}

pub(super) fn to_timestamp(from: &DataType, to: &DataType, manner: Manner) -> Option<Vec<Kernel>> {
    let DataType::Timestamp(to_unit, zone) = to else { return None };
    let (zoned, to_unit) = (zone.is_some(), *to_unit);
    match from {
        // Between an instant and a wall clock only a person can decide; it is then the clock of UTC.
        DataType::Timestamp(_, from_zone) if manner == Manner::Native && from_zone.is_some() != zoned => None,
        DataType::Timestamp(unit, _) => timestamps(*unit, to_unit, to, manner),
        // Milliseconds that should be whole days; whatever they are, they are kept.
        DataType::Date64 if manner == Manner::Asked || !zoned => timestamps(TimeUnit::Millisecond, to_unit, to, manner),
        DataType::Date32 if manner == Manner::Asked && to_unit == TimeUnit::Microsecond => {
            Some(vec![convert::<TimestampMicrosecondType>(to.clone(), |days| {
                days.checked_mul(DAY_MICROS).ok_or(DATE_RANGE)
            })])
        }
        from if is_text(from) && manner == Manner::Asked && to_unit == TimeUnit::Microsecond => {
            let parse = move |text: &str| match clock::parse_timestamp(text)? {
                (_, true) if !zoned => Err(HAS_A_ZONE),
                (micros, _) => Ok(micros),
            };
            Some(vec![relabel(DataType::Utf8), read::<TimestampMicrosecondType>(to.clone(), parse)])
        }
        _ => None,
    }
}

/// Timestamps of one unit as timestamps of another: milliseconds or microseconds.
fn timestamps(from: TimeUnit, to_unit: TimeUnit, to: &DataType, manner: Manner) -> Option<Vec<Kernel>> {
    let value = move |value| scaled(value, from, to_unit, manner);
    match to_unit {
        _ if from == to_unit => Some(vec![relabel(DataType::Int64), relabel(to.clone())]),
        TimeUnit::Millisecond if from == TimeUnit::Second => {
            Some(vec![convert::<TimestampMillisecondType>(to.clone(), value)])
        }
        TimeUnit::Microsecond => Some(vec![convert::<TimestampMicrosecondType>(to.clone(), value)]),
        _ => None,
    }
}

/// A value in another unit. Digits that a coarser one lacks are dropped towards the past where a person asked for it.
fn scaled(value: i64, from: TimeUnit, to: TimeUnit, manner: Manner) -> Result<i64, Reason> {
    let (from, to) = (per_second(from), per_second(to));
    if from <= to {
        // The range was checked in the unit that came in, so this fails only on what lies under a NULL.
        return value.checked_mul(to / from).ok_or(DATE_RANGE);
    }
    let coarser = from / to;
    if manner == Manner::Native && value % coarser != 0 { Err(LOSES_NANOS) } else { Ok(value.div_euclid(coarser)) }
}

fn day(days: i64) -> Result<i32, Reason> {
    i32::try_from(days).map_err(|_| DATE_RANGE)
}

/// The values of any date, time or timestamp as integers of its unit.
fn integers(array: &ArrayRef) -> Result<Int64Array, ArrowError> {
    let integers = cast(array, &DataType::Int64)?;
    integers.as_primitive_opt::<Int64Type>().cloned().ok_or_else(|| unexpected(array))
}

fn convert<T: ArrowPrimitiveType>(
    to: DataType,
    value: impl Fn(i64) -> Result<T::Native, Reason> + Send + Sync + 'static,
) -> Kernel {
    Arc::new(move |array: &ArrayRef, misfits: &mut Misfits| {
        let out = each::<Int64Type, T>(&integers(array)?, misfits, &value);
        Ok(Arc::new(out.with_data_type(to.clone())) as ArrayRef)
    })
}

fn read<T: ArrowPrimitiveType>(
    to: DataType,
    parse: impl Fn(&str) -> Result<T::Native, Reason> + Send + Sync + 'static,
) -> Kernel {
    Arc::new(move |array: &ArrayRef, misfits: &mut Misfits| {
        let texts = array.as_string_opt::<i32>().ok_or_else(|| unexpected(array))?;
        let out = each_text::<T>(texts, misfits, &parse);
        Ok(Arc::new(out.with_data_type(to.clone())) as ArrayRef)
    })
}
