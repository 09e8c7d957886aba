//! The connector for Azure Blob Storage: CSV, NDJSON, JSON and Parquet, also compressed.
//!
//! Formats, streams and state are in `connectors/lib/files`, requests and ranged reads in `connectors/lib/objects`; here is
//! what Blob Storage has of its own. The host signs requests, so no key ever gets here.

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

use crate::api::Azure;

/// Where the blobs are and how they are read.
#[derive(Clone, Debug, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub struct AzureConfig {
    /// The storage account.
    #[config(title = "Account", example = "acmeexports")]
    pub account: String,
    /// The container.
    #[config(title = "Container", example = "exports")]
    pub container: String,
    /// Only blobs below this folder; the streams' globs are relative to it.
    #[serde(default)]
    #[config(title = "Prefix", default = "", example = "shop/2026")]
    pub prefix: String,
    /// One of the account's keys. Stays with the host, which signs requests with it.
    #[config(title = "Account key", secret, group = "Access")]
    pub account_key: Option<String>,
    /// A shared access signature for the container, instead of the key. Stays with the host. Without both, requests are
    /// anonymous.
    #[config(title = "Shared access signature", secret, group = "Access")]
    pub sas_token: Option<String>,
    /// Host of the blob service; left out, that of the account in Azure's public cloud.
    #[config(title = "Endpoint", example = "acmeexports.blob.core.usgovcloudapi.net", group = "Endpoint")]
    pub endpoint: Option<String>,
    /// Port of the endpoint.
    #[serde(default = "default_port")]
    #[config(title = "Port", default = 443, minimum = 1, maximum = 65535, group = "Endpoint")]
    pub port: u16,
    /// Speak HTTP without TLS; only to an endpoint in a private network that the operator granted.
    #[serde(default)]
    #[config(title = "HTTP", default = false, group = "Endpoint")]
    pub http: bool,
    /// Whether the account is the first part of the path, as Azurite wants it.
    #[serde(default)]
    #[config(title = "Path style", default = false, group = "Endpoint")]
    pub path_style: bool,
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
    name = "azure",
    title = "Azure Blob Storage",
    description = "CSV, NDJSON, JSON and Parquet files, also gzip or zstd compressed, from Azure Blob Storage.",
    publisher = "Sluice",
    config = AzureConfig,
    hosts("{endpoint}:{port}", "{account}.blob.core.windows.net:443"),
    auth(azure_sas(token = "sas_token"), azure_shared_key(account = "account", key = "account_key")),
    capabilities(incremental, splits, estimate, changed_files)
)]
pub struct AzureSource {
    store: Store,
    files: Files,
}

impl Source for AzureSource {
    type Config = AzureConfig;

    fn open(config: AzureConfig) -> Result<Self> {
        for (value, field) in [(&config.account, "/account"), (&config.container, "/container")] {
            // $web, $logs and $root are containers.
            let odd = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '$');
            if value.is_empty() || value.contains(odd) {
                let message =
                    format!("{} must be a name alone, of letters, digits and '-'", field.trim_start_matches('/'));
                return Err(Error::config(message).field(field));
            }
        }
        let endpoint = match &config.endpoint {
            Some(host) => Endpoint::new(host, config.port, config.http)?,
            None => Endpoint::https(format_args!("{}.blob.core.windows.net", config.account)),
        };
        let in_path = config.endpoint.is_some() && config.path_style;
        let store = Store::new(Azure::new(endpoint, config.account, config.container, in_path), &config.prefix);
        let files = Files::new(Arc::new(store.clone()), config.streams, config.options)?;
        Ok(Self { store, files })
    }

    fn check(&mut self) -> Result<Vec<CheckStep>> {
        let signing = "the host signs requests with what is configured; without a key or signature they are anonymous";
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

sluice_sdk::export!(AzureSource);
