//! The PostgreSQL connector against its own server's client, Arrow readers and whole tools.

use std::process::Command;

use anyhow::{Result, bail};

mod server;

pub(crate) use self::server::{Postgres, Server};

use super::Bench;
use super::measure::{measure, median};
use super::ours::{NULL, local};
use super::pairs::{effort, pairs, repeated, speed};
use super::table::Row;
use crate::tools::remove_folder;

pub(super) fn copy(bench: &Bench) -> Result<Vec<Row>> {
    let server = bench.postgres()?;
    let table = &server.tables.all;
    let ours = server.ours(bench, table, 1, NULL)?;
    let theirs = bench.peers.psql(server, table);
    let pairs = pairs(bench, table, &ours, &theirs, || Ok(()))?;
    Ok(vec![speed("copy", "psql COPY BINARY", table, &pairs, 0.95)])
}

pub(super) fn arrow(bench: &Bench, splits: u32) -> Result<Vec<Row>> {
    let server = bench.postgres()?;
    let table = &server.tables.all;
    let ours = server.ours(bench, table, splits, NULL)?;
    let mut rows = Vec::new();
    for peer in ["connectorx", "adbc", "duckdb"] {
        let theirs = bench.peers.arrow(peer, server, table, splits);
        let pairs = pairs(bench, table, &ours, &theirs, || Ok(()))?;
        rows.push(speed(&format!("arrow-{splits}"), peer, table, &pairs, 1.2));
    }
    Ok(rows)
}

/// The slow peers get the table of half a million rows: the ratio is the same and the bench ends today.
pub(super) fn parquet(bench: &Bench) -> Result<Vec<Row>> {
    let server = bench.postgres()?;
    let Some(table) = server.tables.sizes.first() else { bail!("no table was loaded") };
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("out");
    let ours = server.ours(bench, table, 2, &local(&out))?;
    let afresh = || {
        remove_folder(&out)?;
        std::fs::create_dir_all(&out).map_err(Into::into)
    };
    let peers: [(&str, Command, f64); 3] = [
        ("sling", bench.peers.sling(server, table, &out)?, 10.0),
        ("dlt", bench.peers.dlt("sqlalchemy", server, table, &out), 10.0),
        ("dlt with connectorx", bench.peers.dlt("connectorx", server, table, &out), 10.0),
    ];
    let mut rows = Vec::new();
    for (name, theirs, asked) in peers {
        let pairs = pairs(bench, table, &ours, &theirs, afresh)?;
        rows.push(speed("parquet", name, table, &pairs, asked));
    }
    Ok(rows)
}

pub(super) fn memory(bench: &Bench) -> Result<Vec<Row>> {
    let server = bench.postgres()?;
    let folder = tempfile::tempdir()?;
    let mut rows = Vec::new();
    for table in &server.tables.sizes {
        for (sink, parquet) in [("null", false), ("parquet", true)] {
            let out = folder.path().join("out");
            remove_folder(&out)?;
            let ours = match parquet {
                true => server.ours(bench, table, 2, &local(&out))?,
                false => server.ours(bench, table, 2, NULL)?,
            };
            let peak = repeated(bench, &ours, || remove_folder(&out), 1)?;
            let what = format!("{} rows to {sink}", table.rows);
            rows.push(Row::figure("memory", &what, median(peak.iter().map(|m| m.megabytes)), "MB", 100.0));
        }
    }
    Ok(rows)
}

pub(super) fn tiny(bench: &Bench) -> Result<Vec<Row>> {
    let server = bench.postgres()?;
    let ours = server.ours(bench, &server.tables.tiny, 1, NULL)?;
    // The first run compiles the connector into the cache; the figure is about those after it.
    measure(&ours)?;
    let runs = repeated(bench, &ours, || Ok(()), 10)?;
    let milliseconds = median(runs.iter().map(|run| run.seconds * 1000.0));
    Ok(vec![Row::figure("tiny", "100 rows, whole process", milliseconds, "ms", 150.0)])
}

pub(super) fn cpu(bench: &Bench) -> Result<Vec<Row>> {
    let server = bench.postgres()?;
    let table = &server.tables.all;
    let ours = server.ours(bench, table, 1, NULL)?;
    let mut native = Command::new(bench.native()?);
    native.args(["postgres", &format!("public.{}", table.name)]).env("SLUICE_CONFIG", server.config()?);
    let pairs = pairs(bench, table, &ours, &native, || Ok(()))?;
    Ok(vec![effort("cpu", "the same code, native", &pairs, 1.4)])
}
