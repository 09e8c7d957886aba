//! Reading what is new by a cursor column: which values a run covers, and why no row falls between two runs.
//!
//! A run covers the values between where the last one ended and an upper bound that is fixed before the first row is read.
//! Three things keep rows from appearing below a bound later:
//!
//! 1. Writers at work. A transaction that has taken its value and not yet committed would commit below the bound. So
//!    [`writers`] waits for those that had written something when the bound was taken; every split's snapshot is younger than that.
//! 2. Values taken earlier (an application has its own clock, a transaction runs long): the bound of a moment stays
//!    `cursor_lag_seconds` behind the clock.
//! 3. Ties. A value that can come again is only read once it is over: a day when it has passed, a number or text without a
//!    unique index when a higher one exists.
//!
//! Rows that are NULL there have no place in the order; they are read by the first run and never again.

use sluice_sdk::{Error, Hints, Result, StreamPlan, log};
use sluice_sql::candidates::{Candidate, Nature};
use sluice_sql::ranges;
use sluice_sql::state::CursorState;

use super::axis::Axis;
use super::literal::Literal;
use super::{Part, Stream, full, writers};
use crate::config::{MysqlConfig, Ties};
use crate::session::Session;
use crate::sql;

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
    /// `DATA_TYPE`.
    r#type: String,
    literal: Literal,
    /// Fractional digits of the seconds.
    digits: u8,
}

