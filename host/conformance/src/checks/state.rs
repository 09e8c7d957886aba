//! What is kept between runs.

use std::cmp::Ordering;

use arrow_array::{Array, ArrayRef};
use arrow_ord::ord::make_comparator;
use arrow_schema::SortOptions;
use serde_json::Value;
use sluice_core::RunError;
use sluice_core::plan::Cursor;

use super::describe::no_increments;
use super::{Outcome, count, failed, passed, undeclared};
use crate::kit::{Kit, small_batches};
use crate::reading::{SplitRead, State, plan, selection, unshown};
use crate::spec::state_bytes;

pub(super) async fn cursor(kit: &Kit) -> Outcome {
    if let Some(outcome) = no_increments(kit) {
        return outcome;
    }
    let connection = kit.connection(&Value::Null)?;
    let mut checkpoints = 0;
    for (id, spec, column) in kit.incremental() {
        let empty = State::default();
        let mode = || selection(id, Some(column));
        let first = plan(&connection, mode(), small_batches(), &empty).await?.read(&connection, &empty).await?;
        if first.state.cursor.is_none() {
            return failed(format!("stream {id}: after a run there is no state"));
        }
        if let Some(expected) = spec.rows
            && first.rows() as u64 > expected
        {
            return failed(format!("stream {id}: the first run reads {} rows of {expected}", first.rows()));
        }
        let stated = first.plan.streams.first().is_some_and(|stream| stream.state_after.is_some());
        for split in first.splits.iter().filter(|_| !stated && !column.is_empty()) {
            checkpoints += split.checkpoints.len();
            if let Some(problem) = backwards(split, column)? {
                return failed(format!("stream {id}: {problem}"));
            }
        }
        let second =
            plan(&connection, mode(), small_batches(), &first.state).await?.read(&connection, &first.state).await?;
        let (before, again) = (first.texts(None)?, second.texts(None)?);
        let repeated = again.iter().filter(|row| before.contains(row)).count();
        if repeated > 0 {
            return failed(format!(
                "stream {id}: a second run reads {} that the first one read",
                count(repeated, "row")
            ));
        }
        let third =
            plan(&connection, mode(), small_batches(), &second.state).await?.read(&connection, &second.state).await?;
        if third.rows() > 0 {
            return failed(format!("stream {id}: nothing is new, and a run reads {}", count(third.rows(), "row")));
        }
    }
    passed(format!(
        "{} read three times, {}",
        count(kit.incremental().count(), "stream"),
        count(checkpoints, "checkpoint")
    ))
}

/// Whether a row after a checkpoint has a smaller value than one before it.
fn backwards(split: &SplitRead, column: &str) -> Result<Option<String>, RunError> {
    let parts: Vec<&dyn Array> =
        split.batches.iter().filter_map(|batch| batch.column_by_name(column)).map(AsRef::as_ref).collect();
    if parts.is_empty() {
        return Ok(None);
    }
    let values: ArrayRef = arrow_select::concat::concat(&parts).map_err(|error| unshown(&error))?;
    let compare = make_comparator(&values, &values, SortOptions::default()).map_err(|error| unshown(&error))?;
    let present: Vec<usize> = (0..values.len()).filter(|row| !values.is_null(*row)).collect();
    for (rows, _) in &split.checkpoints {
        let greatest = present.iter().filter(|row| **row < *rows).max_by(|a, b| compare(**a, **b));
        let smallest = present.iter().filter(|row| **row >= *rows).min_by(|a, b| compare(**a, **b));
        if let (Some(before), Some(after)) = (greatest, smallest)
            && compare(*before, *after) == Ordering::Greater
        {
            return Ok(Some(format!(
                "row {after} comes after a checkpoint at row {rows}, and has a smaller {column} than row {before} before it"
            )));
        }
    }
    Ok(None)
}

pub(super) async fn future(kit: &Kit) -> Outcome {
    if let Some(outcome) = no_increments(kit) {
        return outcome;
    }
    let connection = kit.connection(&Value::Null)?;
    let mut tried = 0;
    for (id, spec, column) in kit.incremental() {
        let Some(future) = &spec.future else { return undeclared(&format!("state `future` of stream {id}")) };
        let state = State::from(Cursor(state_bytes(future)));
        let found = plan(&connection, selection(id, Some(column)), small_batches(), &state).await?;
        let found = found.read(&connection, &state).await?;
        if found.rows() > 0 {
            return failed(format!("stream {id}: beyond its future state there are {}", count(found.rows(), "row")));
        }
        // Going back would read everything again.
        let after = plan(&connection, selection(id, Some(column)), small_batches(), &found.state).await?;
        let after = after.read(&connection, &found.state).await?;
        if after.rows() > 0 {
            return failed(format!("stream {id}: a run that read nothing moved the state back"));
        }
        tried += 1;
    }
    passed(format!("{} read nothing", count(tried, "stream")))
}

pub(super) async fn past(kit: &Kit) -> Outcome {
    if let Some(outcome) = no_increments(kit) {
        return outcome;
    }
    let connection = kit.connection(&Value::Null)?;
    let mut tried = 0;
    for (id, spec, column) in kit.incremental() {
        for past in &spec.past {
            let state = State::from(Cursor(state_bytes(&past.state)));
            let found = plan(&connection, selection(id, Some(column)), small_batches(), &state).await?;
            let found = found.read(&connection, &state).await?;
            if found.rows() as u64 != past.rows {
                let (version, wanted) = (&past.version, past.rows);
                return failed(format!(
                    "stream {id}: beyond the state of {version} there are {} rows, not {wanted}",
                    found.rows()
                ));
            }
            tried += 1;
        }
    }
    if tried == 0 {
        undeclared("states of earlier versions (`past` of a stream)")
    } else {
        passed(count(tried, "state"))
    }
}
