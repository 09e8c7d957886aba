//! What the end-to-end tests share: where the servers, guests and the binary are, a sandbox, runs of the binary.
//!
//! `cargo xtask test` starts the servers and sets the variables that [`env`] reads; a test whose server is missing fails.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "support for tests: a failure is a failed test"
)]

pub mod attack;
pub mod bigquery;
pub mod binary;
pub mod cloud;
pub mod conformance;
pub mod crafted;
pub mod mysql;
pub mod objects;
pub mod otlp;
pub mod postgres;
pub mod proxy;
pub mod sandbox;
pub mod secret_manager;
pub mod service;
pub mod template;
pub mod warehouse;

use std::path::PathBuf;

/// A variable that `cargo xtask test` sets.
///
/// # Panics
/// If it is not set: nothing is skipped silently.
pub fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run the tests with `cargo xtask test`"))
}

/// The component of a misbehaving guest.
pub fn guest(name: &str) -> PathBuf {
    PathBuf::from(env("SLUICE_TEST_GUESTS")).join(format!("{name}.wasm"))
}
