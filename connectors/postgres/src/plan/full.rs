//! Reading all rows: block ranges of the table, all in one snapshot.
//!
//! A range is a condition on `ctid`, which PostgreSQL 14 and later answer by reading just those blocks. For partitioned tables
//! the same block numbers are read of every partition, through the parent: so its privileges and row security apply, and
//! rows arrive in its columns' order, which reading partitions by themselves would not give.

use std::ops::Range;

use sluice_sdk::{Hints, Result, StreamPlan};
use sluice_sql::ranges;

use super::{Part, Stream};
use crate::session::Session;

/// The first version that reads a range of blocks without reading the others.
const TID_RANGE_SCANS: u32 = 140_000;

/// Sizes of the relations that hold the rows, in blocks, or nothing if one of them is not made of blocks (a foreign table).
const LEAVES: &str = "
WITH RECURSIVE tree(oid) AS (
  SELECT $1::oid UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid
)
SELECT pg_relation_size(c.oid) / current_setting('block_size')::bigint, pg_table_size(c.oid), c.relkind
FROM tree JOIN pg_class c ON c.oid = tree.oid WHERE c.relkind <> 'p'";

/// The plan of a stream that is read in full.
pub(super) fn plan(
    session: &mut Session,
    stream: &Stream<'_>,
    hints: &Hints,
    shared: bool,
) -> Result<(StreamPlan, Vec<Part>)> {
    Ok((stream.planned(), parts(session, stream, &[], hints, shared)?))
}

/// Splits by blocks, each with these conditions.
pub(super) fn parts(
    session: &mut Session,
    stream: &Stream<'_>,
    conditions: &[&str],
    hints: &Hints,
    shared: bool,
) -> Result<Vec<Part>> {
    let (ranges, bytes) = if shared { cut(session, stream, hints)? } else { (Vec::new(), 0) };
    if ranges.len() < 2 {
        let mut part = stream.part(stream.query.sql(conditions), hints);
        (part.rows, part.bytes) = (stream.relation.rows, stream.relation.bytes);
        return Ok(vec![part]);
    }
    let count = u64::try_from(ranges.len()).unwrap_or(u64::MAX);
    let parts = ranges.iter().enumerate().map(|(index, range)| {
        let condition = condition(range, index == 0, index + 1 == ranges.len());
        let all: Vec<_> = conditions.iter().copied().chain([condition.as_str()]).collect();
        let mut part = stream.part(stream.query.sql(&all), hints);
        part.bytes = Some(bytes / count);
        part.rows = stream.relation.rows.map(|rows| rows / count);
        part
    });
    Ok(parts.collect())
}

fn cut(session: &mut Session, stream: &Stream<'_>, hints: &Hints) -> Result<(Vec<Range<u64>>, u64)> {
    let whole = (Vec::new(), 0);
    if session.wire.version() < TID_RANGE_SCANS || !matches!(stream.relation.class.as_str(), "r" | "m" | "p") {
        return Ok(whole);
    }
    let leaves = session.query(LEAVES, &[Some(&stream.relation.oid.to_string())])?;
    if leaves.iter().any(|leaf| !matches!(leaf.text(2), Some("r" | "m"))) {
        return Ok(whole);
    }
    let sizes: Vec<u64> = leaves.iter().filter_map(|leaf| leaf.number(0)).collect();
    let bytes = leaves.iter().filter_map(|leaf| leaf.number::<u64>(1)).sum();
    Ok((ranges::cut(&sizes, ranges::count(bytes, hints.split_bytes)), bytes))
}

/// The first range has no beginning and the last no end: rows can lie behind the blocks that were counted.
fn condition(range: &Range<u64>, first: bool, last: bool) -> String {
    let from = format!("ctid >= '({},0)'::pg_catalog.tid", range.start);
    let to = format!("ctid < '({},0)'::pg_catalog.tid", range.end);
    match (first, last) {
        (true, true) => "true".to_owned(),
        (true, false) => to,
        (false, true) => from,
        (false, false) => format!("{from} AND {to}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_open() {
        assert_eq!(condition(&(0..5), true, false), "ctid < '(5,0)'::pg_catalog.tid");
        assert_eq!(condition(&(5..9), false, true), "ctid >= '(5,0)'::pg_catalog.tid");
        assert_eq!(condition(&(0..9), true, true), "true");
    }
}
