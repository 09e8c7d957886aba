//! A range of a file read in parts, of which several are under way at once. What arrives early waits here, up to the size of
//! a part, so that a slow answer does not stop the others.

use std::collections::VecDeque;
use std::io::Read;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use sluice_sdk::http::{self, Response};
use sluice_sdk::{Error, ErrorKind, Result};

use crate::provider::Provider;
use crate::request::{Backoff, Failure, Target, open};

/// Bytes of the first part, and of the second one. Samples and small files need no more.
const FIRST: [u64; 2] = [1 << 20, 4 << 20];

/// Bytes of a part.
const PART: u64 = 8 << 20;

/// Parts under way, once the beginning has been read.
const AT_ONCE: usize = 3;

type Opening = Pin<Box<dyn Future<Output = Result<Response>> + Send>>;

/// A reader of a range.
pub(crate) struct Ahead {
    provider: Arc<dyn Provider>,
    target: Arc<Target>,
    /// What no part has been made of yet.
    rest: Range<u64>,
    parts: VecDeque<Part>,
    opened: usize,
    chunk: Vec<u8>,
    at: usize,
}

struct Part {
    range: Range<u64>,
    /// Where the next chunk from the store belongs.
    at: u64,
    state: State,
    chunks: VecDeque<Vec<u8>>,
    backoff: Backoff,
}

enum State {
    Opening(Opening),
    Reading(Response),
    Failed(Error),
    Done,
}

impl Ahead {
    /// A reader that begins with small parts: it may be dropped early.
    pub(crate) fn new(provider: Arc<dyn Provider>, target: Arc<Target>, range: Range<u64>) -> Self {
        Self { provider, target, rest: range, parts: VecDeque::new(), opened: 0, chunk: Vec::new(), at: 0 }
    }

    /// Awaits a whole range, which the caller knows to be wanted and to fit into memory.
    pub(crate) async fn whole(provider: Arc<dyn Provider>, target: Arc<Target>, range: Range<u64>) -> Result<Vec<u8>> {
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or_default();
        let mut reader = Self { opened: FIRST.len(), ..Self::new(provider, target, range) };
        // A file may claim more than it has: what is really there makes the room for the rest.
        let mut bytes = Vec::with_capacity(length.min(16 << 20));
        while let Some(chunk) = std::future::poll_fn(|cx| reader.poll_chunk(cx)).await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Sends the next requests, as many as may be under way.
    fn top_up(&mut self) {
        // The first part must be through before others join it: it may be all that is read, and it tells the version.
        let at_once = if self.opened <= 1 { 1 } else { AT_ONCE };
        while self.parts.len() < at_once && self.rest.start < self.rest.end {
            let size = FIRST.get(self.opened).copied().unwrap_or(PART);
            let range = self.rest.start..self.rest.end.min(self.rest.start.saturating_add(size));
            self.rest.start = range.end;
            self.opened += 1;
            let state = State::Opening(opening(&self.provider, &self.target, range.clone(), None));
            let (at, chunks) = (range.start, VecDeque::new());
            self.parts.push_back(Part { range, at, state, chunks, backoff: Backoff::default() });
        }
    }

    /// Sends the first request without waiting for its answer. What comes of it is told when it is read.
    pub(crate) fn begin(&mut self) {
        self.top_up();
        let mut cx = Context::from_waker(Waker::noop());
        if let Some(front) = self.parts.front_mut() {
            front.advance(true, &self.provider, &self.target, &mut cx);
        }
    }

    /// The next bytes; none at the end of the range.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Vec<u8>>>> {
        loop {
            self.top_up();
            for (nth, part) in self.parts.iter_mut().enumerate() {
                part.advance(nth == 0, &self.provider, &self.target, cx);
            }
            let Some(front) = self.parts.front_mut() else { return Poll::Ready(Ok(None)) };
            if let Some(chunk) = front.chunks.pop_front() {
                return Poll::Ready(Ok(Some(chunk)));
            }
            match std::mem::replace(&mut front.state, State::Done) {
                State::Done => drop(self.parts.pop_front()),
                State::Failed(error) => return Poll::Ready(Err(error)),
                other => {
                    front.state = other;
                    return Poll::Pending;
                }
            }
        }
    }
}

impl Part {
    /// Takes what has arrived: one chunk if it is asked for at once, everything if it has to wait.
    fn advance(&mut self, front: bool, provider: &Arc<dyn Provider>, target: &Arc<Target>, cx: &mut Context<'_>) {
        while !(front && !self.chunks.is_empty()) {
            match &mut self.state {
                State::Opening(opening) => match opening.as_mut().poll(cx) {
                    Poll::Pending => return,
                    Poll::Ready(Ok(response)) => self.state = State::Reading(response),
                    Poll::Ready(Err(error)) => self.state = State::Failed(error),
                },
                State::Reading(response) => match response.poll_chunk(cx) {
                    Poll::Pending => return,
                    Poll::Ready(Ok(Some(chunk))) => {
                        self.at += chunk.len() as u64;
                        self.backoff.reset();
                        self.chunks.push_back(chunk);
                        if self.at > self.range.end {
                            self.state = State::Failed(Error::protocol("the store sent more than was asked for"));
                        }
                    }
                    Poll::Ready(Ok(None)) if self.at == self.range.end => self.state = State::Done,
                    Poll::Ready(Ok(None)) => {
                        self.again(Error::transient("the store's answer ended too early"), provider, target);
                    }
                    Poll::Ready(Err(error)) => self.again(error, provider, target),
                },
                State::Failed(_) | State::Done => return,
            }
        }
    }

    /// Asks for the rest of the part once more, if that can help.
    fn again(&mut self, error: Error, provider: &Arc<dyn Provider>, target: &Arc<Target>) {
        let again = error.kind == ErrorKind::Transient;
        let failure = if again { Failure::Again(error.into()) } else { Failure::Final(error.into()) };
        self.state = match self.backoff.wait(failure) {
            Err(refusal) => State::Failed(refusal.error),
            Ok(_) if self.at == self.range.end => State::Done,
            Ok(wait) => {
                let rest = self.at..self.range.end;
                State::Opening(opening(provider, target, rest, Some(wait)))
            }
        };
    }
}

fn opening(provider: &Arc<dyn Provider>, target: &Arc<Target>, range: Range<u64>, wait: Option<Duration>) -> Opening {
    let (provider, target) = (Arc::clone(provider), Arc::clone(target));
    Box::pin(async move {
        if let Some(wait) = wait {
            http::sleep(wait).await;
        }
        open(&*provider, &target, range).await
    })
}

impl Read for Ahead {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        if self.at >= self.chunk.len() {
            let next = http::block_on(std::future::poll_fn(|cx| self.poll_chunk(cx)));
            self.chunk = next.map_err(std::io::Error::other)?.unwrap_or_default();
            self.at = 0;
        }
        let read = self.chunk.get(self.at..).unwrap_or_default().read(into)?;
        self.at += read;
        Ok(read)
    }
}
