//! The sandbox: runs connectors that nobody has to trust.
//!
//! A [`Runtime`] loads components ([`Connector`]), a [`Connection`] adds configuration, grants and limits, an [`Instance`] is an
//! actor that serves one call at a time. Every limit ends the instance with a [`Fault`] of its own; what a guest pushes has been
//! validated ([`validate`]) before anybody sees it. This is the only crate that names wasmtime. It must not know of sinks,
//! pipelines' streams, schedules or the state store.
//!
//! To add a host import: declare it in `wit/`, implement it in `imports/`, bind it in `contract/`, and write a guest under
//! `tests/guests` that tries to break it.

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

mod clocks;
mod component;
mod connection;
mod contract;
mod engine;
mod environment;
mod fault;
pub mod http;
mod imports;
mod instance;
pub mod net;
mod settings;
mod tape;
mod text;
pub mod validate;

use std::path::Path;
use std::sync::Arc;

pub use component::Connector;
pub use component::inspect::{Counted, Inspected, examine, inspect};
pub use connection::Connection;
pub use contract::Version;
pub use environment::{Clock, Environment};
pub use fault::Fault;
pub use imports::items::{NothingRecalled, Recall, Remembered};
pub use imports::log::{Level, Line, Log};
pub use imports::output::{Budget, InFlight, ReadEnd, ReadEvent};
pub use instance::{GOODBYE, Instance, Read, StopHandle};
pub use settings::Settings;
use sluice_core::RunError;
pub use tape::Taping;

/// Loads connectors. One of a process; cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    sandbox: Arc<engine::Sandbox>,
    settings: Settings,
}

impl Runtime {
    /// Sets the sandbox up.
    ///
    /// # Errors
    /// If this machine cannot run one.
    pub fn new(settings: Settings) -> Result<Self, RunError> {
        Ok(Self { sandbox: Arc::new(engine::Sandbox::new(&settings)?), settings })
    }

    /// Loads a connector from a file. Compiles it, unless the cache has it.
    ///
    /// # Errors
    /// If there is no such file, it is no connector, or it does not compile.
    pub async fn load(&self, path: &Path) -> Result<Connector, RunError> {
        self.take(path, None).await
    }

    /// As [`Runtime::load`], of the component with this SHA-256 and of no other.
    ///
    /// # Errors
    /// As [`Runtime::load`]; if the file holds another component. Nothing of that is compiled.
    pub async fn load_exactly(&self, path: &Path, sha256: &str) -> Result<Connector, RunError> {
        self.take(path, Some(sha256.to_owned())).await
    }

    async fn take(&self, path: &Path, expected: Option<String>) -> Result<Connector, RunError> {
        let bytes = component::read_file(path, &self.settings).await?;
        let (sandbox, settings) = (self.sandbox.clone(), self.settings.clone());
        let loading =
            tokio::task::spawn_blocking(move || component::load(&bytes, expected.as_deref(), &sandbox, &settings));
        loading.await.map_err(|e| RunError::internal(format!("compiling the connector was interrupted: {e}")))?
    }
}
