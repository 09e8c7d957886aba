//! The sandbox by itself: how soon an instance is there, what many of them take, and what twenty guests that misbehave leave to one
//! that does not. `bench-sandbox` measures; its page says how a share is computed.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::table::Row;
use super::{Bench, release};
use crate::process::output;

/// Connectors that are installed, and instances alive.
const CONNECTORS: usize = 500;
const INSTANCES: usize = 200;

/// Seconds of each measurement beside neighbours.
const SECONDS: usize = 20;

fn measured(bench: &Bench, arguments: &[String]) -> Result<Value> {
    let (what, numbers) = arguments.split_first().context("what to measure")?;
    let guests = bench.workspace.guests().to_str().context("the guests' folder")?.to_owned();
    figures(bench, &[&[what.clone(), guests], numbers].concat())
}

/// What `bench-sandbox` says.
pub(super) fn figures(bench: &Bench, arguments: &[String]) -> Result<Value> {
    release(bench.workspace, "bench-sandbox")?;
    let mut command = Command::new(bench.workspace.target.join("release/bench-sandbox"));
    let said = output(command.args(arguments))?;
    serde_json::from_str(said.lines().last().unwrap_or_default()).context("the figures")
}

fn figure(figures: &Value, pointer: &str) -> Result<f64> {
    figures.pointer(pointer).and_then(Value::as_f64).with_context(|| format!("there is no {pointer}"))
}

/// An instance's start, and the memory of many.
pub(super) fn density(bench: &Bench) -> Result<Vec<Row>> {
    let figures = measured(bench, &["density".into(), CONNECTORS.to_string(), INSTANCES.to_string()])?;
    let milliseconds = |what: &str, pointer: &str| -> Result<Row> {
        let value = figure(&figures, pointer)?;
        let row = Row::figure("density", what, value, "ms", 1.0);
        Ok(Row { ours: format!("{value:.3} ms"), ..row })
    };
    let megabytes = |what: &str, pointer: &str| -> Result<Row> {
        Ok(Row::figure("density", what, figure(&figures, pointer)? / 1e6, "MB", 1_000.0))
    };
    Ok(vec![
        milliseconds("start of an instance, median", "/instantiate_p50_ms")?,
        milliseconds("start of an instance, p99", "/instantiate_p99_ms")?,
        megabytes("500 connectors loaded: resident", "/loaded_rss")?,
        megabytes("and 200 instances live: resident", "/live_rss")?,
        megabytes("and 200 instances live: proportional", "/live_pss")?,
    ])
}

/// A healthy guest beside twenty others.
pub(super) fn neighbours(bench: &Bench) -> Result<Vec<Row>> {
    let figures = measured(bench, &["neighbours".into(), SECONDS.to_string()])?;
    let row = |what: &str, of: &str| -> Result<Row> {
        let ratio = figure(&figures, &format!("/{of}/of_its_share"))?;
        Ok(Row {
            case: "neighbours".to_owned(),
            against: what.to_owned(),
            ours: format!("{:.2} M rows/s", figure(&figures, &format!("/{of}/beside_rows_per_second"))? / 1e6),
            theirs: format!("{:.2} M rows/s alone", figure(&figures, &format!("/{of}/alone_rows_per_second"))? / 1e6),
            ratio: Some(ratio),
            asked: "at least 0.8 of its share".to_owned(),
            met: ratio >= 0.8,
            megabytes: None,
        })
    };
    Ok(vec![row("20 processes, as in the service", "processes")?, row("20 instances of one process", "instances")?])
}
