//! The imports of the contract behind one trait: the component's bindings in the sandbox, std's sockets outside it.

use crate::log::Level;
use crate::net::TlsOptions;
use crate::{Directive, Result};

#[cfg(target_family = "wasm")]
pub mod bindings;
#[cfg(target_family = "wasm")]
mod sandboxed;

/// What the host does for a connector.
pub(crate) trait Host: Sync {
    fn declare(&self, stream: &str, schema: &[u8]) -> Result<u32>;
    fn push(&self, channel: u32, message: &[u8]) -> Result<()>;
    fn checkpoint(&self, channel: u32, cursor: &[u8], rows: u64) -> Result<Directive>;
    fn log(&self, level: Level, message: &str);
    fn connect(&self, host: &str, port: u16, tls: Option<&TlsOptions>) -> Result<Box<dyn Link>>;
}

/// An open connection.
pub(crate) trait Link {
    fn read(&mut self, max: u32) -> Result<Vec<u8>>;
    fn write(&mut self, bytes: &[u8]) -> Result<()>;
    fn start_tls(&mut self, options: &TlsOptions) -> Result<()>;
    fn tls_server_end_point(&mut self) -> Option<Vec<u8>>;
}

/// The host that this code runs on.
pub(crate) fn host() -> &'static dyn Host {
    #[cfg(target_family = "wasm")]
    return &sandboxed::Sandboxed;
    #[cfg(not(target_family = "wasm"))]
    return &crate::native::Native;
}
