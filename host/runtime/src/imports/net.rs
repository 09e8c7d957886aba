//! Connections that a guest holds by a handle; the work is done in [`crate::net`].

use crate::net::Connection;

/// A connection in the guest's table; dropping it closes it.
#[allow(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct OpenConnection(pub(crate) Connection);
