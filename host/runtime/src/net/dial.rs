//! From a host and a port to an open TCP connection: resolve once, check every address, connect to an address that was
//! checked. Nothing resolves the name a second time, so a name server that changes its mind gains nothing.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use super::egress::{Denied, EgressPolicy, HostRule};
use super::error::{NetError, NetErrorKind};
use super::name::HostName;
use super::resolve::{Resolver, lookup};

/// How long the addresses of a host may take to answer, all together.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// The lead that an address gets before the next one is tried beside it (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);

/// A host that passed the policy's first question.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    pub(crate) host: HostName,
    pub(crate) port: u16,
    pub(crate) rule: HostRule,
}

/// Opens connections under a policy.
#[derive(Clone)]
pub(crate) struct Dialer {
    policy: Arc<EgressPolicy>,
    resolver: Arc<dyn Resolver>,
}

impl Dialer {
    pub(crate) fn new(policy: Arc<EgressPolicy>, resolver: Arc<dyn Resolver>) -> Self {
        Self { policy, resolver }
    }

    pub(crate) fn policy(&self) -> &EgressPolicy {
        &self.policy
    }

    /// The policy's first question: may this host and port be reached at all?
    pub(crate) fn destination(&self, host: &str, port: u16) -> Result<Destination, NetError> {
        let host = HostName::parse(host).map_err(|reason| NetError::from(Denied::from(reason)))?;
        let rule = self.policy.allows_host(&host, port)?;
        Ok(Destination { host, port, rule })
    }

    /// Resolves, checks and connects.
    pub(crate) async fn dial(&self, to: &Destination, timeout: Duration) -> Result<TcpStream, NetError> {
        let addresses = self.addresses(to).await?;
        let Ok(outcome) = tokio::time::timeout(timeout, race(&addresses)).await else {
            let message = format!(
                "{}:{} did not answer within {} seconds; check host, port and firewall",
                to.host,
                to.port,
                timeout.as_secs_f32()
            );
            return Err(NetError::new(NetErrorKind::Transient, message));
        };
        let stream = outcome.map_err(|error| {
            let message = format!("cannot connect to {}:{}: {}", to.host, to.port, reason(&error));
            NetError::new(NetErrorKind::Transient, message)
        })?;
        tune(&stream).map_err(|error| NetError::io("cannot set up the connection", &error))?;
        Ok(stream)
    }

    /// The addresses that the policy lets through. A name of which some addresses are refused is reached over the
    /// others only.
    async fn addresses(&self, to: &Destination) -> Result<Vec<SocketAddr>, NetError> {
        let found = match &to.host {
            HostName::Ip(address) => vec![*address],
            HostName::Dns(name) => lookup(self.resolver.as_ref(), name).await?,
        };
        let mut allowed = Vec::with_capacity(found.len());
        let mut refusal = None;
        for address in found {
            match self.policy.allows_address(&to.rule, address) {
                Ok(()) => allowed.push(SocketAddr::new(address, to.port)),
                Err(denied) => refusal = refusal.or(Some(denied)),
            }
        }
        match refusal {
            Some(denied) if allowed.is_empty() => {
                Err(NetError::new(NetErrorKind::Permission, format!("{}:{}: {denied}", to.host, to.port)))
            }
            _ => Ok(alternate(allowed)),
        }
    }
}

impl From<Denied> for NetError {
    fn from(denied: Denied) -> Self {
        let kind = if matches!(denied, Denied::Name(_)) { NetErrorKind::Config } else { NetErrorKind::Permission };
        Self::new(kind, denied.to_string())
    }
}

/// Alternates between the families, starting with the resolver's favourite.
fn alternate(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|a| a.is_ipv6() == first_is_v6);
    let mut second = second.into_iter();
    let mut ordered = Vec::with_capacity(first.len() + second.len());
    for address in first {
        ordered.push(address);
        ordered.extend(second.next());
    }
    ordered.extend(second);
    ordered
}

/// Tries the addresses one after the other, each with a head start; the first that answers wins.
async fn race(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut waiting = addresses.iter().copied();
    let mut attempts = FuturesUnordered::new();
    let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "no address");
    attempts.extend(waiting.next().map(TcpStream::connect));
    loop {
        tokio::select! {
            outcome = attempts.next() => match outcome {
                Some(Ok(stream)) => return Ok(stream),
                Some(Err(error)) => {
                    last = error;
                    attempts.extend(waiting.next().map(TcpStream::connect));
                }
                None => return Err(last),
            },
            () = tokio::time::sleep(HEAD_START), if waiting.len() > 0 => {
                attempts.extend(waiting.next().map(TcpStream::connect));
            }
        }
    }
}

/// No delay for small requests; a dead peer is noticed within two minutes.
fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(15)).with_retries(4);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused; check the port and that the server runs".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            format!("{error}; check the address and the network's routes")
        }
        _ => error.to_string(),
    }
}

/// The address that a connection is with.
pub(crate) fn peer(stream: &TcpStream) -> Option<IpAddr> {
    stream.peer_addr().ok().map(|address| address.ip())
}
