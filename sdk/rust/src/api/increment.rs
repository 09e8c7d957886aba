//! Reading what is new: from where, up to where, and in which windows.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::columns::{Key, Ordered};
use crate::{Cursor, Error, Result};

/// Form of states; a newer connector reads what an older one stored.
const VERSION: u32 = 1;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// How an API is asked for records beyond a value of a column, which should be one that every change of a record sets anew.
///
/// A state is the greatest value that was read. Records with that value or a smaller one are left out when the API sends them again,
/// so it does not matter whether its parameter includes the value.
///
/// Where the column is a moment ([`Type::Timestamp`](super::Type::Timestamp) and those since 1970), records of the last seconds are
/// left to the next run ([`Increment::settle`]): another record with the very same moment may still be on its way, and would be
/// taken for one that was read.
#[derive(Clone, Debug)]
pub struct Increment {
    pub(super) column: String,
    pub(super) since: String,
    pub(super) until: Option<String>,
    pub(super) ascending: bool,
    settle: Duration,
    windows: Option<(u32, String)>,
}

impl Increment {
    /// By this column; `since` is the request's parameter that leaves out records with smaller values.
    pub fn by(column: impl Into<String>, since: impl Into<String>) -> Self {
        let (column, since) = (column.into(), since.into());
        Self { column, since, until: None, ascending: false, settle: Duration::from_secs(5), windows: None }
    }

    /// The API sorts records by the column, the smallest value first. Then a read that is interrupted goes on from its last
    /// checkpoint, not from its beginning. That they are sorted is checked as they come.
    #[must_use]
    pub fn ascending(mut self) -> Self {
        self.ascending = true;
        self
    }

    /// The request's parameter that leaves out records with greater values.
    #[must_use]
    pub fn until(mut self, param: impl Into<String>) -> Self {
        self.until = Some(param.into());
        self
    }

    /// How old a record must be before it is read; 5 seconds otherwise. For columns that are moments.
    #[must_use]
    pub fn settle(mut self, age: Duration) -> Self {
        self.settle = age;
        self
    }

    /// Asks for so many days at a time, the first ones since `first` (spelled as the API spells the column): for APIs that get slow, or
    /// refuse, where too much is asked for at once. Each window's end is a checkpoint. Needs [`Increment::until`] and a column that is
    /// a moment.
    #[must_use]
    pub fn windows(mut self, days: u32, first: impl Into<String>) -> Self {
        self.windows = Some((days.max(1), first.into()));
        self
    }

    /// Up to where a plan that is made now reads; none if there is no such bound.
    pub(super) fn bound(&self, ordered: &Ordered, now: i64) -> Option<Key> {
        let settle = i64::try_from(self.settle.as_micros()).unwrap_or(i64::MAX);
        ordered.moment(now.saturating_sub(settle))
    }

    /// What is asked for one after the other: values beyond the first and up to the second.
    pub(super) fn ranges(&self, ordered: &Ordered, from: Option<Key>, until: Option<Key>) -> Result<Vec<Range>> {
        if let (Some(from), Some(until)) = (&from, &until)
            && from >= until
        {
            return Ok(Vec::new());
        }
        let Some((days, first)) = &self.windows else { return Ok(vec![Range { from, until }]) };
        let wrong =
            || Error::internal(format!("windows of column {} need a moment and a parameter `until`", ordered.name));
        let Some(Key::Number(end)) = until else { return Err(wrong()) };
        if self.until.is_none() {
            return Err(wrong());
        }
        let mut ranges = Vec::new();
        let mut low = from;
        let mut start = match &low {
            Some(Key::Number(start)) => *start,
            _ => match ordered.parse(first)? {
                Key::Number(start) => start,
                Key::Text(_) => return Err(wrong()),
            },
        };
        loop {
            let high = start.saturating_add(i64::from(*days).saturating_mul(DAY)).min(end);
            ranges.push(Range { from: low, until: Some(Key::Number(high)) });
            if high >= end {
                return Ok(ranges);
            }
            (low, start) = (Some(Key::Number(high)), high);
        }
    }

    /// The parameters that ask for a range.
    pub(super) fn query(&self, ordered: &Ordered, range: &Range) -> Vec<(String, String)> {
        let since = range.from.as_ref().map(|key| (self.since.clone(), ordered.show(key)));
        let until =
            self.until.as_ref().zip(range.until.as_ref()).map(|(param, key)| (param.clone(), ordered.show(key)));
        since.into_iter().chain(until).collect()
    }
}

