//! What the sink has to know to reach BigQuery.

use std::time::Duration;

use sluice_core::RunError;

/// How BigQuery is reached, and the sizes that bound memory.
#[derive(Clone, Debug)]
pub struct BigQueryConfig {
    /// The project that holds the tables and is billed.
    pub project: String,
    /// The dataset that `sluice doctor` asks for; a load names its own.
    pub dataset: Option<String>,
    /// Location of a dataset that is created, such as `US` or `europe-west1`.
    pub location: String,
    /// Another REST endpoint: an emulator (`http://…`) or private access.
    pub rest_endpoint: Option<String>,
    /// Another endpoint of the Storage API: an emulator (`http://…`) or private access.
    pub grpc_endpoint: Option<String>,
    /// True to send no credentials; otherwise application default credentials are used.
    pub anonymous: bool,
    /// Largest append request in bytes.
    pub request_bytes: usize,
    /// Largest Parquet file that is spooled to disk before it is loaded.
    pub staging_file_bytes: u64,
    /// Microseconds since 1970. The binary hands in the system's clock, tests their own.
    pub clock: fn() -> i64,
    /// A new name that nobody else makes: letters and digits, at most 40. The binary hands in UUIDs.
    pub names: fn() -> String,
    /// How long one answer may take before the connection is given up and the request is repeated.
    pub answer_timeout: Duration,
    /// How long the Storage API may take to see a schema that was just changed; minutes are normal.
    pub schema_timeout: Duration,
}

/// Smaller requests would spend more on headers than on rows.
const SMALLEST_REQUEST: usize = 64 * 1024;
/// The service takes 20 MB, headers included.
const LARGEST_REQUEST: usize = 19_000_000;

impl BigQueryConfig {
    /// The public service, with application default credentials.
    pub fn new(project: impl Into<String>, clock: fn() -> i64, names: fn() -> String) -> Self {
        Self {
            project: project.into(),
            dataset: None,
            location: "US".into(),
            rest_endpoint: None,
            grpc_endpoint: None,
            anonymous: false,
            request_bytes: 9_000_000,
            staging_file_bytes: 256 << 20,
            clock,
            names,
            answer_timeout: Duration::from_secs(120),
            schema_timeout: Duration::from_secs(600),
        }
    }

    /// Where REST calls go.
    pub(crate) fn rest(&self) -> String {
        trimmed(self.rest_endpoint.as_deref().unwrap_or("https://bigquery.googleapis.com"))
    }

    /// Where Storage API calls go.
    pub(crate) fn grpc(&self) -> String {
        trimmed(self.grpc_endpoint.as_deref().unwrap_or("https://bigquerystorage.googleapis.com"))
    }

    pub(crate) fn validate(&self) -> Result<(), RunError> {
        if self.project.is_empty() {
            return Err(RunError::config("sink.project", "BigQuery needs the id of the project that holds the tables"));
        }
        if !(SMALLEST_REQUEST..=LARGEST_REQUEST).contains(&self.request_bytes) {
            let message = format!(
                "an append request has {SMALLEST_REQUEST} to {LARGEST_REQUEST} bytes, not {}; the service takes 20 MB",
                self.request_bytes
            );
            return Err(RunError::config("sink.request_bytes", message));
        }
        Ok(())
    }
}

fn trimmed(endpoint: &str) -> String {
    endpoint.trim_end_matches('/').to_owned()
}
