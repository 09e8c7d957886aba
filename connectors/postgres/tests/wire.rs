//! What the network does to the bytes must not matter, and what it cuts off must be noticed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "a failed assertion is how a test fails"
)]

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use common::{Schema, env, error, full, hints, integers, read_split, run, source};
use serde_json::json;
use sluice_sdk::{ErrorKind, Source};

/// Passes connections on to the server; `back` does what it likes with what the server says.
fn proxy(back: impl Fn(TcpStream, TcpStream) + Clone + Send + 'static) -> u16 {
    let server = format!("{}:{}", env("SLUICE_TEST_POSTGRES_HOST"), env("SLUICE_TEST_POSTGRES_PORT"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            let server = TcpStream::connect(&server).unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(std::net::Shutdown::Both);
            });
            let back = back.clone();
            std::thread::spawn(move || back(server, client));
        }
    });
    port
}

#[test]
fn messages_are_understood_in_whatever_pieces_they_come() {
    let schema = Schema::new("pieces");
    schema.sql("CREATE TABLE $S.t (id int, v text); INSERT INTO $S.t SELECT i, repeat('x', i % 50) FROM generate_series(1, 500) i");
    let port = proxy(|mut server, mut client| {
        client.set_nodelay(true).unwrap();
        let mut buffer = [0; 64];
        for size in (1..=40).cycle() {
            match server.read(&mut buffer[..size]) {
                Ok(read @ 1..) if client.write_all(&buffer[..read]).is_ok() => {}
                _ => return,
            }
        }
    });
    let (_, batches) = run(&json!({ "port": port }), full(&schema.id("t")), hints()).unwrap();
    assert_eq!(integers(&batches, "id"), (1..=500).collect::<Vec<_>>());
    let lengths: usize = common::texts(&batches, "v").into_iter().map(|text| text.unwrap().len()).sum();
    assert_eq!(lengths, (1..=500).map(|i| i % 50).sum::<usize>());
}

#[test]
fn a_connection_that_breaks_in_the_middle_of_a_row_is_no_end() {
    let schema = Schema::new("broken");
    schema.sql("CREATE TABLE $S.t (id int, v text); INSERT INTO $S.t SELECT i, repeat('x', 500) FROM generate_series(1, 20000) i");
    let mut planner = source(json!({}));
    let plan = planner.plan(&[full(&schema.id("t"))], &hints()).unwrap();
    let port = proxy(|server, mut client| {
        let _ = std::io::copy(&mut server.take(1_000_001), &mut client);
        let _ = client.shutdown(std::net::Shutdown::Both);
    });
    let error = read_split(&mut source(json!({ "port": port })), &plan.splits[0]).unwrap_err();
    assert_eq!((error.kind, error.stream.clone()), (ErrorKind::Transient, Some(schema.id("t"))), "{error}");
}

#[test]
fn a_message_that_claims_to_be_huge_is_refused() {
    let port = proxy(|_, mut client| {
        let _ = client.write_all(b"R\x7f\xff\xff\xff");
    });
    let error = error(&json!({ "port": port }), full("a.b"));
    assert_eq!(error.kind, ErrorKind::Unsupported, "{error}");
    assert!(error.message.contains("2147483647 bytes"), "{error}");
}
