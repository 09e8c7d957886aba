//! Rows per second of processor time for each way in which a connector can hand its rows over.
//!
//! The connector has its rows before it hands over the first, and hands the same ones over again and again, so that what is measured is
//! the way: laying them out in the guest, crossing, checking and building Arrow in the host. Ways take turns, and what is compared are
//! those of one round.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use sluice_runtime::Runtime;

use crate::guest::{connect, sandbox, until};
use crate::process::processor;

/// Rows of a batch.
const BATCH: u64 = 10_000;

/// Rows of the first read of each way, which tells how many are worth a measurement.
const FIRST: u64 = 10 * BATCH;

/// No read takes longer.
const PATIENCE: Duration = Duration::from_secs(600);

/// Of each way the rows per second of processor time, round by round; each read takes about so many seconds.
pub(crate) async fn measure(component: &Path, seconds: u64, rounds: u64, ways: &[String]) -> Result<Value> {
    let scratch = tempfile::tempdir()?;
    let runtime = sandbox(&scratch.path().join("compiled"), 8)?;
    let mut plans = Vec::new();
    for way in ways {
        // The first read compiles the connector, the second is warm.
        read(&runtime, component, way, FIRST).await?;
        let rate = read(&runtime, component, way, FIRST).await?;
        plans.push((way, (rate * seconds as f64) as u64 / BATCH * BATCH + FIRST, Vec::new()));
    }
    for _ in 0..rounds {
        for (way, rows, rates) in &mut plans {
            rates.push(read(&runtime, component, way, *rows).await?);
        }
    }
    let figures: Map<String, Value> = plans.into_iter().map(|(way, _, rates)| (way.clone(), json!(rates))).collect();
    Ok(Value::Object(figures))
}

/// One read of so many rows; rows per second of processor time.
async fn read(runtime: &Runtime, component: &Path, way: &str, rows: u64) -> Result<f64> {
    let connection = connect(runtime, component, &json!({"way": way, "rows": rows, "batch": BATCH})).await?;
    let before = processor(std::process::id())?;
    let came = until(&connection, Instant::now() + PATIENCE).await.with_context(|| format!("reading by {way}"))?;
    // A read that failed ends early, too.
    if came != rows {
        bail!("{came} of {rows} rows came by {way}");
    }
    // The clock ticks a hundred times a second.
    Ok(rows as f64 / (processor(std::process::id())? - before).max(0.01))
}
