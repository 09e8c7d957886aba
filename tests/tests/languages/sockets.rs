//! `wasi:sockets` may be imported, because standard libraries do, and there is nothing behind it.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use serde_json::json;
use sluice_core::limits::InstanceLimits;
use sluice_core::pipeline::Grants;
use sluice_core::plan::Outcome;
use sluice_tests::{guest, sandbox};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_uses_a_socket_is_refused_and_nobody_hears_of_it() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let datagrams = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    listener.set_nonblocking(true).unwrap();
    datagrams.set_nonblocking(true).unwrap();

    // Even where the operator grants private networks: sockets are not a matter of addresses.
    let grants = Grants { private_network: true, ..Grants::default() };
    let runtime = sandbox::runtime();
    let (file, config) = (guest("sockets"), json!({"port": port}));
    let connection = sandbox::connection(&runtime, &file, config, InstanceLimits::default(), grants).await.unwrap();
    let instance = connection.instance().await.unwrap();
    let steps = instance.check().await.unwrap();

    let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
    let ways = ["connect", "connect in time", "listen", "listen on IPv6", "datagram", "resolve", "resolve an address"];
    assert_eq!(names, ways);
    for step in &steps {
        assert_eq!(step.outcome, Outcome::Failed, "{step:?}");
    }
    for step in steps.iter().filter(|step| !step.name.starts_with("resolve")) {
        assert!(step.detail.contains("Permission denied"), "{step:?}");
    }
    let refused: Vec<_> = instance.log().take().into_iter().map(|line| line.text).collect();
    assert_eq!(refused.len(), ways.len(), "{refused:?}");
    assert!(refused.iter().all(|line| line.contains("wasi:sockets is always refused")), "{refused:?}");

    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(datagrams.recv(&mut [0; 16]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn that_it_imports_sockets_is_said_with_what_becomes_of_them() {
    let inspected = sluice_runtime::inspect(&std::fs::read(guest("sockets")).unwrap()).unwrap();
    assert!(inspected.imports_sockets());
    let plain = sluice_runtime::inspect(&std::fs::read(guest("hostile")).unwrap()).unwrap();
    assert!(!plain.imports_sockets(), "{:?}", plain.imports);
}
