//! Calls of an instance, and what they come to.

use arrow_schema::Schema;
use serde::{Deserialize, Serialize};

use super::Bytes;
use crate::error::RunError;
use crate::plan::{
    ChangedFiles, CheckStep, Cursor, DiscoverFilter, DiscoverPage, PlanHints, ReadMode, ReadPlan, Selection, Split,
    StreamInfo, StreamPlan,
};

/// What the host asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Call {
    /// Try the configuration.
    Check,
    /// List a page of streams.
    Discover {
        /// Which.
        filter: DiscoverFilter,
        /// Which page.
        page: Option<String>,
    },
    /// Plan a read.
    Plan {
        /// What is to be read.
        selections: Vec<Chosen>,
        /// What the host would like.
        hints: Hints,
    },
    /// Read a split of the plan before it.
    Read {
        /// The split's id.
        split: String,
        /// From where.
        start: Option<Bytes>,
        /// Once it has so many rows, the recording of it ends after the next checkpoint, or before the next batch.
        rows: Option<u64>,
    },
    /// All up to the cursor is durable.
    Acknowledge {
        /// The stream.
        stream: String,
        /// The position.
        cursor: Bytes,
    },
    /// Let go of what the plan opened.
    Close,
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Check => f.write_str("check"),
            Self::Discover { page: None, .. } => f.write_str("discover"),
            Self::Discover { page: Some(_), .. } => f.write_str("discover (a further page)"),
            Self::Plan { selections, .. } => {
                let ids: Vec<&str> = selections.iter().map(|chosen| chosen.id.as_str()).collect();
                write!(f, "plan of {}", ids.join(", "))
            }
            Self::Read { split, .. } => write!(f, "read of split {split}"),
            Self::Acknowledge { stream, .. } => write!(f, "acknowledge of {stream}"),
            Self::Close => f.write_str("close"),
        }
    }
}

/// A stream that was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// The stream.
    pub id: String,
    /// The columns wanted; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// The column by which only what is new is read; all rows if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incremental: Option<String>,
    /// A restriction in the source's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// What is done with changed files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_files: Option<ChangedFiles>,
    /// The state to go on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Bytes>,
}

impl From<&Selection> for Chosen {
    fn from(selection: &Selection) -> Self {
        Self {
            id: selection.id.clone(),
            columns: selection.columns.clone(),
            incremental: match &selection.mode {
                ReadMode::Full => None,
                ReadMode::Incremental(column) => Some(column.clone()),
            },
            filter: selection.filter.clone(),
            changed_files: selection.changed_files,
            state: selection.state.as_ref().map(|cursor| Bytes(cursor.0.clone())),
        }
    }
}

impl From<&Chosen> for Selection {
    fn from(chosen: &Chosen) -> Self {
        Self {
            id: chosen.id.clone(),
            columns: chosen.columns.clone(),
            mode: chosen.incremental.clone().map_or(ReadMode::Full, ReadMode::Incremental),
            filter: chosen.filter.clone(),
            changed_files: chosen.changed_files,
            state: chosen.state.as_ref().map(|bytes| Cursor(bytes.0.clone())),
        }
    }
}

/// What the host would like of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hints {
    /// Splits at once.
    pub max_parallel: u32,
    /// Bytes of a split.
    pub split_bytes: u64,
    /// Bytes of a batch.
    pub batch_bytes: u64,
}

impl From<PlanHints> for Hints {
    fn from(PlanHints { max_parallel, split_bytes, batch_bytes }: PlanHints) -> Self {
        Self { max_parallel, split_bytes, batch_bytes }
    }
}

impl From<Hints> for PlanHints {
    fn from(Hints { max_parallel, split_bytes, batch_bytes }: Hints) -> Self {
        Self { max_parallel, split_bytes, batch_bytes }
    }
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Returned {
    /// The steps of a check.
    Steps(Vec<CheckStep>),
    /// A page of streams.
    Page {
        /// The streams.
        streams: Vec<Listed>,
        /// The next page.
        next: Option<String>,
    },
    /// A plan.
    Plan {
        /// Its streams.
        streams: Vec<PlannedStream>,
        /// Its splits.
        splits: Vec<PlannedSplit>,
        /// Whether the source forgets it.
        expires: bool,
    },
    /// The end of a read.
    Read(Ended),
    /// Nothing to say.
    Done,
    /// It failed.
    Failed {
        /// The kind of error.
        kind: String,
        /// What it says.
        message: String,
        /// The field concerned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        field: Option<String>,
        /// The stream concerned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stream: Option<String>,
    },
}

impl From<&RunError> for Returned {
    fn from(error: &RunError) -> Self {
        Self::Failed {
            kind: error.kind.as_str().to_owned(),
            message: error.message.clone(),
            field: error.field.clone(),
            stream: error.stream.clone(),
        }
    }
}

impl From<&DiscoverPage> for Returned {
    fn from(page: &DiscoverPage) -> Self {
        let listed = |stream: &StreamInfo| Listed {
            id: stream.id.clone(),
            schema: columns(&stream.schema),
            primary_key: stream.primary_key.clone(),
            cursor_candidates: stream.cursor_candidates.clone(),
        };
        Self::Page { streams: page.streams.iter().map(listed).collect(), next: page.next.clone() }
    }
}

impl From<&ReadPlan> for Returned {
    fn from(plan: &ReadPlan) -> Self {
        let stream = |stream: &StreamPlan| PlannedStream {
            id: stream.id.clone(),
            schema: columns(&stream.schema),
            state_after: stream.state_after.as_ref().map(|cursor| Bytes(cursor.0.clone())),
        };
        let split = |split: &Split| PlannedSplit {
            id: split.id.clone(),
            streams: split.stream_ids.clone(),
            descriptor: Bytes(split.descriptor.clone()),
            resumable: split.resumable,
        };
        Self::Plan {
            streams: plan.streams.iter().map(stream).collect(),
            splits: plan.splits.iter().map(split).collect(),
            expires: plan.expires,
        }
    }
}

/// The columns of a schema, each in a line.
pub(super) fn columns(schema: &Schema) -> Vec<String> {
    let column = |field: &arrow_schema::FieldRef| {
        let null = if field.is_nullable() { "" } else { " not null" };
        let mut metadata: Vec<String> =
            field.metadata().iter().map(|(name, value)| format!("{name}={value}")).collect();
        metadata.sort();
        let metadata = if metadata.is_empty() { String::new() } else { format!(" ({})", metadata.join(", ")) };
        format!("{}: {}{null}{metadata}", field.name(), field.data_type())
    };
    schema.fields().iter().map(column).collect()
}

/// A stream that was listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// The stream.
    pub id: String,
    /// Columns with their types.
    pub schema: Vec<String>,
    /// Columns that identify a row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub primary_key: Vec<String>,
    /// Columns that increments can be read by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cursor_candidates: Vec<String>,
}

/// A stream that was planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedStream {
    /// The stream.
    pub id: String,
    /// Columns with their types.
    pub schema: Vec<String>,
    /// The state once all of it is committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_after: Option<Bytes>,
}

/// A split that was planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedSplit {
    /// The split.
    pub id: String,
    /// Its streams.
    pub streams: Vec<String>,
    /// What the connector wants to be told of it.
    pub descriptor: Bytes,
    /// Whether another process may read it later.
    pub resumable: bool,
}

/// How a read ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The split was read to its end.
    Finished,
    /// It stopped, because it was asked to.
    Stopped,
    /// The recording of it ends here: it has as many rows as were wanted.
    Cut,
}
