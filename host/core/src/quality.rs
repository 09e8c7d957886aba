//! Data-quality checks of a stream: what a person may ask, and what the counts mean.
//!
//! The engine counts while the rows pass ([`Measured`]); [`decide`] says, before anything is committed, which checks found something.
//! A check that fails ends the run with nothing committed; one that warns is recorded. Neither ever tells a value, only
//! columns and counts.
//!
//! To add a check: add its field to [`Check`] and its rule to [`Rule`], what is counted to [`Measured`], what it means to `judge`, and
//! count it in the engine's `quality`.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Actor, Kind, RunError};

/// Most checks of a stream.
const MOST: usize = 50;

/// Most checks of a stream that need memory for each row.
const MOST_UNIQUE: usize = 4;

/// Most values that a column may be restricted to.
const MOST_VALUES: usize = 10_000;

/// One check, as a person writes it: exactly one of the rules, and what happens when it is broken. Columns have their names in
/// the table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// How many rows a run loads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowBounds>,
    /// Columns without NULL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_null: Vec<String>,
    /// Columns whose values, taken together, no two rows of the run share. Rows with NULL in one of them are not compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unique: Vec<String>,
    /// A column that has only certain values. NULL is always accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
    /// A column of times whose newest is not old. Not judged where no row has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh: Option<Fresh>,
    /// What happens when the check finds something.
    #[serde(default)]
    pub level: Level,
}

/// Bounds of the number of rows; both belong to what is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowBounds {
    /// Fewest rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
    /// Most rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

/// The values that a column may have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The column.
    pub column: String,
    /// Texts, numbers or truth values.
    pub values: Vec<Value>,
}

/// How old the newest time of a column may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fresh {
    /// A column of timestamps, date-times (taken as UTC) or dates (taken as their end, UTC).
    pub column: String,
    /// Minutes between the newest time and the commit.
    pub max_age_minutes: u32,
}

/// What happens when a check finds something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The run fails and commits nothing.
    #[default]
    Fail,
    /// The run goes on, and what was found is recorded.
    Warn,
}

/// The one rule of a check.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule<'a> {
    /// See [`Check::rows`].
    Rows(RowBounds),
    /// See [`Check::not_null`].
    NotNull(&'a [String]),
    /// See [`Check::unique`].
    Unique(&'a [String]),
    /// See [`Check::accepted`].
    Accepted(&'a Accepted),
    /// See [`Check::fresh`].
    Fresh(&'a Fresh),
}

impl Check {
    /// The check's rule; none or several are a mistake.
    fn rules(&self) -> Vec<Rule<'_>> {
        let mut rules = Vec::new();
        rules.extend(self.rows.map(Rule::Rows));
        rules.extend((!self.not_null.is_empty()).then_some(Rule::NotNull(&self.not_null)));
        rules.extend((!self.unique.is_empty()).then_some(Rule::Unique(&self.unique)));
        rules.extend(self.accepted.as_ref().map(Rule::Accepted));
        rules.extend(self.fresh.as_ref().map(Rule::Fresh));
        rules
    }

    /// The rule of a check that was validated.
    pub fn rule(&self) -> Option<Rule<'_>> {
        self.rules().into_iter().next()
    }

    /// The check in a word and its columns, as findings name it: `unique (id, day)`.
    pub fn label(&self) -> String {
        match self.rule() {
            Some(Rule::Rows(_)) => "rows".into(),
            Some(Rule::NotNull(columns)) => format!("not_null ({})", columns.join(", ")),
            Some(Rule::Unique(columns)) => format!("unique ({})", columns.join(", ")),
            Some(Rule::Accepted(accepted)) => format!("accepted ({})", accepted.column),
            Some(Rule::Fresh(fresh)) => format!("fresh ({})", fresh.column),
            None => "nothing".into(),
        }
    }

    fn validate(&self) -> Result<(), (&'static str, String)> {
        let rule = match self.rules().as_slice() {
            [one] => *one,
            [] => return Err(("", "a check has one of `rows`, `not_null`, `unique`, `accepted` and `fresh`".into())),
            _ => return Err(("", "a check has one rule; make several checks of it".into())),
        };
        let twice =
            |columns: &[String]| columns.iter().enumerate().any(|(i, c)| columns.iter().take(i).any(|o| o == c));
        match rule {
            Rule::Rows(RowBounds { min: None, max: None }) => Err((".rows", "`min`, `max` or both are needed".into())),
            Rule::Rows(RowBounds { min: Some(min), max: Some(max) }) if min > max => {
                Err((".rows", "`min` is above `max`".into()))
            }
            Rule::NotNull(columns) if twice(columns) => Err((".not_null", "a column is named twice".into())),
            Rule::Unique(columns) if twice(columns) => Err((".unique", "a column is named twice".into())),
            Rule::Accepted(accepted) if accepted.values.is_empty() || accepted.values.len() > MOST_VALUES => {
                Err((".accepted.values", format!("between 1 and {MOST_VALUES} values are named")))
            }
            Rule::Accepted(accepted)
                if accepted.values.iter().any(|v| v.is_null() || v.is_array() || v.is_object()) =>
            {
                Err((".accepted.values", "values are texts, numbers or truth values; NULL is always accepted".into()))
            }
            Rule::Fresh(fresh) if fresh.max_age_minutes == 0 => {
                Err((".fresh.max_age_minutes", "at least one minute passes until the commit".into()))
            }
            _ => Ok(()),
        }
    }
}

/// Checks the checks of a stream; the error's field begins with `checks`.
///
/// # Errors
/// Names the first field that is wrong.
pub fn validate(checks: &[Check]) -> Result<(), RunError> {
    if checks.len() > MOST {
        return Err(RunError::config("checks", format!("a stream has at most {MOST} checks")));
    }
    for (index, check) in checks.iter().enumerate() {
        check.validate().map_err(|(below, why)| RunError::config(format!("checks[{index}]{below}"), why))?;
    }
    if checks.iter().filter(|check| !check.unique.is_empty()).count() > MOST_UNIQUE {
        return Err(RunError::config("checks", format!("a stream has at most {MOST_UNIQUE} `unique` checks")));
    }
    Ok(())
}

/// What was counted for one check, over all splits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measured {
    /// Rows for the table.
    Rows(u64),
    /// NULLs of each column, in the order of the check.
    Nulls(Vec<u64>),
    /// Rows that share their values with an earlier one.
    Duplicates(u64),
    /// More rows than this, so that they were not compared.
    TooMany(u64),
    /// Rows whose value is none of the accepted ones.
    Unaccepted(u64),
    /// The newest time, microseconds since 1970; none where no row has one.
    Newest(Option<i64>),
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The check's place in the stream's list.
    pub check: usize,
    /// The check in a word and its columns.
    pub label: String,
    /// What follows.
    pub level: Level,
    /// What was counted, and what was asked; no values.
    pub message: String,
}

