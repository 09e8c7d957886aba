//! What the host does for a guest, one file for each import, whatever the contract's version.

pub mod log;
pub(crate) mod net;
pub mod output;
