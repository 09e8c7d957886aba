//! Data-quality checks, counted while the rows pass from the transform to the sink.
//!
//! `sluice_core::quality` says what can be asked and what the counts mean; here they are counted: [`Checks`] are planned once for a
//! stream, each split has a [`Meter`], and [`Checks::measured`] adds the meters up. Where no check is asked for there is neither, and
//! the path of the rows is as if this module did not exist. Whole columns are looked at, and nothing is kept of a batch but counts;
//! only `unique` needs memory for each row, see `distinct`.
//!
//! To add a check: add a `Plan` and a `Count`, and say how two counts add up.

mod distinct;
mod judge;
#[cfg(test)]
mod tests;
mod values;

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrowPrimitiveType, RecordBatch, StringArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, SchemaRef, TimeUnit};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::quality::{Accepted, Check, Level, Measured, Rule};

use distinct::{Distinct, Hashes};
use values::{Values, comparable};

pub(crate) use judge::judge;

/// The checks of a stream, planned for its table's columns.
pub(crate) struct Checks {
    plans: Vec<Planned>,
}

struct Planned {
    label: String,
    level: Level,
    plan: Plan,
}

enum Plan {
    Rows,
    Nulls(Vec<usize>),
    Unique(Distinct),
    Accepted { column: usize, values: Arc<HashSet<Box<[u8]>>> },
    Newest(usize),
}

/// What was counted of one split.
pub(crate) struct Meter {
    checks: Arc<Checks>,
    rows: u64,
    counts: Vec<Count>,
}

enum Count {
    Nothing,
    Nulls(Vec<u64>),
    Hashes(Hashes),
    Unaccepted(u64),
    Newest(Option<i64>),
}

impl Checks {
    /// Plans the checks; none where none are asked for. `run` is the run's id.
    ///
    /// # Errors
    /// Names the check whose column is not in the table, or is of a type that it cannot look at.
    pub(crate) fn plan(checks: &[Check], table: &SchemaRef, run: &str) -> Result<Option<Arc<Self>>, RunError> {
        Self::with_most(checks, table, run, distinct::MOST)
    }

    fn with_most(checks: &[Check], table: &SchemaRef, run: &str, most: u64) -> Result<Option<Arc<Self>>, RunError> {
        let mut plans = Vec::with_capacity(checks.len());
        for (index, check) in checks.iter().enumerate() {
            let at = |message: String| RunError::config(format!("checks[{index}]"), message);
            let column = |name: &String| column(table, name).map_err(at);
            let plan = match check.rule() {
                None | Some(Rule::Rows(_)) => Plan::Rows,
                Some(Rule::NotNull(names)) => Plan::Nulls(names.iter().map(column).collect::<Result<_, _>>()?),
                Some(Rule::Unique(names)) => {
                    let columns: Vec<usize> = names.iter().map(column).collect::<Result<_, _>>()?;
                    for (name, column) in names.iter().zip(&columns) {
                        comparable_column(table, name, *column).map_err(at)?;
                    }
                    Plan::Unique(Distinct::new(columns, run, most))
                }
                Some(Rule::Accepted(accepted)) => {
                    let column = column(&accepted.column)?;
                    comparable_column(table, &accepted.column, column).map_err(at)?;
                    let values = Arc::new(accepted_values(accepted, table.field(column).data_type()).map_err(at)?);
                    Plan::Accepted { column, values }
                }
                Some(Rule::Fresh(fresh)) => {
                    let column = column(&fresh.column)?;
                    let of = table.field(column).data_type();
                    if !matches!(of, DataType::Timestamp(_, _) | DataType::Date32) {
                        return Err(at(format!("{} is a {of}, which is neither a time nor a date", fresh.column)));
                    }
                    Plan::Newest(column)
                }
            };
            plans.push(Planned { label: check.label(), level: check.level, plan });
        }
        Ok((!plans.is_empty()).then(|| Arc::new(Self { plans })))
    }

    /// A meter for a split.
    pub(crate) fn meter(self: &Arc<Self>) -> Meter {
        let counts = self.plans.iter().map(|planned| match &planned.plan {
            Plan::Rows => Count::Nothing,
            Plan::Nulls(columns) => Count::Nulls(vec![0; columns.len()]),
            Plan::Unique(distinct) => Count::Hashes(distinct.hashes()),
            Plan::Accepted { .. } => Count::Unaccepted(0),
            Plan::Newest(_) => Count::Newest(None),
        });
        Meter { checks: Arc::clone(self), rows: 0, counts: counts.collect() }
    }

    /// What all splits counted, check by check; `held` are rows of an interrupted run that are committed with these.
    /// Sorts what `unique` has kept, which takes a second or so for millions of rows.
    pub(crate) fn measured(&self, meters: Vec<Meter>, held: u64) -> Vec<Measured> {
        let rows: u64 = held + meters.iter().map(|meter| meter.rows).sum::<u64>();
        let mut by_check: Vec<Vec<Count>> = self.plans.iter().map(|_| Vec::new()).collect();
        for meter in meters {
            for (counts, count) in by_check.iter_mut().zip(meter.counts) {
                counts.push(count);
            }
        }
        self.plans.iter().zip(by_check).map(|(planned, counts)| planned.plan.sum(counts, rows)).collect()
    }
}

