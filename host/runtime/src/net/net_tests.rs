use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::testing::{Answers, listen, policy};
use super::*;

async fn echo(mut stream: TcpStream) {
    let (mut read, mut write) = stream.split();
    let _ = tokio::io::copy(&mut read, &mut write).await;
}

fn network(address: SocketAddr, private_network: bool, resolver: Arc<dyn Resolver>) -> Network {
    Network::new(policy("db.example.com", address.port(), private_network), 2, resolver)
}

#[tokio::test]
async fn bytes_go_both_ways() {
    let address = listen(echo).await;
    let network = network(address, true, Answers::local());
    let mut connection = network.connect("db.example.com", address.port(), None).await.unwrap();
    connection.write(b"hello").await.unwrap();
    assert_eq!(connection.read(3).await.unwrap(), b"hel");
    assert_eq!(connection.read(usize::MAX).await.unwrap(), b"lo");
    assert_eq!(connection.read(0).await.unwrap(), b"");
    assert_eq!(connection.tls_server_end_point(), None);
}

#[tokio::test]
async fn the_end_of_a_connection_is_an_empty_read() {
    let address = listen(|mut stream| async move {
        stream.write_all(b"bye").await.unwrap();
    })
    .await;
    let network = network(address, true, Answers::local());
    let mut connection = network.connect("db.example.com", address.port(), None).await.unwrap();
    assert_eq!(connection.read(100).await.unwrap(), b"bye");
    assert_eq!(connection.read(100).await.unwrap(), b"");
    assert_eq!(connection.read(100).await.unwrap(), b"");
}

#[tokio::test]
async fn a_bulk_transfer_arrives_whole_in_growing_pieces() {
    const TOTAL: usize = 64 << 20;
    let address = listen(|mut stream| async move {
        let block: Vec<u8> = (0..1 << 20).map(|i: u32| u8::try_from(i % 251).unwrap()).collect();
        for _ in 0..TOTAL >> 20 {
            stream.write_all(&block).await.unwrap();
        }
    })
    .await;
    let network = network(address, true, Answers::local());
    let mut connection = network.connect("db.example.com", address.port(), None).await.unwrap();
    let (mut total, mut largest) = (0, 0);
    loop {
        let bytes = connection.read(usize::MAX).await.unwrap();
        if bytes.is_empty() {
            break;
        }
        for (at, byte) in bytes.iter().enumerate().step_by(997) {
            assert_eq!(usize::from(*byte), (total + at) % (1 << 20) % 251);
        }
        largest = largest.max(bytes.len());
        total += bytes.len();
    }
    assert_eq!(total, TOTAL);
    assert!(largest > 64 << 10 && largest <= MAX_READ, "{largest}");
}

#[tokio::test]
async fn a_rebinding_name_server_is_asked_once_and_its_checked_address_is_used() {
    let address = listen(echo).await;
    // First an address that is public but for nobody, then this machine.
    let resolver = Answers::new(&[&["192.0.2.55"], &["127.0.0.1"]]);
    let network = network(address, false, resolver.clone());
    let refused = network.connect("db.example.com", address.port(), None).await.unwrap_err();
    assert_eq!(refused.kind, NetErrorKind::Permission);
    assert_eq!(resolver.asked(), ["db.example.com"]);
    // The second answer is private and not granted: refused, although the first might have been allowed.
    let refused = network.connect("db.example.com", address.port(), None).await.unwrap_err();
    assert!(refused.message.contains("127.0.0.1 is a loopback address"), "{refused}");
    assert!(refused.message.contains("private_network"), "{refused}");
}

#[tokio::test]
async fn what_was_checked_is_what_is_connected_to() {
    let address = listen(echo).await;
    let resolver = Answers::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let network = network(address, true, resolver.clone());
    let mut connection = network.connect("db.example.com", address.port(), None).await.unwrap();
    connection.write(b"x").await.unwrap();
    assert_eq!(connection.read(1).await.unwrap(), b"x");
    assert_eq!(resolver.asked().len(), 1, "the name is resolved once per connection");
    let refused = network.connect("db.example.com", address.port(), None).await.unwrap_err();
    assert!(refused.message.contains("cloud metadata"), "{refused}");
}

#[tokio::test]
async fn only_the_allowed_addresses_of_a_name_are_tried() {
    let address = listen(echo).await;
    let resolver = Answers::new(&[&["169.254.169.254", "::ffff:169.254.169.254", "127.0.0.1"]]);
    let network = network(address, true, resolver);
    assert!(network.connect("db.example.com", address.port(), None).await.is_ok());
}

