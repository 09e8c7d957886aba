//! Free ports, and just enough HTTP to ask a server on them.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How long a server that is there may take to say something.
const PATIENCE: Duration = Duration::from_secs(5);

/// Most bytes of an answer.
const MOST: u64 = 64 << 20;

/// Ports on the loopback interface that nobody listens on. All are held until all are known, so that they differ.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut listeners = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("finding a free port")?;
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(ports)
}

/// An error unless something accepts connections on this port.
pub(crate) fn connect(port: u16) -> Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))
        .with_context(|| format!("connecting to {address}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// An error unless the server answers 200 to a GET.
pub(crate) fn get(port: u16, path: &str) -> Result<()> {
    answers(port, path, 200)
}

/// An error unless the server answers a GET with this status: 403 is what one says that wants credentials.
pub(crate) fn answers(port: u16, path: &str, expected: u16) -> Result<()> {
    let Answer { status, .. } = ask(port, "GET", path, &[], "", PATIENCE)?;
    if status != expected {
        bail!("GET {path} answered {status}");
    }
    Ok(())
}

/// What a server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// A header; its name in lower case.
    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        let headers = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut found = headers.filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.next().map(|(_, value)| value.trim())
    }
}

/// One request on a connection of its own. `headers` are whole lines.
pub(crate) fn ask(
    port: u16,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
    patience: Duration,
) -> Result<Answer> {
    let mut stream = connect(port)?;
    stream.set_read_timeout(Some(patience))?;
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    // HTTP/1.0, so that the body comes as it is and its end is the connection's.
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").with_context(|| format!("{method} {path} answered {answer:?}"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.with_context(|| format!("{method} {path} answered {head:?}"))?;
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}
