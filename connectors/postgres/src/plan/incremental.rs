//! Reading what is new by a cursor column: which values a run covers, and why no row falls between two runs.
//!
//! A run covers the values between where the last one ended and an upper bound that is fixed before the first row is read.
//! Three things keep rows from appearing below a bound later:
//!
//! 1. Writers at work. A transaction that has taken its value and not yet committed would commit below the bound. Whoever
//!    writes to a table holds a lock on it, so [`writers`] waits for those that held one when the bound was taken, and the
//!    snapshot that rows are read in is younger than that.
//! 2. Values taken earlier (`now()` is the transaction's start, an application has its own clock): the bound of a moment stays
//!    `cursor_lag_seconds` behind the clock.
//! 3. Ties. A value that can come again is only read once it is over: a day when it has passed, a number or text without a
//!    unique index when a higher one exists.
//!
//! Rows without a place in the order (NULL, infinity, NaN) are read by the first run and never again.

use postgres_protocol::escape::{escape_identifier, escape_literal};
use sluice_sdk::{Error, Hints, Result, Selection, StreamPlan, log};
use sluice_sql::candidates::{Candidate, Nature};
use sluice_sql::ranges;
use sluice_sql::state::CursorState;

use super::{Part, Stream, cursor_column, find, full, writers};
use crate::catalog::{Attribute, Relation};
use crate::config::{PostgresConfig, Ties};
use crate::session::Session;

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
    /// The base type's name.
    r#type: String,
    /// Fractional digits of the seconds.
    precision: u32,
}

/// The bounds of all selections that are read incrementally; none for the others.
pub(super) fn bounds(
    config: &PostgresConfig,
    session: &mut Session,
    selections: &[Selection],
) -> Result<Vec<Option<Bound>>> {
    let mut bounds = Vec::with_capacity(selections.len());
    let mut relations = Vec::new();
    for selection in selections {
        let name = |error: Error| error.stream(&selection.id);
        let Some(column) = cursor_column(selection) else {
            bounds.push(None);
            continue;
        };
        let (relation, attributes) = find(session, &selection.id).map_err(name)?;
        let column = CursorColumn::find(column, &relation, &attributes).map_err(name)?;
        bounds.push(Some(bound(config, session, selection, &relation, column).map_err(name)?));
        relations.push(relation);
    }
    writers::wait(config, session, &relations)?;
    Ok(bounds)
}

