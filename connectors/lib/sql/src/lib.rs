//! What connectors for SQL databases share.
//!
//! | module | for |
//! |---|---|
//! | [`id`] | stream ids |
//! | [`candidates`] | the choice of cursor columns |
//! | [`state`] | the state of a cursor column |
//! | [`ranges`], [`bisect`] | the cutting of a table into splits |
//! | [`field`] | Arrow fields with the source's type |
//! | [`fill`], [`fault`], [`batcher`] | from values to batches, and why a value cannot be taken |
//! | [`config`] | checks of a configuration |
//! | [`check`] | the frame of a check |
//!
//! It knows no dialect and no wire protocol: whatever it decides, it decides over facts that a connector has looked up. To
//! share something more between SQL connectors, give it a module here, pure and with tests, once two of them need it.

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

pub mod batcher;
pub mod bisect;
pub mod candidates;
pub mod check;
pub mod config;
pub mod fault;
pub mod field;
pub mod fill;
pub mod id;
pub mod ranges;
pub mod state;
