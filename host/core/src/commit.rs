//! When a load may be committed, and what became of a commit whose answer was lost.
//!
//! The order is always: sink durable, then state durable, then the source is told. A [`CommitPermit`] is the only
//! thing a sink commits, and [`permit`] is the only way to get one: from receipts whose counts agree.

use serde::{Deserialize, Serialize};

use crate::error::{Actor, Kind, RunError};
use crate::load::{Artifact, LoadId, LoadStrategy, SplitReceipt, TableName};

/// What is known when all splits of a load have ended.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The load.
    pub load: LoadId,
    /// The table.
    pub table: TableName,
    /// How rows get in.
    pub strategy: LoadStrategy,
    /// Splits that the plan named and that this commit covers, with the rows that each one's transform let through.
    pub expected: Vec<ExpectedSplit>,
    /// What the sink confirmed.
    pub receipts: Vec<SplitReceipt>,
    /// Where the names of the files are whose rows the load replaces; empty if it replaces none.
    pub replaced: Vec<Artifact>,
}

/// How many rows of a split were handed to the sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedSplit {
    /// The split.
    pub split: String,
    /// Rows that left the transform.
    pub rows: u64,
}

/// What is to be committed, written to the state store before the sink is asked: whoever finds it after a crash can ask
/// the sink what became of it, and go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitIntent {
    /// The load.
    pub load: LoadId,
    /// The table.
    pub table: TableName,
    /// How rows get in.
    pub strategy: LoadStrategy,
    /// Everything that becomes visible together.
    pub artifacts: Vec<Artifact>,
    /// Rows in them.
    pub rows: u64,
    /// Where the names of the files are whose rows go in the moment in which these become visible.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<Artifact>,
}

impl CommitIntent {
    /// Everything that the load has at the sink.
    pub fn all_artifacts(&self) -> impl Iterator<Item = &Artifact> {
        self.artifacts.iter().chain(&self.replaced)
    }
}

/// Permission to make a load's rows visible. Can only be built from evidence that agrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitPermit {
    intent: CommitIntent,
}

impl CommitPermit {
    /// What is to be committed.
    pub fn intent(&self) -> &CommitIntent {
        &self.intent
    }

    /// A permit to carry out a recorded intent, after the sink has said that it is intact but not committed.
    pub fn from_settled(intent: CommitIntent, settled: &Settled) -> Option<Self> {
        matches!(settled, Settled::Intact).then_some(Self { intent })
    }
}

/// What a sink finds when it is asked about an intent whose commit was never answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Settled {
    /// It was committed: every row is visible.
    Committed {
        /// The sink's own words for the commit.
        reference: String,
    },
    /// Nothing is visible, and everything is still there: it can be committed now.
    Intact,
    /// Nothing is visible and something is gone: the rows have to be read again.
    Lost {
        /// What is gone.
        reason: String,
    },
}

/// How a commit failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The sink refused: nothing is visible.
    #[error("the commit was refused: {0}")]
    Refused(RunError),
    /// No answer came: it may or may not be visible; [`Settled`] will tell.
    #[error("the commit's outcome is unknown: {0}")]
    Unclear(RunError),
}

/// Decides whether a load may be committed.
///
/// # Errors
/// If a split has no receipt, two receipts, or one that the plan does not know; if rows sent, finalized and expected are not
/// the same number; or if an artifact is not finalized. All are defects, and none of them is committed.
pub fn permit(evidence: Evidence) -> Result<CommitPermit, RunError> {
    let mut artifacts = Vec::new();
    let mut rows = 0_u64;
    for expected in &evidence.expected {
        let mut receipts = evidence.receipts.iter().filter(|receipt| receipt.split == expected.split);
        let receipt =
            receipts.next().ok_or_else(|| disagree(&evidence, &expected.split, "the sink gave no receipt"))?;
        if receipts.next().is_some() {
            return Err(disagree(&evidence, &expected.split, "the sink gave two receipts"));
        }
        check_counts(&evidence, expected, receipt)?;
        rows = rows.saturating_add(receipt.rows_finalized);
        artifacts.extend(receipt.artifacts.iter().cloned());
    }
    let stranger = evidence.receipts.iter().find(|r| !evidence.expected.iter().any(|e| e.split == r.split));
    if let Some(stranger) = stranger {
        return Err(disagree(&evidence, &stranger.split, "there is a receipt, but the plan has no such split"));
    }
    if let Some(open) = evidence.replaced.iter().find(|artifact| !artifact.finalized) {
        return Err(disagree(&evidence, &open.split, &format!("artifact {} is not finalized", open.name)));
    }
    if !evidence.replaced.is_empty() && evidence.strategy != LoadStrategy::Files {
        return Err(disagree(&evidence, "of replaced files", "the load's strategy replaces no files"));
    }
    let Evidence { load, table, strategy, replaced, .. } = evidence;
    Ok(CommitPermit { intent: CommitIntent { load, table, strategy, artifacts, rows, replaced } })
}

