//! The states of a version, and which step is allowed from which.
//!
//! ```text
//! upload -> valid -> installed <-> replaced
//!             |          |            |
//!          rejected      +-> yanked <-+      (yanked also from valid)
//! ```
//!
//! An upload that is not valid is answered with its report and never becomes a version.

use serde::{Deserialize, Serialize};

/// Where a version is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionState {
    /// It was looked at and nothing is wrong; nobody has approved it.
    Valid,
    /// Runs use it.
    Installed,
    /// Another version has taken its place.
    Replaced,
    /// Somebody has refused it. Its bytes are gone.
    Rejected,
    /// It was withdrawn: no run may use it.
    Yanked,
}

/// What is done to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionStep {
    /// Somebody has read what it asks for, and lets runs use it.
    Approve,
    /// Somebody refuses it.
    Reject,
    /// Somebody withdraws it.
    Yank,
    /// Another version takes its place.
    Replace,
    /// Runs go back to it.
    GoBack,
}

impl VersionState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Valid, Self::Installed, Self::Replaced, Self::Rejected, Self::Yanked];

    /// The word for it, in the API and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Installed => "installed",
            Self::Replaced => "replaced",
            Self::Rejected => "rejected",
            Self::Yanked => "yanked",
        }
    }

    /// The state of a word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// The state after a step.
    ///
    /// # Errors
    /// If the step is not allowed from here; the text says why and what to do.
    pub fn after(self, step: VersionStep) -> Result<Self, String> {
        use VersionStep as S;
        match (self, step) {
            (Self::Valid | Self::Replaced, S::Approve) | (Self::Replaced, S::GoBack) => Ok(Self::Installed),
            (Self::Valid, S::Reject) => Ok(Self::Rejected),
            (Self::Valid | Self::Installed | Self::Replaced, S::Yank) => Ok(Self::Yanked),
            (Self::Installed, S::Replace) => Ok(Self::Replaced),
            // What was withdrawn stays so, also once something else is in its place.
            (Self::Yanked, S::Replace) => Ok(Self::Yanked),
            (_, step) => Err(self.why_not(step)),
        }
    }

    fn why_not(self, step: VersionStep) -> String {
        let is = match self {
            Self::Valid => "nobody has approved this version",
            Self::Installed => "this version is installed",
            Self::Replaced => "this version was approved before, and another one is installed",
            Self::Rejected => "this version was rejected",
            Self::Yanked => "this version was yanked",
        };
        let so = match (self, step) {
            (Self::Rejected, _) => "upload it again to have it looked at again",
            (Self::Yanked, _) => "publish a new version, or go back to one that is not yanked",
            (Self::Installed, VersionStep::Approve) => "nothing has to be done",
            (Self::Installed | Self::Replaced, VersionStep::Reject) => "yank it",
            (Self::Valid, VersionStep::GoBack) => "approve it",
            _ => "there is nothing to do with it",
        };
        format!("{is}; {so}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_allowed_from_where_the_table_says() {
        use VersionState::{Installed, Rejected, Replaced, Valid, Yanked};
        use VersionStep as S;
        let table = [
            (S::Approve, [(Valid, Installed), (Replaced, Installed)].as_slice()),
            (S::Reject, &[(Valid, Rejected)]),
            (S::Yank, &[(Valid, Yanked), (Installed, Yanked), (Replaced, Yanked)]),
            (S::Replace, &[(Installed, Replaced), (Yanked, Yanked)]),
            (S::GoBack, &[(Replaced, Installed)]),
        ];
        for (step, allowed) in table {
            for state in VersionState::ALL {
                let expected = allowed.iter().find(|(from, _)| *from == state).map(|(_, to)| *to);
                assert_eq!(state.after(step).ok(), expected, "{step:?} from {}", state.as_str());
            }
        }
    }

    #[test]
    fn who_may_not_is_told_what_to_do() {
        let refused = VersionState::Yanked.after(VersionStep::Approve).unwrap_err();
        assert_eq!(refused, "this version was yanked; publish a new version, or go back to one that is not yanked");
        for state in VersionState::ALL {
            assert_eq!(VersionState::parse(state.as_str()), Some(state));
        }
    }
}
