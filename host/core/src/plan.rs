//! What a connector offers and plans, in the host's own words. The runtime's adapters turn each version of the contract
//! into these; nothing above the runtime sees a WIT type.

use std::fmt;

use arrow_schema::SchemaRef;
use serde::{Deserialize, Serialize};

use crate::error::{Actor, Kind, RunError};

/// A connector's opaque position; at most [`Cursor::MAX_BYTES`].
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub Vec<u8>);

impl Cursor {
    /// The contract's bound on a cursor.
    pub const MAX_BYTES: usize = 64 << 10;
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({} bytes: {})", self.0.len(), String::from_utf8_lossy(&self.0))
    }
}

/// How one step of a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It works.
    Passed,
    /// It works, but something should be known.
    Warned,
    /// It does not work.
    Failed,
    /// It was not tried, because an earlier step failed.
    Skipped,
}

/// One step of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckStep {
    /// What was tried.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found.
    pub detail: String,
    /// What a person can do; empty when it passed.
    pub remedy: String,
}

/// Which streams to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscoverFilter {
    /// Ids that contain this text, ignoring case; empty means all.
    pub contains: String,
    /// Exactly these ids; empty means all.
    pub ids: Vec<String>,
    /// At most this many on a page.
    pub page_size: u32,
}

/// What a stream is at its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StreamKind {
    /// A table.
    Table,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A table whose rows are in its partitions.
    PartitionedTable,
    /// A query.
    Query,
    /// Files.
    Files,
    /// Anything else.
    Other,
}

/// A stream that a connection offers.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamInfo {
    /// Unique and stable within the connection.
    pub id: String,
    /// What it is.
    pub kind: StreamKind,
    /// Its columns.
    pub schema: SchemaRef,
    /// Columns that identify a row.
    pub primary_key: Vec<String>,
    /// Columns that an incremental read could use, the best first.
    pub cursor_candidates: Vec<String>,
    /// Estimated rows.
    pub rows: Option<u64>,
    /// Estimated bytes.
    pub bytes: Option<u64>,
    /// The source's own comment.
    pub description: Option<String>,
}

/// A page of streams.
#[derive(Clone, Debug, PartialEq)]
pub struct DiscoverPage {
    /// Ordered by id.
    pub streams: Vec<StreamInfo>,
    /// For the next call; none on the last page.
    pub next: Option<String>,
}

/// Most pages that a list of streams has: whoever follows `next` further than that never arrives.
pub const MAX_DISCOVER_PAGES: usize = 1_000;

/// Follows the pages of a list of streams, which has an end although it is a guest that says what comes next.
#[derive(Clone, Debug)]
pub struct Pages {
    most: usize,
    got: usize,
    at: Option<String>,
}

impl Default for Pages {
    fn default() -> Self {
        Self::within(MAX_DISCOVER_PAGES)
    }
}

impl Pages {
    /// At the first page of at most so many.
    pub fn within(most: usize) -> Self {
        Self { most, got: 0, at: None }
    }

    /// What the page to ask for is called; none for the first one.
    pub fn at(&self) -> Option<String> {
        self.at.clone()
    }

    /// Goes on to what a page says comes next. False if there is nothing.
    ///
    /// # Errors
    /// If a page is said to come after itself, or more pages than there may be.
    pub fn follow(&mut self, next: Option<String>) -> Result<bool, RunError> {
        let endless = |what: String| {
            let message = format!("discover {what}; a list of streams has at most {} pages", self.most);
            Err(RunError::new(Kind::Sandbox, Actor::Source, message))
        };
        self.got += 1;
        match &next {
            None => return Ok(false),
            Some(_) if next == self.at => return endless("says of a page that it comes after itself".to_owned()),
            Some(_) if self.got >= self.most => {
                return endless(format!("gave {} pages and says there are more", self.got));
            }
            Some(_) => {}
        }
        self.at = next;
        Ok(true)
    }
}

