//! A connector's component: inspected without running it, compiled once, cached by its digest and the engine's configuration.

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use sluice_core::error::{Actor, Kind};
use sluice_core::manifest::Manifest;
use sluice_core::{RunError, hex};
use wasmtime::component::InstancePre;

mod cache;
pub(crate) mod inspect;
mod limits;

use crate::contract::{self, Version};
use crate::engine::Sandbox;
use crate::instance::store::StoreData;
use crate::settings::Settings;

/// A connector that is ready to be instantiated.
#[derive(Clone)]
pub struct Connector {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) manifest: Manifest,
    pub(crate) digest: String,
    pub(crate) version: Version,
    pub(crate) pre: InstancePre<StoreData>,
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) settings: Settings,
}

impl Connector {
    /// What the connector says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.inner.manifest
    }

    /// SHA-256 of the component, hexadecimal.
    pub fn digest(&self) -> &str {
        &self.inner.digest
    }
}

/// Reads a component's file, no larger than the settings allow.
pub(crate) async fn read_file(path: &Path, settings: &Settings) -> Result<Vec<u8>, RunError> {
    let shown = path.display();
    let wrong = |kind: Kind, message: String| RunError::new(kind, Actor::User, message);
    let metadata = tokio::fs::metadata(path).await.map_err(|e| {
        let kind = if e.kind() == std::io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Config };
        wrong(kind, format!("the connector {shown} cannot be read: {e}"))
    })?;
    if metadata.len() > settings.component_bytes {
        let limit = settings.component_bytes;
        return Err(wrong(Kind::Unsupported, format!("the connector {shown} has more than {limit} bytes")));
    }
    tokio::fs::read(path).await.map_err(|e| wrong(Kind::Config, format!("the connector {shown} cannot be read: {e}")))
}

/// Inspects, compiles (or takes from the cache) and links a component: the expected one, if one is.
pub(crate) fn load(
    bytes: &[u8],
    expected: Option<&str>,
    sandbox: &Arc<Sandbox>,
    settings: &Settings,
) -> Result<Connector, RunError> {
    let digest = hex(&Sha256::digest(bytes));
    if let Some(expected) = expected.filter(|expected| *expected != digest) {
        let message =
            format!("the connector's file holds the component sha256:{digest}, and sha256:{expected} is to be used");
        return Err(RunError::new(Kind::Permission, Actor::Host, message));
    }
    let inspected = inspect::inspect(bytes)?;
    let component = cache::compile(bytes, &digest, sandbox, settings)?;
    let unfit = |e: wasmtime::Error| {
        let message = format!("the connector does not fit the contract's world: {e:#}; build it against wit/v0.1");
        RunError::new(Kind::Unsupported, Actor::Source, message)
    };
    let pre = sandbox.linker.instantiate_pre(&component).map_err(unfit)?;
    contract::fits(inspected.version, &pre).map_err(unfit)?;
    Ok(Connector {
        inner: Arc::new(Inner {
            manifest: inspected.manifest,
            digest,
            version: inspected.version,
            pre,
            sandbox: sandbox.clone(),
            settings: settings.clone(),
        }),
    })
}
