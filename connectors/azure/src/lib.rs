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

use serde::Deserialize;
use sluice_objects::{ObjectSource, ObjectStore, ObjectsConfig, Opened};
use sluice_sdk::{Config, Error, Manifest, Result};

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
    /// One of the account's keys. Stays with the host, which signs requests with it.
    #[config(title = "Account key", secret, group = "Access")]
    pub account_key: Option<String>,
    /// A shared access signature for the container, instead of the key. Stays with the host. Without both, requests are
    /// anonymous.
    #[config(title = "Shared access signature", secret, group = "Access")]
    pub sas_token: Option<String>,
    /// Whether the account is the first part of the path, as Azurite wants it.
    #[serde(default)]
    #[config(title = "Path style", default = false, group = "Endpoint")]
    pub path_style: bool,
    /// What all object stores have.
    #[serde(flatten)]
    pub objects: ObjectsConfig,
}

/// The store.
#[derive(Manifest)]
#[manifest(
    name = "azure",
    title = "Azure Blob Storage",
    description = "CSV, NDJSON, JSON and Parquet files, also compressed (gzip, zstd, snappy, lz4), from Azure Blob Storage.",
    publisher = "Sluice",
    config = AzureConfig,
    hosts("{endpoint}", "{account}.blob.core.windows.net:443"),
    auth(azure_sas(token = "sas_token"), azure_shared_key(account = "account", key = "account_key")),
    capabilities(incremental, splits, estimate, changed_files)
)]
pub struct AzureStore;

/// The source.
pub type AzureSource = ObjectSource<AzureStore>;

sluice_sdk::export!(AzureSource);

impl ObjectStore for AzureStore {
    type Config = AzureConfig;

    fn open(config: AzureConfig) -> Result<Opened> {
        for (value, field) in [(&config.account, "/account"), (&config.container, "/container")] {
            // $web, $logs and $root are containers.
            let odd = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '$');
            if value.is_empty() || value.contains(odd) {
                let message =
                    format!("{} must be a name alone, of letters, digits and '-'", field.trim_start_matches('/'));
                return Err(Error::config(message).field(field));
            }
        }
        let endpoint = config.objects.endpoint(format_args!("{}.blob.core.windows.net", config.account))?;
        let in_path = config.objects.endpoint.is_some() && config.path_style;
        let signing = "the host signs requests with what is configured; without a key or signature they are anonymous";
        Ok(Opened::new(Azure::new(endpoint, config.account, config.container, in_path), config.objects, signing))
    }
}
