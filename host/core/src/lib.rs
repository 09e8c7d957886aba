//! The words and decisions of Sluice.
//!
//! What every other host crate agrees on: the vocabulary (pipeline, stream, split, checkpoint, load, receipt), the
//! error that says who must act, the manifest of a connector, the rules by which column names are made safe; the
//! pure decisions of a run: when it may commit and what an unclear commit turned out to be; and those of the service: when a
//! pipeline runs, which queued run starts, what is tried again, who may do what, who is told, what is a secret.
//!
//! This crate does no I/O and knows no runtime: no tokio, sqlx, axum, wasmtime or Google client, no clock and no
//! randomness. Facts come in as arguments, decisions go out as values.
//!
//! To add a decision: state the facts as a struct, write the function from facts to a value, test every branch
//! here, and let `sluice-engine` carry it out.

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

pub mod access;
pub mod commit;
pub mod config;
pub mod connector;
pub mod error;
pub mod forecast;
pub mod freshness;
mod hex;
pub mod items;
pub mod limits;
pub mod load;
pub mod manifest;
pub mod mark;
pub mod metrics;
pub mod naming;
pub mod notify;
pub mod offers;
pub mod pipeline;
pub mod plain;
pub mod plan;
pub mod quality;
pub mod queue;
pub mod recording;
pub mod request;
pub mod retry;
pub mod run;
pub mod sample;
pub mod schedule;
pub mod secret;
pub mod signature;
pub mod trace;
pub mod validate;
pub mod worker;

pub use error::{Actor, Retry, RunError};
pub use hex::hex;
