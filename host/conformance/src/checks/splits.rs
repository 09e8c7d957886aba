//! Parts of a read, and reads of the same plan.

use std::collections::HashSet;

use serde_json::Value;

use super::reads::full;
use super::{Outcome, count, failed, passed, skipped};
use crate::kit::{Kit, many_splits, small_batches};
use crate::reading::{State, plan, read, selection};
use crate::rows;

pub(super) async fn splits(kit: &Kit) -> Outcome {
    if !kit.inspected.manifest.capabilities.splits {
        return skipped("the manifest does not offer `splits`");
    }
    let connection = kit.connection(&Value::Null)?;
    let mut most = 0;
    for id in kit.spec.streams.keys() {
        let state = State::default();
        let divided =
            plan(&connection, selection(id, None), many_splits(), &state).await?.read(&connection, &state).await?;
        let ids: HashSet<&String> = divided.plan.splits.iter().map(|split| &split.id).collect();
        if ids.len() != divided.plan.splits.len() {
            return failed(format!("stream {id}: two splits have the same id"));
        }
        if let Some(difference) = rows::difference(&full(&connection, id).await?, &divided.texts(None)?) {
            return failed(format!("stream {id} in {}: {difference}", count(divided.splits.len(), "split")));
        }
        most = most.max(divided.splits.len());
    }
    if most < 2 {
        return failed(
            "the manifest offers `splits`, and no stream of the specification is read in more than one; name a larger stream",
        );
    }
    passed(format!("{}, up to {}", count(kit.spec.streams.len(), "stream"), count(most, "split")))
}

pub(super) async fn replay(kit: &Kit) -> Outcome {
    let connection = kit.connection(&Value::Null)?;
    let mut tried = 0;
    for (id, spec) in &kit.spec.streams {
        let planned =
            plan(&connection, selection(id, spec.increment.as_ref()), small_batches(), &State::default()).await?;
        for split in &planned.plan.splits {
            let one = read(&connection, &planned.plan, split, None, false).await?;
            let other = read(&connection, &planned.plan, split, None, false).await?;
            if one.texts()? != other.texts()? {
                return failed(format!(
                    "stream {id}, split {}: a second read has other rows, or another order",
                    split.id
                ));
            }
            if one.checkpoints != other.checkpoints {
                return failed(format!("stream {id}, split {}: a second read has other checkpoints", split.id));
            }
            tried += 1;
        }
        planned.planner.close().await;
    }
    passed(format!("{} read twice", count(tried, "split")))
}
