//! A run's record: what happened to every row, and the state that the next run starts from.

use serde::{Deserialize, Serialize};

use crate::commit::CommitIntent;
use crate::error::RunError;
use crate::load::LoadId;
use crate::plan::{Cursor, Split};

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// An attempt is under way, or its process died.
    Running,
    /// Every stream is committed and reconciled.
    Succeeded,
    /// A stream failed; streams committed before it stay committed.
    Failed,
    /// It was asked to stop; what was checkpointed is committed, and the next run goes on from there.
    Stopped,
}

/// The reconciliation record of a stream in a run. A stream is a success only if the counts agree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamCounts {
    /// Rows that the connector pushed.
    pub read: u64,
    /// Rows that went to quarantine instead of the table.
    pub quarantined: u64,
    /// Values that became NULL because they did not fit.
    pub nulled: u64,
    /// Rows handed to the sink.
    pub sent: u64,
    /// Rows that the sink confirmed when it closed what it wrote to.
    pub finalized: u64,
    /// Rows that became visible.
    pub committed: u64,
    /// Arrow bytes that the connector pushed.
    pub bytes: u64,
}

impl StreamCounts {
    /// Whether every row that was read is accounted for: read = sent + quarantined, and sent = finalized = committed.
    pub fn reconciled(&self) -> bool {
        self.read == self.sent.saturating_add(self.quarantined)
            && self.sent == self.finalized
            && self.finalized == self.committed
    }
}

/// What is left to read of a stream whose run was stopped in the middle, so that the next run goes on with the same
/// plan and the same upper bound instead of planning anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingPlan {
    /// Splits that are not committed to their end, with the cursor of their last committed checkpoint.
    pub splits: Vec<(Split, Option<Cursor>)>,
    /// The state once all of them are committed.
    pub state_after: Option<Cursor>,
    /// What is remembered item by item then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<ItemsAfter>,
    /// What was read of a plan that expires: stored, and shown together with the rest. None for a plan that does not expire,
    /// of which everything that was read is visible.
    #[serde(default)]
    pub held: Option<Vec<Held>>,
}

/// What a stream remembers item by item once a plan is read to its end. The entries lie in the state store under the load that
/// made the plan, until they are applied or the plan is given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemsAfter {
    /// The load that made the plan.
    pub plan: LoadId,
    /// True if they take the place of everything remembered so far: the plan reads the stream from its beginning.
    pub anew: bool,
}

/// A load of a stopped run that is ready to be committed, and waits for the rest of its plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What is to be committed; its counts agreed when it was set aside.
    pub intent: CommitIntent,
    /// What happened to its rows.
    pub counts: StreamCounts,
}

/// The committed state of a stream of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamState {
    /// Where the last complete read ended.
    pub cursor: Option<Cursor>,
    /// What an interrupted read left over.
    pub pending: Option<PendingPlan>,
}

impl StreamState {
    /// What a stopped run has stored and nobody sees. None unless it left a plan that expires: such a plan can be given up
    /// with all that was read of it, because none of its rows are visible.
    pub fn held(&self) -> Option<&[Held]> {
        self.pending.as_ref()?.held.as_deref()
    }

    /// The state as if the interrupted read had never begun.
    #[must_use]
    pub fn without_pending(&self) -> Self {
        Self { cursor: self.cursor.clone(), pending: None }
    }
}

/// What holds for a stream once the rows of a run are committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Next {
    /// Its state.
    pub state: StreamState,
    /// What it remembers item by item from then on; none while a part of the plan is still to be read.
    pub items: Option<ItemsAfter>,
}

/// How a split's read ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SplitEnd {
    /// Every row of the split was pushed.
    Finished {
        /// The last checkpoint, if there was one.
        last: Option<Cursor>,
    },
    /// It stopped at a checkpoint, as it was asked to.
    StoppedAt(Cursor),
    /// It was stopped, or never begun, before any checkpoint: nothing of it may be committed.
    NotBegun,
}