/// What the checks of a stream found, in their order. `complete` is false for a part of a read that was stopped: whether it has
/// enough rows, and new ones, nobody can say yet.
pub fn decide(checks: &[Check], measured: &[Measured], rows: u64, complete: bool, now: Timestamp) -> Vec<Finding> {
    let found = checks.iter().zip(measured).enumerate().filter_map(|(index, (check, measured))| {
        let message = judge(check.rule()?, measured, rows, complete, now)?;
        Some(Finding { check: index, label: check.label(), level: check.level, message })
    });
    found.collect()
}

fn judge(rule: Rule<'_>, measured: &Measured, all: u64, complete: bool, now: Timestamp) -> Option<String> {
    match (rule, measured) {
        (Rule::Rows(RowBounds { min: Some(min), .. }), Measured::Rows(rows)) if complete && *rows < min => {
            Some(format!("{rows} rows, but at least {min} are expected"))
        }
        (Rule::Rows(RowBounds { max: Some(max), .. }), Measured::Rows(rows)) if *rows > max => {
            Some(format!("{rows} rows, but at most {max} are expected"))
        }
        (Rule::NotNull(columns), Measured::Nulls(nulls)) => {
            let broken = columns.iter().zip(nulls).filter(|(_, nulls)| **nulls > 0);
            let broken: Vec<String> = broken.map(|(column, nulls)| format!("{column} in {nulls}")).collect();
            (!broken.is_empty()).then(|| format!("NULL of {all} rows: {}", broken.join(", ")))
        }
        (Rule::Unique(columns), Measured::Duplicates(rows)) if *rows > 0 => {
            Some(format!("{rows} of {all} rows repeat the {} of another row", columns.join(", ")))
        }
        (Rule::Unique(_), Measured::TooMany(most)) => {
            Some(format!("not checked: at most {most} rows of a run can be compared, and there were {all}"))
        }
        (Rule::Accepted(accepted), Measured::Unaccepted(rows)) if *rows > 0 => {
            let (column, known) = (&accepted.column, accepted.values.len());
            Some(format!("{rows} of {all} rows have in {column} none of the {known} accepted values"))
        }
        (Rule::Fresh(fresh), Measured::Newest(Some(newest))) if complete => {
            let age = now.as_microsecond().saturating_sub(*newest) / 60_000_000;
            (age > i64::from(fresh.max_age_minutes)).then(|| {
                let (column, most) = (&fresh.column, fresh.max_age_minutes);
                format!("the newest {column} is {age} minutes old, but at most {most} are allowed")
            })
        }
        _ => None,
    }
}

/// The error of a stream whose checks failed; none if nothing found is worth failing for.
pub fn failure(findings: &[Finding]) -> Option<RunError> {
    let failed: Vec<&Finding> = findings.iter().filter(|finding| finding.level == Level::Fail).collect();
    let first = failed.first()?;
    let told: Vec<String> = failed.iter().map(|finding| format!("{}: {}", finding.label, finding.message)).collect();
    let message = format!(
        "data-quality checks failed, nothing was committed: {}. Mend the source, or change the check",
        told.join("; ")
    );
    Some(RunError::new(Kind::Data, Actor::User, message).with_field(format!("checks[{}]", first.check)))
}
