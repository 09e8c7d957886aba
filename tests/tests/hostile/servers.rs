//! Servers that answer as they should not, and guests that ask for what they should not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use sluice_core::limits::InstanceLimits;
use sluice_core::pipeline::Grants;
use sluice_tests::attack::{Outcome, config, limits, read, surroundings};

/// What a server does with a connection; it ends when the other side is gone.
type Serve = fn(TcpStream) -> std::io::Result<()>;

/// Has the guest ask a server.
async fn asking(attack: &str, serve: Serve, limits: InstanceLimits) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = config(attack);
    config["port"] = listener.local_addr().unwrap().port().into();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || stream.and_then(serve));
        }
    });
    let grants = Grants { private_network: true, ..Grants::default() };
    read(&config, limits, grants, &surroundings()).await
}

/// Reads the head of a request; all of it, as it came.
fn head(stream: &TcpStream) -> std::io::Result<String> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    Ok(head)
}

fn redirects(mut stream: TcpStream) -> std::io::Result<()> {
    head(&stream)?;
    let location = "http://169.254.169.254/latest/meta-data/";
    write!(stream, "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

/// Answers with everything that it was sent within a moment.
fn echoes(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        heard.extend_from_slice(&buffer[..read]);
    }
    // Only what is outside of a body of one request can do harm.
    let text = String::from_utf8_lossy(&heard).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let lower = head.to_lowercase();
    let framed = lower.contains("content-length") && !lower.contains("transfer-encoding")
        || lower.contains("chunked") && body.trim_end().ends_with("\r\n0");
    let shown = if framed { head } else { &text };
    write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{shown}", shown.len())
}

fn never_ends(mut stream: TcpStream) -> std::io::Result<()> {
    head(&stream)?;
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")?;
    loop {
        stream.write_all(&[7; 64 << 10])?;
    }
}

fn never_begins(mut stream: TcpStream) -> std::io::Result<()> {
    head(&stream)?;
    write!(stream, "HTTP/1.1 200 OK\r\n")?;
    loop {
        stream.write_all(b"X-Header: and one more of them, without end\r\n")?;
    }
}

fn trickles(mut stream: TcpStream) -> std::io::Result<()> {
    head(&stream)?;
    write!(stream, "HTTP/1.1 200 OK\r\nX-Slow: ")?;
    loop {
        stream.write_all(b"z")?;
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn waits(stream: TcpStream) -> std::io::Result<()> {
    head(&stream)?;
    std::thread::sleep(Duration::from_secs(60));
    Ok(())
}

pub(crate) async fn redirect() -> Outcome {
    asking("redirect", redirects, limits()).await
}

/// How the guest's try to smuggle something was refused, or that the host left it out.
async fn smuggled(attack: &str) -> Outcome {
    let error = asking(attack, echoes, limits()).await.unwrap_err();
    assert!(!error.message.contains("smuggled"), "{error}");
    Ok(format!("refused: {error}"))
}

pub(crate) async fn smuggled_host() -> Outcome {
    smuggled("smuggled_host").await
}

pub(crate) async fn smuggled_length() -> Outcome {
    smuggled("smuggled_length").await
}

pub(crate) async fn split_header() -> Outcome {
    smuggled("split_header").await
}

pub(crate) async fn response_flood() -> Outcome {
    asking("response_flood", never_ends, InstanceLimits { memory_bytes: 32 << 20, ..limits() }).await
}

pub(crate) async fn header_flood() -> Outcome {
    let error = asking("header_flood", never_begins, limits()).await.unwrap_err();
    Ok(format!("{:?}: {error}", error.kind))
}

pub(crate) async fn slowloris() -> Outcome {
    asking("slowloris", trickles, InstanceLimits { wall_ms: 1_500, ..limits() }).await
}

pub(crate) async fn request_flood() -> Outcome {
    asking("request_flood", waits, limits()).await
}