/// Decides the state that a stream has once the rows of these splits are committed.
///
/// `ends` has every split of the plan, in its order, and how it ended; `planned` and `items` are the plan's own.
///
/// # Errors
/// If a complete plan leaves no way to know the new state: it has no `state_after`, and not exactly one split with a
/// checkpoint; a defect of the connector. `incremental` says whether a state is needed at all.
pub fn state_after(
    before: &StreamState,
    planned: Option<&Cursor>,
    items: Option<&ItemsAfter>,
    ends: Vec<(Split, SplitEnd)>,
    incremental: bool,
) -> Result<Next, RunError> {
    if ends.iter().all(|(_, end)| matches!(end, SplitEnd::Finished { .. })) {
        let state = complete(before, planned, &ends, incremental)?;
        return Ok(Next { state, items: items.cloned() });
    }
    let splits = ends
        .into_iter()
        .filter_map(|(split, end)| match end {
            SplitEnd::Finished { .. } => None,
            SplitEnd::StoppedAt(cursor) => Some((split, Some(cursor))),
            SplitEnd::NotBegun => Some((split, None)),
        })
        .collect();
    let pending = PendingPlan { splits, state_after: planned.cloned(), items: items.cloned(), held: None };
    Ok(Next { state: StreamState { cursor: before.cursor.clone(), pending: Some(pending) }, items: None })
}

fn complete(
    before: &StreamState,
    planned: Option<&Cursor>,
    ends: &[(Split, SplitEnd)],
    incremental: bool,
) -> Result<StreamState, RunError> {
    if let Some(cursor) = planned {
        return Ok(StreamState { cursor: Some(cursor.clone()), pending: None });
    }
    if !incremental {
        return Ok(StreamState::default());
    }
    match ends {
        // Nothing to read: nothing moves.
        [] => Ok(StreamState { cursor: before.cursor.clone(), pending: None }),
        [(_, SplitEnd::Finished { last })] => {
            Ok(StreamState { cursor: last.clone().or_else(|| before.cursor.clone()), pending: None })
        }
        several => Err(RunError::internal(format!(
            "the connector planned {} splits but no state after them; its author must return `state-after`",
            several.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(id: &str) -> Split {
        Split {
            id: id.into(),
            stream_ids: vec!["s".into()],
            descriptor: vec![],
            rows: None,
            bytes: None,
            resumable: true,
        }
    }

    fn cursor(text: &str) -> Cursor {
        Cursor(text.as_bytes().to_vec())
    }

    #[test]
    fn the_planned_state_holds_once_every_split_has_finished() {
        let ends =
            vec![(split("a"), SplitEnd::Finished { last: None }), (split("b"), SplitEnd::Finished { last: None })];
        let state = state_after(&StreamState::default(), Some(&cursor("9")), None, ends, true).unwrap().state;
        assert_eq!(state, StreamState { cursor: Some(cursor("9")), pending: None });
    }

    #[test]
    fn a_stopped_split_is_remembered_with_its_checkpoint_and_the_cursor_stays() {
        let before = StreamState { cursor: Some(cursor("1")), pending: None };
        let ends = vec![
            (split("a"), SplitEnd::Finished { last: None }),
            (split("b"), SplitEnd::StoppedAt(cursor("5"))),
            (split("c"), SplitEnd::NotBegun),
        ];
        let items = ItemsAfter { plan: LoadId::new("r", 0), anew: false };
        let next = state_after(&before, Some(&cursor("9")), Some(&items), ends, true).unwrap();
        assert_eq!(next.items, None, "nothing is remembered before the rest is read");
        assert_eq!(next.state.cursor, Some(cursor("1")));
        let pending = next.state.pending.unwrap();
        assert_eq!(pending.items, Some(items));
        assert_eq!(pending.state_after, Some(cursor("9")));
        assert_eq!(pending.splits, vec![(split("b"), Some(cursor("5"))), (split("c"), None)]);
    }

    #[test]
    fn the_last_checkpoint_of_an_only_split_is_the_state() {
        let ends = vec![(split("a"), SplitEnd::Finished { last: Some(cursor("7")) })];
        let state = state_after(&StreamState::default(), None, None, ends, true).unwrap().state;
        assert_eq!(state.cursor, Some(cursor("7")));
    }

    #[test]
    fn several_splits_without_a_planned_state_are_refused() {
        let end = || SplitEnd::Finished { last: Some(cursor("7")) };
        let ends = vec![(split("a"), end()), (split("b"), end())];
        let error = state_after(&StreamState::default(), None, None, ends, true).unwrap_err();
        assert!(error.message.contains("2 splits"), "{error}");
    }

    #[test]
    fn an_empty_increment_moves_nothing() {
        let before = StreamState { cursor: Some(cursor("1")), pending: None };
        assert_eq!(state_after(&before, None, None, vec![], true).unwrap().state, before);
    }

    #[test]
    fn a_row_that_is_not_accounted_for_is_not_reconciled() {
        let mut counts =
            StreamCounts { read: 10, quarantined: 1, sent: 9, finalized: 9, committed: 9, ..StreamCounts::default() };
        assert!(counts.reconciled());
        counts.committed = 8;
        assert!(!counts.reconciled());
    }
}
