//! The imports of the contract behind one trait: the component's bindings in the sandbox, std's sockets outside it.

use std::task::{Context, Poll};
use std::time::Duration;

use crate::http::{Headers, Request};
use crate::log::Level;
use crate::net::TlsOptions;
use crate::{Directive, Result};

#[cfg(target_family = "wasm")]
pub mod bindings;
#[cfg(target_family = "wasm")]
pub mod borrowing;
#[cfg(target_family = "wasm")]
mod sandboxed;

/// What the host does for a connector.
pub(crate) trait Host: Sync {
    fn declare(&self, stream: &str, schema: &[u8]) -> Result<u32>;
    fn push(&self, channel: u32, message: &[u8]) -> Result<()>;
    /// A message whose body the host lays out: each piece at the next multiple of [`crate::ipc::ALIGNMENT`].
    fn push_parts(&self, channel: u32, metadata: &[u8], body: &[&[u8]]) -> Result<()>;
    fn checkpoint(&self, channel: u32, cursor: &[u8], rows: u64) -> Result<Directive>;
    fn recall(&self, stream: &str, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>>;
    fn remember(&self, stream: &str, entries: &[(String, Vec<u8>)]) -> Result<()>;
    fn replace(&self, stream: &str, files: &[String]) -> Result<()>;
    fn log(&self, level: Level, message: &str);
    fn connect(&self, host: &str, port: u16, tls: Option<&TlsOptions>) -> Result<Box<dyn Link>>;
    /// Sends a request.
    fn start(&self, request: Request) -> Result<Box<dyn Exchange>>;
    /// A timer that starts now.
    fn timer(&self, time: Duration) -> Box<dyn Timer>;
    /// Waits until something that a future waits for is there, and wakes it.
    fn wait(&self);
}

/// A request under way and its response. Polled in this order: head, chunks to the end, trailers.
pub(crate) trait Exchange: Send {
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Head>>;
    /// None at the end of the body.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Vec<u8>>>>;
    fn poll_trailers(&mut self, cx: &mut Context<'_>) -> Poll<Result<Headers>>;
}

/// Status and headers of a response.
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
}

/// A timer under way.
pub(crate) trait Timer: Send {
    fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()>;
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
