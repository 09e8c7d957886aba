//! The service over HTTP: one file per operation, below the resource that it is about.
//!
//! A request goes through these, from the outside in: headers and limits of all requests ([`http`]); who asks and whether they may
//! ([`auth`]); the operation ([`v1`], and [`ops`] for whoever operates the service), which asks the store and the engine.
//!
//! To add an operation: a file in its resource's folder with one handler and its body types; a line in the resource's `routes`, which
//! says what the operation needs. Nothing can be served without: [`auth::guard`] is what makes a route out of a handler.
//! This is the only crate that names axum.

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

pub mod auth;
mod describe;
#[cfg(test)]
mod golden;
pub mod http;
pub mod ops;
mod router;
mod serve;
mod state;
#[cfg(test)]
mod testing;
mod tidy;
pub mod v1;
#[cfg(test)]
mod walk;
mod web;

pub use http::limits::{Limits, Rate};
pub use router::{document, router};
pub use serve::serve;
pub use state::{App, Parts};
