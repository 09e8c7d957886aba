//! HTTP requests, sent by the host to the hosts that the manifest declares. Connections, TLS, HTTP/2 and credentials are the
//! host's: a connector never signs a request and never sees a token.
//!
//! Everything exists twice, for code that waits and for code that is asynchronous:
//!
//! ```no_run
//! use sluice_sdk::http::{self, Request};
//!
//! # fn main() -> sluice_sdk::Result<()> {
//! // One after the other.
//! let mut response = Request::get("https://shop.example.com/orders").header("accept", "application/json").send()?;
//! let status = response.status();
//! while let Some(chunk) = response.chunk()? {
//!     println!("{status}: {} bytes", chunk.len());
//! }
//!
//! // Two at once: a request is on its way as soon as it is started.
//! let first = Request::get("https://shop.example.com/orders?page=1").start()?;
//! let second = Request::get("https://shop.example.com/orders?page=2").start()?;
//! let pages = http::block_on(async {
//!     let first = first.await?.whole(1 << 20).await?;
//!     let second = second.await?.whole(1 << 20).await?;
//!     Ok::<_, sluice_sdk::Error>((first, second))
//! })?;
//! # drop(pages);
//! # Ok(())
//! # }
//! ```
//!
//! The host counts requests as open until their response is dropped, and allows `limits.instance.connections` of them.

mod headers;
mod request;
mod response;
mod run;

pub use headers::Headers;
pub use request::{Method, Request, Timeouts};
pub use response::{Pending, Response};
pub use run::{block_on, sleep};
