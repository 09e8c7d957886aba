//! The BigQuery sink against a BigQuery that runs here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a failed assertion is how a test fails"
)]

mod append;
mod evolution;
mod staged;
mod support;
mod types;
