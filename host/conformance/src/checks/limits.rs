//! What a connector must not take too much of: time, memory, the network.

use std::time::{Duration, Instant};

use serde_json::Value;
use sluice_core::RunError;
use sluice_core::error::Kind;
use sluice_runtime::{Budget, Connection, ReadEvent};

use super::{Outcome, count, failed, passed, undeclared};
use crate::kit::{Kit, production, small_batches};
use crate::reading::{State, plan, planned, selection};

/// How long a cancelled read may go on.
const LEAVE: Duration = Duration::from_secs(1);

/// How long a read is left alone before it is cancelled.
const BUSY: Duration = Duration::from_millis(300);

/// Memory that may come on top, whatever the data: allocators grow in steps, and collectors let garbage lie for a while.
const SLACK: u64 = 16 << 20;

pub(super) async fn cancel(kit: &Kit) -> Outcome {
    let mut said = Vec::new();
    if let Some(id) = kit.spec.streams.keys().next() {
        // Nobody takes what it pushes, so it hangs in a push.
        match cancelled(&kit.connection(&Value::Null)?, id).await? {
            Ok(took) => said.push(format!("in a push after {} ms", took.as_millis())),
            Err(problem) => return failed(problem),
        }
    }
    if let Some(variant) = &kit.spec.slow {
        let connection = kit.connection(&variant.config)?;
        for id in &variant.streams {
            match cancelled(&connection, id).await? {
                Ok(took) => said.push(format!("waiting for its source after {} ms", took.as_millis())),
                Err(problem) => return failed(problem),
            }
        }
    }
    passed(format!("cancelled {}", said.join(", ")))
}

/// How long a read took to end once it was cancelled, or what it did instead.
async fn cancelled(connection: &Connection, id: &str) -> Result<Result<Duration, String>, RunError> {
    let planned_read = plan(connection, selection(id, None), small_batches(), &State::default()).await?;
    let Some(split) = planned_read.plan.splits.first() else { return Ok(Err(format!("stream {id} has no split"))) };
    let instance = connection.instance().await?;
    let read = instance.read(split.clone(), None, planned(&planned_read.plan), Budget::new(1)).await?;
    tokio::time::sleep(BUSY).await;
    let begun = Instant::now();
    instance.cancel();
    let Ok(ended) = tokio::time::timeout(LEAVE, read.finish()).await else {
        return Ok(Err(format!("stream {id}: it goes on for longer than {LEAVE:?}")));
    };
    let took = begun.elapsed();
    match ended {
        // All of it was read before.
        Ok(_) => Ok(Ok(took)),
        Err(error) if error.kind == Kind::Cancelled => Ok(Ok(took)),
        Err(error) => Ok(Err(format!("stream {id}: it should end as cancelled, and ends with: {error}"))),
    }
}

pub(super) async fn memory(kit: &Kit) -> Outcome {
    let Some(large) = &kit.spec.large else { return undeclared("`large` stream") };
    let small = measured(&kit.connection(&Value::Null)?, &large.stream).await?;
    let stream = large.large_stream.as_ref().unwrap_or(&large.stream);
    let grown = measured(&kit.connection(&large.config)?, stream).await?;
    let mebibytes = |bytes: u64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
    let detail = format!(
        "{} for {}, {} for {}",
        mebibytes(small.memory),
        count(small.rows, "row"),
        mebibytes(grown.memory),
        count(grown.rows, "row")
    );
    if grown.rows < small.rows.saturating_mul(10) {
        return failed(format!("the large stream must have ten times the rows: {detail}"));
    }
    if grown.memory > small.memory + small.memory / 2 + SLACK { failed(detail) } else { passed(detail) }
}

struct Measured {
    rows: usize,
    memory: u64,
}

/// Reads a stream and keeps nothing.
async fn measured(connection: &Connection, id: &str) -> Result<Measured, RunError> {
    let whole = plan(connection, selection(id, None), production(), &State::default()).await?;
    let mut measured = Measured { rows: 0, memory: whole.planner.memory_bytes() };
    for split in &whole.plan.splits {
        let instance = connection.instance().await?;
        let mut read = instance.read(split.clone(), None, planned(&whole.plan), Budget::new(32 << 20)).await?;
        while let Some(event) = read.next().await {
            if let ReadEvent::Batch { batch, .. } = event {
                measured.rows += batch.num_rows();
            }
        }
        read.finish().await?;
        measured.memory = measured.memory.max(instance.memory_bytes());
    }
    whole.planner.close().await;
    Ok(measured)
}

pub(super) async fn hosts(kit: &Kit) -> Outcome {
    if kit.asked().is_empty() {
        // Alone, without the checks before it: something has to happen first.
        kit.connection(&Value::Null)?.instance().await?.check().await?;
    }
    let asked = kit.asked();
    let strangers: Vec<&String> = asked.iter().filter(|(_, declared)| !**declared).map(|(host, _)| host).collect();
    if strangers.is_empty() {
        return passed(format!("{} asked for, all declared", count(asked.len(), "host")));
    }
    let names: Vec<&str> = strangers.iter().map(|host| host.as_str()).collect();
    failed(format!("it asked for {}, which the manifest does not declare", names.join(", ")))
}
