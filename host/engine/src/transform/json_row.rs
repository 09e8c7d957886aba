//! Rows and values as JSON: what a quarantined row looks like, and what a nested value becomes in a text column.
//!
//! Integers and booleans are JSON's own; so are floats, except those that JSON cannot say (`"NaN"`, `"inf"`). Decimals
//! are strings, because readers of JSON take numbers for floats. Bytes are Base64, dates, times and lengths of time
//! ISO 8601. A map is an object if its keys are texts, else a list of `{"key", "value"}`.

use std::fmt::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DecimalType, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalDayTimeType,
    IntervalMonthDayNanoType, IntervalYearMonthType, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch, StructArray};
use arrow_cast::base64::{BASE64_STANDARD, Engine};
use arrow_schema::{ArrowError, DataType, IntervalUnit, TimeUnit};

use super::clock;
use super::convert::unexpected;
use super::temporal::per_second;

type Written = Result<(), ArrowError>;

/// Writes a row as a JSON object, its keys the columns' names.
pub(super) fn write_row(out: &mut String, batch: &RecordBatch, row: usize) -> Written {
    let schema = batch.schema_ref();
    let columns =
        schema.fields().iter().zip(batch.columns()).map(|(field, column)| (field.name().as_str(), column.as_ref()));
    write_object(out, columns, row)
}

fn write_object<'a>(out: &mut String, columns: impl Iterator<Item = (&'a str, &'a dyn Array)>, row: usize) -> Written {
    out.push('{');
    for (index, (name, column)) in columns.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(out, name)?;
        out.push(':');
        write_value(out, column, row)?;
    }
    out.push('}');
    Ok(())
}

/// True if every part of the type has a form in JSON. Only unions have none.
pub(super) fn can_write(data_type: &DataType) -> bool {
    match data_type {
        DataType::Union(_, _) => false,
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _)
        | DataType::RunEndEncoded(_, item) => can_write(item.data_type()),
        DataType::Struct(fields) => fields.iter().all(|field| can_write(field.data_type())),
        DataType::Dictionary(_, value) => can_write(value),
        _ => true,
    }
}

/// Writes a value as JSON.
pub(super) fn write_value(out: &mut String, array: &dyn Array, row: usize) -> Written {
    if row >= array.len() {
        return Err(unexpected(array));
    }
    if array.is_null(row) {
        out.push_str("null");
        return Ok(());
    }
    match array.data_type() {
        DataType::Null => out.push_str("null"),
        DataType::Boolean => {
            let value = array.as_boolean_opt().ok_or_else(|| unexpected(array))?.value(row);
            out.push_str(if value { "true" } else { "false" });
        }
        number if number.is_integer() => return write_integer(out, array, row),
        number if number.is_floating() => return write_float(out, array, row),
        DataType::Utf8 => {
            return write_string(out, array.as_string_opt::<i32>().ok_or_else(|| unexpected(array))?.value(row));
        }
        DataType::LargeUtf8 => {
            return write_string(out, array.as_string_opt::<i64>().ok_or_else(|| unexpected(array))?.value(row));
        }
        DataType::Utf8View => {
            return write_string(out, array.as_string_view_opt().ok_or_else(|| unexpected(array))?.value(row));
        }
        nested if nested.is_nested() => return write_nested(out, array, row),
        DataType::Dictionary(_, item) => {
            let plain = arrow_cast::cast(&array.slice(row, 1), item)?;
            return write_value(out, plain.as_ref(), 0);
        }
        _ => {
            out.push('"');
            write_plain(out, array, row)?;
            out.push('"');
        }
    }
    Ok(())
}

