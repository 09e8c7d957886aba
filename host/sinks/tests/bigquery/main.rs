//! The BigQuery sink against a BigQuery that runs here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a failed assertion is how a test fails"
)]

mod append;
mod contract;
mod evolution;
mod faults;
mod proxy;
mod staged;
mod support;
mod types;
