//! The BigQuery connector: tables, views and queries, in full or by a cursor column.
//!
//! It asks the REST API what there is ([`rest`], [`discover`]) and reads through the Storage Read API, gRPC over the host's
//! HTTP/2 ([`grpc`], [`storage`]). BigQuery sends Arrow record batches, and they pass through this connector without being
//! decoded ([`read`]); only the schema is looked at ([`types`]). [`plan`] decides what is read: a table is read as it is at
//! one moment, what has no storage of its own (views, queries) is first written to a temporary table by a query job.
//! It never sees a credential: the host adds tokens to its requests. What users have to know stands in `README.md`.
//!
//! To support a type better: see [`types`]. To add a setting: a field in [`config`], and its line in `README.md`. To say more
//! about a permission that is missing: a line in [`denied`].

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a failed assertion is how a test fails"
    )
)]

mod check;
mod config;
mod denied;
mod discover;
mod grpc;
mod id;
mod pieces;
mod plan;
mod read;
mod rest;
mod retry;
mod sql;
mod storage;
mod types;

pub use config::{BigQueryConfig, Ties};

use sluice_sdk::{
    CheckStep, Cursor, DiscoverFilter, DiscoverPage, Hints, Manifest, Output, Plan, Result, Selection, Source, Split,
};

/// BigQuery as a source.
#[derive(Manifest)]
#[manifest(
    name = "bigquery",
    title = "BigQuery",
    description = "Tables, views and queries of BigQuery, of one's own projects and of public ones, in full or by a cursor column.",
    publisher = "Sluice",
    config = BigQueryConfig,
    hosts("bigquery.googleapis.com:443", "bigquerystorage.googleapis.com:443", "{endpoint}", "{storage_endpoint}"),
    auth(google_oauth(
        key = "credentials",
        application_default = "application_default",
        scopes("https://www.googleapis.com/auth/bigquery")
    )),
    capabilities(incremental, splits, estimate, filter)
)]
pub struct BigQuery {
    config: BigQueryConfig,
}

sluice_sdk::export!(BigQuery);

impl Source for BigQuery {
    type Config = BigQueryConfig;

    fn open(config: BigQueryConfig) -> Result<Self> {
        config.validate()?;
        Ok(Self { config })
    }

    fn check(&mut self) -> Result<Vec<CheckStep>> {
        Ok(check::check(&self.config))
    }

    fn discover(&mut self, filter: &DiscoverFilter, page: Option<&str>) -> Result<DiscoverPage> {
        discover::discover(&self.config, filter, page)
    }

    fn plan(&mut self, selections: &[Selection], hints: &Hints) -> Result<Plan> {
        plan::plan(&self.config, selections, hints)
    }

    fn read(&mut self, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
        read::read(&self.config, split, start, output)
    }
}
