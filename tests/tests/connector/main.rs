//! `sluice connector`: the author's path, with the real binary, real components and real servers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

mod author;
mod builtin;
mod publish;
mod recordings;
mod support;
