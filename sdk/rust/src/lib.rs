//! What the author of a Sluice connector works with.
//!
//! Implement [`Source`] for a type, describe it with `#[derive(Manifest)]` and its configuration with
//! `#[derive(Config)]`, and call [`export!`]. Built for `wasm32-wasip2` the crate is a component that Sluice can run;
//! built for the machine itself the same code runs on std's sockets, for unit tests and profiles ([`native`]).
//!
//! The crate knows the contract (`wit/`) and Arrow, and nothing of the host. To add a host import: declare it in `wit/`,
//! add it to [`host::Host`] and its two implementations, and give authors a small module for it here.

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

pub mod api;
pub mod batch;
pub mod calendar;
mod concat;
mod error;
mod export;
mod host;
pub mod http;
mod ipc;
pub mod items;
pub mod log;
#[cfg(not(target_family = "wasm"))]
pub mod native;
pub mod net;
mod output;
mod source;

pub use error::{Error, ErrorKind, Result};
pub use ipc::schema_message;
pub use output::{Channel, Directive, Output};
pub use sluice_sdk_derive::{Config, Manifest};
pub use source::{
    ChangedFiles, CheckStep, ConfigMembers, ConfigSchema, ConnectorManifest, Cursor, DiscoverFilter, DiscoverPage,
    Hints, Outcome, Plan, ReadMode, Selection, Source, Split, StreamInfo, StreamKind, StreamPlan,
};

#[doc(hidden)]
pub mod __private {
    //! What the macros need; not for authors.
    pub use crate::concat::{bytes_of, comma_before, contains, join, joined_len};
    pub use crate::export::Exported;
    #[cfg(target_family = "wasm")]
    pub use crate::host::{bindings, borrowing};
    pub use serde;
    pub use serde_json;
}
