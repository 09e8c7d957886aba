//! What came back.

use std::io::Read;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Headers;
use super::run::block_on;
use crate::host::{Exchange, Head};
use crate::{Error, Result};

/// A request under way: a future of its response.
pub struct Pending {
    exchange: Option<Box<dyn Exchange>>,
    doing: String,
}

impl Pending {
    pub(super) fn new(exchange: Box<dyn Exchange>, doing: String) -> Self {
        Self { exchange: Some(exchange), doing }
    }
}

impl Future for Pending {
    type Output = Result<Response>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let again = || Error::internal("a response was awaited twice");
        let Some(exchange) = self.exchange.as_mut() else { return Poll::Ready(Err(again())) };
        let head = std::task::ready!(exchange.poll_head(cx));
        let Some(exchange) = self.exchange.take() else { return Poll::Ready(Err(again())) };
        let doing = std::mem::take(&mut self.doing);
        Poll::Ready(match head {
            Ok(head) => Ok(Response { head, exchange, doing, buffer: Vec::new(), at: 0 }),
            Err(error) => Err(error.context(doing)),
        })
    }
}

/// A response whose headers have come, and whose body is coming. What is read is the back-pressure: the host does not
/// fetch more than it buffers.
pub struct Response {
    head: Head,
    exchange: Box<dyn Exchange>,
    doing: String,
    /// What `Read` has not handed out yet.
    buffer: Vec<u8>,
    at: usize,
}

impl Response {
    /// The status, e.g. 200.
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// True for 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.head.status)
    }

    /// The headers.
    pub fn headers(&self) -> &Headers {
        &self.head.headers
    }

    /// How long a `Retry-After` says to wait, if the server sent one: in seconds, or as a time by the server's own clock.
    pub fn retry_after(&self) -> Option<Duration> {
        let headers = &self.head.headers;
        let until = || {
            let time = |name| headers.get(name).and_then(crate::calendar::http_date);
            u64::try_from(time("retry-after")?.saturating_sub(time("date")?)).ok()
        };
        headers.number("retry-after").or_else(until).map(Duration::from_secs)
    }

    /// What was asked, for messages.
    pub fn doing(&self) -> &str {
        &self.doing
    }

    /// The next part of the body; none at its end.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Vec<u8>>>> {
        if self.at < self.buffer.len() {
            let rest = self.buffer.split_off(self.at);
            self.buffer.clear();
            self.at = 0;
            return Poll::Ready(Ok(Some(rest)));
        }
        self.exchange.poll_chunk(cx).map_err(|error| error.context(&self.doing))
    }

    /// Awaits the next part of the body; none at its end.
    ///
    /// # Errors
    /// `transient` if the connection broke before the body's end.
    pub async fn next_chunk(&mut self) -> Result<Option<Vec<u8>>> {
        std::future::poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// Waits for the next part of the body; none at its end.
    ///
    /// # Errors
    /// `transient` if the connection broke before the body's end.
    pub fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        block_on(self.next_chunk())
    }

    /// Awaits the whole rest of the body.
    ///
    /// # Errors
    /// `protocol` if it is longer than `most`; `transient` if the connection broke.
    pub async fn whole(&mut self, most: usize) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(chunk) = self.next_chunk().await? {
            if all.len() + chunk.len() > most {
                return Err(Error::protocol(format!("{}: the answer has more than {most} bytes", self.doing)));
            }
            if all.is_empty() {
                all = chunk;
            } else {
                all.extend_from_slice(&chunk);
            }
        }
        Ok(all)
    }

    /// Waits for the whole rest of the body.
    ///
    /// # Errors
    /// `protocol` if it is longer than `most`; `transient` if the connection broke.
    pub fn read_whole(&mut self, most: usize) -> Result<Vec<u8>> {
        block_on(self.whole(most))
    }

    /// Awaits what follows the body, dropping what was not read of it. gRPC's status is here, or in the headers if there
    /// was no body.
    ///
    /// # Errors
    /// `transient` if the connection broke.
    pub async fn trailers(&mut self) -> Result<Headers> {
        while self.next_chunk().await?.is_some() {}
        let trailers = std::future::poll_fn(|cx| self.exchange.poll_trailers(cx)).await;
        trailers.map_err(|error| error.context(&self.doing))
    }

    /// Waits for what follows the body, dropping what was not read of it.
    ///
    /// # Errors
    /// `transient` if the connection broke.
    pub fn read_trailers(&mut self) -> Result<Headers> {
        block_on(self.trailers())
    }
}

impl Read for Response {
    /// Waits for bytes of the body. One of our errors travels inside the `io::Error`.
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        if self.at >= self.buffer.len() {
            self.at = 0;
            self.buffer.clear();
            self.buffer = match self.chunk() {
                Ok(chunk) => chunk.unwrap_or_default(),
                Err(error) => return Err(std::io::Error::other(error)),
            };
        }
        let mut rest = self.buffer.get(self.at..).unwrap_or_default();
        let read = rest.read(into)?;
        self.at += read;
        Ok(read)
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response").field("status", &self.head.status).finish_non_exhaustive()
    }
}
