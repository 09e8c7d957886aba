//! Doing the same again, without the source.

use std::sync::Arc;

use sluice_core::recording::{Instance, compare};

use super::{Outcome, count, failed, passed, skipped};
use crate::kit::{Kit, small_batches};
use crate::recording::{Lived, Place, Wanted, live, play, replay};

/// Rows of each stream that are recorded.
const ROWS: u64 = 1_000;

pub(super) async fn deterministic(kit: &Kit) -> Outcome {
    let mut rows = 0;
    let connected = &kit.spec.connection;
    for (id, spec) in &kit.spec.streams {
        let wanted = Wanted {
            streams: vec![id.clone()],
            rows: Some(ROWS),
            incremental: spec.increment.clone().filter(|_| kit.can_increment()),
            hints: Some(small_batches()),
        };
        let Lived { instances, ended } = live(kit.connector(), connected, kit.environment(), &wanted).await?;
        if let Some(error) = ended {
            return failed(format!("stream {id}: {error}"));
        }
        let recorded: Vec<Arc<Instance>> = instances.into_iter().map(Arc::new).collect();
        let place = Place { config: &connected.config, folders: &connected.grants.folders, limits: &connected.limits };
        for time in ["first", "second"] {
            let played = play(kit.connector(), &place, &recorded, None).await?;
            let other = recorded.iter().zip(&played).find_map(|(before, now)| compare(before, now).into_iter().next());
            if let Some(other) = other {
                return failed(format!("stream {id}, the {time} replay: {}: {}", other.call, other.message));
            }
        }
        rows += recorded.iter().map(|instance| instance.rows()).sum::<u64>();
    }
    passed(format!("{} of {} replayed twice", count(rows as usize, "row"), count(kit.spec.streams.len(), "stream")))
}

pub(super) async fn recordings(kit: &Kit) -> Outcome {
    let mut calls = 0;
    for (name, recording) in kit.recordings() {
        let replayed = replay(kit.connector(), recording, &kit.spec.connection.limits).await?;
        if let Some(other) = replayed.differences.first() {
            return failed(format!("{name}: {}: {}", other.call, other.message));
        }
        calls += replayed.calls;
    }
    if kit.recordings().is_empty() {
        return skipped("the specification names none under `recordings`; `sluice connector record` makes one");
    }
    passed(format!("{}, {}", count(kit.recordings().len(), "recording"), count(calls, "call")))
}