/// Values beyond the first, up to and with the second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) from: Option<Key>,
    pub(super) until: Option<Key>,
}

impl Range {
    pub(super) fn holds(&self, key: &Key) -> bool {
        self.from.as_ref().is_none_or(|from| key > from) && self.until.as_ref().is_none_or(|until| key <= until)
    }
}

/// What is kept between runs.
#[derive(Serialize, Deserialize)]
struct State {
    version: u32,
    column: String,
    value: Option<String>,
}

/// The state up to a key; none where there was no record yet.
pub(super) fn encode(ordered: &Ordered, key: Option<&Key>) -> Result<Cursor> {
    let value = key.map(|key| ordered.show(key));
    Ok(serde_json::to_vec(&State { version: VERSION, column: ordered.name.clone(), value })?)
}

/// The key that was stored.
pub(super) fn decode(ordered: &Ordered, cursor: &[u8]) -> Result<Option<Key>> {
    let hint = "reset the stream's state to read all rows again";
    let state: State = serde_json::from_slice(cursor)
        .map_err(|error| Error::config(format!("the stored state is not one of this connector's ({error}); {hint}")))?;
    if state.version != VERSION {
        let message = format!(
            "the stored state has form {}, and this connector knows form {VERSION}; use a newer one",
            state.version
        );
        return Err(Error::unsupported(message));
    }
    if state.column != ordered.name {
        let message = format!("the stored state belongs to column {}, not {}; {hint}", state.column, ordered.name);
        return Err(Error::config(message));
    }
    state.value.map(|value| ordered.parse(&value)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::api::{Columns, Type};

    fn ordered() -> Ordered {
        Columns::new().required("t", Type::Timestamp).ordered("t").unwrap()
    }

    fn key(text: &str) -> Option<Key> {
        Some(ordered().parse(text).unwrap())
    }

    #[test]
    fn windows_follow_each_other_without_a_gap_and_end_at_the_bound() {
        let increment = Increment::by("t", "since").until("until").windows(1, "2024-01-01T00:00:00Z");
        let ranges = increment.ranges(&ordered(), None, key("2024-01-03T12:00:00Z")).unwrap();
        let shown: Vec<_> = ranges.iter().map(|range| increment.query(&ordered(), range)).collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            shown[0],
            [pair("until", "2024-01-02T00:00:00Z")],
            "what is older than the first day is read with it"
        );
        assert_eq!(shown[1], [pair("since", "2024-01-02T00:00:00Z"), pair("until", "2024-01-03T00:00:00Z")]);
        assert_eq!(shown[2], [pair("since", "2024-01-03T00:00:00Z"), pair("until", "2024-01-03T12:00:00Z")]);
        assert_eq!(shown.len(), 3);
    }

    #[test]
    fn a_state_from_the_future_leaves_nothing_to_ask_for() {
        let increment = Increment::by("t", "since");
        assert_eq!(increment.ranges(&ordered(), key("9999-01-01T00:00:00Z"), key("2024-01-01T00:00:00Z")).unwrap(), []);
    }

    #[test]
    fn what_is_too_young_is_left_to_the_next_run() {
        let increment = Increment::by("t", "since").settle(Duration::from_secs(10));
        assert_eq!(increment.bound(&ordered(), 60_000_000), Some(Key::Number(50_000_000)));
        let number = Columns::new().required("n", Type::Int).ordered("n").unwrap();
        assert_eq!(increment.bound(&number, 60_000_000), None);
    }

    #[test]
    fn states_come_back_and_those_of_others_are_refused() {
        let stored = encode(&ordered(), key("2024-01-01T00:00:00.000001Z").as_ref()).unwrap();
        assert_eq!(stored, br#"{"version":1,"column":"t","value":"2024-01-01T00:00:00.000001Z"}"#);
        assert_eq!(decode(&ordered(), &stored).unwrap(), key("2024-01-01T00:00:00.000001Z"));
        assert_eq!(decode(&ordered(), &encode(&ordered(), None).unwrap()).unwrap(), None);
        let refused = |text: &str| decode(&ordered(), text.as_bytes()).unwrap_err().kind;
        assert_eq!(refused("hello"), ErrorKind::Config);
        assert_eq!(refused(r#"{"version":2,"column":"t","value":null}"#), ErrorKind::Unsupported);
        assert_eq!(refused(r#"{"version":1,"column":"u","value":null}"#), ErrorKind::Config);
    }
}
