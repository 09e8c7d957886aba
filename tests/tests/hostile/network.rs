//! Where the hostile guest connects to: spellings of addresses, names that lie, and what an operator forbids.

use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use sluice_core::pipeline::Grants;
use sluice_runtime::Environment;
use sluice_runtime::net::{DenyList, Resolver};
use sluice_tests::attack::{Outcome, config, limits, read, surroundings};

/// Answers with one address after the other, and goes on with the last.
struct Answers(Vec<IpAddr>, AtomicUsize);

#[async_trait]
impl Resolver for Answers {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let asked = self.1.fetch_add(1, Ordering::Relaxed);
        Ok(vec![self.0[asked.min(self.0.len() - 1)]])
    }
}

fn resolving(addresses: &[&str]) -> Environment {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    Environment { resolver: Arc::new(Answers(addresses, AtomicUsize::new(0))), ..surroundings() }
}

fn private() -> Grants {
    Grants { private_network: true, ..Grants::default() }
}

/// Somebody who accepts connections and says nothing.
fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Has the guest connect to a host that its connection's configuration names.
async fn to(host: &str, port: u16, attack: &str, grants: Grants, environment: &Environment) -> Outcome {
    let mut config = config(attack);
    config["host"] = host.into();
    config["port"] = port.into();
    read(&config, limits(), grants, environment).await
}

async fn spelled(host: &str, grants: Grants) -> Outcome {
    to(host, 80, "connect", grants, &surroundings()).await
}

pub(crate) async fn connect() -> Outcome {
    spelled("127.0.0.1", Grants::default()).await
}

pub(crate) async fn octal_address() -> Outcome {
    spelled("0177.0.0.1", private()).await
}

pub(crate) async fn decimal_address() -> Outcome {
    spelled("2130706433", private()).await
}

pub(crate) async fn hexadecimal_address() -> Outcome {
    spelled("0x7f000001", private()).await
}

pub(crate) async fn short_address() -> Outcome {
    spelled("127.1", private()).await
}

pub(crate) async fn mapped_address() -> Outcome {
    spelled("::ffff:127.0.0.1", Grants::default()).await
}

pub(crate) async fn metadata_address() -> Outcome {
    spelled("169.254.169.254", private()).await
}

pub(crate) async fn mapped_metadata() -> Outcome {
    spelled("::ffff:169.254.169.254", private()).await
}

pub(crate) async fn translated_metadata() -> Outcome {
    spelled("64:ff9b::a9fe:a9fe", private()).await
}

pub(crate) async fn host_of_two() -> Outcome {
    spelled("good.example@evil.example", Grants::default()).await
}

pub(crate) async fn name_of_loopback() -> Outcome {
    to("rebind.example", 80, "connect", Grants::default(), &resolving(&["127.0.0.1"])).await
}

pub(crate) async fn rebinding() -> Outcome {
    let (_listener, port) = listener();
    let environment = resolving(&["127.0.0.1", "169.254.169.254"]);
    to("rebind.example", port, "connection_flood", private(), &environment).await
}

pub(crate) async fn denied_network() -> Outcome {
    let deny = DenyList::parse(&["127.0.0.0/8".to_owned()]).unwrap();
    to("127.0.0.1", 80, "connect", private(), &Environment { deny, ..surroundings() }).await
}

pub(crate) async fn connection_flood() -> Outcome {
    let (_listener, port) = listener();
    to("127.0.0.1", port, "connection_flood", private(), &surroundings()).await
}
