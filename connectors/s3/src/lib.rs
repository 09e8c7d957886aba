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

use std::sync::Arc;

use serde::Deserialize;
use sluice_files::{Files, Options, StreamConfig};
use sluice_objects::{Endpoint, Store};
use sluice_sdk::{
    CheckStep, Config, Cursor, DiscoverFilter, DiscoverPage, Error, Hints, Manifest, Output, Plan, Result, Selection,
    Source, Split,
};

use crate::api::S3;

/// Where the objects are and how they are read.
#[derive(Clone, Debug, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub struct S3Config {
    /// The bucket.
    #[config(title = "Bucket", example = "acme-exports")]
    pub bucket: String,
    /// Only keys below this folder; the streams' globs are relative to it.
    #[serde(default)]
    #[config(title = "Prefix", default = "", example = "shop/2026")]
    pub prefix: String,
    /// The bucket's region.
    #[serde(default = "default_region")]
    #[config(title = "Region", default = "us-east-1", example = "eu-central-1")]
    pub region: String,
    /// Host of a service that speaks S3's protocol; left out, Amazon's.
    #[config(title = "Endpoint", example = "minio.example.com", group = "Endpoint")]
    pub endpoint: Option<String>,
    /// Port of the endpoint.
    #[serde(default = "default_port")]
    #[config(title = "Port", default = 443, minimum = 1, maximum = 65535, group = "Endpoint")]
    pub port: u16,
    /// Speak HTTP without TLS; only to an endpoint in a private network that the operator granted.
    #[serde(default)]
    #[config(title = "HTTP", default = false, group = "Endpoint")]
    pub http: bool,
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
    /// The streams. Left out, every folder and every file at the top is one.
    #[serde(default)]
    #[config(title = "Streams")]
    pub streams: Vec<StreamConfig>,
    /// How files are read, unless a stream has options of its own.
    #[serde(default)]
    #[config(title = "Options")]
    pub options: Options,
}

fn default_region() -> String {
    "us-east-1".to_owned()
}

fn default_port() -> u16 {
    443
}

fn default_path_style() -> bool {
    true
}

/// The source.
#[derive(Manifest)]
#[manifest(
    name = "s3",
    title = "Amazon S3",
    description = "CSV, NDJSON, JSON and Parquet files, also gzip or zstd compressed, from Amazon S3 and services that speak \
                   its protocol.",
    publisher = "Sluice",
    config = S3Config,
    hosts("{endpoint}:{port}", "s3.{region}.amazonaws.com:443"),
    auth(aws_sigv4(
        access_key = "access_key_id",
        secret_key = "secret_access_key",
        session_token = "session_token",
        region = "region",
        service = "s3"
    )),
    capabilities(incremental, splits, estimate, changed_files)
)]
pub struct S3Source {
    store: Store,
    files: Files,
    signing: String,
}

impl Source for S3Source {
    type Config = S3Config;

    fn open(config: S3Config) -> Result<Self> {
        if config.bucket.is_empty() || config.bucket.contains(['/', '?', '#', ':']) {
            let message =
                "bucket must be the bucket's name alone, without s3:// and without a path; a path belongs into prefix";
            return Err(Error::config(message).field("/bucket"));
        }
        let endpoint = match &config.endpoint {
            Some(host) => Endpoint::new(host, config.port, config.http)?,
            None => Endpoint::https(format_args!("s3.{}.amazonaws.com", config.region)),
        };
        let signing = match &config.access_key_id {
            Some(id) => format!("the host signs requests with the key {id}"),
            None => "requests are anonymous".to_owned(),
        };
        let in_path = config.endpoint.is_none() || config.path_style;
        let s3 = S3::new(endpoint, &config, in_path);
        let store = Store::new(s3, &config.prefix);
        let files = Files::new(Arc::new(store.clone()), config.streams, config.options)?;
        Ok(Self { store, files, signing })
    }

    fn check(&mut self) -> Result<Vec<CheckStep>> {
        sluice_objects::check(&self.store, &self.files, &self.signing)
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

sluice_sdk::export!(S3Source);
