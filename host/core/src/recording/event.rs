//! What happens to an instance.

use std::collections::BTreeMap;

use arrow_schema::Schema;
use serde::{Deserialize, Serialize};

use super::Bytes;
use super::call::{Call, Returned, columns};

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

impl Event {
    /// What a schema is declared as.
    pub fn declare(stream: &str, schema: &Schema) -> Self {
        Self::Declare { stream: stream.to_owned(), schema: columns(schema) }
    }
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
