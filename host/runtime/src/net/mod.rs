//! TCP and TLS for guests.
//!
//! A guest names a host and a port; everything between that and bytes is decided and done here: whether the host may
//! be reached ([`egress`]), its addresses (resolved once, checked, pinned), the connection, and TLS ([`tls`]). The
//! decisions are pure functions; `dial`, `connection` and `tls` carry them out.
//!
//! This module knows nothing of WebAssembly, Postgres or HTTP.
//!
//! To allow or refuse another kind of address: add the range to `address.rs` with a row in its table test. To add a
//! TLS option: `wit/v0.1/net.wit`, [`TlsOptions`], `Tls::prepare`, a test against a server in `tls_tests.rs`.

mod address;
mod buffered;
mod connection;
pub(crate) mod dial;
pub mod egress;
mod error;
mod name;
mod resolve;
#[cfg(test)]
pub(crate) mod testing;
pub mod tls;

use std::sync::Arc;

use tokio::sync::Semaphore;

pub use address::{AddressClass, classify};
pub(crate) use buffered::Buffered;
pub use connection::{Connection, MAX_READ};
use dial::{CONNECT_TIMEOUT, Dialer};
pub use egress::{Denied, DenyList, EgressPolicy, HostRule, Watch, expand_hosts};
pub use error::{NetError, NetErrorKind};
pub use name::{BadName, HostName};
pub use resolve::{Resolver, SystemResolver};
pub use tls::{TlsOptions, Verification};

/// The network as one instance sees it.
#[derive(Clone)]
pub struct Network {
    dialer: Dialer,
    permits: Arc<Semaphore>,
    max_connections: u32,
}

impl Network {
    /// A network for one instance: what it may reach, how many connections it may hold, who resolves names.
    pub fn new(policy: EgressPolicy, max_connections: u32, resolver: Arc<dyn Resolver>) -> Self {
        let permits = usize::try_from(max_connections).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self {
            dialer: Dialer::new(Arc::new(policy), resolver),
            permits: Arc::new(Semaphore::new(permits)),
            max_connections,
        }
    }

    /// Connects, and speaks TLS from the first byte if asked to.
    ///
    /// # Errors
    /// `Permission` where the manifest, the grants or the operator do not allow the host or its address, `NotFound`
    /// where the name does not resolve, `Transient` where nobody answers, `Limit` where the instance holds as many
    /// connections as it may, and what TLS has to say.
    pub async fn connect(&self, host: &str, port: u16, tls: Option<&TlsOptions>) -> Result<Connection, NetError> {
        let destination = self.dialer.destination(host, port)?;
        let permit = Arc::clone(&self.permits).try_acquire_owned().map_err(|_| {
            let message = format!(
                "the connector has {} connections open, as many as limits.instance.connections allows",
                self.max_connections
            );
            NetError::new(NetErrorKind::Limit, message)
        })?;
        let stream = self.dialer.dial(&destination, CONNECT_TIMEOUT).await?;
        let mut connection = Connection::new(stream, destination.host.to_string(), permit);
        if let Some(options) = tls {
            connection.secure(options).await?;
        }
        Ok(connection)
    }
}

#[cfg(test)]
#[path = "net_tests.rs"]
mod tests;