/// How a stream is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadMode {
    /// Every row.
    Full,
    /// Beyond the state; names the cursor column, or is empty.
    Incremental(String),
}

/// A stream that was chosen, and where its last committed run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The stream.
    pub id: String,
    /// Columns wanted; empty means all.
    pub columns: Vec<String>,
    /// How it is read.
    pub mode: ReadMode,
    /// A row restriction in the source's language.
    pub filter: Option<String>,
    /// What a file that was read and has changed comes to, where the pipeline says so.
    pub changed_files: Option<ChangedFiles>,
    /// The committed state.
    pub state: Option<Cursor>,
}

/// What an incremental read does with a file that was read before and has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangedFiles {
    /// The whole file is read again and its rows are added: no row is missed, unchanged ones come twice.
    #[default]
    Append,
    /// Only what was added to the file is read: for files that are only ever appended to.
    Tail,
    /// The whole file is read again, and its rows take the place of those that the table has of it.
    Replace,
    /// It stays as it was read.
    Ignore,
    /// The run fails and names the file.
    Fail,
}

/// What the host would like of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanHints {
    /// Splits that can run at once.
    pub max_parallel: u32,
    /// Bytes that a split should hold.
    pub split_bytes: u64,
    /// Arrow bytes that a batch should hold.
    pub batch_bytes: u64,
}

/// What is known of a stream before it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamPlan {
    /// The stream.
    pub id: String,
    /// What every batch looks like.
    pub schema: SchemaRef,
    /// Estimated rows.
    pub rows: Option<u64>,
    /// Estimated bytes.
    pub bytes: Option<u64>,
    /// The state once all splits are committed, where it is known beforehand.
    pub state_after: Option<Cursor>,
}

/// An independent part of a read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Unique within the plan.
    pub id: String,
    /// Streams whose rows it yields.
    pub stream_ids: Vec<String>,
    /// The connector's own description.
    #[serde(with = "in_base64")]
    pub descriptor: Vec<u8>,
    /// Estimated rows.
    pub rows: Option<u64>,
    /// Estimated bytes.
    pub bytes: Option<u64>,
    /// True if another process may read it later, or go on from a checkpoint.
    pub resumable: bool,
}

/// The answer to `plan`.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadPlan {
    /// One for each selection.
    pub streams: Vec<StreamPlan>,
    /// Disjoint and together complete.
    pub splits: Vec<Split>,
    /// True if the source forgets after some time what the splits stand for, so that rows must be shown together or not at all.
    pub expires: bool,
}

/// Bytes as text: a list of numbers would take three times as much, and what a stopped run leaves over may be megabytes.
mod in_base64 {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD_NO_PAD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD_NO_PAD.decode(text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_end_even_if_a_guest_says_that_there_are_more() {
        let mut pages = Pages::within(3);
        assert_eq!((pages.at(), pages.follow(Some("b".into()))), (None, Ok(true)));
        assert_eq!((pages.at().as_deref(), pages.clone().follow(None)), (Some("b"), Ok(false)));
        let circling = pages.clone().follow(Some("b".into())).unwrap_err();
        assert!(circling.message.contains("comes after itself"), "{circling}");
        assert_eq!(pages.follow(Some("c".into())), Ok(true));
        let endless = pages.follow(Some("d".into())).unwrap_err();
        assert_eq!(
            endless.message,
            "discover gave 3 pages and says there are more; a list of streams has at most 3 pages"
        );
        assert_eq!((endless.kind, endless.actor), (Kind::Sandbox, Actor::Source));
    }

    #[test]
    fn a_split_comes_back_from_the_store_as_it_was() {
        let split = Split {
            id: "0-1".into(),
            stream_ids: vec!["s".into()],
            descriptor: (0..=255).collect(),
            rows: Some(1),
            bytes: None,
            resumable: true,
        };
        let text = serde_json::to_string(&split).unwrap();
        assert!(text.len() < 450, "{}", text.len());
        assert_eq!(serde_json::from_str::<Split>(&text).unwrap(), split);
    }
}
