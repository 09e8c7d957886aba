//! The Storage Read API: sessions on a table, and the streams of their rows.
//!
//! The messages are those of `google.cloud.bigquery.storage.v1` as far as they are used, with the field numbers of its
//! published definition. To use another field: add it here by its number.

use bytes::Bytes;
use prost::Message;
use sluice_sdk::Result;

use crate::config::BigQueryConfig;
use crate::denied::Doing;
use crate::grpc::{Answers, Call, Failure};
use crate::id::TableRef;
use crate::retry::repeat;

const CREATE_READ_SESSION: &str = "google.cloud.bigquery.storage.v1.BigQueryRead/CreateReadSession";
const READ_ROWS: &str = "google.cloud.bigquery.storage.v1.BigQueryRead/ReadRows";

/// `DataFormat.ARROW`.
const ARROW: i32 = 2;
/// `CompressionCodec.COMPRESSION_UNSPECIFIED`: buffers are plain, as the host wants them.
const PLAIN: i32 = 0;

#[derive(Clone, PartialEq, Message)]
struct CreateReadSessionRequest {
    #[prost(string, tag = "1")]
    parent: String,
    #[prost(message, optional, tag = "2")]
    read_session: Option<ReadSession>,
    #[prost(int32, tag = "3")]
    max_stream_count: i32,
}

/// A snapshot of a table, or of some of its columns and rows, cut into streams.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReadSession {
    #[prost(message, optional, tag = "2")]
    pub(crate) expire_time: Option<Timestamp>,
    #[prost(int32, tag = "3")]
    data_format: i32,
    #[prost(message, optional, tag = "5")]
    arrow_schema: Option<ArrowSchema>,
    #[prost(string, tag = "6")]
    table: String,
    #[prost(message, optional, tag = "7")]
    table_modifiers: Option<TableModifiers>,
    #[prost(message, optional, tag = "8")]
    read_options: Option<TableReadOptions>,
    #[prost(message, repeated, tag = "10")]
    pub(crate) streams: Vec<ReadStream>,
    #[prost(int64, tag = "12")]
    estimated_total_bytes_scanned: i64,
    #[prost(int64, tag = "14")]
    estimated_row_count: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
