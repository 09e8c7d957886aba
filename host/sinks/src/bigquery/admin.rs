//! The Storage API's calls that the official client does not offer: commit of several streams, a stream's state,
//! finalize without a writer.
//!
//! The messages are the documented ones of `google.cloud.bigquery.storage.v1`, with the fields that are used here. A
//! [`Session`] is one connection; it is made anew after a failure, so that a dead connection is never asked twice.

use std::time::Duration;

use google_cloud_auth::credentials::{CacheableResource, Credentials};
use google_cloud_gax::error::rpc::Code;
use http::uri::PathAndQuery;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic_prost::ProstCodec;

use super::errors::Failure;

/// A time as the service sends it.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(crate) nanos: i32,
}

/// Why a stream was not committed.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct StorageError {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) entity: String,
    #[prost(string, tag = "3")]
    pub(crate) error_message: String,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct CommitRequest {
    #[prost(string, tag = "1")]
    parent: String,
    #[prost(string, repeated, tag = "2")]
    write_streams: Vec<String>,
}

/// Either a commit time, or the errors that kept every stream from being committed.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct CommitResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) commit_time: Option<Timestamp>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) stream_errors: Vec<StorageError>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct FinalizeRequest {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct FinalizeResponse {
    #[prost(int64, tag = "1")]
    row_count: i64,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct GetRequest {
    #[prost(string, tag = "1")]
    name: String,
    /// 1 basic, 2 with the table's schema.
    #[prost(int32, tag = "3")]
    view: i32,
}

/// A column as the Storage API sees it.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Column {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(int32, tag = "2")]
    pub(crate) kind: i32,
    #[prost(int32, tag = "3")]
    pub(crate) mode: i32,
    #[prost(message, repeated, tag = "4")]
    pub(crate) fields: Vec<Column>,
}

/// A table's columns as the Storage API sees them.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Columns {
    #[prost(message, repeated, tag = "1")]
    pub(crate) fields: Vec<Column>,
}

/// A write stream's state.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Stream {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(message, optional, tag = "4")]
    pub(crate) commit_time: Option<Timestamp>,
    #[prost(message, optional, tag = "5")]
    pub(crate) table_schema: Option<Columns>,
}

/// Makes sessions.
#[derive(Clone, Debug)]
pub(crate) struct Admin {
    pub(crate) endpoint: String,
    pub(crate) credentials: Credentials,
    pub(crate) timeout: Duration,
}

/// One connection, made when it is first used.
pub(crate) struct Session {
    channel: Channel,
    credentials: Credentials,
    timeout: Duration,
}

impl Admin {
    pub(crate) fn session(&self) -> Result<Session, Failure> {
        let mut endpoint = Endpoint::from_shared(self.endpoint.clone())?
            .connect_timeout(self.timeout.min(Duration::from_secs(20)))
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(20));
        if self.endpoint.starts_with("https://") {
            endpoint = endpoint.tls_config(ClientTlsConfig::new().with_enabled_roots())?;
        }
        Ok(Session { channel: endpoint.connect_lazy(), credentials: self.credentials.clone(), timeout: self.timeout })
    }
}

impl Session {
    /// Commits all of these finalized streams of a table, or none.
    pub(crate) async fn commit(&self, table: &str, streams: Vec<String>) -> Result<CommitResponse, Failure> {
        let request = CommitRequest { parent: table.to_owned(), write_streams: streams };
        self.unary("BatchCommitWriteStreams", &format!("parent={table}"), request).await
    }

    /// Closes a stream and returns how many rows it holds. Doing it twice returns the same.
    pub(crate) async fn finalize(&self, stream: &str) -> Result<u64, Failure> {
        let request = FinalizeRequest { name: stream.to_owned() };
        let response: FinalizeResponse = self.unary("FinalizeWriteStream", &format!("name={stream}"), request).await?;
        u64::try_from(response.row_count).map_err(|_| Failure::new(Code::Internal, "a stream with less than no rows"))
    }

    /// A stream's state; `None` if there is no such stream.
    pub(crate) async fn stream(&self, name: &str, with_schema: bool) -> Result<Option<Stream>, Failure> {
        let request = GetRequest { name: name.to_owned(), view: if with_schema { 2 } else { 1 } };
        match self.unary("GetWriteStream", &format!("name={name}"), request).await {
            Ok(stream) => Ok(Some(stream)),
            Err(failure) if is_gone(&failure) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn unary<Request, Response>(&self, method: &str, routing: &str, message: Request) -> Result<Response, Failure>
    where
        Request: prost::Message + Send + Sync + 'static,
        Response: prost::Message + Default + Send + Sync + 'static,
    {
        let work = async {
            let mut request = tonic::Request::new(message);
            *request.metadata_mut() = self.metadata(routing).await?;
            let mut grpc = tonic::client::Grpc::new(self.channel.clone());
            grpc.ready().await?;
            let path = format!("/google.cloud.bigquery.storage.v1.BigQueryWrite/{method}");
            let path = PathAndQuery::try_from(path).map_err(|e| Failure::new(Code::Internal, e.to_string()))?;
            let codec: ProstCodec<Request, Response> = ProstCodec::default();
            Ok::<_, Failure>(grpc.unary(request, path, codec).await?.into_inner())
        };
        match tokio::time::timeout(self.timeout, work).await {
            Ok(result) => result,
            Err(_) => Err(Failure::unanswered(format!("{method} was not answered in {:?}", self.timeout))),
        }
    }

    async fn metadata(&self, routing: &str) -> Result<MetadataMap, Failure> {
        let mut headers = match self.credentials.headers(http::Extensions::new()).await {
            Ok(CacheableResource::New { data, .. }) => data,
            Ok(CacheableResource::NotModified) => http::HeaderMap::new(),
            Err(error) if error.is_transient() => return Err(Failure::unanswered(error.to_string())),
            Err(error) => return Err(Failure::new(Code::Unauthenticated, error.to_string())),
        };
        // Outside the US multi-region the service finds the stream's location by this header.
        if let Ok(value) = http::HeaderValue::from_str(routing) {
            headers.insert("x-goog-request-params", value);
        }
        Ok(MetadataMap::from_headers(headers))
    }
}

/// The service answers NOT_FOUND; local stand-ins say that the name is invalid.
fn is_gone(failure: &Failure) -> bool {
    failure.is(Code::NotFound) || (failure.is(Code::InvalidArgument) && failure.message.contains("Invalid stream name"))
}
