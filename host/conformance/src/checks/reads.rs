//! What comes in batches.

use std::collections::HashSet;

use arrow_array::Array;
use serde_json::Value;
use sluice_core::RunError;
use sluice_core::plan::{DiscoverFilter, Selection};
use sluice_runtime::Connection;

use super::{Outcome, count, failed, passed, skipped, undeclared};
use crate::kit::{Kit, production, small_batches, whole};
use crate::reading::{State, Whole, plan, selection, unshown};
use crate::rows;

async fn read(connection: &Connection, selection: Selection) -> Result<Whole, RunError> {
    let state = State::default();
    plan(connection, selection, small_batches(), &state).await?.read(connection, &state).await
}

pub(super) async fn schema(kit: &Kit) -> Outcome {
    let connection = kit.connection(&Value::Null)?;
    let instance = connection.instance().await?;
    let mut rows = 0;
    for (id, spec) in &kit.spec.streams {
        let filter = DiscoverFilter { ids: vec![id.clone()], page_size: 1, ..DiscoverFilter::default() };
        let Some(listed) = instance.discover(filter, None).await?.streams.pop() else {
            return failed(format!("stream {id} is not listed"));
        };
        // That each batch fits the plan's schema is the runtime's to enforce: a read that breaks it fails.
        let all = read(&connection, whole(id)).await?;
        let Some(planned) = &all.schema else { return failed(format!("stream {id} is not in its plan")) };
        if planned.fields() != listed.schema.fields() {
            return failed(format!("stream {id}: the plan of all columns has another schema than discover lists"));
        }
        if let Some(expected) = spec.rows
            && all.rows() as u64 != expected
        {
            return failed(format!("stream {id} has {} rows, and the specification says {expected}", all.rows()));
        }
        rows += all.rows();
    }
    passed(format!("{} of {}", count(rows, "row"), count(kit.spec.streams.len(), "stream")))
}

pub(super) async fn columns(kit: &Kit) -> Outcome {
    let connection = kit.connection(&Value::Null)?;
    for id in kit.spec.streams.keys() {
        let all = read(&connection, whole(id)).await?;
        let Some(planned) = &all.schema else { return failed(format!("stream {id} is not in its plan")) };
        // The last column and the first, the other way round.
        let names: Vec<String> = planned.fields().iter().map(|field| field.name().clone()).collect();
        let mut chosen: Vec<String> = names.last().into_iter().chain(names.first()).cloned().collect();
        chosen.dedup();
        let part = read(&connection, Selection { columns: chosen.clone(), ..whole(id) }).await?;
        let has: Vec<String> =
            part.schema.iter().flat_map(|schema| schema.fields().iter().map(|field| field.name().clone())).collect();
        if has != chosen {
            return failed(format!(
                "stream {id}: asked for columns {}, it plans {}",
                chosen.join(", "),
                has.join(", ")
            ));
        }
        if let Some(difference) = rows::difference(&all.texts(Some(&chosen))?, &part.texts(None)?) {
            return failed(format!("stream {id}: chosen columns have other values: {difference}"));
        }
    }
    passed(count(kit.spec.streams.len(), "stream"))
}

pub(super) async fn keys(kit: &Kit) -> Outcome {
    let connection = kit.connection(&Value::Null)?;
    let instance = connection.instance().await?;
    let mut tried = Vec::new();
    for id in kit.spec.streams.keys() {
        let filter = DiscoverFilter { ids: vec![id.clone()], page_size: 1, ..DiscoverFilter::default() };
        let key = instance.discover(filter, None).await?.streams.pop().map(|stream| stream.primary_key);
        let Some(key) = key.filter(|key| !key.is_empty()) else { continue };
        let all = read(&connection, whole(id)).await?;
        let shown = all.texts(Some(&key))?;
        if shown.iter().any(|row| row.contains('\0')) {
            return failed(format!("stream {id}: a row has a null in its key ({})", key.join(", ")));
        }
        let distinct: HashSet<&String> = shown.iter().collect();
        if distinct.len() != shown.len() {
            let doubles = shown.len() - distinct.len();
            return failed(format!(
                "stream {id}: {} with a key ({}) that another has",
                count(doubles, "row"),
                key.join(", ")
            ));
        }
        tried.push(format!("{id} ({})", key.join(", ")));
    }
    if tried.is_empty() { skipped("no stream has a primary key") } else { passed(tried.join("; ")) }
}

pub(super) async fn empty(kit: &Kit) -> Outcome {
    let Some(variant) = &kit.spec.empty else { return undeclared("`empty` streams") };
    let connection = kit.connection(&variant.config)?;
    for id in &variant.streams {
        let increment = kit.spec.streams.get(id).and_then(|stream| stream.increment.as_ref());
        for mode in [None, increment].into_iter().take(1 + usize::from(increment.is_some())) {
            let state = State::default();
            let found =
                plan(&connection, selection(id, mode), production(), &state).await?.read(&connection, &state).await?;
            if found.rows() > 0 {
                return failed(format!("stream {id} should have no rows and has {}", found.rows()));
            }
            // What an empty read leaves behind must be a state that the next one takes.
            let state = found.state;
            plan(&connection, selection(id, mode), production(), &state).await?.read(&connection, &state).await?;
        }
    }
    passed(count(variant.streams.len(), "empty stream"))
}

pub(super) async fn extremes(kit: &Kit) -> Outcome {
    let Some(extremes) = &kit.spec.extremes else { return undeclared("`extremes` stream") };
    let connection = kit.connection(&extremes.config)?;
    let all = read(&connection, whole(&extremes.stream)).await?;
    let Some(schema) = all.schema.clone() else { return failed("the stream is not in its plan") };
    for field in schema.fields() {
        let name = field.name();
        let Some(wanted) = extremes.values.get(name) else {
            return failed(format!("column {name} ({}) has no extremes under `values`", field.data_type()));
        };
        let mut found = HashSet::new();
        let mut nulls = 0;
        for batch in all.batches() {
            let Some(column) = batch.column_by_name(name) else {
                return failed(format!("a batch has no column {name}"));
            };
            nulls += column.null_count();
            found.extend(rows::values(column).map_err(|error| unshown(&error))?.into_iter().flatten());
        }
        if let Some(missing) = wanted.iter().find(|value| !found.contains(*value)) {
            let mut some: Vec<&String> = found.iter().collect();
            some.sort();
            some.truncate(6);
            return failed(format!(
                "column {name} ({}): no row has {missing:?}; there are {some:?}",
                field.data_type()
            ));
        }
        if field.is_nullable() && nulls == 0 {
            return failed(format!("column {name} may be null, and no row of the stream has a null there"));
        }
    }
    let stranger = extremes.values.keys().find(|name| schema.column_with_name(name).is_none());
    if let Some(name) = stranger {
        return failed(format!("`values` speaks of column {name}, which the stream does not have"));
    }
    passed(format!("{} of stream {}", count(schema.fields().len(), "column"), extremes.stream))
}

/// The rows of a stream in full.
pub(super) async fn full(connection: &Connection, id: &str) -> Result<Vec<String>, RunError> {
    read(connection, selection(id, None)).await?.texts(None)
}