#[tokio::test]
async fn the_next_address_is_tried_where_the_first_refuses() {
    let address = listen(echo).await;
    // Nobody listens on 127.0.0.2 at this port.
    let resolver = Answers::new(&[&["127.0.0.2", "127.0.0.3", "127.0.0.1"]]);
    let network = network(address, true, resolver);
    assert!(network.connect("db.example.com", address.port(), None).await.is_ok());
}

#[tokio::test]
async fn undeclared_hosts_and_odd_spellings_are_not_even_resolved() {
    let resolver = Answers::local();
    let network = Network::new(policy("db.example.com", 5432, true), 1, resolver.clone());
    let hosts = [
        ("evil.net", NetErrorKind::Permission),
        ("127.0.0.1", NetErrorKind::Permission),
        ("::ffff:127.0.0.1", NetErrorKind::Permission),
        ("169.254.169.254", NetErrorKind::Permission),
        ("0177.0.0.1", NetErrorKind::Config),
        ("2130706433", NetErrorKind::Config),
        ("0x7f.1", NetErrorKind::Config),
        ("/run/postgresql/.s.PGSQL.5432", NetErrorKind::Config),
        ("db.example.com\0.evil.net", NetErrorKind::Config),
        ("db.example.com\r\n", NetErrorKind::Config),
    ];
    for (host, kind) in hosts {
        let refused = network.connect(host, 5432, None).await.unwrap_err();
        assert_eq!(refused.kind, kind, "{host}: {refused}");
    }
    assert!(resolver.asked().is_empty());
}

#[tokio::test]
async fn open_connections_are_counted_and_dropping_one_makes_room() {
    let address = listen(echo).await;
    let network = network(address, true, Answers::local());
    let first = network.connect("db.example.com", address.port(), None).await.unwrap();
    let _second = network.connect("db.example.com", address.port(), None).await.unwrap();
    let refused = network.connect("db.example.com", address.port(), None).await.unwrap_err();
    assert_eq!(refused.kind, NetErrorKind::Limit);
    assert_eq!(refused.message, "the connector has 2 connections open, as many as limits.instance.connections allows");
    drop(first);
    assert!(network.connect("db.example.com", address.port(), None).await.is_ok());
}

#[tokio::test]
async fn a_failed_connection_does_not_stay_counted() {
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let network = network(closed, true, Answers::local());
    for _ in 0..5 {
        let refused = network.connect("db.example.com", closed.port(), None).await.unwrap_err();
        assert_eq!(refused.kind, NetErrorKind::Transient);
        assert!(refused.message.contains("connection refused; check the port"), "{refused}");
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_not_found() {
    let network = Network::new(policy("db.example.com", 5432, true), 1, Answers::new(&[&[]]));
    let missing = network.connect("db.example.com", 5432, None).await.unwrap_err();
    assert_eq!(
        (missing.kind, missing.message.as_str()),
        (NetErrorKind::NotFound, "the name db.example.com has no address")
    );
}

#[tokio::test]
async fn the_systems_resolver_says_which_name_does_not_exist() {
    let network = Network::new(policy("no-such-host.invalid", 5432, true), 1, Arc::new(SystemResolver));
    let missing = network.connect("no-such-host.invalid", 5432, None).await.unwrap_err();
    assert!(missing.message.contains("no-such-host.invalid"), "{missing}");
    assert!(matches!(missing.kind, NetErrorKind::NotFound | NetErrorKind::Transient));
}

#[tokio::test]
async fn a_connection_that_breaks_is_transient() {
    let address = listen(|stream| async move {
        // Closing with a linger of zero sends a reset.
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        drop(stream);
    })
    .await;
    let network = network(address, true, Answers::local());
    let mut connection = network.connect("db.example.com", address.port(), None).await.unwrap();
    let broken = connection.read(10).await.unwrap_err();
    assert_eq!(broken.kind, NetErrorKind::Transient);
    assert!(broken.message.contains("lost while reading from db.example.com"), "{broken}");
}

#[tokio::test]
async fn a_peer_that_does_not_read_holds_the_writer_back() {
    let address = listen(|mut stream| async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut sink = Vec::new();
        let _ = stream.read_to_end(&mut sink).await;
    })
    .await;
    let network = network(address, true, Answers::local());
    let mut connection = network.connect("db.example.com", address.port(), None).await.unwrap();
    let large = vec![7_u8; 32 << 20];
    let write = connection.write(&large);
    assert!(tokio::time::timeout(Duration::from_millis(100), write).await.is_err());
}
