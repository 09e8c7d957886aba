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

use common::{SERVERS, Server, full, hints, integers, read_split};
use serde_json::json;
use sluice_sdk::{ErrorKind, Source};

/// Passes connections on to the server; `back` does what it likes with what the server says.
fn proxy(server: Server, back: impl Fn(TcpStream, TcpStream) + Clone + Send + 'static) -> u16 {
    let server = format!("{}:{}", server.env("HOST"), server.env("PORT"));
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

/// Answers every connection with these bytes.
fn impostor(bytes: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.write_all(bytes);
            // Listens to the end, as a server does.
            std::thread::spawn(move || std::io::copy(&mut stream, &mut std::io::sink()));
        }
    });
    port
}

#[test]
fn messages_are_understood_in_whatever_pieces_they_come() {
    for server in SERVERS {
        let database = server.database("pieces");
        let values: Vec<_> = (1..=500).map(|i| format!("({i}, repeat('x', {}))", i % 50)).collect();
        database
            .sql(&format!("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES {}", values.join(", ")));
        let port = proxy(server, |mut server, mut client| {
            client.set_nodelay(true).unwrap();
            let mut buffer = [0; 64];
            for size in (1..=40).cycle() {
                match server.read(&mut buffer[..size]) {
                    Ok(read @ 1..) if client.write_all(&buffer[..read]).is_ok() => {}
                    _ => return,
                }
            }
        });
        let (_, batches) = server.run(&json!({ "port": port }), full(&database.id("t")), hints()).unwrap();
        assert_eq!(integers(&batches, "id"), (1..=500).collect::<Vec<_>>());
        let lengths: usize = common::texts(&batches, "v").into_iter().map(|text| text.unwrap().len()).sum();
        assert_eq!(lengths, (1..=500).map(|i| i % 50).sum::<usize>());
    }
}

#[test]
fn a_connection_that_breaks_in_the_middle_of_a_row_is_no_end() {
    for server in SERVERS {
        let database = server.database("broken");
        database.sql(
            "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, v text); INSERT INTO t (v) VALUES (repeat('x', 50000)), (repeat('x', 50000));
             INSERT INTO t (v) SELECT a.v FROM t a, t b, t c, t d, t e, t f",
        );
        let plan = server.source(&json!({})).plan(&[full(&database.id("t"))], &hints()).unwrap();
        for cut in [1_000_001, 2_345_678] {
            let port = proxy(server, move |server, mut client| {
                let _ = std::io::copy(&mut server.take(cut), &mut client);
                let _ = client.shutdown(std::net::Shutdown::Both);
            });
            let error = read_split(&mut server.source(&json!({ "port": port })), &plan.splits[0]).unwrap_err();
            assert_eq!((error.kind, error.stream.clone()), (ErrorKind::Transient, Some(database.id("t"))), "{error}");
        }
    }
}

#[test]
fn a_session_that_somebody_kills_while_it_reads_can_be_tried_again() {
    for server in SERVERS {
        let database = server.database("killed");
        database.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)");
        for kill in ["KILL", "KILL QUERY"] {
            let mut slow = full(&database.id("t"));
            slow.filter = Some("SLEEP(20) = 0".into());
            let reading = std::thread::spawn(move || server.error(&json!({}), slow));
            let question = format!(
                "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE '%SLEEP(20)%' AND INFO LIKE '%{}%' AND ID <> CONNECTION_ID()",
                database.name
            );
            let session = loop {
                if let [session] = server.sql(&question).as_slice() {
                    break session.clone();
                }
            };
            server.sql(&format!("{kill} {session}"));
            let error = reading.join().unwrap();
            assert_eq!(
                (error.kind, error.stream),
                (ErrorKind::Transient, Some(database.id("t"))),
                "{server:?} {kill}: {}",
                error.message
            );
        }
    }
}

#[test]
fn something_that_is_no_mysql_is_a_broken_protocol() {
    for bytes in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"\x05\0\0\0hello",
        b"\x05\0\0\x07\x0ahell",
        b"\xff\xff\xff\x07hello",
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
    ] {
        let error = Server::Mysql.error(&json!({ "port": impostor(bytes) }), full("a.b"));
        assert_eq!(error.kind, ErrorKind::Protocol, "{bytes:?}: {error}");
        assert!(error.message.contains("MySQL server"), "{error}");
    }
}

#[test]
fn a_server_that_is_full_says_so_before_it_greets() {
    let error =
        Server::Mysql.error(&json!({ "port": impostor(b"\x17\0\0\0\xff\x10\x04Too many connections") }), full("a.b"));
    assert_eq!(error.kind, ErrorKind::Transient);
    assert!(error.message.contains("Raise max_connections"), "{error}");
}

#[test]
fn a_server_that_asks_for_a_file_of_ours_does_not_get_it() {
    let packet = |sequence: u8, body: &[u8]| [&[u8::try_from(body.len()).unwrap(), 0, 0, sequence], body].concat();
    let greeting = b"\x0a9.9.9\0\x01\0\0\0abcdefgh\0\xff\xf7\x2d\x02\0\xff\x81\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0mysql_native_password\0";
    let welcome = b"\0\0\0\x02\0\0\0";
    let wish = b"\xfb/etc/passwd";
    let said = [packet(0, greeting), packet(2, welcome), packet(1, wish)].concat();
    let error = Server::Mysql.error(&json!({ "port": impostor(said.leak()) }), full("a.b"));
    assert!(error.message.contains("a file of ours"), "{error}");
}
