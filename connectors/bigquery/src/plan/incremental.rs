//! Reading what is new by a cursor column: which values a run covers, and why no row falls between two runs.
//!
//! A run covers the values between where the last one ended and an upper bound that a query fixes before the first row is
//! read. Two things keep rows from appearing below a bound later:
//!
//! 1. Values taken earlier (a row is written some time after its timestamp was taken): the bound of a time stays
//!    `cursor_lag_seconds` behind BigQuery's clock.
//! 2. Ties. A value that can come again is only read once it is over: a day when it has passed, a timestamp when its
//!    microsecond has, a number or text that is no key when a higher one exists.
//!
//! BigQuery shows what a statement or load writes at once, so there are no writers to wait for, and the moment as of which
//! rows are read is not before the bound's query ended. Rows without a place in the order (NULL) are read by the first run
//! and never again.

use sluice_sdk::{Cursor, Error, Result, log};
use sluice_sql::candidates::{Candidate, Nature};
use sluice_sql::state::CursorState;

use super::Stream;
use crate::config::{BigQueryConfig, Ties};
use crate::discover::candidate;
use crate::rest::Rest;
use crate::{sql, types};

/// Which values of a stream's cursor column a run covers.
pub(super) struct Bound {
    column: CursorColumn,
    /// Where the last run ended; none before the first run.
    before: Option<CursorState>,
    /// Where this one ends.
    after: CursorState,
    /// False if nothing new is there.
    moved: bool,
}

struct CursorColumn {
    candidate: Candidate,
    /// Quoted.
    name: String,
    /// The type's name in GoogleSQL.
    r#type: String,
}

