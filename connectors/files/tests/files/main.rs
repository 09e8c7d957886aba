//! The connector as the host uses it, natively: check, discover, plan, read, and again from what it remembered.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

mod formats;
mod hostile;
mod incremental;
mod parts;
mod streams;
mod support;
