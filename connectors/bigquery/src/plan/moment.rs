//! The moment as of which the tables of a plan are read.
//!
//! It must be one for all of them, not in the future of BigQuery's clock, and not before anything that the plan relies on: a
//! row that a bound has counted in must be there. So it is the latest time that BigQuery itself has told: of an answer, of
//! the end of a bound's query, of a table's last change.

use crate::rest::model::Table;

/// What BigQuery has told of its clock; milliseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Moment {
    latest: Option<i64>,
}

impl Moment {
    /// An answer came, dated by the server to the second.
    pub(super) fn answered(&mut self, date: Option<i64>) {
        self.latest = self.latest.max(date);
    }

    /// A table was changed.
    pub(super) fn changed(&mut self, at: Option<i64>) {
        self.latest = self.latest.max(at);
    }

    /// A job ended.
    pub(super) fn ended(&mut self, at: Option<i64>) {
        self.latest = self.latest.max(at);
    }

    /// The moment for this table; none where time travel is not possible or makes no difference.
    pub(super) fn of(&self, table: &Table) -> Option<i64> {
        // A snapshot never changes.
        if table.r#type == "SNAPSHOT" { None } else { self.latest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moment_is_after_everything_that_the_plan_has_seen() {
        let mut moment = Moment::default();
        moment.answered(Some(5_000));
        moment.changed(Some(5_300));
        moment.answered(None);
        moment.ended(Some(5_900));
        moment.answered(Some(5_000));
        assert_eq!(moment.of(&Table::default()), Some(5_900));
        assert_eq!(moment.of(&Table { r#type: "SNAPSHOT".into(), ..Table::default() }), None);
    }
}