fn write_nested(out: &mut String, array: &dyn Array, row: usize) -> Written {
    let wrong = || unexpected(array);
    match array.data_type() {
        DataType::Struct(_) => write_struct(out, array.as_struct_opt().ok_or_else(wrong)?, row),
        DataType::List(_) => write_list(out, array.as_list_opt::<i32>().ok_or_else(wrong)?.value(row).as_ref()),
        DataType::LargeList(_) => write_list(out, array.as_list_opt::<i64>().ok_or_else(wrong)?.value(row).as_ref()),
        DataType::FixedSizeList(_, _) => {
            write_list(out, array.as_fixed_size_list_opt().ok_or_else(wrong)?.value(row).as_ref())
        }
        DataType::ListView(_) => {
            write_list(out, array.as_list_view_opt::<i32>().ok_or_else(wrong)?.value(row).as_ref())
        }
        DataType::LargeListView(_) => {
            write_list(out, array.as_list_view_opt::<i64>().ok_or_else(wrong)?.value(row).as_ref())
        }
        DataType::Map(_, _) => write_map(out, &array.as_map_opt().ok_or_else(wrong)?.value(row)),
        DataType::RunEndEncoded(_, item) => {
            let plain = arrow_cast::cast(&array.slice(row, 1), item.data_type())?;
            write_value(out, plain.as_ref(), 0)
        }
        _ => Err(wrong()),
    }
}

fn write_struct(out: &mut String, array: &StructArray, row: usize) -> Written {
    let fields = array.fields().iter().map(|field| field.name().as_str());
    write_object(out, fields.zip(array.columns().iter().map(AsRef::as_ref)), row)
}

fn write_list(out: &mut String, items: &dyn Array) -> Written {
    out.push('[');
    for index in 0..items.len() {
        if index > 0 {
            out.push(',');
        }
        write_value(out, items, index)?;
    }
    out.push(']');
    Ok(())
}

fn write_map(out: &mut String, entries: &StructArray) -> Written {
    let [keys, values] = entries.columns() else { return Err(unexpected(entries)) };
    let Some(keys) = keys.as_string_opt::<i32>() else { return write_list(out, entries) };
    out.push('{');
    for (index, key) in keys.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(out, key.unwrap_or_default())?;
        out.push(':');
        write_value(out, values.as_ref(), index)?;
    }
    out.push('}');
    Ok(())
}

fn write_string(out: &mut String, text: &str) -> Written {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => write!(out, "\\u{:04x}", u32::from(c)).map_err(failed)?,
            c => out.push(c),
        }
    }
    out.push('"');
    Ok(())
}

fn value<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> Result<T::Native, ArrowError> {
    let values = array.as_primitive_opt::<T>().ok_or_else(|| unexpected(array))?.values();
    values.get(row).copied().ok_or_else(|| unexpected(array))
}

fn write_integer(out: &mut String, array: &dyn Array, row: usize) -> Written {
    match array.data_type() {
        DataType::Int8 => write!(out, "{}", value::<Int8Type>(array, row)?),
        DataType::Int16 => write!(out, "{}", value::<Int16Type>(array, row)?),
        DataType::Int32 => write!(out, "{}", value::<Int32Type>(array, row)?),
        DataType::Int64 => write!(out, "{}", value::<Int64Type>(array, row)?),
        DataType::UInt8 => write!(out, "{}", value::<UInt8Type>(array, row)?),
        DataType::UInt16 => write!(out, "{}", value::<UInt16Type>(array, row)?),
        DataType::UInt32 => write!(out, "{}", value::<UInt32Type>(array, row)?),
        _ => write!(out, "{}", value::<UInt64Type>(array, row)?),
    }
    .map_err(failed)
}

fn write_float(out: &mut String, array: &dyn Array, row: usize) -> Written {
    let float = match array.data_type() {
        // The shortest text of the narrow float, not of the wide one that is equal to it.
        DataType::Float32 => {
            let float = value::<Float32Type>(array, row)?;
            if float.is_finite() {
                return write!(out, "{float:?}").map_err(failed);
            }
            f64::from(float)
        }
        DataType::Float16 => value::<Float16Type>(array, row)?.to_f64(),
        _ => value::<Float64Type>(array, row)?,
    };
    if float.is_finite() { write!(out, "{float:?}") } else { write!(out, "\"{float}\"") }.map_err(failed)
}

