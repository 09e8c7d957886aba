//! Conversions to dates, times of day and timestamps.
//!
//! All units are read through Arrow's reinterpretation as 64-bit integers, which copies nothing for 64-bit types.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Date32Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType};
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
    if *to != DataType::Time64(TimeUnit::Microsecond) {
        return None;
    }
    let to = to.clone();
    match from {
        DataType::Time32(unit) | DataType::Time64(unit) => {
            let unit = *unit;
            Some(vec![convert::<Time64MicrosecondType>(to, move |value| micros(value, unit, manner))])
        }
        DataType::Timestamp(unit, _) if manner == Manner::Asked => {
            let unit = *unit;
            let per_day = DAY_SECONDS * per_second(unit);
            Some(vec![convert::<Time64MicrosecondType>(to, move |value| {
                micros(value.rem_euclid(per_day), unit, manner)
            })])
        }
        from if is_text(from) && manner == Manner::Asked => {
            Some(vec![relabel(DataType::Utf8), read::<Time64MicrosecondType>(to, clock::parse_time)])
        }
        _ => None,
    }
}

pub(super) fn to_timestamp(from: &DataType, to: &DataType, manner: Manner) -> Option<Vec<Kernel>> {
    let DataType::Timestamp(TimeUnit::Microsecond, zone) = to else { return None };
    let utc = match zone.as_deref() {
        Some("UTC" | "+00:00") => true,
        Some(_) => return None,
        None => false,
    };
    let to = to.clone();
    match from {
        // Between an instant and a wall clock only a person can decide; it is then the clock of UTC.
        DataType::Timestamp(_, from_zone) if manner == Manner::Native && from_zone.is_some() != utc => None,
        DataType::Timestamp(unit, _) => {
            let unit = *unit;
            Some(vec![if unit == TimeUnit::Microsecond {
                retype(to)
            } else {
                convert::<TimestampMicrosecondType>(to, move |value| micros(value, unit, manner))
            }])
        }
        DataType::Date32 if manner == Manner::Asked => {
            Some(vec![convert::<TimestampMicrosecondType>(to, |days| days.checked_mul(DAY_MICROS).ok_or(DATE_RANGE))])
        }
        DataType::Date64 if manner == Manner::Asked => Some(vec![convert::<TimestampMicrosecondType>(to, |millis| {
            millis.div_euclid(DAY_SECONDS * 1_000).checked_mul(DAY_MICROS).ok_or(DATE_RANGE)
        })]),
        from if is_text(from) && manner == Manner::Asked => {
            let parse = move |text: &str| match clock::parse_timestamp(text)? {
                (_, true) if !utc => Err(HAS_A_ZONE),
                (micros, _) => Ok(micros),
            };
            Some(vec![relabel(DataType::Utf8), read::<TimestampMicrosecondType>(to, parse)])
        }
        _ => None,
    }
}

/// Microseconds of a value in another unit. Digits beyond are dropped towards the past where that was asked for.
fn micros(value: i64, unit: TimeUnit, manner: Manner) -> Result<i64, Reason> {
    match unit {
        TimeUnit::Nanosecond if manner == Manner::Native && value % 1_000 != 0 => Err(LOSES_NANOS),
        TimeUnit::Nanosecond => Ok(value.div_euclid(1_000)),
        // The range was checked in the unit that came in, so this fails only on what lies under a NULL.
        _ => value.checked_mul(1_000_000 / per_second(unit)).ok_or(DATE_RANGE),
    }
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

/// The same microseconds under another zone.
fn retype(to: DataType) -> Kernel {
    Arc::new(move |array, _| {
        let micros = array.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(|| unexpected(array))?;
        Ok(Arc::new(micros.clone().with_data_type(to.clone())) as ArrayRef)
    })
}
