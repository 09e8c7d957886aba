//! Marks: what a table says of the load that came last, and what it means if the store expects another.
//!
//! A store that was restored from an old backup does not know what was loaded since: its cursors would load those rows again. The
//! table knows. Before a load becomes visible, the sink puts the load's mark on the table; before a stream is read, the mark
//! must be the one that the store expects. The same comparison finds a table that was put back, or made anew, under a cursor that
//! is ahead of it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Actor, Kind, RunError};
use crate::load::{LoadId, TableName};

/// Whose marks they are: one stream of one pipeline. Several may write to one table, each with a mark of its own. Lower-case
/// letters, digits and `_`, fewer than 63 characters, a letter first: so it can be the key of a BigQuery label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Author(String);

impl Author {
    /// The author of the marks of a stream.
    pub fn new(tenant: &str, pipeline: &str, stream: &str) -> Self {
        let mut digest = Sha256::new();
        for part in [tenant, pipeline, stream] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let digest = crate::hex(digest.finalize().get(..10).unwrap_or_default());
        Self(format!("sluice_{digest}"))
    }

    /// The author as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a sink finds where an author's mark would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The sink keeps no marks, because it keeps nothing.
    NotKept,
    /// There is no such table.
    NoTable,
    /// The table has no mark of this author.
    Unmarked,
    /// This load put its mark there last.
    Marked(LoadId),
}

impl Standing {
    /// The load whose mark was found.
    pub fn load(&self) -> Option<&LoadId> {
        match self {
            Self::Marked(load) => Some(load),
            Self::NotKept | Self::NoTable | Self::Unmarked => None,
        }
    }
}

/// What the store knows of a stream's mark on a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// The load whose mark was there when the store last knew.
    pub last: Option<LoadId>,
    /// A load that was about to put its mark there. Whether it did is not known.
    pub intended: Option<LoadId>,
}

/// Whether a stream may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The table is as the store expects it.
    Fits,
    /// The same, and now it is known whether the intended mark was made: this one stands.
    Stands(LoadId),
    /// The table and the store do not tell the same story.
    Diverged(Divergence),
}

/// How a table and the store differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Divergence {
    /// The table was marked last by a load that the store does not expect.
    Other {
        /// The load whose mark is there.
        found: LoadId,
        /// The load whose mark was expected, if any was.
        last: Option<LoadId>,
    },
    /// A load was committed into a table that does not exist any more, or is another one now.
    Gone {
        /// The load.
        last: LoadId,
        /// Whether there is a table of this name.
        exists: bool,
    },
    /// A load put its mark there and what it had stored is gone: nobody can tell whether it was committed.
    Unclear {
        /// The load.
        load: LoadId,
    },
}

/// Compares what stands on a table with what the store expects.
///
/// `builds_on_it` says whether the next read of the stream starts where an earlier one ended. A read from the beginning brings all
/// rows, so it misses none in a table that was made anew.
pub fn compare(expected: &Expected, standing: &Standing, builds_on_it: bool) -> Verdict {
    match (standing, expected) {
        (Standing::NotKept, _) => Verdict::Fits,
        (Standing::Marked(found), Expected { last, intended }) => {
            let known = last.as_ref() == Some(found) || intended.as_ref() == Some(found);
            match (known, intended) {
                (true, Some(_)) => Verdict::Stands(found.clone()),
                (true, None) => Verdict::Fits,
                (false, _) => Verdict::Diverged(Divergence::Other { found: found.clone(), last: last.clone() }),
            }
        }
        (Standing::NoTable | Standing::Unmarked, Expected { last: Some(last), .. }) if builds_on_it => {
            let exists = *standing == Standing::Unmarked;
            Verdict::Diverged(Divergence::Gone { last: last.clone(), exists })
        }
        (Standing::NoTable | Standing::Unmarked, _) => Verdict::Fits,
    }
}

/// Whether the rows of a load may be read again, whose commit was recorded and which the sink does not know any more: only if its mark
/// shows that the sink was never asked to commit it. Sinks forget what they have committed after some days.
///
/// # Errors
/// How they differ.
pub fn may_read_again(expected: &Expected, standing: &Standing) -> Result<(), Divergence> {
    match (standing, &expected.intended) {
        (Standing::Marked(found), Some(intended)) if found == intended && expected.last.as_ref() != Some(found) => {
            Err(Divergence::Unclear { load: found.clone() })
        }
        _ => Ok(()),
    }
}

impl Divergence {
    /// The error that a stream ends with, before anything of it is read or written. `committed` says whether the store has the found
    /// load as a committed one: then the table is what was put back.
    pub fn refusal(&self, table: &TableName, committed: bool) -> RunError {
        let message = match self {
            Self::Other { found, last } if committed => format!(
                "table {table} was put back to an earlier version: load {found} came last by the table's mark, but {} was \
                 committed into it later, and those rows are missing; nothing was read or written. Put the table as it was back, or \
                 load the stream from its beginning into an empty table, or set the stream's state to where the table's rows end. \
                 {ACCEPT}",
                named(last.as_ref())
            ),
            Self::Other { found, last } => format!(
                "the state is older than table {table}: load {found} came last by the table's mark, and the state does not know that it \
                 was committed (the last that it knows of is {}). Either an old backup of the state was restored, or another \
                 installation loads this stream into the table. Rows would be loaded twice or be missing, so nothing was read or \
                 written. Restore a newer backup of the state; or set the stream's state to where the table's rows end, or empty the \
                 table and load the stream from its beginning. {ACCEPT}",
                named(last.as_ref())
            ),
            Self::Gone { last, exists } => format!(
                "load {last} was committed into table {table}, which {}: what was loaded before is missing there, and only newer rows \
                 would be added, so nothing was read or written. Load the stream from its beginning, or put the table back. {ACCEPT}",
                if *exists { "has been made anew since (it has no mark)" } else { "does not exist any more" }
            ),
            Self::Unclear { load } => format!(
                "load {load} was about to be committed into table {table} when its process ended, and the sink has forgotten by now \
                 whether it was; nothing was read or written. Look whether its rows are in the table. If they are, set the \
                 stream's state to where they end; if they are not, the state is right as it is. {ACCEPT}"
            ),
        };
        RunError::new(Kind::Diverged, Actor::User, message)
    }
}

