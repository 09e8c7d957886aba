//! The connector for Google Cloud Storage: CSV, NDJSON, JSON and Parquet, also compressed.
//!
//! Formats, streams and state are in `connectors/lib/files`, requests and ranged reads in `connectors/lib/objects`; here is
//! what Cloud Storage has of its own. The host adds access tokens, so no key ever gets here.

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

mod api;

use std::sync::Arc;

use serde::Deserialize;
use sluice_files::{Files, Options, StreamConfig};
use sluice_objects::{Endpoint, Store};
use sluice_sdk::{
    CheckStep, Config, Cursor, DiscoverFilter, DiscoverPage, Error, Hints, Manifest, Output, Plan, Result, Selection,
    Source, Split,
};

use crate::api::Gcs;

/// Where the objects are and how they are read.
#[derive(Clone, Debug, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub struct GcsConfig {
    /// The bucket.
    #[config(title = "Bucket", example = "acme-exports")]
    pub bucket: String,
    /// Only objects below this folder; the streams' globs are relative to it.
    #[serde(default)]
    #[config(title = "Prefix", default = "", example = "shop/2026")]
    pub prefix: String,
    /// The key of a service account, the JSON file as it is downloaded. Stays with the host, which fetches access tokens
    /// with it. Left out, requests are anonymous.
    #[config(title = "Service account key", secret, multiline, group = "Access")]
    pub service_account_key: Option<String>,
    /// Use the identity of the machine instead of a key; an operator has to grant that.
    #[serde(default)]
    #[config(title = "Identity of the machine", default = false, group = "Access")]
    pub application_default: bool,
    /// Project that pays for requests, for buckets whose owner wants that.
    #[config(title = "Billed project", example = "acme-analytics", group = "Access")]
    pub user_project: Option<String>,
    /// Host of a service that speaks the API; left out, Google's.
    #[config(title = "Endpoint", example = "storage.internal.example.com", group = "Endpoint")]
    pub endpoint: Option<String>,
    /// Port of the endpoint.
    #[serde(default = "default_port")]
    #[config(title = "Port", default = 443, minimum = 1, maximum = 65535, group = "Endpoint")]
    pub port: u16,
    /// Speak HTTP without TLS; only to an endpoint in a private network that the operator granted.
    #[serde(default)]
    #[config(title = "HTTP", default = false, group = "Endpoint")]
    pub http: bool,
    /// The streams. Left out, every folder and every file at the top is one.
    #[serde(default)]
    #[config(title = "Streams")]
    pub streams: Vec<StreamConfig>,
    /// How files are read, unless a stream has options of its own.
    #[serde(default)]
    #[config(title = "Options")]
    pub options: Options,
}

fn default_port() -> u16 {
    443
}

/// The source.
#[derive(Manifest)]
#[manifest(
    name = "gcs",
    title = "Google Cloud Storage",
    description = "CSV, NDJSON, JSON and Parquet files, also gzip or zstd compressed, from Google Cloud Storage.",
    publisher = "Sluice",
    config = GcsConfig,
    hosts("{endpoint}:{port}", "storage.googleapis.com:443"),
    auth(google_oauth(
        key = "service_account_key",
        application_default = "application_default",
        scopes("https://www.googleapis.com/auth/devstorage.read_only")
    )),
    capabilities(incremental, splits, estimate, changed_files)
)]
pub struct GcsSource {
    store: Store,
    files: Files,
}

impl Source for GcsSource {
    type Config = GcsConfig;

    fn open(config: GcsConfig) -> Result<Self> {
        if config.bucket.is_empty() || config.bucket.contains(['/', '?', '#', ':']) {
            let message =
                "bucket must be the bucket's name alone, without gs:// and without a path; a path belongs into prefix";
            return Err(Error::config(message).field("/bucket"));
        }
        let endpoint = match &config.endpoint {
            Some(host) => Endpoint::new(host, config.port, config.http)?,
            None => Endpoint::https("storage.googleapis.com"),
        };
        let store = Store::new(Gcs::new(endpoint, config.bucket, config.user_project), &config.prefix);
        let files = Files::new(Arc::new(store.clone()), config.streams, config.options)?;
        Ok(Self { store, files })
    }

    fn check(&mut self) -> Result<Vec<CheckStep>> {
        let signing = "requests carry the access tokens of what is configured, or are anonymous where nothing is";
        sluice_objects::check(&self.store, &self.files, signing)
    }

    fn discover(&mut self, filter: &DiscoverFilter, page: Option<&str>) -> Result<DiscoverPage> {
        self.files.discover(filter, page)
    }

    fn plan(&mut self, selections: &[Selection], hints: &Hints) -> Result<Plan> {
        self.files.plan(selections, hints)
    }

    fn read(&mut self, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
        self.files.read(split, start, output)
    }
}

sluice_sdk::export!(GcsSource);