/// Writes a value that has a text form without characters that JSON would escape: decimals, dates, times, bytes.
pub(super) fn write_plain(out: &mut String, array: &dyn Array, row: usize) -> Written {
    match *array.data_type() {
        DataType::Decimal32(_, scale) => write_decimal::<Decimal32Type>(out, array, row, scale),
        DataType::Decimal64(_, scale) => write_decimal::<Decimal64Type>(out, array, row, scale),
        DataType::Decimal128(_, scale) => write_decimal::<Decimal128Type>(out, array, row, scale),
        DataType::Decimal256(_, scale) => write_decimal::<Decimal256Type>(out, array, row, scale),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            write_bytes(out, array, row)
        }
        DataType::Duration(unit) => {
            let length = match unit {
                TimeUnit::Second => value::<DurationSecondType>(array, row)?,
                TimeUnit::Millisecond => value::<DurationMillisecondType>(array, row)?,
                TimeUnit::Microsecond => value::<DurationMicrosecondType>(array, row)?,
                TimeUnit::Nanosecond => value::<DurationNanosecondType>(array, row)?,
            };
            clock::write_duration(out, length, per_second(unit)).map_err(failed)
        }
        DataType::Interval(unit) => write_interval(out, array, row, unit),
        _ => write_moment(out, array, row),
    }
}

fn write_decimal<T: DecimalType>(out: &mut String, array: &dyn Array, row: usize, scale: i8) -> Written {
    // The precision only sets how far Arrow pads, so the widest will do.
    out.push_str(&T::format_decimal(value::<T>(array, row)?, T::MAX_PRECISION, scale));
    Ok(())
}

fn write_bytes(out: &mut String, array: &dyn Array, row: usize) -> Written {
    let binary = arrow_cast::cast(&array.slice(row, 1), &DataType::LargeBinary)?;
    let bytes = binary.as_binary_opt::<i64>().ok_or_else(|| unexpected(array))?;
    BASE64_STANDARD.encode_string(bytes.value(0), out);
    Ok(())
}

fn write_interval(out: &mut String, array: &dyn Array, row: usize, unit: IntervalUnit) -> Written {
    let (months, days, nanos) = match unit {
        IntervalUnit::YearMonth => (value::<IntervalYearMonthType>(array, row)?, 0, 0),
        IntervalUnit::DayTime => {
            let interval = value::<IntervalDayTimeType>(array, row)?;
            (0, interval.days, i64::from(interval.milliseconds) * 1_000_000)
        }
        IntervalUnit::MonthDayNano => {
            let interval = value::<IntervalMonthDayNanoType>(array, row)?;
            (interval.months, interval.days, interval.nanoseconds)
        }
    };
    clock::write_interval(out, months, days, nanos).map_err(failed)
}

fn write_moment(out: &mut String, array: &dyn Array, row: usize) -> Written {
    match array.data_type() {
        DataType::Date32 => clock::write_date(out, i64::from(value::<Date32Type>(array, row)?)),
        DataType::Date64 => {
            clock::write_date(out, value::<Date64Type>(array, row)?.div_euclid(clock::DAY_SECONDS * 1_000))
        }
        DataType::Time32(unit) | DataType::Time64(unit) => {
            let time = match unit {
                TimeUnit::Second => i64::from(value::<Time32SecondType>(array, row)?),
                TimeUnit::Millisecond => i64::from(value::<Time32MillisecondType>(array, row)?),
                TimeUnit::Microsecond => value::<Time64MicrosecondType>(array, row)?,
                TimeUnit::Nanosecond => value::<Time64NanosecondType>(array, row)?,
            };
            clock::write_time(out, time, per_second(*unit))
        }
        DataType::Timestamp(unit, zone) => {
            let moment = match unit {
                TimeUnit::Second => value::<TimestampSecondType>(array, row)?,
                TimeUnit::Millisecond => value::<TimestampMillisecondType>(array, row)?,
                TimeUnit::Microsecond => value::<TimestampMicrosecondType>(array, row)?,
                TimeUnit::Nanosecond => value::<TimestampNanosecondType>(array, row)?,
            };
            clock::write_timestamp(out, moment, per_second(*unit), zone.is_some())
        }
        _ => return Err(unexpected(array)),
    }
    .map_err(failed)
}

fn failed(error: std::fmt::Error) -> ArrowError {
    ArrowError::CastError(error.to_string())
}
