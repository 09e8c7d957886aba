//! Ours and theirs in turns, and the rows of the table that come of it.

use std::process::Command;

use anyhow::{Result, bail};

use super::Bench;
use super::lineitem::Table;
use super::measure::{Measured, measure, median};
use super::table::Row;
use crate::services::Group;

/// A B A B …: ours, then theirs, as often as asked; before each run `before` makes the ground even.
pub(super) fn pairs(
    bench: &Bench,
    table: &Table,
    ours: &Command,
    theirs: &Command,
    before: impl Fn() -> Result<()>,
) -> Result<Vec<(Measured, Measured)>> {
    // Once each for warm caches: the server's, the file system's and that of compiled connectors.
    for command in [ours, theirs] {
        before()?;
        let rows = measure(command)?.rows;
        if rows.is_some_and(|rows| rows != table.rows) {
            bail!("`{}` read {rows:?} of {} rows", crate::process::show(command), table.rows);
        }
    }
    (0..bench.rounds)
        .map(|_| {
            bench.interrupt.check()?;
            before()?;
            let a = measure(ours)?;
            before()?;
            Ok((a, measure(theirs)?))
        })
        .collect()
}

/// Only ours, as often as asked; each run after the same preparation.
pub(super) fn repeated(
    bench: &Bench,
    command: &Command,
    before: impl Fn() -> Result<()>,
    times: u32,
) -> Result<Vec<Measured>> {
    (0..bench.rounds.max(times))
        .map(|_| {
            bench.interrupt.check()?;
            before()?;
            measure(command)
        })
        .collect()
}

/// How much faster ours was: the median of the pairs' ratios of wall time.
pub(super) fn speed(case: &str, against: &str, table: &Table, pairs: &[(Measured, Measured)], asked: f64) -> Row {
    let rate = |seconds: f64| {
        format!("{:.0} rows/s, {:.0} MB/s", table.rows as f64 / seconds, table.bytes as f64 / 1e6 / seconds)
    };
    let ratio = median(pairs.iter().map(|(ours, theirs)| theirs.seconds / ours.seconds));
    let megabytes =
        (median(pairs.iter().map(|pair| pair.0.megabytes)), median(pairs.iter().map(|pair| pair.1.megabytes)));
    Row {
        case: case.to_owned(),
        against: against.to_owned(),
        ours: rate(median(pairs.iter().map(|pair| pair.0.seconds))),
        theirs: rate(median(pairs.iter().map(|pair| pair.1.seconds))),
        ratio: Some(ratio),
        asked: format!("at least {asked}"),
        met: ratio >= asked,
        megabytes: Some(megabytes),
    }
}

/// How much more CPU ours took: the median of the pairs' ratios, which should stay below a bound.
pub(super) fn effort(case: &str, against: &str, pairs: &[(Measured, Measured)], below: f64) -> Row {
    let ratio = median(pairs.iter().map(|(ours, theirs)| ours.cpu / theirs.cpu));
    Row {
        case: case.to_owned(),
        against: against.to_owned(),
        ours: format!("{:.2} CPU-s", median(pairs.iter().map(|pair| pair.0.cpu))),
        theirs: format!("{:.2} CPU-s", median(pairs.iter().map(|pair| pair.1.cpu))),
        ratio: Some(ratio),
        asked: format!("under {below}"),
        met: ratio < below,
        megabytes: None,
    }
}

/// CPU of a server's process during one run of each.
pub(super) fn server_effort(case: &str, group: &Group, server: &str, ours: &Command, theirs: &Command) -> Result<Row> {
    let during = |command: &Command| -> Result<(f64, Measured)> {
        let before = group.cpu_seconds(server)?;
        let measured = measure(command)?;
        Ok((group.cpu_seconds(server)? - before, measured))
    };
    let shown = |(cpu, run): (f64, Measured)| format!("{cpu:.2} CPU-s in {:.2} s", run.seconds);
    Ok(Row {
        case: case.to_owned(),
        against: "the server's own CPU".to_owned(),
        ours: shown(during(ours)?),
        theirs: shown(during(theirs)?),
        ratio: None,
        asked: String::new(),
        met: true,
        megabytes: None,
    })
}