/// The bounds of all streams that are read incrementally; none for the others.
pub(super) fn bounds(
    config: &MysqlConfig,
    session: &mut Session,
    streams: &[Stream<'_>],
) -> Result<Vec<Option<Bound>>> {
    let mut bounds = Vec::with_capacity(streams.len());
    for stream in streams {
        let name = |error: Error| error.stream(&stream.selection.id);
        let Some(column) = stream.cursor_column() else {
            bounds.push(None);
            continue;
        };
        let column = CursorColumn::find(column, stream).map_err(name)?;
        bounds.push(Some(bound(config, session, stream, column).map_err(name)?));
    }
    if bounds.iter().any(Option::is_some) {
        writers::wait(config, session)?;
    }
    Ok(bounds)
}

fn bound(config: &MysqlConfig, session: &mut Session, stream: &Stream<'_>, column: CursorColumn) -> Result<Bound> {
    let name = &column.candidate.name;
    let before = stream.selection.state.as_ref().map(|state| CursorState::decode(state, name)).transpose()?;
    session.allow_reading(config)?;
    let mut conditions = vec![format!("{} IS NOT NULL", column.name)];
    conditions.extend(before.as_ref().map(|state| column.beyond(state)).transpose()?.flatten());
    conditions.extend(column.over(config));
    let sql = format!(
        "SELECT {0} FROM {1} WHERE {2} ORDER BY {0} DESC LIMIT 1",
        column.name,
        stream.relation.quoted(),
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
                    stream.selection.id
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
    fn find(name: &str, stream: &Stream<'_>) -> Result<Self> {
        let id = &stream.relation.id;
        if name.is_empty() {
            return Err(Error::config(format!(
                "an incremental read of {id} needs a cursor column; discover lists candidates"
            )));
        }
        let Some(attribute) = stream.attributes.iter().find(|a| a.column.name == name) else {
            let message =
                format!("cursor column {name} does not exist (any more) in {id}; choose another one or read in full");
            return Err(Error::not_found(message));
        };
        if !attribute.readable {
            return Err(Error::permission(format!("this user may not read the cursor column {name} of {id}")));
        }
        let r#type = attribute.column.data_type.clone();
        let (Some(candidate), Some(literal)) = (attribute.candidate(), Literal::of(&r#type)) else {
            return Err(Error::unsupported(format!(
                "{name} of {id} cannot be a cursor column: {} has no order that new rows follow. \
                 Take a timestamp, a datetime, a date, an integer, a decimal or a varchar",
                attribute.column.source_type
            )));
        };
        Ok(Self { candidate, name: sql::name(name), r#type, literal, digits: attribute.column.digits.min(6) })
    }

    fn compare(&self, operator: &str, state: &CursorState) -> Result<Option<String>> {
        let Some(value) = &state.value else { return Ok(None) };
        Ok(Some(format!("{} {operator} {}", self.name, self.literal.write(value)?)))
    }

    /// Values beyond a state.
    fn beyond(&self, state: &CursorState) -> Result<Option<String>> {
        self.compare(if state.inclusive { ">" } else { ">=" }, state)
    }

    /// Values up to a state.
    fn up_to(&self, state: &CursorState) -> Result<Option<String>> {
        self.compare(if state.inclusive { "<=" } else { "<" }, state)
    }

    /// Values whose time is over, so that no more rows get them.
    fn over(&self, config: &MysqlConfig) -> Option<String> {
        let lag = config.cursor_lag_seconds;
        let now = match self.r#type.as_str() {
            "timestamp" => "UTC_TIMESTAMP(6)",
            // What NOW() is in a column without a zone: the zone that sessions have unless they choose another.
            "datetime" | "date" => "CONVERT_TZ(UTC_TIMESTAMP(6), '+00:00', @@global.time_zone)",
            _ => return None,
        };
        let clock = format!("({now} - INTERVAL {lag} SECOND)");
        match (self.r#type.as_str(), config.ties) {
            ("date", Ties::HoldBack) => Some(format!("{} < DATE({clock})", self.name)),
            ("date", Ties::Include) => None,
            (_, ties) if ties == Ties::HoldBack || lag > 0 => {
                let micros = 10_u32.pow(6 - u32::from(self.digits));
                Some(format!("{} <= {clock} - INTERVAL {micros} MICROSECOND", self.name))
            }
            _ => None,
        }
    }

    /// True if no more rows can get the newest value that is read.
    fn is_settled(&self, config: &MysqlConfig) -> bool {
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
) -> Result<(StreamPlan, Vec<Part>)> {
    let mut planned = stream.planned();
    planned.state_after = Some(bound.after.encode()?);
    let part = |condition: &str| {
        let mut part = stream.part(stream.query.sql(&[condition]), hints);
        part.descriptor.bounded = true;
        part
    };
    if !bound.moved && bound.before.is_some() {
        (planned.rows, planned.bytes) = (Some(0), Some(0));
        let mut nothing = part("FALSE");
        (nothing.rows, nothing.bytes) = (Some(0), Some(0));
        return Ok((planned, vec![nothing]));
    }
    let condition = bound.condition(None, None)?;
    (planned.rows, planned.bytes) = estimate(session, stream, &condition)?;
    let wanted = ranges::count(planned.bytes.unwrap_or(0), hints.split_bytes);
    let cuts = if wanted > 1 {
        cuts(session, stream, &bound, planned.rows.unwrap_or(0).div_ceil(wanted))?
    } else {
        Vec::new()
    };
    let count = u64::try_from(cuts.len() + 1).unwrap_or(u64::MAX);
    let starts = std::iter::once(None).chain(cuts.iter().map(Some));
    let ends = cuts.iter().map(Some).chain(std::iter::once(None));
    let mut parts = Vec::with_capacity(cuts.len() + 1);
    for (start, end) in starts.zip(ends) {
        let mut part = part(&bound.condition(start.map(String::as_str), end.map(String::as_str))?);
        part.rows = planned.rows.map(|rows| rows / count);
        part.bytes = planned.bytes.map(|bytes| bytes / count);
        parts.push(part);
    }
    Ok((planned, parts))
}

impl Bound {
    /// The rows of this run, or those of them beyond `start` and up to `end`.
    fn condition(&self, start: Option<&str>, end: Option<&str>) -> Result<String> {
        let column = &self.column;
        let from = match start {
            Some(start) => Some(format!("{} > {}", column.name, column.literal.write(start)?)),
            None => self.before.as_ref().map(|state| column.beyond(state)).transpose()?.flatten(),
        };
        let to = match end {
            Some(end) => Some(format!("{} <= {}", column.name, column.literal.write(end)?)),
            None => column.up_to(&self.after)?,
        };
        let range: Vec<_> = from.into_iter().chain(to).collect();
        let range = if range.is_empty() { "FALSE".to_owned() } else { range.join(" AND ") };
        // Rows without a place are part of the first run's first range.
        let placeless = self.before.is_none() && start.is_none() && column.candidate.nullable;
        Ok(if placeless { format!("({range} OR {} IS NULL)", column.name) } else { range })
    }
}

/// How much the optimizer expects.
fn estimate(session: &mut Session, stream: &Stream<'_>, condition: &str) -> Result<(Option<u64>, Option<u64>)> {
    let rows = session.expected_rows(&stream.query.select("1", &[condition]))?;
    let relation = &stream.relation;
    let bytes = match (rows, relation.rows, relation.bytes) {
        (Some(rows), Some(all), Some(bytes)) if all > 0 => {
            u64::try_from(u128::from(bytes) * u128::from(rows.min(all)) / u128::from(all)).ok()
        }
        (_, _, bytes) => bytes,
    };
    Ok((rows, bytes))
}

/// Values that cut the range into parts of about that many rows. Without an index every part would read the whole table.
fn cuts(session: &mut Session, stream: &Stream<'_>, bound: &Bound, rows: u64) -> Result<Vec<String>> {
    let column = &bound.column;
    let Some(axis) = Axis::of(&column.r#type).filter(|_| column.candidate.indexed) else { return Ok(Vec::new()) };
    let table = stream.relation.quoted();
    let first = match bound.before.as_ref().and_then(|state| state.value.clone()) {
        Some(value) => Some(value),
        None => session.one(&format!("SELECT MIN({}) FROM {table}", column.name))?.text(0).map(str::to_owned),
    };
    let ends = (first.as_deref().and_then(|v| axis.parse(v)), bound.after.value.as_deref().and_then(|v| axis.parse(v)));
    match ends {
        (Some(first), Some(last)) => full::cut_axis(session, &table, &column.name, axis, (first, last), rows),
        // A range that begins with 0000-00-00 has no numbers.
        _ => Ok(Vec::new()),
    }
}
