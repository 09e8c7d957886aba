//! What connectors for SQL databases share: the state of a cursor column ([`state`]), the choice of cursor columns
//! ([`candidates`]), the cutting of a table into splits ([`ranges`]), stream ids ([`id`]).
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

pub mod candidates;
pub mod id;
pub mod ranges;
pub mod state;
