//! What came out, for people and for programs.

use std::fmt::Write as _;

use serde::Serialize;

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "detail", rename_all = "lowercase")]
pub enum Verdict {
    /// It holds; what was seen.
    Passed(String),
    /// It does not hold; what was seen, and what should have been.
    Failed(String),
    /// It was not tried; why.
    Skipped(String),
}

/// A check that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Its name.
    pub name: String,
    /// What it asks.
    pub asks: String,
    /// What it came to.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// How long it took.
    pub milliseconds: u64,
}

/// What all checks came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The connector's name.
    pub connector: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the component.
    pub digest: String,
    /// True if no check failed.
    pub conforms: bool,
    /// Hosts that were asked for, and whether the manifest declares them.
    pub hosts: Vec<String>,
    /// Each check, in the order in which they were made.
    pub checks: Vec<Checked>,
}

impl Report {
    /// How many checks passed, failed and were skipped.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |wanted: fn(&Verdict) -> bool| self.checks.iter().filter(|check| wanted(&check.verdict)).count();
        (
            count(|verdict| matches!(verdict, Verdict::Passed(_))),
            count(|verdict| matches!(verdict, Verdict::Failed(_))),
            count(|verdict| matches!(verdict, Verdict::Skipped(_))),
        )
    }

    /// The last line of the report for people.
    pub fn summary(&self) -> String {
        let (passed, failed, skipped) = self.counts();
        let judgement = if self.conforms { "conforms" } else { "does not conform" };
        let mut text = format!("{} {} {judgement}: {passed} passed", self.connector, self.version);
        // Writing to a text cannot fail.
        let _ = write!(text, ", {failed} failed, {skipped} skipped");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_and_is_json() {
        let check = |verdict| Checked { name: "n".into(), asks: "a".into(), verdict, milliseconds: 3 };
        let report = Report {
            connector: "shop".into(),
            version: "1.0.0".into(),
            digest: "ab".into(),
            conforms: false,
            hosts: vec![],
            checks: vec![
                check(Verdict::Passed("p".into())),
                check(Verdict::Failed("f".into())),
                check(Verdict::Skipped("s".into())),
            ],
        };
        assert_eq!(report.summary(), "shop 1.0.0 does not conform: 1 passed, 1 failed, 1 skipped");
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(
            json["checks"][1],
            serde_json::json!({"name": "n", "asks": "a", "outcome": "failed", "detail": "f", "milliseconds": 3})
        );
    }
}