struct ArrowSchema {
    #[prost(bytes = "vec", tag = "1")]
    serialized_schema: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct TableModifiers {
    #[prost(message, optional, tag = "1")]
    snapshot_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
struct TableReadOptions {
    #[prost(string, repeated, tag = "1")]
    selected_fields: Vec<String>,
    #[prost(string, tag = "2")]
    row_restriction: String,
    #[prost(message, optional, tag = "3")]
    arrow_serialization_options: Option<ArrowSerializationOptions>,
}

#[derive(Clone, PartialEq, Message)]
struct ArrowSerializationOptions {
    #[prost(int32, tag = "2")]
    buffer_compression: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReadStream {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
}

#[derive(Clone, PartialEq, Message)]
struct ReadRowsRequest {
    #[prost(string, tag = "1")]
    read_stream: String,
    #[prost(int64, tag = "2")]
    offset: i64,
}

/// Rows of a stream.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReadRowsResponse {
    #[prost(message, optional, tag = "4")]
    arrow_record_batch: Option<ArrowRecordBatch>,
    #[prost(int64, tag = "6")]
    row_count: i64,
}

#[derive(Clone, PartialEq, Message)]
struct ArrowRecordBatch {
    #[prost(bytes = "bytes", tag = "1")]
    serialized_record_batch: Bytes,
    #[prost(int64, tag = "2")]
    row_count: i64,
}

impl ReadSession {
    /// The encapsulated Arrow schema message.
    pub(crate) fn schema(&self) -> &[u8] {
        self.arrow_schema.as_ref().map_or(&[], |schema| &schema.serialized_schema)
    }

    /// About how many rows it has, if BigQuery says so.
    pub(crate) fn rows(&self) -> Option<u64> {
        u64::try_from(self.estimated_row_count).ok().filter(|rows| *rows > 0)
    }

    /// About how many bytes reading all of it scans, if BigQuery says so.
    pub(crate) fn bytes(&self) -> Option<u64> {
        u64::try_from(self.estimated_total_bytes_scanned).ok().filter(|bytes| *bytes > 0)
    }
}

impl ReadRowsResponse {
    /// The encapsulated Arrow record batch message, and the rows that BigQuery says are in it. The host counts for itself.
    pub(crate) fn batch(&self) -> Option<(&Bytes, u64)> {
        let batch = self.arrow_record_batch.as_ref()?;
        let rows = if self.row_count > 0 { self.row_count } else { batch.row_count };
        Some((&batch.serialized_record_batch, u64::try_from(rows).unwrap_or(0)))
    }
}

/// What is wanted of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted<'a> {
    pub(crate) table: &'a TableRef,
    /// Top-level columns; empty means all. BigQuery returns them in the table's order.
    pub(crate) columns: &'a [String],
    /// A condition in GoogleSQL; empty means all rows.
    pub(crate) restriction: &'a str,
    /// The moment as of which the table is read, milliseconds since 1970; none means now.
    pub(crate) snapshot: Option<i64>,
    /// Most streams; BigQuery may make fewer.
    pub(crate) streams: u64,
}

/// Opens a session. It costs nothing until it is read.
pub(crate) fn create_session(config: &BigQueryConfig, wanted: &Wanted<'_>) -> Result<ReadSession> {
    let request = request(config, wanted);
    let doing = Doing::OpenSession(wanted.table);
    let path = wanted.table.path();
    let call = Call { config, doing: &doing, method: CREATE_READ_SESSION, route: ("read_session.table", &path) };
    repeat(|| Ok(call.unary(&request)?))
}

fn request(config: &BigQueryConfig, wanted: &Wanted<'_>) -> CreateReadSessionRequest {
    let snapshot = wanted.snapshot.map(|at| Timestamp {
        seconds: at.div_euclid(1000),
        nanos: i32::try_from(at.rem_euclid(1000)).unwrap_or(0) * 1_000_000,
    });
    CreateReadSessionRequest {
        // The project that is billed, which need not be the table's.
        parent: format!("projects/{}", config.project),
        max_stream_count: i32::try_from(wanted.streams).unwrap_or(i32::MAX).max(1),
        read_session: Some(ReadSession {
            data_format: ARROW,
            table: wanted.table.path(),
            table_modifiers: snapshot.map(|at| TableModifiers { snapshot_time: Some(at) }),
            read_options: Some(TableReadOptions {
                selected_fields: wanted.columns.to_vec(),
                row_restriction: wanted.restriction.to_owned(),
                arrow_serialization_options: Some(ArrowSerializationOptions { buffer_compression: PLAIN }),
            }),
            ..ReadSession::default()
        }),
    }
}

/// The call that reads a stream.
pub(crate) fn rows<'a>(config: &'a BigQueryConfig, doing: &'a Doing<'a>, stream: &'a str) -> Call<'a> {
    Call { config, doing, method: READ_ROWS, route: ("read_stream", stream) }
}

/// Reads a stream from a row on.
pub(crate) fn read<'a>(
    call: &'a Call<'a>,
    stream: &str,
    offset: u64,
) -> Result<Answers<'a, ReadRowsResponse>, Failure> {
    let offset = i64::try_from(offset).unwrap_or(i64::MAX);
    call.stream(&ReadRowsRequest { read_stream: stream.to_owned(), offset })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::tests::config;

    #[test]
    fn a_session_is_billed_to_one_project_and_reads_another_as_of_one_moment() {
        let config = config(json!({"data_project": "bigquery-public-data"}));
        let table = TableRef {
            project: "bigquery-public-data".into(),
            dataset: "stackoverflow".into(),
            table: "posts_questions".into(),
        };
        let columns = ["id".to_owned(), "title".to_owned()];
        let wanted = Wanted {
            table: &table,
            columns: &columns,
            restriction: "score > 5",
            snapshot: Some(1_700_000_000_123),
            streams: 7,
        };
        let request = request(&config, &wanted);
        assert_eq!((request.parent.as_str(), request.max_stream_count), ("projects/billing", 7));
        let session = request.read_session.unwrap();
        assert_eq!(session.table, "projects/bigquery-public-data/datasets/stackoverflow/tables/posts_questions");
        assert_eq!(session.data_format, ARROW);
        let options = session.read_options.unwrap();
        assert_eq!((options.selected_fields.as_slice(), options.row_restriction.as_str()), (&columns[..], "score > 5"));
        assert_eq!(options.arrow_serialization_options.unwrap().buffer_compression, PLAIN);
        let snapshot = session.table_modifiers.unwrap().snapshot_time.unwrap();
        assert_eq!((snapshot.seconds, snapshot.nanos), (1_700_000_000, 123_000_000));
    }

    #[test]
    fn a_batch_is_taken_out_of_its_answer_without_being_copied() {
        let batch = ArrowRecordBatch { serialized_record_batch: Bytes::from(vec![7; 1000]), row_count: 0 };
        let sent = ReadRowsResponse { arrow_record_batch: Some(batch), row_count: 42 };
        let bytes = Bytes::from(sent.encode_to_vec());
        let memory = bytes.as_ptr_range();
        let received = ReadRowsResponse::decode(bytes.clone()).unwrap();
        let (batch, rows) = received.batch().unwrap();
        assert_eq!((batch, rows), (&Bytes::from(vec![7; 1000]), 42));
        assert!(memory.contains(&batch.as_ptr()), "the batch lies in the message's own memory");
    }
}
