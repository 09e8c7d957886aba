//! Deciding how to read: which bounds, which moment, which streams.
//!
//! In this order, because each step must see at least what the one before it saw: the tables are looked up, the upper bounds
//! of incremental reads are fixed by a query, then the moment is fixed as of which all tables of the plan are read, and only
//! then are read sessions opened. What has no rows of its own (views, queries, external tables) is written to a temporary
//! table by a query job, and that is read; such a table does not change, so it needs no moment.

mod incremental;
mod moment;

use std::sync::Arc;

use sluice_sdk::{Error, Hints, Plan, ReadMode, Result, Selection, Split, StreamPlan};
use sluice_sql::ranges;

use crate::config::BigQueryConfig;
use crate::discover::{estimate, is_stored};
use crate::id::{StreamId, TableRef, parse};
use crate::read::Descriptor;
use crate::rest::Rest;
use crate::rest::model::Table;
use crate::storage::{self, ReadSession, Wanted};
use crate::{sql, types};
use incremental::Bound;
use moment::Moment;

/// A stream of the plan, looked up.
struct Stream<'a> {
    selection: &'a Selection,
    table: Table,
    source: Source<'a>,
}

/// Where a stream's rows are.
enum Source<'a> {
    /// In a table that can be read as it is.
    Stored(TableRef),
    /// Behind a view or its like.
    Named(TableRef),
    /// Behind a query of the configuration.
    Query(&'a str),
}

/// Plans the selected streams.
pub(crate) fn plan(config: &BigQueryConfig, selections: &[Selection], hints: &Hints) -> Result<Plan> {
    let rest = Rest::new(config);
    let mut moment = Moment::default();
    let look_up = |selection| look_up(&rest, selection, &mut moment).map_err(|error| error.stream(&selection.id));
    let streams = selections.iter().map(look_up).collect::<Result<Vec<Stream<'_>>>>()?;
    let mut bounds = Vec::with_capacity(streams.len());
    for stream in &streams {
        let bound = stream.bound(&rest, &mut moment).map_err(|error| error.stream(&stream.selection.id))?;
        bounds.push(bound);
    }
    // Sessions and temporary tables go; another session of the same table would cut it into other streams.
    let mut plan = Plan { expires: true, ..Plan::default() };
    for (index, (stream, bound)) in streams.iter().zip(bounds).enumerate() {
        let planned = stream.plan(&rest, bound.as_ref(), &moment, hints);
        let (stream, splits) = planned.map_err(|error| error.stream(&stream.selection.id))?;
        plan.streams.push(stream);
        plan.splits.extend(
            splits.into_iter().enumerate().map(|(part, split)| Split { id: format!("{index}-{part}"), ..split }),
        );
    }
    Ok(plan)
}

fn look_up<'a>(rest: &Rest<'a>, selection: &'a Selection, moment: &mut Moment) -> Result<Stream<'a>> {
    let config = rest.config;
    let (table, source) = match parse(&selection.id, config.home())? {
        StreamId::Query(name) => {
            let (text, estimate) = estimate(rest, &selection.id, &name)?;
            (Table { schema: Some(estimate.schema), ..Table::default() }, Source::Query(text))
        }
        StreamId::Table(name) => {
            let answer = rest.table(&name)?;
            moment.answered(answer.date);
            moment.changed(answer.body.changed());
            let source = if is_stored(&answer.body) { Source::Stored(name) } else { Source::Named(name) };
            (answer.body, source)
        }
    };
    let stream = Stream { selection, table, source };
    stream.check_columns()?;
    stream.check_partition_filter()?;
    Ok(stream)
}

