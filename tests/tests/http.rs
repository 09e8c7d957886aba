//! The SDK's HTTP client against the host's, with a server on this machine behind both.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use serde_json::json;
use sluice_core::limits::InstanceLimits;
use sluice_core::pipeline::Grants;
use sluice_tests::{guest, sandbox};

/// Answers one request at a time on each connection.
fn serve(mut stream: TcpStream, both: &Barrier) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let (mut line, mut first, mut length, mut asked) = (String::new(), String::new(), 0, false);
        while reader.read_line(&mut line).ok()? > 2 {
            if first.is_empty() {
                first = line.trim().to_owned();
            }
            let lower = line.to_lowercase();
            length = lower.strip_prefix("content-length:").map_or(length, |n| n.trim().parse().unwrap());
            asked |= lower.starts_with("x-asked: ");
            line.clear();
        }
        let path = first.split(' ').nth(1)?.to_owned();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let sized = |length: usize| format!("HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: {length}\r\n\r\n");
        match path.as_str() {
            "/large" => {
                stream.write_all(sized(9 << 20).as_bytes()).ok()?;
                stream.write_all(&vec![1; 9 << 20]).ok()?;
            }
            "/both" => {
                both.wait();
                stream.write_all(sized(0).as_bytes()).ok()?;
            }
            "/echo" => {
                let sum: u64 = body.iter().map(|byte| u64::from(*byte)).sum();
                assert_eq!(sum, 7 * length as u64);
                stream.write_all(sized(length).as_bytes()).ok()?;
                stream.write_all(&body).ok()?;
            }
            "/headers" => {
                stream.write_all(sized(usize::from(asked)).as_bytes()).and_then(|()| stream.write_all(b"\x05")).ok()?
            }
            "/trailers" => {
                let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: grpc-status\r\n\r\n";
                stream.write_all(head).ok()?;
                stream.write_all(b"2\r\n\x01\x02\r\n0\r\ngrpc-status: 5\r\n\r\n").ok()?;
            }
            "/cut" => {
                stream.write_all(sized(100).as_bytes()).ok()?;
                stream.write_all(b"short").ok()?;
                return None;
            }
            "/silent" => std::thread::sleep(Duration::from_secs(20)),
            _ => stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").ok()?,
        }
    }
}

fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let both = Arc::new(Barrier::new(2));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let both = Arc::clone(&both);
            std::thread::spawn(move || serve(stream.unwrap(), &both));
        }
    });
    port
}

async fn answers_from(host: &str, port: u16, requests: &[&str], private: bool) -> Vec<String> {
    let runtime = sandbox::runtime();
    let config = json!({"host": host, "port": port, "requests": requests, "timeout_ms": 2000});
    let grants = Grants { private_network: private, ..Grants::default() };
    let connection =
        sandbox::connection(&runtime, &guest("fetch"), config, InstanceLimits::default(), grants).await.unwrap();
    let batches = sandbox::read(&connection, "answers").await.unwrap();
    batches[0].column(1).as_string::<i32>().iter().map(|answer| answer.unwrap().to_owned()).collect()
}

async fn answers(requests: &[&str]) -> Vec<String> {
    answers_from("127.0.0.1", server(), requests, true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_arrive_whole_in_both_directions() {
    let answers = answers(&["GET /large", "POST /echo 3000000", "GET /headers", "GET /nothing", "POST /echo 1"]).await;
    let sum = 9 << 20;
    assert_eq!(answers[0], format!("200 etag \"e\" length {sum} sum {sum}"));
    assert_eq!(answers[1], "200 etag \"e\" length 3000000 sum 21000000");
    assert_eq!(answers[2], "200 etag \"e\" length 1 sum 5");
    assert_eq!(answers[3], "404 etag none length 0 sum 0");
    assert_eq!(answers[4], "200 etag \"e\" length 1 sum 7");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_under_way_together() {
    // Each is answered only once the other one is there.
    let answers = answers(&["GET /both", "GET /both"]).await;
    assert_eq!(answers, ["200 etag \"e\" length 0 sum 0", "200 etag \"e\" length 0 sum 0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn trailers_follow_the_body() {
    assert_eq!(answers(&["GET /trailers"]).await, ["200 etag none length 2 sum 3 grpc-status 5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_cut_off_and_a_server_that_is_silent_are_faults_that_pass() {
    let begun = Instant::now();
    let answers = answers(&["GET /cut", "GET /silent"]).await;
    assert!(answers[0].starts_with("Transient: GET http://127.0.0.1"), "{answers:?}");
    assert!(answers[1].starts_with("Transient: ") && answers[1].contains("in time"), "{answers:?}");
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_reached_is_a_matter_of_permission() {
    let port = server();
    let denied = answers_from("127.0.0.1", port, &["GET /headers"], false).await;
    assert!(denied[0].starts_with("Permission: "), "{denied:?}");
    let refused = answers_from("127.0.0.1", 9, &["GET /x"], true).await;
    assert!(refused[0].starts_with("Transient: ") && refused[0].contains("nobody answers"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_requests_than_the_limit_name_it() {
    let answers = answers(&["GET /headers"; 9]).await;
    assert!(answers[8].contains("limits.instance.connections"), "{answers:?}");
}
