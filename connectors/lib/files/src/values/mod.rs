//! From pieces of text to typed columns.

pub(crate) mod cell;
pub(crate) mod column;
pub(crate) mod kind;
pub(crate) mod number;
pub(crate) mod time;