fn check_counts(evidence: &Evidence, expected: &ExpectedSplit, receipt: &SplitReceipt) -> Result<(), RunError> {
    let in_artifacts = receipt.artifacts.iter().fold(0_u64, |sum, artifact| sum.saturating_add(artifact.rows));
    if receipt.rows_sent != expected.rows || receipt.rows_finalized != expected.rows || in_artifacts != expected.rows {
        let what = format!(
            "{} rows left the transform, {} were sent, {} are finalized and the artifacts hold {}",
            expected.rows, receipt.rows_sent, receipt.rows_finalized, in_artifacts
        );
        return Err(disagree(evidence, &expected.split, &what));
    }
    if let Some(open) = receipt.artifacts.iter().find(|artifact| !artifact.finalized) {
        return Err(disagree(evidence, &expected.split, &format!("artifact {} is not finalized", open.name)));
    }
    Ok(())
}

fn disagree(evidence: &Evidence, split: &str, what: &str) -> RunError {
    let message = format!(
        "load {} into {} was not committed, because its counts do not agree: split {split}: {what}; \
         nothing is visible, run the pipeline again",
        evidence.load, evidence.table
    );
    RunError::new(Kind::Internal, Actor::Host, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(split: &str, rows: u64) -> SplitReceipt {
        let artifact = Artifact {
            load: LoadId::new("r", 0),
            split: split.into(),
            name: format!("stream-{split}"),
            rows,
            bytes: 1,
            finalized: true,
        };
        SplitReceipt { split: split.into(), artifacts: vec![artifact], rows_sent: rows, rows_finalized: rows, bytes: 1 }
    }

    fn evidence(receipts: Vec<SplitReceipt>) -> Evidence {
        let expected =
            [("a", 3), ("b", 4)].map(|(split, rows)| ExpectedSplit { split: split.into(), rows }).into_iter().collect();
        let table = TableName { dataset: "d".into(), table: "t".into() };
        Evidence {
            load: LoadId::new("r", 0),
            table,
            strategy: LoadStrategy::Transactional,
            expected,
            receipts,
            replaced: vec![],
        }
    }

    #[test]
    fn matching_counts_give_a_permit_for_every_artifact() {
        let permit = permit(evidence(vec![receipt("a", 3), receipt("b", 4)])).unwrap();
        assert_eq!(permit.intent().rows, 7);
        assert_eq!(permit.intent().artifacts.len(), 2);
    }

    #[test]
    fn a_missing_receipt_is_never_committed() {
        let error = permit(evidence(vec![receipt("a", 3)])).unwrap_err();
        assert!(error.message.contains("split b: the sink gave no receipt"), "{error}");
    }

    #[test]
    fn a_row_too_few_is_never_committed() {
        let error = permit(evidence(vec![receipt("a", 3), receipt("b", 3)])).unwrap_err();
        assert!(error.message.contains("4 rows left the transform, 3 were sent"), "{error}");
    }

    #[test]
    fn a_receipt_nobody_expects_is_never_committed() {
        let error = permit(evidence(vec![receipt("a", 3), receipt("b", 4), receipt("c", 1)])).unwrap_err();
        assert!(error.message.contains("split c"), "{error}");
    }

    #[test]
    fn the_same_split_twice_is_never_committed() {
        let error = permit(evidence(vec![receipt("a", 3), receipt("a", 3), receipt("b", 4)])).unwrap_err();
        assert!(error.message.contains("two receipts"), "{error}");
    }

    #[test]
    fn an_open_artifact_is_never_committed() {
        let mut open = receipt("b", 4);
        open.artifacts[0].finalized = false;
        let error = permit(evidence(vec![receipt("a", 3), open])).unwrap_err();
        assert!(error.message.contains("not finalized"), "{error}");
    }

    #[test]
    fn names_of_replaced_files_that_may_be_incomplete_are_never_committed() {
        let mut names = receipt("names", 2).artifacts;
        names[0].finalized = false;
        let mut evidence = evidence(vec![receipt("a", 3), receipt("b", 4)]);
        evidence.replaced = names;
        evidence.strategy = LoadStrategy::Files;
        let error = permit(evidence.clone()).unwrap_err();
        assert!(error.message.contains("not finalized"), "{error}");
        evidence.replaced[0].finalized = true;
        assert_eq!(permit(evidence.clone()).unwrap().intent().rows, 7, "names are no rows");
        evidence.strategy = LoadStrategy::Transactional;
        assert!(permit(evidence).unwrap_err().message.contains("replaces no files"));
    }

    #[test]
    fn only_an_intact_intent_may_be_committed_after_a_crash() {
        let intent = permit(evidence(vec![receipt("a", 3), receipt("b", 4)])).unwrap().intent().clone();
        assert!(CommitPermit::from_settled(intent.clone(), &Settled::Intact).is_some());
        assert!(CommitPermit::from_settled(intent, &Settled::Committed { reference: "x".into() }).is_none());
    }
}
