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

use serde::Deserialize;
use sluice_objects::{ObjectSource, ObjectStore, ObjectsConfig, Opened};
use sluice_sdk::{Config, Error, Manifest, Result};

use crate::api::Gcs;

/// Where the objects are and how they are read.
#[derive(Clone, Debug, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub struct GcsConfig {
    /// The bucket.
    #[config(title = "Bucket", example = "acme-exports")]
    pub bucket: String,
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
    /// What all object stores have.
    #[serde(flatten)]
    pub objects: ObjectsConfig,
}

/// The store.
#[derive(Manifest)]
#[manifest(
    name = "gcs",
    title = "Google Cloud Storage",
    description = "CSV, NDJSON, JSON and Parquet files, also compressed (gzip, zstd, snappy, lz4), from Google Cloud Storage.",
    publisher = "Sluice",
    config = GcsConfig,
    hosts("{endpoint}", "storage.googleapis.com:443"),
    auth(google_oauth(
        key = "service_account_key",
        application_default = "application_default",
        scopes("https://www.googleapis.com/auth/devstorage.read_only")
    )),
    capabilities(incremental, splits, estimate, changed_files)
)]
pub struct GcsStore;

/// The source.
pub type GcsSource = ObjectSource<GcsStore>;

sluice_sdk::export!(GcsSource);

impl ObjectStore for GcsStore {
    type Config = GcsConfig;

    fn open(config: GcsConfig) -> Result<Opened> {
        if config.bucket.is_empty() || config.bucket.contains(['/', '?', '#', ':']) {
            let message =
                "bucket must be the bucket's name alone, without gs:// and without a path; a path belongs into prefix";
            return Err(Error::config(message).field("/bucket"));
        }
        let endpoint = config.objects.endpoint("storage.googleapis.com")?;
        let signing = "requests carry the access tokens of what is configured, or are anonymous where nothing is";
        Ok(Opened::new(Gcs::new(endpoint, config.bucket, config.user_project), config.objects, signing))
    }
}