impl Stream<'_> {
    fn check_columns(&self) -> Result<()> {
        let known: Vec<&str> = self.table.columns().iter().map(|column| column.name.as_str()).collect();
        match self.selection.columns.iter().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(Error::not_found(format!(
                "column {name} does not exist (any more) in {}; it has {}. Take it out of the selection, or discover again",
                self.selection.id,
                known.join(", ")
            ))),
        }
    }

    /// BigQuery's own message names neither the stream nor what to do in a pipeline.
    fn check_partition_filter(&self) -> Result<()> {
        let column = self.table.partition_column().unwrap_or("_PARTITIONTIME");
        let is_bounded = matches!(&self.selection.mode, ReadMode::Incremental(cursor) if cursor == column);
        if !self.table.needs_partition_filter() || is_bounded || self.filter().is_some() {
            return Ok(());
        }
        Err(Error::config(format!(
            "{} must be read with a condition on its partition column; set the stream's `filter`, e.g. \
             `{column} >= '2024-01-01'`, or read it incrementally by {column}",
            self.selection.id
        )))
    }

    fn filter(&self) -> Option<&str> {
        self.selection.filter.as_deref().map(str::trim).filter(|filter| !filter.is_empty())
    }

    /// What stands behind FROM.
    fn from(&self) -> String {
        match &self.source {
            Source::Stored(table) | Source::Named(table) => table.sql(),
            // The line break keeps a comment at the query's end from swallowing the parenthesis.
            Source::Query(text) => format!("({}\n)", text.trim().trim_end_matches(';')),
        }
    }

    fn bound(&self, rest: &Rest<'_>, moment: &mut Moment) -> Result<Option<Bound>> {
        match &self.selection.mode {
            ReadMode::Full => Ok(None),
            ReadMode::Incremental(column) => {
                let (bound, ended) = incremental::bound(rest, self, column)?;
                moment.ended(ended);
                Ok(Some(bound))
            }
        }
    }

    fn plan(
        &self,
        rest: &Rest<'_>,
        bound: Option<&Bound>,
        moment: &Moment,
        hints: &Hints,
    ) -> Result<(StreamPlan, Vec<Split>)> {
        let conditions: Vec<String> = bound.map(Bound::condition).into_iter().collect();
        let is_whole = conditions.is_empty() && self.filter().is_none();
        let (table, described, session) = match &self.source {
            Source::Stored(table) => {
                let restriction = sql::all(self.filter(), &conditions);
                let wanted = Wanted {
                    table,
                    columns: &self.selection.columns,
                    restriction: &restriction,
                    snapshot: moment.of(&self.table),
                    streams: count(self.table.bytes(), hints),
                };
                (table.clone(), self.table.clone(), storage::create_session(rest.config, &wanted)?)
            }
            Source::Named(_) | Source::Query(_) => self.materialise(rest, &conditions, hints)?,
        };
        let schema = types::session_schema(session.schema(), described.columns())?;
        // A table's count is exact; a session's is an estimate, and not always there.
        let is_counted = is_whole || !matches!(self.source, Source::Stored(_));
        let nothing_new = bound.is_some_and(|bound| !bound.moved());
        let planned = StreamPlan {
            id: self.selection.id.clone(),
            schema: Arc::clone(&schema),
            rows: match (nothing_new, is_counted) {
                (true, _) => Some(0),
                (_, true) => described.rows().or(session.rows()),
                _ => session.rows(),
            },
            bytes: if nothing_new { Some(0) } else { session.bytes().or(described.bytes()) },
            state_after: bound.map(Bound::after).transpose()?,
        };
        let splits = self.splits(&table, &session, &planned)?;
        Ok((planned, splits))
    }

    /// Writes the rows to a temporary table, and opens a session on that.
    fn materialise(
        &self,
        rest: &Rest<'_>,
        conditions: &[String],
        hints: &Hints,
    ) -> Result<(TableRef, Table, ReadSession)> {
        let columns = sql::columns(&self.selection.columns);
        let text = sql::select(&columns, &self.from(), self.filter(), conditions);
        let table = rest.materialise(&text, &self.selection.id)?.table;
        let described = rest.table(&table)?.body;
        let streams = count(described.bytes(), hints);
        let wanted = Wanted { table: &table, columns: &[], restriction: "", snapshot: None, streams };
        let session = storage::create_session(rest.config, &wanted)?;
        Ok((table, described, session))
    }

    /// A split for each stream of the session; one without a stream if there is nothing to read, because a stream has at
    /// least one.
    fn splits(&self, table: &TableRef, session: &ReadSession, planned: &StreamPlan) -> Result<Vec<Split>> {
        let mut names: Vec<Option<String>> = session.streams.iter().map(|stream| Some(stream.name.clone())).collect();
        if names.is_empty() {
            names.push(None);
        }
        let count = u64::try_from(names.len()).unwrap_or(u64::MAX);
        let split = |name: Option<String>| {
            let is_empty = name.is_none();
            let share = |all: Option<u64>| if is_empty { Some(0) } else { all.map(|all| all / count) };
            let descriptor = Descriptor::new(&self.selection.id, table.clone(), name, Arc::clone(&planned.schema));
            Ok(Split {
                id: String::new(),
                streams: vec![self.selection.id.clone()],
                descriptor: descriptor.encode()?,
                rows: share(planned.rows),
                bytes: share(planned.bytes),
                // The session and its order of rows are BigQuery's, not this instance's; they last for six hours.
                resumable: true,
            })
        };
        names.into_iter().map(split).collect()
    }
}

/// Most streams that a session should have.
fn count(bytes: Option<u64>, hints: &Hints) -> u64 {
    bytes.map_or(u64::from(hints.max_parallel), |bytes| ranges::count(bytes, hints.split_bytes))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stream<'a>(selection: &'a Selection, table: serde_json::Value) -> Stream<'a> {
        let table: Table = serde_json::from_value(table).unwrap();
        Stream { selection, table, source: Source::Stored(TableRef::default()) }
    }

    fn selection(mode: ReadMode, filter: Option<&str>) -> Selection {
        Selection {
            id: "d.t".into(),
            columns: vec![],
            mode,
            filter: filter.map(str::to_owned),
            changed_files: None,
            state: None,
        }
    }

    #[test]
    fn a_table_that_insists_on_a_partition_filter_gets_one_or_is_refused_with_advice() {
        let table = json!({"requirePartitionFilter": true, "timePartitioning": {"type": "DAY", "field": "day"}});
        let full = selection(ReadMode::Full, None);
        let error = stream(&full, table.clone()).check_partition_filter().unwrap_err();
        assert!(error.message.contains("day >= "), "{error}");
        for fine in [
            selection(ReadMode::Full, Some("day = '2024-01-01'")),
            selection(ReadMode::Incremental("day".into()), None),
        ] {
            stream(&fine, table.clone()).check_partition_filter().unwrap();
        }
    }

    #[test]
    fn a_query_is_wrapped_so_that_nothing_of_it_is_swallowed() {
        let selection = selection(ReadMode::Full, None);
        let it = Stream {
            selection: &selection,
            table: Table::default(),
            source: Source::Query("SELECT 1 AS a -- one; \n;"),
        };
        assert_eq!(it.from(), "(SELECT 1 AS a -- one; \n\n)");
    }

    #[test]
    fn a_session_has_a_stream_for_each_split_worth_of_bytes() {
        let hints = Hints { max_parallel: 4, split_bytes: 100, batch_bytes: 1 };
        assert_eq!((count(Some(250), &hints), count(Some(0), &hints), count(None, &hints)), (3, 1, 4));
    }
}