impl Plan {
    fn sum(&self, counts: Vec<Count>, rows: u64) -> Measured {
        match self {
            Self::Rows => Measured::Rows(rows),
            Self::Nulls(columns) => {
                let mut all = vec![0_u64; columns.len()];
                for count in counts {
                    let Count::Nulls(nulls) = count else { continue };
                    all.iter_mut().zip(nulls).for_each(|(all, nulls)| *all += nulls);
                }
                Measured::Nulls(all)
            }
            Self::Unique(distinct) if distinct.too_many() => Measured::TooMany(distinct.most()),
            Self::Unique(_) => {
                let hashes = counts.into_iter().filter_map(|count| match count {
                    Count::Hashes(hashes) => Some(hashes),
                    _ => None,
                });
                Measured::Duplicates(distinct::repeated(hashes.collect()))
            }
            Self::Accepted { .. } => {
                let rows = counts.iter().map(|count| if let Count::Unaccepted(rows) = count { *rows } else { 0 });
                Measured::Unaccepted(rows.sum())
            }
            Self::Newest(_) => {
                let times =
                    counts.iter().filter_map(|count| if let Count::Newest(time) = count { *time } else { None });
                Measured::Newest(times.max())
            }
        }
    }
}

impl Meter {
    /// Counts a batch that is about to be written.
    ///
    /// # Errors
    /// If a check that fails the run cannot be carried out on so many rows: there is no use in reading on.
    pub(crate) fn take(&mut self, batch: &RecordBatch) -> Result<(), RunError> {
        self.rows += batch.num_rows() as u64;
        for (index, (planned, count)) in self.checks.plans.iter().zip(&mut self.counts).enumerate() {
            match (&planned.plan, count) {
                (Plan::Nulls(columns), Count::Nulls(nulls)) => {
                    for (column, nulls) in columns.iter().zip(nulls) {
                        *nulls += batch.columns().get(*column).map_or(0, |array| array.logical_null_count()) as u64;
                    }
                }
                (Plan::Unique(distinct), Count::Hashes(hashes)) => {
                    let too_many = hashes.add(batch);
                    if too_many && planned.level == Level::Fail {
                        return Err(too_many_rows(index, &planned.label, distinct.most()));
                    }
                }
                (Plan::Accepted { column, values }, Count::Unaccepted(rows)) => {
                    *rows += batch.columns().get(*column).map_or(0, |array| unaccepted(array.as_ref(), values));
                }
                (Plan::Newest(column), Count::Newest(newest)) => {
                    *newest = (*newest).max(batch.columns().get(*column).and_then(|array| newest_of(array.as_ref())));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn column(table: &SchemaRef, name: &String) -> Result<usize, String> {
    table.index_of(name).map_err(|_| {
        let names: Vec<&str> = table.fields().iter().map(|field| field.name().as_str()).take(50).collect();
        format!("the table has no column {name}; there are {}", names.join(", "))
    })
}

fn comparable_column(table: &SchemaRef, name: &str, column: usize) -> Result<(), String> {
    let of = table.field(column).data_type();
    if comparable(of) { Ok(()) } else { Err(format!("{name} is a {of}, whose values cannot be compared by a check")) }
}

/// The accepted values as bytes of the column's type.
fn accepted_values(accepted: &Accepted, of: &DataType) -> Result<HashSet<Box<[u8]>>, String> {
    let texts = accepted.values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let texts = StringArray::from_iter_values(texts);
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let refused = |e: &dyn std::fmt::Display| format!("not all of `accepted.values` are values of a {of}: {e}");
    let typed = cast_with_options(&texts, of, &strict).map_err(|e| refused(&e))?;
    let values = Values::of(typed.as_ref()).ok_or_else(|| refused(&"they have no bytes"))?;
    Ok((0..typed.len()).map(|row| Box::from(values.bytes(row))).collect())
}

fn unaccepted(array: &dyn Array, accepted: &HashSet<Box<[u8]>>) -> u64 {
    let Some(values) = Values::of(array) else { return 0 };
    let nullable = array.null_count() > 0;
    let is_null = |row: usize| nullable && array.is_null(row);
    let rows = (0..array.len()).filter(|row| !is_null(*row)).filter(|row| !accepted.contains(values.bytes(*row)));
    rows.count() as u64
}

/// The newest time in a column, in microseconds; a day counts as its end.
fn newest_of(array: &dyn Array) -> Option<i64> {
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => Some(most::<TimestampSecondType>(array)?.saturating_mul(1_000_000)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Some(most::<TimestampMillisecondType>(array)?.saturating_mul(1_000))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => most::<TimestampMicrosecondType>(array),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => Some(most::<TimestampNanosecondType>(array)?.div_euclid(1_000)),
        DataType::Date32 => Some((i64::from(most::<Date32Type>(array)?) + 1).saturating_mul(86_400_000_000)),
        _ => None,
    }
}

fn most<T: ArrowPrimitiveType>(array: &dyn Array) -> Option<T::Native>
where
    T::Native: Ord,
{
    let array = array.as_primitive_opt::<T>()?;
    if array.null_count() == 0 { array.values().iter().max().copied() } else { array.iter().flatten().max() }
}

fn too_many_rows(index: usize, label: &str, most: u64) -> RunError {
    let message = format!(
        "{label} can be checked on at most {most} rows of a run, and there are more; nothing was committed. Read less at a \
         time, or remove the check"
    );
    RunError::new(Kind::Data, Actor::User, message).with_field(format!("checks[{index}]"))
}
