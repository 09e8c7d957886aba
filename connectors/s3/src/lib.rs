//! The connector for Amazon S3 and services that speak its protocol: CSV, NDJSON, JSON and Parquet, also compressed.
//!
//! Formats, streams and state are in `connectors/lib/files`, requests and ranged reads in `connectors/lib/objects`; here is
//! what S3 has of its own. The host signs requests, so no key ever gets here.

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

use crate::api::S3;

/// Where the objects are and how they are read.
#[derive(Clone, Debug, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub struct S3Config {
    /// The bucket.
    #[config(title = "Bucket", example = "acme-exports")]
    pub bucket: String,
    /// The bucket's region.
    #[serde(default = "default_region")]
    #[config(title = "Region", default = "us-east-1", example = "eu-central-1")]
    pub region: String,
    /// Whether the bucket is the first part of the path; false where `endpoint` is the bucket's own host.
    #[serde(default = "default_path_style")]
    #[config(title = "Path style", default = true, group = "Endpoint")]
    pub path_style: bool,
    /// Id of the access key; left out together with the secret, requests are anonymous.
    #[config(title = "Access key id", example = "AKIAIOSFODNN7EXAMPLE", group = "Access")]
    pub access_key_id: Option<String>,
    /// The secret access key. Stays with the host, which signs requests with it.
    #[config(title = "Secret access key", secret, group = "Access")]
    pub secret_access_key: Option<String>,
    /// The session token of temporary credentials. Stays with the host.
    #[config(title = "Session token", secret, group = "Access")]
    pub session_token: Option<String>,
    /// Agree to pay for requests, for buckets whose owner wants that.
    #[serde(default)]
    #[config(title = "Requester pays", default = false, group = "Access")]
    pub requester_pays: bool,
    /// What all object stores have.
    #[serde(flatten)]
    pub objects: ObjectsConfig,
}

fn default_region() -> String {
    "us-east-1".to_owned()
}

fn default_path_style() -> bool {
    true
}

/// The store.
#[derive(Manifest)]
#[manifest(
    name = "s3",
    title = "Amazon S3",
    description = "CSV, NDJSON, JSON and Parquet files, also compressed (gzip, zstd, snappy, lz4), from Amazon S3 and services that speak \
                   its protocol.",
    publisher = "Sluice",
    config = S3Config,
    hosts("{endpoint}", "s3.{region}.amazonaws.com:443"),
    auth(aws_sigv4(
        access_key = "access_key_id",
        secret_key = "secret_access_key",
        session_token = "session_token",
        region = "region",
        service = "s3"
    )),
    capabilities(incremental, splits, estimate, changed_files)
)]
pub struct S3Store;

/// The source.
pub type S3Source = ObjectSource<S3Store>;

sluice_sdk::export!(S3Source);

impl ObjectStore for S3Store {
    type Config = S3Config;

    fn open(config: S3Config) -> Result<Opened> {
        if config.bucket.is_empty() || config.bucket.contains(['/', '?', '#', ':']) {
            let message =
                "bucket must be the bucket's name alone, without s3:// and without a path; a path belongs into prefix";
            return Err(Error::config(message).field("/bucket"));
        }
        let endpoint = config.objects.endpoint(format_args!("s3.{}.amazonaws.com", config.region))?;
        let signing = match &config.access_key_id {
            Some(id) => format!("the host signs requests with the key {id}"),
            None => "requests are anonymous".to_owned(),
        };
        let in_path = config.objects.endpoint.is_none() || config.path_style;
        Ok(Opened::new(S3::new(endpoint, &config, in_path), config.objects, signing))
    }
}
