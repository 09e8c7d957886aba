//! Rows into one PENDING write stream, each exactly once.
//!
//! Several requests are under way at a time. A request is kept until the server has acknowledged it; when a connection
//! dies, a new one begins with the oldest that is kept, at the same offset, and the server says `ALREADY_EXISTS` to what
//! it has. Nothing that was sent is ever cut differently the second time, so that answer covers the whole request.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use google_cloud_auth::credentials::Credentials;
use google_cloud_bigquery::client::Write;
use google_cloud_bigquery::error::AppendError;
use google_cloud_bigquery::model::{ArrowRecordBatch, ArrowSchema};
use google_cloud_bigquery::write::format::Arrow;
use google_cloud_bigquery::write::stream_type::PendingStream;
use google_cloud_bigquery::write::{AppendFuture, PendingWriter};
use google_cloud_gax::error::rpc::Code;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};

use super::errors::Failure;
use super::retry::{pause, repeatedly};

/// Failures in a row, without an acknowledgement between them, after which the split fails.
const ATTEMPTS: u32 = 8;
/// Requests under way at most.
const IN_FLIGHT: usize = 16;

/// How the Storage API is reached.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    pub(crate) endpoint: String,
    pub(crate) credentials: Credentials,
    pub(crate) timeout: Duration,
}

impl Connector {
    /// A client with a connection of its own: a stream has one connection, and a dead one must not be used again.
    async fn client(&self) -> Result<Write, Failure> {
        let client = Write::builder().with_endpoint(&self.endpoint).with_credentials(self.credentials.clone()).build();
        client.await.map_err(|e| Failure::unanswered(e.to_string()))
    }

    async fn create(&self, table: &str, schema: ArrowSchema) -> Result<PendingWriter<Arrow>, Failure> {
        let create = self.client().await?.create_stream::<PendingStream>(table);
        self.within("creating a write stream", create.build_arrow(schema)).await
    }

    async fn attach(&self, stream: &str, schema: ArrowSchema) -> Result<PendingWriter<Arrow>, Failure> {
        let attach = self.client().await?.attach_to_stream::<PendingStream>(stream);
        self.within("reading a write stream", attach.build_arrow(schema)).await
    }

    async fn within<T, E: Into<Failure>>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(result) => result.map_err(Into::into),
            Err(_) => Err(Failure::unanswered(format!("{what} was not answered in {:?}", self.timeout))),
        }
    }
}

struct Request {
    offset: u64,
    rows: u64,
    message: Bytes,
    answer: Option<AppendFuture>,
}

/// A PENDING stream and what is under way to it.
pub(crate) struct Appender {
    connector: Connector,
    stream: String,
    schema: ArrowSchema,
    columns: Vec<String>,
    writer: Option<PendingWriter<Arrow>>,
    in_flight: VecDeque<Request>,
    in_flight_bytes: usize,
    most_bytes: usize,
    next_offset: u64,
    acknowledged: u64,
    bytes: u64,
    failures: u32,
}

impl Appender {
    /// Creates a stream for a table.
    pub(crate) async fn create(
        connector: Connector,
        table: &str,
        schema: Bytes,
        columns: Vec<String>,
        request_bytes: usize,
    ) -> Result<Self, RunError> {
        let schema = ArrowSchema::new().set_serialized_schema(schema);
        let mut unseen = 0;
        let writer = loop {
            match repeatedly(|| connector.create(table, schema.clone())).await {
                Ok(writer) => break writer,
                // The Storage API learns of a new table some seconds after it was made.
                Err(failure) if failure.is(Code::NotFound) && unseen + 1 < ATTEMPTS => {
                    unseen += 1;
                    tokio::time::sleep(pause(unseen)).await;
                }
                Err(failure) => return Err(failure.into_run_error(&format!("creating a write stream of {table}"))),
            }
        };
        Ok(Self {
            connector,
            stream: writer.write_stream().to_owned(),
            schema,
            columns,
            writer: Some(writer),
            in_flight: VecDeque::new(),
            in_flight_bytes: 0,
            most_bytes: request_bytes.saturating_mul(2),
            next_offset: 0,
            acknowledged: 0,
            bytes: 0,
            failures: 0,
        })
    }

