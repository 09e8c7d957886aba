//! HTTP/1.1 without TLS, one connection a request: enough to run connectors natively against servers on this machine. It
//! blocks; a request that was started is with the server, though.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{broken, no_tls};
use crate::host::{Exchange, Head, Timer};
use crate::http::{Headers, Method, Request};
use crate::{Error, Result};

/// Longest line of a head.
const LINE: u64 = 64 << 10;

/// Most bytes of a chunk.
const CHUNK: u64 = 128 << 10;

pub(super) fn start(request: &Request) -> Result<Box<dyn Exchange>> {
    let url = request.parts()?;
    if url.https {
        return Err(no_tls());
    }
    let address = if url.authority.contains(':') { url.authority.to_owned() } else { format!("{}:80", url.authority) };
    let mut stream = TcpStream::connect(&address).map_err(|e| broken(&e))?;
    stream.set_nodelay(true).map_err(|e| broken(&e))?;
    let mut head =
        format!("{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", request.method, url.path, url.authority)
            .into_bytes();
    for (name, value) in request.headers.iter() {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    }
    if !request.body.is_empty() {
        head.extend_from_slice(format!("content-length: {}\r\n", request.body.len()).as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    head.extend_from_slice(&request.body);
    stream.write_all(&head).map_err(|e| broken(&e))?;
    let body = if request.method == Method::Head { Body::Sized(0) } else { Body::ToEnd };
    Ok(Box::new(NativeExchange { reader: BufReader::new(stream), body, trailers: Headers::new() }))
}

struct NativeExchange {
    reader: BufReader<TcpStream>,
    body: Body,
    trailers: Headers,
}

/// How the end of a body is found.
enum Body {
    Sized(u64),
    /// Bytes left of the current chunk.
    Chunked(u64),
    ToEnd,
    Ended,
}

impl NativeExchange {
    fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        (&mut self.reader).take(LINE).read_until(b'\n', &mut line).map_err(|e| broken(&e))?;
        if line.pop() != Some(b'\n') {
            return Err(Error::transient("the connection ended before the answer did"));
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        String::from_utf8(line).map_err(|_| Error::protocol("the answer's head is not text"))
    }

    fn headers(&mut self) -> Result<Headers> {
        let mut headers = Headers::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(headers);
            }
            let (name, value) = line.split_once(':').ok_or_else(|| Error::protocol("a header has no colon"))?;
            headers.append(name, value.trim());
        }
    }

    fn head(&mut self) -> Result<Head> {
        let line = self.line()?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| Error::protocol("the server did not answer in HTTP"))?;
        let headers = self.headers()?;
        let chunked = headers.get("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
        self.body = match self.body {
            Body::ToEnd if status == 204 || status == 304 => Body::Sized(0),
            Body::ToEnd if chunked => Body::Chunked(0),
            Body::ToEnd => headers.number("content-length").map_or(Body::ToEnd, Body::Sized),
            _ => Body::Sized(0),
        };
        Ok(Head { status, headers })
    }

    fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        if let Body::Chunked(0) = self.body {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| Error::protocol("a chunk has no size"))?;
            self.body = Body::Chunked(size);
            if size == 0 {
                self.trailers = self.headers()?;
                self.body = Body::Ended;
            }
        }
        let left = match self.body {
            Body::Ended | Body::Sized(0) => return Ok(None),
            Body::Sized(left) | Body::Chunked(left) => left,
            Body::ToEnd => u64::MAX,
        };
        let mut bytes = vec![0; usize::try_from(left.min(CHUNK)).unwrap_or_default()];
        let read = self.reader.read(&mut bytes).map_err(|e| broken(&e))?;
        bytes.truncate(read);
        let left = left.saturating_sub(read as u64);
        match self.body {
            Body::ToEnd if read == 0 => return Ok(None),
            _ if read == 0 => return Err(Error::transient("the connection ended before the answer did")),
            Body::Sized(_) => self.body = Body::Sized(left),
            Body::Chunked(_) => {
                self.body = Body::Chunked(left);
                if left == 0 {
                    self.line()?;
                }
            }
            Body::ToEnd | Body::Ended => {}
        }
        Ok(Some(bytes))
    }
}

impl Exchange for NativeExchange {
    fn poll_head(&mut self, _: &mut Context<'_>) -> Poll<Result<Head>> {
        Poll::Ready(self.head())
    }

    fn poll_chunk(&mut self, _: &mut Context<'_>) -> Poll<Result<Option<Vec<u8>>>> {
        Poll::Ready(self.chunk())
    }

    fn poll_trailers(&mut self, _: &mut Context<'_>) -> Poll<Result<Headers>> {
        Poll::Ready(Ok(std::mem::take(&mut self.trailers)))
    }
}

/// A timer that sleeps when it is asked.
pub(super) struct Sleeping(pub(super) Option<Duration>);

impl Timer for Sleeping {
    fn poll_elapsed(&mut self, _: &mut Context<'_>) -> Poll<()> {
        if let Some(time) = self.0.take() {
            std::thread::sleep(time);
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::http::block_on;

    /// A server that reads one request's head and answers with these bytes.
    fn answering(answer: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x?y", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let mut reader = BufReader::new(listener.accept().unwrap().0);
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            reader.get_mut().write_all(answer).unwrap();
        });
        url
    }

    #[test]
    fn a_body_ends_where_its_length_says() {
        let url = answering(b"HTTP/1.1 206 Partial\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\nhello and more");
        let mut response = Request::get(url).send().unwrap();
        assert_eq!((response.status(), response.headers().get("etag")), (206, Some("\"a\"")));
        let mut text = String::new();
        response.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    }

    #[test]
    fn chunks_and_trailers_are_taken_apart() {
        let url = answering(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\ngrpc-status: 0\r\n\r\n",
        );
        let pending = Request::get(url).start().unwrap();
        let (bytes, trailers) = block_on(async {
            let mut response = pending.await?;
            Ok::<_, Error>((response.whole(100).await?, response.trailers().await?))
        })
        .unwrap();
        assert_eq!((bytes.as_slice(), trailers.get("Grpc-Status")), (b"hello world".as_slice(), Some("0")));
    }

    #[test]
    fn a_body_that_is_cut_off_is_a_fault_that_passes() {
        let url = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
        let error = Request::get(url).send().unwrap().read_whole(100).unwrap_err();
        assert_eq!(error.kind, crate::ErrorKind::Transient, "{error}");
        assert!(error.message.starts_with("GET http://127.0.0.1:"), "{error}");
    }

    #[test]
    fn an_answer_that_is_too_long_is_not_kept() {
        let url = answering(b"HTTP/1.1 200 OK\r\n\r\nhello");
        let error = Request::get(url).send().unwrap().read_whole(4).unwrap_err();
        assert!(error.message.contains("more than 4 bytes"), "{error}");
    }
}
