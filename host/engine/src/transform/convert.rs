//! From one type to another: which steps it takes, decided once per column.
//!
//! A plan is a list of kernels over whole arrays; an empty one means that the array is handed on as it is. To add a pair
//! of types: a branch in [`plan`], a kernel in the file of its target, a row in the table of the module above.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, new_null_array};
use arrow_cast::{CastOptions, cast, cast_with_options};
use arrow_schema::{ArrowError, DataType, Field};
use sluice_core::load::LOGICAL_TYPE_KEY;

use super::misfit::{Misfits, OUT_OF_RANGE, Reason, note_lost};
use super::{nested, number, temporal, text};

/// One step: an array in, an array out, with NULL where a value does not fit.
pub(super) type Kernel = Arc<dyn Fn(&ArrayRef, &mut Misfits) -> Result<ArrayRef, ArrowError> + Send + Sync>;

/// Who wants the conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// A person wrote it down: it rounds as BigQuery's CAST does.
    Asked,
    /// The sink has no other type: it changes no value; what would change is a misfit.
    Native,
}

/// Deepest nesting of lists and structs. BigQuery takes 15 levels of structs.
const MAX_DEPTH: usize = 32;

/// True for text that is meant as JSON.
pub(super) fn is_json(field: &Field) -> bool {
    field.metadata().get(LOGICAL_TYPE_KEY).is_some_and(|kind| kind == "json")
}

/// The steps from one field to another, values checked on the way.
///
/// # Errors
/// Says which types cannot be brought together.
pub(super) fn plan_field(from: &Field, to: &Field, manner: Manner, depth: usize) -> Result<Vec<Kernel>, String> {
    if depth > MAX_DEPTH {
        return Err(format!("lists and structs are nested deeper than {MAX_DEPTH} levels"));
    }
    let mut steps = sane(from.data_type());
    let becomes_json = is_json(to) && is_text(to.data_type());
    if becomes_json && !is_text(value_type(from.data_type())) && !matches!(from.data_type(), DataType::Null) {
        steps.push(text::to_json(to.data_type()));
        return Ok(steps);
    }
    steps.extend(plan(from.data_type(), to.data_type(), manner, depth)?);
    if becomes_json {
        steps.push(text::check_json());
    }
    Ok(steps)
}

fn plan(from: &DataType, to: &DataType, manner: Manner, depth: usize) -> Result<Vec<Kernel>, String> {
    if let Some(steps) = nested::plan(from, to, manner, depth)? {
        return Ok(steps);
    }
    if from == to {
        return Ok(Vec::new());
    }
    let steps = match (from, to) {
        (DataType::Null, _) => vec![nulls(to.clone())],
        (DataType::Dictionary(_, _) | DataType::RunEndEncoded(_, _), _) => {
            let value = value_type(from).clone();
            let mut steps = vec![relabel(value.clone())];
            steps.extend(sane(&value));
            steps.extend(plan(&value, to, manner, depth)?);
            steps
        }
        (_, DataType::Boolean) => number::to_bool(from).unwrap_or_default(),
        (_, to) if to.is_integer() => number::to_integer(from, to, manner).unwrap_or_default(),
        (_, DataType::Float32 | DataType::Float64) => number::to_float(from, to, manner).unwrap_or_default(),
        (_, DataType::Decimal128(_, _) | DataType::Decimal256(_, _)) => {
            number::to_decimal(from, to, manner).unwrap_or_default()
        }
        (_, DataType::Date32) => temporal::to_date(from, manner).unwrap_or_default(),
        (_, DataType::Time32(_) | DataType::Time64(_)) => temporal::to_time(from, to, manner).unwrap_or_default(),
        (_, DataType::Timestamp(_, _)) => temporal::to_timestamp(from, to, manner).unwrap_or_default(),
        (_, DataType::Utf8 | DataType::LargeUtf8) => text::to_text(from, to, manner).unwrap_or_default(),
        (_, DataType::Binary | DataType::LargeBinary) => text::to_bytes(from, to, manner).unwrap_or_default(),
        _ => Vec::new(),
    };
    if steps.is_empty() {
        return Err(format!("there is no cast from {from} to {to}"));
    }
    Ok(steps)
}

/// The type of the values themselves, whatever they are packed in.
pub(super) fn value_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, value) => value_type(value),
        DataType::RunEndEncoded(_, value) => value_type(value.data_type()),
        other => other,
    }
}

pub(super) fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Checks that a type's own values need before anything is done with them: decimals within their precision, dates within
/// the calendar, times within the day. They change nothing where nothing is wrong.
fn sane(data_type: &DataType) -> Vec<Kernel> {
    match data_type {
        decimal if decimal.is_decimal() => vec![number::check_precision(decimal.clone())],
        temporal if temporal.is_temporal() => temporal::check(temporal).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Another representation of the same values, in which nothing can fail to fit.
pub(super) fn relabel(to: DataType) -> Kernel {
    Arc::new(move |array, _| cast(array, &to))
}

/// Arrow's own kernel, where its NULL means exactly that a value does not fit.
pub(super) fn by_arrow(to: DataType, reason: Reason) -> Kernel {
    Arc::new(move |array, misfits| {
        let options = CastOptions { safe: true, ..CastOptions::default() };
        let out = cast_with_options(array, &to, &options)?;
        note_lost(array, &out, misfits, reason);
        Ok(out)
    })
}

/// As [`by_arrow`], for numbers.
pub(super) fn in_range(to: DataType) -> Kernel {
    by_arrow(to, OUT_OF_RANGE)
}

fn nulls(to: DataType) -> Kernel {
    Arc::new(move |array, _| Ok(new_null_array(&to, array.len())))
}

/// An array that is not of the type that the plan was made for: a defect, reported instead of a panic.
pub(super) fn unexpected(array: &dyn Array) -> ArrowError {
    ArrowError::CastError(format!("an array of type {} came where the plan has another", array.data_type()))
}
