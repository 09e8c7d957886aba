//! What happens to an instance.

use std::collections::BTreeMap;

use arrow_schema::Schema;
use serde::{Deserialize, Serialize};

use super::Bytes;
use crate::error::RunError;
use crate::plan::{
    ChangedFiles, CheckStep, Cursor, DiscoverFilter, DiscoverPage, PlanHints, ReadMode, ReadPlan, Selection,
};

/// Names and values of headers, in their order.
pub type Headers = Vec<(String, Bytes)>;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The host called it.
    Call(Call),
    /// The call ended.
    Returned(Returned),
    /// It sent a request. Stands where it was sent, and has all that came of it.
    Http(Exchange),
    /// It opened a connection.
    Connect {
        /// Its number, from 0, among the connections of the instance.
        connection: u32,
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// How TLS was to be spoken from the first byte.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tls: Option<Tls>,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed: Option<Told>,
    },
    /// It turned TLS on.
    StartTls {
        /// The connection.
        connection: u32,
        /// How.
        tls: Tls,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed: Option<Told>,
    },
    /// It sent bytes.
    Sent {
        /// The connection.
        connection: u32,
        /// The bytes.
        bytes: Bytes,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed: Option<Told>,
    },
    /// It was given bytes; none at the end of the connection.
    Received {
        /// The connection.
        connection: u32,
        /// The bytes.
        bytes: Bytes,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed: Option<Told>,
    },
    /// It asked for the channel binding of a connection.
    ServerEndPoint {
        /// The connection.
        connection: u32,
        /// What it was told.
        bytes: Option<Bytes>,
    },
    /// It asked for the time: nanoseconds since 1970.
    WallClock(u64),
    /// It asked for the monotonic clock: nanoseconds.
    MonotonicClock(u64),
    /// It logged a line.
    Log {
        /// How much it matters.
        level: String,
        /// The text.
        text: String,
    },
    /// It announced a stream's schema.
    Declare {
        /// The stream.
        stream: String,
        /// Columns with their types.
        schema: Vec<String>,
    },
    /// It pushed rows.
    Batch {
        /// The stream.
        stream: String,
        /// How many.
        rows: u64,
        /// Of each column a digest of its values.
        columns: BTreeMap<String, String>,
    },
    /// It stated a position.
    Checkpoint {
        /// The stream.
        stream: String,
        /// The position.
        cursor: Bytes,
        /// Rows of the stream before it.
        rows: u64,
    },
    /// It looked up what was remembered.
    Recall {
        /// The stream.
        stream: String,
        /// Each key with what was found.
        found: Vec<(String, Option<Bytes>)>,
    },
    /// It remembered something.
    Remember {
        /// The stream.
        stream: String,
        /// Each key with its value.
        entries: Vec<(String, Bytes)>,
    },
    /// It named files whose rows are replaced.
    Replace {
        /// The stream.
        stream: String,
        /// The files.
        files: Vec<String>,
    },
}

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
        let listed = |stream: &crate::plan::StreamInfo| Listed {
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
        let stream = |stream: &crate::plan::StreamPlan| PlannedStream {
            id: stream.id.clone(),
            schema: columns(&stream.schema),
            state_after: stream.state_after.as_ref().map(|cursor| Bytes(cursor.0.clone())),
        };
        let split = |split: &crate::plan::Split| PlannedSplit {
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

impl Event {
    /// What a schema is declared as.
    pub fn declare(stream: &str, schema: &Schema) -> Self {
        Self::Declare { stream: stream.to_owned(), schema: columns(schema) }
    }
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

/// A request and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// What was sent.
    pub request: Request,
    /// What was answered; nothing if nobody waited for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Told>,
    /// In a replay: which exchange of the recording answered it. Not written.
    #[serde(skip)]
    pub answered_by: Option<usize>,
}

/// A request as the guest made it, before the host signs it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// The headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Headers,
    /// The body.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub body: Bytes,
}

/// A response as the guest was given it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Headers,
    /// What the host knows about a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
    /// The body, in the pieces in which it came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<Bytes>,
    /// What came after the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trailers: Option<Headers>,
    /// Whether it was taken to its end.
    #[serde(default)]
    pub ended: bool,
    /// Why it ended early, as the guest was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

fn is_empty(bytes: &Bytes) -> bool {
    bytes.0.is_empty()
}

/// An error, as the guest and its people were told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// What a guest of HTTP is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The kind of error.
    pub kind: String,
    /// In words.
    pub message: String,
}

/// How TLS was to be spoken. Of certificates and keys only whether there are some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// How far the certificate was to be checked.
    pub verification: String,
    /// The name to ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Whether authorities were named.
    pub authorities: bool,
    /// Whether there was a certificate of the client's.
    pub client_certificate: bool,
    /// Protocols that were offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alpn: Vec<String>,
}
