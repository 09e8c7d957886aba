//! A run as it was asked for: why, and where it is.

use serde::{Deserialize, Serialize};

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestState {
    /// It waits: for its time, for its turn, or for another attempt.
    Queued,
    /// An attempt is under way.
    Running,
    /// Every stream is committed and reconciled.
    Succeeded,
    /// The last attempt failed, and there is none after it.
    Failed,
    /// It was stopped at a checkpoint; the next run goes on from there.
    Stopped,
    /// Somebody cancelled it, or a later moment of its schedule did.
    Cancelled,
    /// It was never started; the reason is recorded.
    Skipped,
}

impl RequestState {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Stopped, Self::Cancelled, Self::Skipped];

    /// The word for it, in the API and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }

    /// The state of a word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing can happen to it any more.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// Why there is a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A person or a program asked for it.
    Manual,
    /// Its schedule came due.
    Scheduled,
    /// One of a range of days that somebody asked for.
    Backfill,
}

impl Cause {
    /// The word for it, in the API and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Scheduled => "scheduled",
            Self::Backfill => "backfill",
        }
    }

    /// The cause of a word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Manual, Self::Scheduled, Self::Backfill].into_iter().find(|cause| cause.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_found_again_by_its_word_and_spelled_alike_everywhere() {
        for state in RequestState::ALL {
            assert_eq!(RequestState::parse(state.as_str()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        for cause in [Cause::Manual, Cause::Scheduled, Cause::Backfill] {
            assert_eq!(Cause::parse(cause.as_str()), Some(cause));
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
        }
    }
}
