//! Going on where an earlier read was interrupted.

use serde_json::Value;
use sluice_core::RunError;
use sluice_core::plan::{ReadPlan, Split};
use sluice_runtime::{Connection, ReadEnd};

use super::{Outcome, count, failed, passed, skipped};
use crate::kit::{Kit, small_batches};
use crate::reading::{State, plan, read, selection};
use crate::rows;

/// Most checkpoints of a split that are gone on from.
const CHECKPOINTS: usize = 40;

pub(super) async fn resume(kit: &Kit) -> Outcome {
    let connection = kit.connection(&Value::Null)?;
    let mut tried = 0;
    for (id, spec) in &kit.spec.streams {
        for mode in [None, spec.increment.as_ref()].into_iter().take(1 + usize::from(spec.increment.is_some())) {
            let planned = plan(&connection, selection(id, mode), small_batches(), &State::default()).await?;
            let plan = planned.plan.clone();
            // What is resumable is so without whoever planned it.
            planned.planner.close().await;
            for split in plan.splits.iter().filter(|split| split.resumable) {
                match goes_on(&connection, &plan, split).await? {
                    Ok(checkpoints) => tried += checkpoints,
                    Err(problem) => return failed(format!("stream {id}, split {}: {problem}", split.id)),
                }
            }
        }
    }
    if tried == 0 {
        return skipped("no split says that it is resumable");
    }
    passed(format!("gone on from {}", count(tried, "checkpoint")))
}

/// Reads a split whole, then from each of its checkpoints, then stops at the first one and goes on. How many checkpoints there were,
/// or what went wrong.
async fn goes_on(connection: &Connection, plan: &ReadPlan, split: &Split) -> Result<Result<usize, String>, RunError> {
    let all = read(connection, plan, split, None, false).await?;
    let expected = all.texts()?;
    let step = all.checkpoints.len().div_ceil(CHECKPOINTS).max(1);
    let last = all.checkpoints.len().saturating_sub(1);
    let mut tried = 0;
    for (at, (rows_before, cursor)) in all.checkpoints.iter().enumerate() {
        if at % step != 0 && at != last {
            continue;
        }
        let rest = read(connection, plan, split, Some(cursor.clone()), false).await?.texts()?;
        let beyond = expected.get(*rows_before..).unwrap_or_default();
        if let Some(difference) = rows::difference(beyond, &rest) {
            return Ok(Err(format!("from the checkpoint after row {rows_before}: {difference}")));
        }
        tried += 1;
    }
    let stopped = read(connection, plan, split, None, true).await?;
    if stopped.end == ReadEnd::Stopped {
        let Some((rows_before, cursor)) = stopped.checkpoints.last() else {
            return Ok(Err("it stopped without a checkpoint".to_owned()));
        };
        if *rows_before != stopped.rows() {
            return Ok(Err("it pushed rows after the checkpoint at which it was told to stop".to_owned()));
        }
        let rest = read(connection, plan, split, Some(cursor.clone()), false).await?.texts()?;
        let both: Vec<String> = stopped.texts()?.into_iter().chain(rest).collect();
        if let Some(difference) = rows::difference(&expected, &both) {
            return Ok(Err(format!("stopped at its first checkpoint and gone on: {difference}")));
        }
    }
    Ok(Ok(tried))
}
