//! Names to addresses, on the host's side.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;

use super::error::{NetError, NetErrorKind};

/// Most addresses of one name that are looked at.
const MAX_ADDRESSES: usize = 32;

/// How long a name may take to resolve.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Resolves names; tests put their own in its place.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// The addresses of a DNS name, in the order in which they should be tried.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Asks the resolver, bounded in time and in what it may answer.
pub(crate) async fn lookup(resolver: &dyn Resolver, name: &str) -> Result<Vec<IpAddr>, NetError> {
    let answer = match tokio::time::timeout(TIMEOUT, resolver.resolve(name)).await {
        Ok(answer) => answer.map_err(|error| explain(name, &error))?,
        Err(_) => {
            let message = format!("the name {name} did not resolve within {} seconds", TIMEOUT.as_secs());
            return Err(NetError::new(NetErrorKind::Transient, message));
        }
    };
    let mut addresses: Vec<IpAddr> = Vec::with_capacity(answer.len().min(MAX_ADDRESSES));
    for address in answer.into_iter().take(MAX_ADDRESSES) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(NetError::new(NetErrorKind::NotFound, format!("the name {name} has no address")));
    }
    Ok(addresses)
}

/// The standard library keeps `getaddrinfo`'s code only in the message.
fn explain(name: &str, error: &io::Error) -> NetError {
    let text = error.to_string();
    if text.contains("Temporary failure") || text.contains("try again") {
        return NetError::new(NetErrorKind::Transient, format!("the name {name} could not be resolved now: {text}"));
    }
    NetError::new(NetErrorKind::NotFound, format!("the name {name} does not resolve ({text}); check its spelling"))
}