fn bound(
    config: &PostgresConfig,
    session: &mut Session,
    selection: &Selection,
    relation: &Relation,
    column: CursorColumn,
) -> Result<Bound> {
    let name = &column.candidate.name;
    let before = selection.state.as_ref().map(|state| CursorState::decode(state, name)).transpose()?;
    session.allow_reading(config)?;
    let mut conditions = vec![format!("{} IS NOT NULL", column.name)];
    conditions.extend(column.finite(session.wire.version()));
    conditions.extend(before.as_ref().and_then(|state| column.beyond(state)));
    conditions.extend(column.over(config));
    let table = format!("{}.{}", escape_identifier(&relation.schema), escape_identifier(&relation.name));
    // Qualified, because an unqualified name would order by the text in the list.
    let sql = format!(
        "SELECT {0}::pg_catalog.text FROM {table} AS t WHERE {1} ORDER BY t.{0} DESC LIMIT 1",
        column.name,
        conditions.join(" AND ")
    );
    let newest = session.one(&sql)?.text(0).map(str::to_owned);
    let inclusive = column.is_settled(config);
    let moved = newest.is_some();
    let after = match (newest, &before) {
        (Some(value), _) => {
            if !inclusive {
                log::info(format!(
                    "{}: rows whose {name} is {value} wait for a later run, because the column is not unique and more rows may get that value; \
                     set `ties` to include to read them now",
                    selection.id
                ));
            }
            CursorState::new(name, &column.r#type, Some(value), inclusive)
        }
        (None, Some(before)) => before.clone(),
        (None, None) => CursorState::new(name, &column.r#type, None, false),
    };
    Ok(Bound { column, before, after, moved })
}

impl CursorColumn {
    fn find(name: &str, relation: &Relation, attributes: &[Attribute]) -> Result<Self> {
        let id = &relation.id;
        if name.is_empty() {
            return Err(Error::config(format!(
                "an incremental read of {id} needs a cursor column; discover lists candidates"
            )));
        }
        let Some(attribute) = attributes.iter().find(|a| a.column.name == name) else {
            let message =
                format!("cursor column {name} does not exist (any more) in {id}; choose another one or read in full");
            return Err(Error::not_found(message));
        };
        if !attribute.readable {
            return Err(Error::permission(format!("this user may not read the cursor column {name} of {id}")));
        }
        let candidate = attribute.candidate().ok_or_else(|| {
            Error::unsupported(format!(
                "{name} of {id} cannot be a cursor column: {} has no order that new rows follow. \
                 Take a timestamp, a date, an integer, a numeric, a text or a uuid",
                attribute.column.source_type
            ))
        })?;
        let precision = u32::try_from(attribute.column.r#type.modifier).unwrap_or(6).min(6);
        let r#type = attribute.type_name.clone();
        Ok(Self { candidate, name: escape_identifier(name), r#type, precision })
    }

    fn literal(&self, value: &str) -> String {
        // varchar compares as text; its own literal would only add a cast to the column.
        let r#type = if self.r#type == "varchar" { "text" } else { &self.r#type };
        format!("{}::pg_catalog.{type}", escape_literal(value), type = escape_identifier(r#type))
    }

    /// Values that have a place in the order.
    fn finite(&self, version: u32) -> Option<String> {
        match self.r#type.as_str() {
            "date" | "timestamp" | "timestamptz" => Some(format!("{} < {}", self.name, self.literal("infinity"))),
            "numeric" if version >= 140_000 => Some(format!("{} < {}", self.name, self.literal("Infinity"))),
            "numeric" => Some(format!("{} < {}", self.name, self.literal("NaN"))),
            _ => None,
        }
    }

    /// Rows that have no place in the order; only the first run reads them.
    fn placeless(&self) -> String {
        let name = &self.name;
        match self.r#type.as_str() {
            "date" | "timestamp" | "timestamptz" => format!("{name} IS NULL OR NOT pg_catalog.isfinite({name})"),
            "numeric" => format!("{name} IS NULL OR {name}::pg_catalog.text IN ('NaN', 'Infinity', '-Infinity')"),
            _ => format!("{name} IS NULL"),
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
    fn over(&self, config: &PostgresConfig) -> Option<String> {
        let lag = config.cursor_lag_seconds;
        // What `now()` is in a column without a zone: the zone that sessions have unless they choose another.
        let zone = "(SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'TimeZone')";
        let clock = format!("(pg_catalog.now() - pg_catalog.make_interval(secs => {lag}))");
        match (self.r#type.as_str(), config.ties) {
            ("date", Ties::HoldBack) => Some(format!("{} < ({clock} AT TIME ZONE {zone})::pg_catalog.date", self.name)),
            ("timestamp" | "timestamptz", ties) if ties == Ties::HoldBack || lag > 0 => {
                let micros = 10_u32.pow(6 - self.precision);
                let clock = if self.r#type == "timestamp" { format!("({clock} AT TIME ZONE {zone})") } else { clock };
                Some(format!("{} <= {clock} - pg_catalog.make_interval(secs => {micros} / 1000000.0)", self.name))
            }
            _ => None,
        }
    }

    /// True if no more rows can get the newest value that is read.
    fn is_settled(&self, config: &PostgresConfig) -> bool {
        config.ties == Ties::Include
            || self.candidate.unique
            || matches!(self.candidate.nature, Nature::Moment | Nature::Day | Nature::Counter)
    }
}

/// The plan of a stream between its bounds.
pub(super) fn plan(
    session: &mut Session,
    stream: &Stream<'_>,
    bound: Bound,
    hints: &Hints,
    shared: bool,
) -> Result<(StreamPlan, Vec<Part>)> {
    let mut planned = stream.planned();
    planned.state_after = Some(bound.after.encode()?);
    let first = bound.before.is_none();
    if !bound.moved && !first {
        (planned.rows, planned.bytes) = (Some(0), Some(0));
        let mut part = stream.part(stream.query.sql(&["false"]), hints);
        (part.rows, part.bytes, part.descriptor.bounded) = (Some(0), Some(0), true);
        return Ok((planned, vec![part]));
    }
    let condition = bound.condition(None, None);
    (planned.rows, planned.bytes) = estimate(session, stream, &condition)?;
    let wanted = ranges::count(planned.bytes.unwrap_or(0), hints.split_bytes);
    let cuts = if wanted > 1 { cuts(session, stream, &bound, wanted)? } else { Vec::new() };
    if cuts.is_empty() && wanted > 1 {
        // Without an index every range would read the whole table; block ranges read it once, together.
        let parts = full::parts(session, stream, &[&condition], hints, shared)?;
        return Ok((planned, parts));
    }
    let starts = std::iter::once(None).chain(cuts.iter().map(Some));
    let ends = cuts.iter().map(Some).chain(std::iter::once(None));
    let count = u64::try_from(cuts.len() + 1).unwrap_or(u64::MAX);
    let parts = starts.zip(ends).map(|(start, end)| {
        let condition = bound.condition(start.map(String::as_str), end.map(String::as_str));
        let mut part = stream.part(stream.query.sql(&[&condition]), hints);
        part.rows = planned.rows.map(|rows| rows / count);
        part.bytes = planned.bytes.map(|bytes| bytes / count);
        part.descriptor.bounded = true;
        part
    });
    let parts = parts.collect();
    Ok((planned, parts))
}

impl Bound {
    /// The rows of this run, or those of them beyond `start` and up to `end`.
    fn condition(&self, start: Option<&str>, end: Option<&str>) -> String {
        let column = &self.column;
        let from = match start {
            Some(start) => Some(format!("{} > {}", column.name, column.literal(start))),
            None => self.before.as_ref().and_then(|state| column.beyond(state)),
        };
        let to = match end {
            Some(end) => Some(format!("{} <= {}", column.name, column.literal(end))),
            None => column.up_to(&self.after),
        };
        let range: Vec<_> = from.into_iter().chain(to).collect();
        let range = if range.is_empty() { "false".to_owned() } else { range.join(" AND ") };
        if self.before.is_none() && start.is_none() {
            return format!("({range} OR {})", column.placeless());
        }
        range
    }
}

/// How much the planner expects.
fn estimate(session: &mut Session, stream: &Stream<'_>, condition: &str) -> Result<(Option<u64>, Option<u64>)> {
    let sql = format!("EXPLAIN (FORMAT JSON) {}", stream.query.select("1", &[condition]));
    let plan: Option<serde_json::Value> = session.one(&sql)?.text(0).and_then(|text| serde_json::from_str(text).ok());
    let rows = plan.as_ref().and_then(|plan| plan.pointer("/0/Plan/Plan Rows")).and_then(serde_json::Value::as_u64);
    let relation = &stream.relation;
    let bytes = match (rows, relation.rows, relation.bytes) {
        (Some(rows), Some(all), Some(bytes)) if all > 0 => {
            u64::try_from(u128::from(bytes) * u128::from(rows.min(all)) / u128::from(all)).ok()
        }
        (_, _, bytes) => bytes,
    };
    Ok((rows, bytes))
}

/// Values that cut the range into about `wanted` parts of equal size, from the statistics that `ANALYZE` has left.
fn cuts(session: &mut Session, stream: &Stream<'_>, bound: &Bound, wanted: u64) -> Result<Vec<String>> {
    let column = &bound.column;
    // The statistics of a text are in the order of its own collation, which cannot be known here.
    if !column.candidate.indexed || matches!(column.r#type.as_str(), "text" | "varchar" | "bpchar") {
        return Ok(Vec::new());
    }
    let mut conditions = vec![format!("v <= {}", column.literal(bound.after.value.as_deref().unwrap_or_default()))];
    if let Some(value) = bound.before.as_ref().and_then(|state| state.value.as_ref()) {
        conditions.push(format!("v > {}", column.literal(value)));
    }
    let sql = format!(
        "SELECT DISTINCT v, v::pg_catalog.text FROM (SELECT pg_catalog.unnest(histogram_bounds::pg_catalog.text::pg_catalog.{}[]) AS v
         FROM (SELECT histogram_bounds FROM pg_catalog.pg_stats WHERE schemaname = $1 AND tablename = $2 AND attname = $3
         ORDER BY inherited DESC LIMIT 1) s) b WHERE {} ORDER BY b.v",
        escape_identifier(&column.r#type),
        conditions.join(" AND ")
    );
    let names = [&stream.relation.schema, &stream.relation.name, &column.candidate.name];
    let rows = session.query(&sql, &names.map(|name| Some(name.as_str())))?;
    let values: Vec<_> = rows.iter().filter_map(|row| row.text(1)).collect();
    let step = values.len().div_ceil(usize::try_from(wanted).unwrap_or(usize::MAX)).max(1);
    let mut cuts: Vec<_> = values.iter().skip(step).step_by(step).map(|value| (*value).to_owned()).collect();
    // A last part behind the bound itself would be empty.
    if cuts.last() == bound.after.value.as_ref() {
        cuts.pop();
    }
    Ok(cuts)
}
