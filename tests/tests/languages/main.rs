//! Connectors in other languages than Rust: what their standard libraries import, the SDKs, the templates.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

mod c;
mod javascript;
mod probe;
mod project;
mod python;
mod sockets;
mod units;