/// Fixes the bound of a stream, and says when the query that did it ended.
pub(super) fn bound(rest: &Rest<'_>, stream: &Stream<'_>, column: &str) -> Result<(Bound, Option<i64>)> {
    let config = rest.config;
    let id = &stream.selection.id;
    let column = CursorColumn::find(column, stream)?;
    let name = &column.candidate.name;
    let before = stream.selection.state.as_ref().map(|state| CursorState::decode(state, name)).transpose()?;
    let text = column.newest(config, stream, before.as_ref());
    let (row, done) = rest.one(&text, id)?;
    let newest = row.into_iter().next().flatten();
    let inclusive = column.is_settled(config);
    let moved = newest.is_some();
    let after = match (newest, &before) {
        (Some(value), _) => {
            if !inclusive {
                log::info(format!(
                    "{id}: rows whose {name} is {value} wait for a later run, because more rows may get that value; set `ties` \
                     to include to read them now"
                ));
            }
            CursorState::new(name, &column.r#type, Some(value), inclusive)
        }
        (None, Some(before)) => before.clone(),
        (None, None) => CursorState::new(name, &column.r#type, None, false),
    };
    Ok((Bound { column, before, after, moved }, done.ended))
}

impl CursorColumn {
    fn find(name: &str, stream: &Stream<'_>) -> Result<Self> {
        let id = &stream.selection.id;
        if name.is_empty() {
            return Err(Error::config(format!(
                "an incremental read of {id} needs a cursor column; discover lists candidates"
            )));
        }
        let Some(field) = stream.table.columns().iter().find(|field| field.name == name) else {
            return Err(Error::not_found(format!(
                "cursor column {name} does not exist (any more) in {id}; choose another one or read in full"
            )));
        };
        let candidate = candidate(&stream.table, field).ok_or_else(|| {
            Error::unsupported(format!(
                "{name} of {id} cannot be a cursor column: {} has no order that new rows follow. Take a timestamp, a \
                 datetime, a date, an integer, a numeric or a text",
                types::standard(field)
            ))
        })?;
        Ok(Self { candidate, name: sql::quote(name), r#type: types::standard(field).to_owned() })
    }

    /// The query for the newest value that a run may read.
    fn newest(&self, config: &BigQueryConfig, stream: &Stream<'_>, before: Option<&CursorState>) -> String {
        let mut conditions = vec![format!("{} IS NOT NULL", self.name)];
        conditions.extend(before.and_then(|state| self.beyond(state)));
        conditions.extend(self.over(config));
        let list = format!("CAST(MAX({}) AS STRING)", self.name);
        sql::select(&list, &stream.from(), stream.filter(), &conditions)
    }

    /// A value as BigQuery printed it, as a literal of the column's type.
    fn literal(&self, value: &str) -> String {
        match self.r#type.as_str() {
            "STRING" => sql::text(value),
            "INT64" if value.parse::<i64>().is_ok() => value.to_owned(),
            "INT64" => format!("CAST({} AS INT64)", sql::text(value)),
            other => format!("{other} {}", sql::text(value)),
        }
    }

    /// Values beyond a state.
    fn beyond(&self, state: &CursorState) -> Option<String> {
        let value = state.value.as_ref()?;
        Some(format!("{} {} {}", self.name, if state.inclusive { ">" } else { ">=" }, self.literal(value)))
    }

    /// Values up to a state.
    fn up_to(&self, state: &CursorState) -> Option<String> {
        let value = state.value.as_ref()?;
        Some(format!("{} {} {}", self.name, if state.inclusive { "<=" } else { "<" }, self.literal(value)))
    }

    /// Values whose time is over, so that no more rows get them.
    fn over(&self, config: &BigQueryConfig) -> Option<String> {
        let (name, lag, zone) = (&self.name, config.cursor_lag_seconds, sql::text(&config.time_zone));
        let holds_back = config.ties == Ties::HoldBack;
        let micros = u64::from(lag) * 1_000_000 + u64::from(holds_back);
        match self.r#type.as_str() {
            "DATE" if holds_back => {
                let clock = format!("TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL {lag} SECOND)");
                Some(format!("{name} < DATE({clock}, {zone})"))
            }
            "TIMESTAMP" if micros > 0 => {
                Some(format!("{name} <= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL {micros} MICROSECOND)"))
            }
            "DATETIME" if micros > 0 => {
                Some(format!("{name} <= DATETIME_SUB(CURRENT_DATETIME({zone}), INTERVAL {micros} MICROSECOND)"))
            }
            _ => None,
        }
    }

    /// True if no more rows can get the newest value that is read.
    fn is_settled(&self, config: &BigQueryConfig) -> bool {
        config.ties == Ties::Include
            || self.candidate.unique
            || matches!(self.candidate.nature, Nature::Moment | Nature::Day)
    }
}

impl Bound {
    /// The state once the run is committed.
    pub(super) fn after(&self) -> Result<Cursor> {
        self.after.encode()
    }

    /// Whether there may be something to read.
    pub(super) fn moved(&self) -> bool {
        self.moved || self.before.is_none()
    }

    /// The rows of this run.
    pub(super) fn condition(&self) -> String {
        if !self.moved() {
            return "FALSE".to_owned();
        }
        let column = &self.column;
        let from = self.before.as_ref().and_then(|state| column.beyond(state));
        let range: Vec<String> = from.into_iter().chain(column.up_to(&self.after)).collect();
        let range = if range.is_empty() { "FALSE".to_owned() } else { range.join(" AND ") };
        // Only the first run reads what has no place in the order.
        if self.before.is_none() && column.candidate.nullable {
            return format!("({range} OR {} IS NULL)", column.name);
        }
        range
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sluice_sdk::{ReadMode, Selection};

    use super::*;
    use crate::config::tests::config;
    use crate::id::TableRef;
    use crate::plan::Source;

    fn column(name: &str, kind: &str, mode: &str, key: bool) -> CursorColumn {
        let constraints = if key { json!({"primaryKey": {"columns": [name]}}) } else { json!(null) };
        let table = serde_json::from_value(json!({
            "schema": {"fields": [{"name": name, "type": kind, "mode": mode}]}, "tableConstraints": constraints,
        }));
        let selection = selection(name);
        CursorColumn::find(name, &Stream { selection: &selection, table: table.unwrap(), source: source() }).unwrap()
    }

    fn selection(column: &str) -> Selection {
        let mode = ReadMode::Incremental(column.into());
        Selection { id: "d.t".into(), columns: vec![], mode, filter: None, changed_files: None, state: None }
    }

    fn source() -> Source<'static> {
        Source::Stored(TableRef { project: "p".into(), dataset: "d".into(), table: "t".into() })
    }

    fn bound(column: CursorColumn, before: Option<(&str, bool)>, after: Option<(&str, bool)>) -> String {
        let state = |value: Option<(&str, bool)>| {
            let inclusive = value.is_some_and(|(_, inclusive)| inclusive);
            CursorState::new("c", &column.r#type, value.map(|(value, _)| value.to_owned()), inclusive)
        };
        let (before, moved) = (before.map(|before| state(Some(before))), after.is_some());
        let after = state(after);
        Bound { before, after, moved, column }.condition()
    }

    #[test]
    fn a_run_covers_what_lies_between_two_states_and_the_first_one_what_has_no_place() {
        let at = || column("at", "TIMESTAMP", "NULLABLE", false);
        let (one, two) = ("2024-01-01 00:00:00+00", "2024-01-02 00:00:00.5+00");
        assert_eq!(
            bound(at(), None, Some((one, true))),
            "(`at` <= TIMESTAMP '2024-01-01 00:00:00+00' OR `at` IS NULL)"
        );
        assert_eq!(
            bound(at(), Some((one, true)), Some((two, true))),
            "`at` > TIMESTAMP '2024-01-01 00:00:00+00' AND `at` <= TIMESTAMP '2024-01-02 00:00:00.5+00'"
        );
        assert_eq!(bound(at(), Some((one, true)), None), "FALSE");
        assert_eq!(bound(at(), None, None), "(FALSE OR `at` IS NULL)");
        let id = || column("id", "INTEGER", "REQUIRED", false);
        assert_eq!(bound(id(), Some(("5", false)), Some(("9", false))), "`id` >= 5 AND `id` < 9");
        assert_eq!(bound(id(), None, None), "FALSE");
    }

    #[test]
    fn the_newest_value_is_one_whose_time_is_over() {
        let newest = |column: &CursorColumn, more: serde_json::Value| {
            let selection = selection(&column.candidate.name);
            let stream = Stream { selection: &selection, table: Default::default(), source: source() };
            column.newest(&config(more), &stream, None)
        };
        let at = column("at", "TIMESTAMP", "NULLABLE", false);
        assert_eq!(
            newest(&at, json!({})),
            "SELECT CAST(MAX(`at`) AS STRING) FROM `p.d.t` AS t WHERE `at` IS NOT NULL AND \
             `at` <= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 5000001 MICROSECOND)"
        );
        assert!(!newest(&at, json!({"ties": "include", "cursor_lag_seconds": 0})).contains("CURRENT"));
        let day = column("day", "DATE", "NULLABLE", false);
        assert!(
            newest(&day, json!({"time_zone": "Europe/Berlin"}))
                .ends_with("`day` < DATE(TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 5 SECOND), 'Europe/Berlin')")
        );
        let local = column("local", "DATETIME", "NULLABLE", false);
        assert!(
            newest(&local, json!({})).contains("DATETIME_SUB(CURRENT_DATETIME('UTC'), INTERVAL 5000001 MICROSECOND)")
        );
    }

    #[test]
    fn a_number_waits_for_a_higher_one_unless_it_is_the_key() {
        let (key, other) = (column("id", "INT64", "REQUIRED", true), column("id", "INT64", "REQUIRED", false));
        assert!(key.is_settled(&config(json!({}))) && !other.is_settled(&config(json!({}))));
        assert!(other.is_settled(&config(json!({"ties": "include"}))));
    }

    #[test]
    fn a_stored_value_cannot_become_more_than_a_literal() {
        let id = column("id", "INT64", "REQUIRED", false);
        assert_eq!(id.literal("1 OR TRUE"), "CAST('1 OR TRUE' AS INT64)");
        let at = column("at", "TIMESTAMP", "NULLABLE", false);
        assert_eq!(at.literal("x' OR TRUE"), r"TIMESTAMP 'x\' OR TRUE'");
    }

    #[test]
    fn a_column_without_an_order_is_refused_with_those_that_have_one() {
        let table = serde_json::from_value(json!({"schema": {"fields": [{"name": "doc", "type": "JSON"}]}})).unwrap();
        let selection = selection("doc");
        let stream = Stream { selection: &selection, table, source: source() };
        let error = CursorColumn::find("doc", &stream).err().unwrap();
        assert!(error.message.contains("JSON has no order"), "{error}");
        assert!(CursorColumn::find("gone", &stream).err().unwrap().message.contains("does not exist"));
    }
}
