//! A connector that uses sockets, as the standard library of its language offers them.

#![allow(missing_docs, reason = "nobody but the tests of the sandbox uses it")]

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use serde::Deserialize;
use sluice_sdk::{
    CheckStep, Config, Cursor, DiscoverFilter, DiscoverPage, Error, Hints, Manifest, Output, Plan, Result, Selection,
    Source, Split,
};

#[derive(Clone, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub struct SocketsConfig {
    /// A port of this machine where somebody listens.
    pub port: u16,
}

#[derive(Manifest)]
#[manifest(
    name = "sockets",
    title = "Sockets",
    description = "Tries every way to a socket.",
    publisher = "Sluice",
    config = SocketsConfig,
    hosts("127.0.0.1:{port}")
)]
pub struct Sockets {
    config: SocketsConfig,
}

sluice_sdk::export!(Sockets);

fn step<T>(name: &str, tried: std::io::Result<T>) -> CheckStep {
    match tried {
        Ok(_) => CheckStep::passed(name, "it worked"),
        Err(error) => CheckStep::failed(name, error.to_string(), "use what the contract offers"),
    }
}

impl Source for Sockets {
    type Config = SocketsConfig;

    fn open(config: SocketsConfig) -> Result<Self> {
        Ok(Self { config })
    }

    /// Every way is a step.
    fn check(&mut self) -> Result<Vec<CheckStep>> {
        let there = SocketAddr::from((Ipv4Addr::LOCALHOST, self.config.port));
        let datagram = || UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?.send_to(b"hello", there);
        Ok(vec![
            step("connect", TcpStream::connect(there)),
            step("connect in time", TcpStream::connect_timeout(&there, Duration::from_secs(1))),
            step("listen", TcpListener::bind((Ipv4Addr::LOCALHOST, 0))),
            step("listen on IPv6", TcpListener::bind("[::1]:0")),
            step("datagram", datagram()),
            step("resolve", "localhost:80".to_socket_addrs().map(|_| ())),
            step("resolve an address", "127.0.0.1.:80".to_socket_addrs().map(|_| ())),
        ])
    }

    fn discover(&mut self, _filter: &DiscoverFilter, _page: Option<&str>) -> Result<DiscoverPage> {
        Ok(DiscoverPage::default())
    }

    fn plan(&mut self, _selections: &[Selection], _hints: &Hints) -> Result<Plan> {
        Ok(Plan::default())
    }

    fn read(&mut self, _split: &Split, _start: Option<&Cursor>, _output: &mut Output) -> Result<()> {
        Err(Error::unsupported("there is nothing to read"))
    }
}
