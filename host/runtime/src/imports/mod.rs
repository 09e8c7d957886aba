//! What the host does for a guest, one file for each import, whatever the contract's version.

pub(crate) mod buffers;
pub(crate) mod folder;
pub(crate) mod items;
pub(crate) mod log;
#[allow(unreachable_pub, reason = "the generated bindings re-export what is in it")]
pub mod net;
pub(crate) mod output;
pub(crate) mod sockets;
pub(crate) mod wasi;
