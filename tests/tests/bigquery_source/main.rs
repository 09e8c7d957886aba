//! BigQuery as a source, from the binary: across projects, every type, views and queries, increments, splits, and what is
//! left when something breaks.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

mod breaks;
mod conforms;
mod copies;
mod increments;
mod support;
mod told;
