//! BigQuery: rows by the Storage Write API, and by load jobs where that takes them not.
//!
//! # How rows become durable
//!
//! | what | how it is stored | how it becomes visible |
//! |---|---|---|
//! | transactional | one PENDING write stream per split attempt | one `BatchCommitWriteStreams` for the load |
//! | transactional with a TIME column | one staging table per split attempt, filled by Parquet load jobs | one script in a transaction |
//! | transactional, rows more than 10 years old or a year ahead in a partitioned table | those rows in a staging table, the others in a stream | both of the above, streams first |
//! | catalog | staging tables | one script in a transaction that replaces the snapshot's day |
//! | files that are replaced | staging tables, one more for the files' names | one script in a transaction that deletes the rows of these files and adds the new ones |
//!
//! A stream is created and written to the ledger before its first row, every append names its offset, a stream's row
//! count is checked when it is closed. A script asserts its row count and rolls back otherwise; its job's id is the
//! load's, so it runs at most once. `docs/adr/0003-snapshot-swap.md` says why it is a script.
//!
//! # Marks
//!
//! Before a load is committed, a label of the table names it: key and value are a stream's author and the load. Labels are
//! changed by key, so those of other streams and of other people stay. `docs/adr/0007-marks-on-tables.md` says why.
//!
//! # Types
//!
//! | Arrow from the transform | native type (cast to by the transform) | BigQuery |
//! |---|---|---|
//! | Boolean | Boolean | BOOL |
//! | Int8…Int64, UInt8…UInt32 | Int64 | INT64 |
//! | UInt64 | Decimal128(20, 0) | NUMERIC |
//! | Float16, Float32, Float64 | Float64 | FLOAT64 (NaN and infinities are kept) |
//! | Decimal up to 29 digits before and 9 after the point | Decimal128 | NUMERIC |
//! | Decimal up to 38 and 38 digits | Decimal128, Decimal256 | BIGNUMERIC |
//! | larger Decimal | Utf8 | STRING |
//! | Utf8, LargeUtf8, Utf8View, Null | Utf8 | STRING; JSON or GEOGRAPHY where the field says so |
//! | Duration, Interval | Utf8 | STRING, in Arrow's ISO 8601 text |
//! | Binary, LargeBinary, BinaryView, FixedSizeBinary | Binary | BYTES |
//! | Date32, Date64 | Date32 | DATE |
//! | Time32, Time64 | Time64(µs) | TIME, by load job; nanoseconds are cut |
//! | Timestamp without zone | Timestamp(µs) | DATETIME; nanoseconds are cut |
//! | Timestamp with zone | Timestamp(µs, UTC) | TIMESTAMP; nanoseconds are cut |
//! | List, LargeList, FixedSizeList | List that is not nullable, nor its elements | REPEATED; a NULL list is an empty one |
//! | Struct | Struct | STRUCT |
//! | Dictionary, RunEndEncoded | their values' type | their values' type |
//! | list of lists, empty Struct, Map, Union | refused, by name | |
//!
//! A column that is not nullable is REQUIRED in a new table.
//!
//! # Cryptography
//!
//! Google's clients are built without their default provider (aws-lc). [`BigQuerySink::connect`] installs ring as the
//! process's rustls provider unless one is installed already.

mod admin;
mod append;
mod commit;
mod config;
pub(crate) mod errors;
mod evolve;
mod jobs;
mod mark;
mod rest;
pub(crate) mod retry;
mod schema;
mod spool;
mod sql;
mod staging;
mod swap;
mod table;
mod types;
mod upload;
mod window;
mod wire;
mod writer;

use std::sync::Arc;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
pub use config::BigQueryConfig;
use google_cloud_auth::credentials::{Builder, Credentials, anonymous};
use sluice_core::RunError;
use sluice_core::commit::{CommitError, CommitIntent, CommitPermit, Settled};
use sluice_core::error::{Actor, Kind};
use sluice_core::forecast::TableForecast;
use sluice_core::load::{Artifact, CommitReceipt, LoadId, TableName, TableSpec};
use sluice_core::mark::{Author, Standing};

use crate::{Load, Sink, SplitWriter};

/// What every part of the sink needs.
pub(crate) struct Shared {
    pub(crate) config: BigQueryConfig,
    pub(crate) rest: rest::Rest,
    pub(crate) admin: admin::Admin,
    pub(crate) connector: append::Connector,
}

/// A sink that writes to one project.
#[derive(Clone)]
pub struct BigQuerySink {
    shared: Arc<Shared>,
}

