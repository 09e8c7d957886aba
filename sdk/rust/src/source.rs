//! The trait that an author implements, and the words it uses.

use arrow_schema::SchemaRef;
use serde::de::DeserializeOwned;

use crate::{Output, Result};

/// A configuration type's JSON Schema, made by `#[derive(Config)]`.
pub trait ConfigSchema {
    /// The schema, as JSON text.
    const SCHEMA: &'static str;
    /// Top-level fields that are secrets, as a JSON array.
    const SECRETS: &'static str;
    /// The parts of an object's schema, for a type that this one is flattened into.
    const MEMBERS: ConfigMembers = ConfigMembers { properties: "", required: "", order: "", secrets: "" };
}

/// Parts of an object's JSON Schema, each without its brackets.
#[derive(Clone, Copy, Debug)]
pub struct ConfigMembers {
    /// Of `properties`.
    pub properties: &'static str,
    /// Of `required`.
    pub required: &'static str,
    /// Of `x-order`.
    pub order: &'static str,
    /// Names of secrets.
    pub secrets: &'static str,
}

/// A connector's manifest, made by `#[derive(Manifest)]`.
pub trait ConnectorManifest {
    /// The manifest, as JSON text.
    const MANIFEST: &'static str;
}

/// A source of rows. One value serves one call; after [`Source::plan`] it is kept until every split of the plan has been
/// read, so that what it holds open (a snapshot, a session) stays open.
pub trait Source: ConnectorManifest + Sized + 'static {
    /// The configuration, checked against its schema before it gets here.
    type Config: ConfigSchema + DeserializeOwned;

    /// Takes the configuration. Should not connect yet: `check` wants to report that step by step.
    ///
    /// # Errors
    /// `config` for what the schema could not catch.
    fn open(config: Self::Config) -> Result<Self>;

    /// Tries the configuration and reports each step.
    ///
    /// # Errors
    /// Only if the check itself could not be carried out; an unusable source is a report with a failed step.
    fn check(&mut self) -> Result<Vec<CheckStep>>;

    /// Lists streams, ordered by id, page by page.
    ///
    /// # Errors
    /// As the source says.
    fn discover(&mut self, filter: &DiscoverFilter, page: Option<&str>) -> Result<DiscoverPage>;

    /// Decides how to read the selected streams.
    ///
    /// # Errors
    /// `not-found` for a stream or column that is gone; others as the source says.
    fn plan(&mut self, selections: &[Selection], hints: &Hints) -> Result<Plan>;

    /// Reads one split to its end. `start` is the cursor of its last durable checkpoint.
    ///
    /// # Errors
    /// As the source says.
    fn read(&mut self, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()>;

    /// Everything up to the cursor is durable and may be forgotten at the source.
    ///
    /// # Errors
    /// As the source says; the host calls again.
    fn acknowledge(&mut self, stream: &str, cursor: &Cursor) -> Result<()> {
        let _ = (stream, cursor);
        Ok(())
    }
}

/// An opaque position, at most 64 KiB.
pub type Cursor = Vec<u8>;

/// How one step of a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It works.
    Passed,
    /// It works, but something should be known.
    Warned,
    /// It does not work.
    Failed,
    /// It was not tried.
    Skipped,
}

/// One step of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl CheckStep {
    /// A step that worked.
    pub fn passed(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { name: name.into(), outcome: Outcome::Passed, detail: detail.into(), remedy: String::new() }
    }

    /// A step that worked, with something that should be known.
    pub fn warned(name: impl Into<String>, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name: name.into(), outcome: Outcome::Warned, detail: detail.into(), remedy: remedy.into() }
    }

    /// A step that failed.
    pub fn failed(name: impl Into<String>, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name: name.into(), outcome: Outcome::Failed, detail: detail.into(), remedy: remedy.into() }
    }

    /// A step that was not tried, because an earlier one failed.
    pub fn skipped(name: impl Into<String>) -> Self {
        let detail = "not tried, because an earlier step failed".to_owned();
        Self { name: name.into(), outcome: Outcome::Skipped, detail, remedy: String::new() }
    }
}

/// Which streams to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiscoverFilter {
    /// Only ids that contain this text, ignoring case; empty means all.
    pub contains: String,
    /// Only these ids; empty means all.
    pub ids: Vec<String>,
    /// At most this many streams on a page.
    pub page_size: u32,
}

/// What a stream is at its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// A stream that the connection offers.
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
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DiscoverPage {
    /// Ordered by id.
    pub streams: Vec<StreamInfo>,
    /// For the next call; none on the last page.
    pub next: Option<String>,
}

/// How a stream is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadMode {
    /// Every row.
    Full,
    /// Rows beyond the state; names the cursor column, or is empty where the source needs none.
    Incremental(String),
}

/// What an incremental read does with a file that was read before and has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChangedFiles {
    /// The whole file is read again and its rows are added.
    #[default]
    Append,
    /// Only what was added to the file is read.
    Tail,
    /// The whole file is read again, and its rows take the place of those that the table has of it.
    Replace,
    /// It stays as it was read.
    Ignore,
    /// Planning fails and names the file.
    Fail,
}

/// A stream that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The stream.
    pub id: String,
    /// Columns wanted, in this order; empty means all.
    pub columns: Vec<String>,
    /// How it is read.
    pub mode: ReadMode,
    /// A row restriction in the source's own language.
    pub filter: Option<String>,
    /// What changed files come to, where the pipeline says so; only for connectors with the capability `changed_files`.
    pub changed_files: Option<ChangedFiles>,
    /// The committed state.
    pub state: Option<Cursor>,
}

/// What the host would like of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hints {
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
    /// Exactly what every batch will look like.
    pub schema: SchemaRef,
    /// Estimated rows.
    pub rows: Option<u64>,
    /// Estimated bytes.
    pub bytes: Option<u64>,
    /// The state once all splits are committed, where it is known beforehand.
    pub state_after: Option<Cursor>,
}

/// An independent part of a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Unique within the plan, at most 200 characters.
    pub id: String,
    /// Streams whose rows it yields.
    pub streams: Vec<String>,
    /// Everything that `read` needs, at most 1 MiB.
    pub descriptor: Vec<u8>,
    /// Estimated rows.
    pub rows: Option<u64>,
    /// Estimated bytes.
    pub bytes: Option<u64>,
    /// True if it still means the same rows after the planning instance is gone.
    pub resumable: bool,
}

/// How the selected streams will be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// One for each selection.
    pub streams: Vec<StreamPlan>,
    /// Disjoint and together complete.
    pub splits: Vec<Split>,
    /// True if the source forgets after some time what resumable splits stand for, and a new plan would divide the rows in
    /// another way. `read` answers [`ErrorKind::Expired`](crate::ErrorKind::Expired) then, and the host plans anew.
    pub expires: bool,
}
