//! Reading all rows: in one split and one snapshot, or by ranges of the primary key where the user has chosen that.
//!
//! The first range has no beginning and the last no end, so together they hold every row whatever the estimates say.

use sluice_sdk::{Hints, Result, StreamPlan, log};
use sluice_sql::{bisect, ranges};

use super::axis::Axis;
use super::literal::Literal;
use super::{Part, Stream};
use crate::catalog::Attribute;
use crate::config::{MysqlConfig, Splits};
use crate::session::Session;
use crate::sql;

/// The plan of a stream that is read in full.
pub(super) fn plan(
    config: &MysqlConfig,
    session: &mut Session,
    stream: &Stream<'_>,
    hints: &Hints,
) -> Result<(StreamPlan, Vec<Part>)> {
    let relation = &stream.relation;
    let wanted = ranges::count(relation.bytes.unwrap_or(0), hints.split_bytes);
    let cuts = match (config.splits, wanted) {
        (Splits::None, 2..) => {
            log::info(format!("{}: read as one split, because `splits` is none", relation.id));
            Vec::new()
        }
        (Splits::None, _) | (_, ..=1) => Vec::new(),
        (Splits::Locked | Splits::Drifting, _) => key_cuts(session, stream, wanted)?,
    };
    let count = u64::try_from(cuts.len() + 1).unwrap_or(u64::MAX);
    let starts = std::iter::once(None).chain(cuts.iter().map(Some));
    let ends = cuts.iter().map(Some).chain(std::iter::once(None));
    let parts = starts.zip(ends).map(|(start, end)| {
        let conditions: Vec<_> = start.map(|cut| cut.beyond()).into_iter().chain(end.map(|cut| cut.up_to())).collect();
        let conditions: Vec<_> = conditions.iter().map(String::as_str).collect();
        let mut part = stream.part(stream.query.sql(&conditions), hints);
        part.bytes = relation.bytes.map(|bytes| bytes / count);
        part.rows = relation.rows.map(|rows| rows / count);
        // Each range is read as it is at its own time anyway, so later is as good as now.
        part.descriptor.bounded = config.splits == Splits::Drifting && count > 1;
        part
    });
    let parts = parts.collect();
    Ok((stream.planned(), parts))
}

/// A place in the order of a column: its quoted name and a literal.
pub(super) struct Cut {
    pub(super) column: String,
    pub(super) value: String,
}

impl Cut {
    fn beyond(&self) -> String {
        format!("{} > {}", self.column, self.value)
    }

    fn up_to(&self) -> String {
        format!("{} <= {}", self.column, self.value)
    }
}

/// Where to cut by the first column of the primary key; nothing if there is none that can be cut.
fn key_cuts(session: &mut Session, stream: &Stream<'_>, wanted: u64) -> Result<Vec<Cut>> {
    let relation = &stream.relation;
    let key = stream.attributes.iter().find(|attribute| attribute.key_position == Some(1));
    let Some((key, literal)) = key.and_then(|key| Some((key, Literal::of(&key.column.data_type)?))) else {
        log::info(format!(
            "{}: read as one split, because it has no primary key that starts with a column of an ordered type",
            relation.id
        ));
        return Ok(Vec::new());
    };
    let rows = relation.rows.unwrap_or(0).div_ceil(wanted).max(1);
    let column = sql::name(&key.column.name);
    let values = match halved(session, stream, key, rows)? {
        Some(values) => values,
        None => walked(session, stream, &column, literal, rows, wanted)?,
    };
    values.iter().map(|value| Ok(Cut { column: column.clone(), value: literal.write(value)? })).collect()
}

/// Cuts by halving the range of numbers and asking the optimizer how many rows lie in each part; none if the key's values are no
/// numbers.
fn halved(session: &mut Session, stream: &Stream<'_>, key: &Attribute, rows: u64) -> Result<Option<Vec<String>>> {
    let Some(axis) = Axis::of(&key.column.data_type) else { return Ok(None) };
    let column = sql::name(&key.column.name);
    let table = stream.relation.quoted();
    let ends = session.one(&format!("SELECT MIN({column}), MAX({column}) FROM {table}"))?;
    let (Some(first), Some(last)) = (ends.text(0), ends.text(1)) else { return Ok(Some(Vec::new())) };
    let (Some(first), Some(last)) = (axis.parse(first), axis.parse(last)) else { return Ok(None) };
    let cuts = cut_axis(session, &table, &column, axis, (first, last), rows)?;
    Ok(Some(cuts))
}

/// Where to cut a range of an indexed column, as the server would print the values.
pub(super) fn cut_axis(
    session: &mut Session,
    table: &str,
    column: &str,
    axis: Axis,
    (first, last): (i128, i128),
    rows: u64,
) -> Result<Vec<String>> {
    let quoted = |number| match axis {
        Axis::Integer => axis.print(number),
        Axis::Day | Axis::Micro => sql::text(&axis.print(number)),
    };
    let cuts = bisect::cuts(first, last, rows, |first, last| {
        let select =
            format!("SELECT {column} FROM {table} WHERE {column} BETWEEN {} AND {}", quoted(first), quoted(last));
        Ok::<_, crate::wire::error::Failure>(session.expected_rows(&select)?.unwrap_or(0))
    })?;
    Ok(cuts.into_iter().map(|number| axis.print(number)).collect())
}

/// Cuts by stepping through the key in its order: reads the whole key once, which is what it takes where keys are no numbers.
fn walked(
    session: &mut Session,
    stream: &Stream<'_>,
    column: &str,
    literal: Literal,
    rows: u64,
    wanted: u64,
) -> Result<Vec<String>> {
    let mut values: Vec<String> = Vec::new();
    while (values.len() as u64) + 1 < wanted {
        let beyond = match values.last() {
            Some(value) => format!(" WHERE {column} > {}", literal.write(value)?),
            None => String::new(),
        };
        let sql = format!(
            "SELECT {} FROM {}{beyond} ORDER BY {column} LIMIT 1 OFFSET {rows}",
            literal.ask(column),
            stream.relation.quoted()
        );
        match session.one(&sql)?.text(0) {
            Some(value) => values.push(value.to_owned()),
            None => break,
        }
    }
    Ok(values)
}
