//! What a guest pushes is hostile until it has been here.
//!
//! A message is taken apart by [`message`] (lengths and caps before anything is decoded), a schema is admitted by
//! [`schema`] (types that the contract knows, bounded width and depth), a batch is decoded by [`batch`] (counts of nodes
//! and buffers first, then Arrow's own full validation, fenced against panics), and values from guests without Arrow are built into
//! arrays by [`rows`]. Everything that passes is an ordinary, valid Arrow batch of the declared schema.

pub mod batch;
pub mod message;
pub mod rows;
pub mod schema;

#[cfg(test)]
mod batch_tests;

/// Why something that a guest pushed was refused. Becomes the text of [`crate::Fault::Batch`] or [`crate::Fault::Schema`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl Refused {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
