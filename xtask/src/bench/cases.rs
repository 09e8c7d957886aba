//! What is measured, and what each figure is asked to be.

use std::process::Command;

use anyhow::{Result, bail};

use super::Bench;
use super::data::Table;
use super::measure::{Measured, measure, median};
use super::table::Row;
use crate::tools::remove_folder;

pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What the figure should be, in words.
    pub(crate) asks: &'static str,
    pub(crate) run: fn(&Bench) -> Result<Vec<Row>>,
}

pub(crate) const ALL: &[Case] = &[
    Case { name: "copy", asks: "PostgreSQL to a null sink: at least 0.95 of psql COPY BINARY, one split", run: copy },
    Case { name: "arrow-1", asks: "one split: at least 1.2 times the best Arrow reader", run: |b| arrow(b, 1) },
    Case { name: "arrow-2", asks: "two splits: at least 1.2 times the best Arrow reader", run: |b| arrow(b, 2) },
    Case { name: "parquet", asks: "PostgreSQL to local Parquet: at least 10 times sling and dlt", run: parquet },
    Case { name: "memory", asks: "peak memory of a run: under 100 MB at every size", run: memory },
    Case { name: "tiny", asks: "a run of 100 rows, whole process: under 150 ms", run: tiny },
    Case {
        name: "mysql",
        asks: "MariaDB to a null sink: at least `mariadb -q -B`, and 1.3 times connectorx with one and two splits",
        run: super::mysql::mysql,
    },
    Case { name: "cpu", asks: "CPU in the sandbox: under 1.4 times the same code compiled natively", run: cpu },
];

fn copy(bench: &Bench) -> Result<Vec<Row>> {
    let table = &bench.tables.all;
    let ours = bench.sluice.to_null(&bench.server, table, 1)?;
    let theirs = bench.peers.psql(&bench.server, table);
    let pairs = pairs(bench, table, &ours, &theirs, || Ok(()))?;
    Ok(vec![speed("copy", "psql COPY BINARY", table, &pairs, 0.95)])
}

fn arrow(bench: &Bench, splits: u32) -> Result<Vec<Row>> {
    let table = &bench.tables.all;
    let ours = bench.sluice.to_null(&bench.server, table, splits)?;
    let mut rows = Vec::new();
    for peer in ["connectorx", "adbc", "duckdb"] {
        let theirs = bench.peers.arrow(peer, &bench.server, table, splits);
        let pairs = pairs(bench, table, &ours, &theirs, || Ok(()))?;
        rows.push(speed(&format!("arrow-{splits}"), peer, table, &pairs, 1.2));
    }
    Ok(rows)
}

/// The slow peers get the table of half a million rows: the ratio is the same and the bench ends today.
fn parquet(bench: &Bench) -> Result<Vec<Row>> {
    let Some(table) = bench.tables.sizes.first() else { bail!("no table was loaded") };
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("out");
    let ours = bench.sluice.to_parquet(&bench.server, table, 2, &out)?;
    let afresh = || {
        remove_folder(&out)?;
        std::fs::create_dir_all(&out).map_err(Into::into)
    };
    let peers: [(&str, Command, f64); 3] = [
        ("sling", bench.peers.sling(&bench.server, table, &out)?, 10.0),
        ("dlt", bench.peers.dlt("sqlalchemy", &bench.server, table, &out), 10.0),
        ("dlt with connectorx", bench.peers.dlt("connectorx", &bench.server, table, &out), 10.0),
    ];
    let mut rows = Vec::new();
    for (name, theirs, asked) in peers {
        let pairs = pairs(bench, table, &ours, &theirs, afresh)?;
        rows.push(speed("parquet", name, table, &pairs, asked));
    }
    Ok(rows)
}

fn memory(bench: &Bench) -> Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let mut rows = Vec::new();
    for table in &bench.tables.sizes {
        for (sink, parquet) in [("null", false), ("parquet", true)] {
            let out = folder.path().join("out");
            remove_folder(&out)?;
            let ours = match parquet {
                true => bench.sluice.to_parquet(&bench.server, table, 2, &out)?,
                false => bench.sluice.to_null(&bench.server, table, 2)?,
            };
            let peak = measure_checked(bench, &ours, || remove_folder(&out), 1)?;
            let what = format!("{} rows to {sink}", table.rows);
            rows.push(Row::figure("memory", &what, median(peak.iter().map(|m| m.megabytes)), "MB", 100.0));
        }
    }
    Ok(rows)
}

fn tiny(bench: &Bench) -> Result<Vec<Row>> {
    let ours = bench.sluice.to_null(&bench.server, &bench.tables.tiny, 1)?;
    // The first run compiles the connector into the cache; the figure is about those after it.
    measure(&ours)?;
    let runs = measure_checked(bench, &ours, || Ok(()), 10)?;
    let milliseconds = median(runs.iter().map(|run| run.seconds * 1000.0));
    Ok(vec![Row::figure("tiny", "100 rows, whole process", milliseconds, "ms", 150.0)])
}

fn cpu(bench: &Bench) -> Result<Vec<Row>> {
    let table = &bench.tables.all;
    let ours = bench.sluice.to_null(&bench.server, table, 1)?;
    let mut native = Command::new(&bench.native);
    native.args(["public", table.name]).envs(bench.server.environment.iter().map(|(name, value)| (name, value)));
    let pairs = pairs(bench, table, &ours, &native, || Ok(()))?;
    let ratio = median(pairs.iter().map(|(ours, native)| ours.cpu / native.cpu));
    let row = Row {
        case: "cpu".to_owned(),
        against: "the same code, native".to_owned(),
        ours: format!("{:.2} CPU-s", median(pairs.iter().map(|pair| pair.0.cpu))),
        theirs: format!("{:.2} CPU-s", median(pairs.iter().map(|pair| pair.1.cpu))),
        ratio: Some(ratio),
        asked: "under 1.4".to_owned(),
        met: ratio < 1.4,
        megabytes: None,
    };
    Ok(vec![row])
}

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

fn measure_checked(
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

pub(super) fn speed(case: &str, against: &str, table: &Table, pairs: &[(Measured, Measured)], asked: f64) -> Row {
    let rate = |seconds: f64| format!("{:.0} rows/s", table.rows as f64 / seconds);
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