impl BigQuerySink {
    /// Makes the clients. Nothing is sent yet; [`Sink::check`] does.
    ///
    /// # Errors
    /// If the configuration is wrong, or no credentials are found where some are needed.
    pub async fn connect(config: BigQueryConfig) -> Result<Self, RunError> {
        config.validate()?;
        // Fails only if there is a provider already, and any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let credentials = credentials(&config)?;
        let rest = rest::Rest::connect(&config, credentials.clone()).await?;
        let timeout = config.answer_timeout;
        let admin = admin::Admin { endpoint: config.grpc(), credentials: credentials.clone(), timeout };
        let connector = append::Connector { endpoint: config.grpc(), credentials, timeout };
        Ok(Self { shared: Arc::new(Shared { config, rest, admin, connector }) })
    }
}

fn credentials(config: &BigQueryConfig) -> Result<Credentials, RunError> {
    if config.anonymous {
        return Ok(anonymous::Builder::new().build());
    }
    Builder::default().build().map_err(|e| {
        let text = format!(
            "no Google credentials: {e}; run `gcloud auth application-default login` or set GOOGLE_APPLICATION_CREDENTIALS"
        );
        RunError::new(Kind::Auth, Actor::User, text)
    })
}

#[async_trait]
impl Sink for BigQuerySink {
    async fn check(&self) -> Result<(), RunError> {
        let Shared { config, rest, admin, .. } = self.shared.as_ref();
        let location = match &config.dataset {
            Some(dataset) => {
                let doing = format!("reading dataset {}.{dataset}", config.project);
                let found = rest.dataset(dataset).await.map_err(|f| f.into_run_error(&doing))?;
                // A dataset that does not exist yet is created by the first load.
                found.map_or_else(|| config.location.clone(), |d| d.location)
            }
            None => config.location.clone(),
        };
        let id = format!("sluice_check_{}", (config.names)());
        let ended = jobs::run(rest, &id, &location, jobs::query("SELECT 1"))
            .await
            .map_err(|f| f.into_run_error(&format!("running a job in project {}", config.project)))?;
        if let Some(failure) = ended.failure {
            return Err(failure.into_run_error(&format!("running a job in project {}", config.project)));
        }
        // Any answer will do, the refusal of a table that does not exist too: it shows that the API can be reached.
        let dataset = config.dataset.as_deref().unwrap_or("sluice_check");
        let stream = format!("projects/{}/datasets/{dataset}/tables/sluice_check/streams/_default", config.project);
        let doing = format!("reaching the Storage API at {}", config.grpc());
        match retry::repeatedly(|| async { admin.session()?.stream(&stream, false).await }).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.is(google_cloud_gax::error::rpc::Code::InvalidArgument) => Ok(()),
            Err(failure) => Err(failure.into_run_error(&doing)),
        }
    }

    fn native_schema(&self, schema: &SchemaRef) -> Result<SchemaRef, RunError> {
        types::native_schema(schema)
    }

    async fn prepare(&self, spec: &TableSpec) -> Result<(), RunError> {
        table::prepare(&self.shared, spec).await
    }

    async fn foresee(&self, spec: &TableSpec) -> Result<TableForecast, RunError> {
        table::foresee(&self.shared, spec).await
    }

    async fn open(&self, load: &Load, split: &str) -> Result<Box<dyn SplitWriter>, RunError> {
        Ok(Box::new(writer::Writer::open(self.shared.clone(), load, split).await?))
    }

    async fn open_names(&self, load: &Load) -> Result<Box<dyn SplitWriter>, RunError> {
        Ok(Box::new(writer::Writer::of_names(self.shared.clone(), load)))
    }

    async fn standing(&self, table: &TableName, author: &Author) -> Result<Standing, RunError> {
        mark::standing(&self.shared.rest, table, author).await
    }

    async fn mark(&self, table: &TableName, author: &Author, load: &LoadId) -> Result<(), RunError> {
        mark::write(&self.shared.rest, table, author, load).await
    }

    async fn commit(&self, permit: &CommitPermit) -> Result<CommitReceipt, CommitError> {
        commit::commit(&self.shared, permit.intent()).await
    }

    async fn settle(&self, intent: &CommitIntent) -> Result<Settled, RunError> {
        commit::settle(&self.shared, intent).await
    }

    async fn abandon(&self, artifacts: &[Artifact]) -> Result<(), RunError> {
        commit::abandon(&self.shared, artifacts).await
    }
}