    pub(crate) fn stream(&self) -> &str {
        &self.stream
    }

    /// Rows that the server has.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Rows that were handed over.
    pub(crate) fn sent(&self) -> u64 {
        self.next_offset
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Sends a request; returns when there is room for another.
    pub(crate) async fn push(&mut self, rows: usize, message: Bytes) -> Result<(), RunError> {
        let size = message.len();
        while !self.in_flight.is_empty()
            && (self.in_flight.len() >= IN_FLIGHT || self.in_flight_bytes + size > self.most_bytes)
        {
            self.settle_oldest().await?;
        }
        let mut request = Request { offset: self.next_offset, rows: rows as u64, message, answer: None };
        self.send(&mut request);
        self.next_offset += request.rows;
        self.bytes += size as u64;
        self.in_flight_bytes += size;
        self.in_flight.push_back(request);
        Ok(())
    }

    /// Waits until everything is acknowledged.
    pub(crate) async fn drain(&mut self) -> Result<(), RunError> {
        while !self.in_flight.is_empty() {
            self.settle_oldest().await?;
        }
        self.writer = None;
        Ok(())
    }

    fn send(&self, request: &mut Request) {
        if let Some(writer) = &self.writer {
            let rows = ArrowRecordBatch::new().set_serialized_record_batch(request.message.clone());
            let offset = i64::try_from(request.offset).unwrap_or(i64::MAX);
            request.answer = Some(writer.append(rows).set_offset(offset).send());
        }
    }

    /// Waits for the answer to the oldest request; reconnects as often as it takes, up to a limit.
    async fn settle_oldest(&mut self) -> Result<(), RunError> {
        loop {
            let Some(oldest) = self.in_flight.front_mut() else { return Ok(()) };
            let answer = match oldest.answer.take() {
                None => Err(AppendError::UnexpectedEndOfStream),
                Some(answer) => match tokio::time::timeout(self.connector.timeout, answer).await {
                    Ok(answer) => answer,
                    Err(_) => Err(AppendError::UnexpectedEndOfStream),
                },
            };
            let failure = match answer {
                Ok(response) => match response.offset {
                    Some(at) if u64::try_from(at) != Ok(oldest.offset) => {
                        let what = format!("rows sent for offset {} were stored at {at}", oldest.offset);
                        return Err(self.defect(&what));
                    }
                    _ => {
                        self.acknowledge();
                        return Ok(());
                    }
                },
                Err(AppendError::RowErrors { row_errors, .. }) => {
                    let first = row_errors.first().map(|e| (e.index, e.message.clone())).unwrap_or_default();
                    return Err(self.refused_rows(row_errors.len(), first.0, &first.1));
                }
                Err(error) => Failure::from(error),
            };
            if failure.is(Code::AlreadyExists) {
                self.acknowledge();
                return Ok(());
            }
            self.recover(failure).await?;
        }
    }

    fn acknowledge(&mut self) {
        if let Some(request) = self.in_flight.pop_front() {
            self.acknowledged = request.offset + request.rows;
            self.in_flight_bytes = self.in_flight_bytes.saturating_sub(request.message.len());
            self.failures = 0;
        }
    }

    /// Reconnects and sends everything again that is not acknowledged, if the failure is one that passes.
    async fn recover(&mut self, mut failure: Failure) -> Result<(), RunError> {
        self.writer = None;
        loop {
            if !passes(&failure) {
                return Err(self.failed(failure));
            }
            self.failures += 1;
            if self.failures >= ATTEMPTS {
                return Err(self.failed(failure));
            }
            tracing::warn!(stream = self.stream, offset = self.acknowledged, %failure, "bigquery.append_repeated");
            tokio::time::sleep(pause(self.failures)).await;
            match self.connector.attach(&self.stream, self.schema.clone()).await {
                Ok(writer) => {
                    self.writer = Some(writer);
                    break;
                }
                Err(next) => failure = next,
            }
        }
        let mut requests = std::mem::take(&mut self.in_flight);
        for request in &mut requests {
            self.send(request);
        }
        self.in_flight = requests;
        Ok(())
    }

    fn failed(&self, failure: Failure) -> RunError {
        if failure.is(Code::OutOfRange) {
            let what = format!(
                "the write stream ends before row {}, which it had acknowledged ({})",
                self.acknowledged, failure.message
            );
            return self.defect(&what);
        }
        failure.into_run_error(&format!("appending rows from {} to {}", self.acknowledged, self.stream))
    }

    fn defect(&self, what: &str) -> RunError {
        let message = format!("{what}; nothing is committed, the split is read again (stream {})", self.stream);
        RunError::new(Kind::Transient, Actor::Sink, message)
    }

    fn refused_rows(&self, count: usize, index: i64, message: &str) -> RunError {
        let row = self.acknowledged.saturating_add(u64::try_from(index).unwrap_or(0));
        let column = self.columns.iter().find(|column| mentions(message, column));
        let reason = without_values(message, &self.columns);
        let place = column.map(|column| format!(", column {column}")).unwrap_or_default();
        let text = format!(
            "BigQuery refused {count} rows; the first is row {row} of the split{place}: {reason}. \
             Cast the column or set `on_misfit` for values that do not fit"
        );
        let error = RunError::new(Kind::Data, Actor::User, text);
        match column {
            Some(column) => error.with_field(column.as_str()),
            None => error,
        }
    }
}

/// Whether sending the same again may help. A stream that lags behind a changed schema, or behind its own end, may.
fn passes(failure: &Failure) -> bool {
    failure.is_transient()
        || failure.is(Code::OutOfRange)
        || failure.message.contains("SCHEMA_MISMATCH_EXTRA_FIELD")
        || failure.message.contains("Input schema has more fields than BigQuery schema")
}

fn mentions(message: &str, column: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    message.split(|c| !is_name(c)).any(|word| word.eq_ignore_ascii_case(column))
}

/// The server's words without what stands in quotes, unless it is a column's name: it may be a row's data.
fn without_values(message: &str, columns: &[String]) -> String {
    let mut text = String::new();
    let mut rest = message;
    while let Some((before, quote, after)) = rest.find(['\'', '"', '`']).and_then(|at| {
        let quote = rest.get(at..)?.chars().next()?;
        Some((rest.get(..at)?, quote, rest.get(at + 1..)?))
    }) {
        text.push_str(before);
        let (inside, behind) = after.split_once(quote).unwrap_or((after, ""));
        let shown = if columns.iter().any(|column| column.eq_ignore_ascii_case(inside)) { inside } else { "…" };
        text.push(quote);
        text.push_str(shown);
        text.push(quote);
        rest = behind;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_error_keeps_the_column_and_hides_the_value() {
        let columns = ["amount".to_owned()];
        let message = "Could not convert 'secret stuff' to NUMERIC for field \"amount\"";
        assert_eq!(without_values(message, &columns), "Could not convert '…' to NUMERIC for field \"amount\"");
        assert!(mentions(message, "amount") && !mentions(message, "mount"));
    }

    #[test]
    fn an_unclosed_quote_hides_the_rest() {
        assert_eq!(without_values("bad value 'abc", &[]), "bad value '…'");
    }

    #[test]
    fn what_cannot_be_helped_by_sending_again_is_not_sent_again() {
        assert!(passes(&Failure::unanswered("reset")));
        assert!(passes(&Failure::new(Code::OutOfRange, "")));
        assert!(!passes(&Failure::new(Code::PermissionDenied, "")));
        assert!(!passes(&Failure::new(Code::InvalidArgument, "")));
    }
}
