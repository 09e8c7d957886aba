//! What was found when something was looked at, one thing after the other.

use serde::Serialize;
use sluice_core::plan::{CheckStep, Outcome};
use utoipa::ToSchema;

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Finding {
    /// What.
    name: String,
    /// `passed`, `warned` (it works, but something should be known), `failed`, or `skipped`.
    #[schema(value_type = String)]
    outcome: Outcome,
    /// What was found.
    detail: String,
    /// What a person can do; empty when it passed.
    remedy: String,
}

impl From<CheckStep> for Finding {
    fn from(CheckStep { name, outcome, detail, remedy }: CheckStep) -> Self {
        Self { name, outcome, detail, remedy }
    }
}

/// Each of them.
pub fn findings(steps: Vec<CheckStep>) -> Vec<Finding> {
    steps.into_iter().map(Finding::from).collect()
}
