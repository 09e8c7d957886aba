//! What the configurations of all object stores have.

use serde::Deserialize;
use sluice_files::{Options, StreamConfig};
use sluice_sdk::{Config, Result};

use crate::provider::Endpoint;

/// Where the objects are, apart from the bucket, and how they are read; flattened into a store's own configuration.
#[derive(Clone, Debug, Default, Deserialize, Config)]
pub struct ObjectsConfig {
    /// Only objects below this folder; the streams' globs are relative to it.
    #[serde(default)]
    #[config(title = "Prefix", default = "", example = "shop/2026")]
    pub prefix: String,
    /// URL of the service, where it is not the provider's own public one; `http://` only in a private network that the operator
    /// granted.
    #[config(title = "Endpoint", example = "https://storage.internal.example.com", group = "Endpoint")]
    pub endpoint: Option<String>,
    /// The streams. Left out, every folder and every file at the top is one.
    #[serde(default)]
    #[config(title = "Streams")]
    pub streams: Vec<StreamConfig>,
    /// How files are read, unless a stream has options of its own.
    #[serde(default)]
    #[config(title = "Options")]
    pub options: Options,
}

impl ObjectsConfig {
    /// The endpoint that is configured, or the provider's own host.
    ///
    /// # Errors
    /// `config` if it is no URL of a host.
    pub fn endpoint(&self, own: impl std::fmt::Display) -> Result<Endpoint> {
        match &self.endpoint {
            Some(url) => Endpoint::new(url),
            None => Ok(Endpoint::https(own)),
        }
    }
}