/// How a person says that the table is to be taken as it is.
const ACCEPT: &str = "Then run once with `--accept-table-state`; in the service, setting or resetting the stream's state after this \
                      error does the same";

fn named(load: Option<&LoadId>) -> String {
    load.map_or_else(|| "none".to_owned(), |load| format!("load {load}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(run: &str) -> LoadId {
        LoadId::new(run, 0)
    }

    fn expected(last: Option<&str>, intended: Option<&str>) -> Expected {
        Expected { last: last.map(load), intended: intended.map(load) }
    }

    fn marked(run: &str) -> Standing {
        Standing::Marked(load(run))
    }

    fn table() -> TableName {
        TableName { dataset: "d".into(), table: "t".into() }
    }

    #[test]
    fn an_author_is_a_label_key_and_no_two_streams_share_one() {
        let author = Author::new("local", "shop", "public.orders");
        assert_eq!(author, Author::new("local", "shop", "public.orders"));
        assert!(author.as_str().len() < 63 && author.as_str().starts_with("sluice_"));
        let label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(author.as_str().chars().all(label));
        for other in
            [("local", "shop", "public.order"), ("local", "shoppublic", ".orders"), ("l", "ocalshop", "public.orders")]
        {
            assert_ne!(author, Author::new(other.0, other.1, other.2));
        }
    }

    #[test]
    fn the_mark_of_the_last_commit_fits() {
        assert_eq!(compare(&expected(Some("a"), None), &marked("a"), true), Verdict::Fits);
    }

    #[test]
    fn after_a_crash_the_mark_of_before_and_the_intended_one_both_fit() {
        let crashed = expected(Some("a"), Some("b"));
        assert_eq!(compare(&crashed, &marked("a"), true), Verdict::Stands(load("a")));
        assert_eq!(compare(&crashed, &marked("b"), true), Verdict::Stands(load("b")));
    }

    #[test]
    fn a_mark_that_the_store_does_not_expect_stops_the_stream() {
        for before in [expected(None, None), expected(Some("a"), None), expected(Some("a"), Some("b"))] {
            let Verdict::Diverged(divergence) = compare(&before, &marked("c"), false) else { panic!("{before:?}") };
            let error = divergence.refusal(&table(), false);
            assert_eq!((error.kind, error.actor, error.retry), (Kind::Diverged, Actor::User, crate::Retry::Never));
            assert!(error.message.contains("d.t") && error.message.contains("load c-0"), "{error}");
        }
    }

    #[test]
    fn a_table_that_is_behind_the_store_is_told_from_a_store_that_is_behind_the_table() {
        let Verdict::Diverged(divergence) = compare(&expected(Some("b"), None), &marked("a"), true) else { panic!() };
        assert!(divergence.refusal(&table(), true).message.contains("was put back"));
        assert!(divergence.refusal(&table(), false).message.contains("the state is older"));
    }

    #[test]
    fn a_table_without_a_mark_may_be_loaded_if_none_is_expected() {
        for standing in [Standing::NoTable, Standing::Unmarked] {
            assert_eq!(compare(&expected(None, None), &standing, true), Verdict::Fits);
            assert_eq!(compare(&expected(None, Some("a")), &standing, true), Verdict::Fits, "the mark was never made");
        }
    }

    #[test]
    fn a_table_that_is_gone_stops_only_a_stream_that_would_go_on_behind_it() {
        for (standing, says) in [(Standing::NoTable, "does not exist any more"), (Standing::Unmarked, "made anew")] {
            assert_eq!(compare(&expected(Some("a"), None), &standing, false), Verdict::Fits);
            let Verdict::Diverged(divergence) = compare(&expected(Some("a"), None), &standing, true) else { panic!() };
            assert!(divergence.refusal(&table(), false).message.contains(says));
        }
    }

    #[test]
    fn a_sink_that_keeps_nothing_never_differs() {
        assert_eq!(compare(&expected(Some("a"), None), &Standing::NotKept, true), Verdict::Fits);
    }

    #[test]
    fn what_the_sink_has_forgotten_is_read_again_only_if_it_was_never_asked_to_commit_it() {
        assert_eq!(may_read_again(&expected(Some("a"), Some("b")), &marked("a")), Ok(()));
        assert_eq!(may_read_again(&expected(None, Some("b")), &Standing::Unmarked), Ok(()));
        let unclear = may_read_again(&expected(Some("a"), Some("b")), &marked("b")).unwrap_err();
        assert!(unclear.refusal(&table(), false).message.contains("load b-0"));
        assert_eq!(may_read_again(&expected(Some("b"), Some("b")), &marked("b")), Ok(()), "a person has accepted it");
    }
}
