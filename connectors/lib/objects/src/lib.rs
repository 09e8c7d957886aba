//! What connectors of object stores share: requests with retries, listings, ranged reads with several requests under way, and
//! the proof that every byte of a file is of the version that was planned.
//!
//! A connector implements [`Provider`] (how its store's API is asked, and what its answers mean) and [`ObjectStore`] (what its
//! configuration means); [`ObjectSource`] makes a source of that, over `connectors/lib/files`. The crate knows HTTP; it must not
//! know any provider, file formats, or credentials: the host signs requests.
//!
//! To add a store: a folder beside `connectors/s3` with a configuration that [`ObjectsConfig`] is flattened into, a manifest that
//! names the host's scheme of signing, and the two traits.

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

mod ahead;
mod check;
mod config;
pub mod encode;
mod provider;
mod request;
mod source;
mod store;
pub mod time;
pub mod xml;

pub use config::ObjectsConfig;
pub use provider::{Endpoint, Provider, Refused, by_status};
pub use source::{ObjectSource, ObjectStore, Opened};
pub use store::Store;
