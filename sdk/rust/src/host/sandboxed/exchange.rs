//! HTTP over `wasi:http`.

use std::task::{Context, Poll};
use std::time::Duration;

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, FutureTrailers, IncomingBody, IncomingResponse, Method as WasiMethod,
    OutgoingBody, OutgoingRequest, RequestOptions, Scheme, http_error_code,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use super::http_error::{of_code, of_stream};
use super::waiting::Watched;
use crate::host::{Exchange, Head};
use crate::http::{Headers, Method, Request, Timeouts};
use crate::{Error, Result};

/// Most bytes that are taken from the host at once.
const CHUNK: u64 = 1 << 20;

/// Hands a request to the host. The host may refuse it at once.
pub(super) fn start(request: Request) -> Result<Box<dyn Exchange>> {
    let url = request.parts()?;
    let outgoing = OutgoingRequest::new(fields(&request)?);
    let invalid = |what: &str| Error::config(format!("the request's {what} cannot be sent"));
    outgoing.set_method(&method(request.method)).map_err(|()| invalid("method"))?;
    let scheme = if url.https { Scheme::Https } else { Scheme::Http };
    outgoing.set_scheme(Some(&scheme)).map_err(|()| invalid("scheme"))?;
    outgoing.set_authority(Some(url.authority)).map_err(|()| invalid("host"))?;
    outgoing.set_path_with_query(Some(&url.path)).map_err(|()| invalid("path"))?;
    let options = options(&request.timeouts)?;
    let mut sending = None;
    if !request.body.is_empty() {
        let body = outgoing.body().map_err(|()| invalid("body"))?;
        let stream = body.write().map_err(|()| invalid("body"))?;
        sending = Some(Sending { watched: Watched::new(stream.subscribe()), stream, body, bytes: request.body, at: 0 });
    }
    let response = outgoing_handler::handle(outgoing, options).map_err(|code| of_code(&code))?;
    let waiting = Waiting { watched: Watched::new(response.subscribe()), response, sending };
    Ok(Box::new(Sandboxed { state: State::Waiting(waiting) }))
}

fn fields(request: &Request) -> Result<Fields> {
    let fields = Fields::new();
    for (name, value) in request.headers.iter() {
        fields
            .append(name, value)
            .map_err(|error| Error::config(format!("the header {name} cannot be sent: {error}")))?;
    }
    if !request.body.is_empty() && request.headers.get("content-length").is_none() {
        let length = request.body.len().to_string();
        fields.append("content-length", length.as_bytes()).map_err(|error| Error::internal(error.to_string()))?;
    }
    Ok(fields)
}

fn method(method: Method) -> WasiMethod {
    match method {
        Method::Get => WasiMethod::Get,
        Method::Head => WasiMethod::Head,
        Method::Post => WasiMethod::Post,
        Method::Put => WasiMethod::Put,
        Method::Patch => WasiMethod::Patch,
        Method::Delete => WasiMethod::Delete,
        Method::Options => WasiMethod::Options,
    }
}

fn options(timeouts: &Timeouts) -> Result<Option<RequestOptions>> {
    if *timeouts == Timeouts::default() {
        return Ok(None);
    }
    let nanos = |time: Option<Duration>| time.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    let options = RequestOptions::new();
    let refused = |()| Error::unsupported("the host does not let a connector set HTTP timeouts");
    options.set_connect_timeout(nanos(timeouts.connect)).map_err(refused)?;
    options.set_first_byte_timeout(nanos(timeouts.first_byte)).map_err(refused)?;
    options.set_between_bytes_timeout(nanos(timeouts.between_bytes)).map_err(refused)?;
    Ok(Some(options))
}

struct Sandboxed {
    state: State,
}

/// Where an exchange stands. Fields of each state are in the order in which the host wants its resources back.
enum State {
    Waiting(Waiting),
    Reading(Reading),
    Ending(Ending),
    Done,
}

struct Waiting {
    watched: Watched,
    response: FutureIncomingResponse,
    sending: Option<Sending>,
}

struct Reading {
    watched: Watched,
    stream: InputStream,
    body: IncomingBody,
    _response: IncomingResponse,
    ended: bool,
}

struct Ending {
    watched: Watched,
    trailers: FutureTrailers,
    _response: IncomingResponse,
}

/// A body on its way out.
struct Sending {
    watched: Watched,
    stream: OutputStream,
    body: OutgoingBody,
    bytes: Vec<u8>,
    at: usize,
}

impl Sending {
    /// Hands over what the host has room for; true when that was all. A host that takes no more has answered already,
    /// and what it answered counts.
    fn go_on(&mut self, cx: &Context<'_>) -> bool {
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            if rest.is_empty() {
                return true;
            }
            let Ok(room) = self.stream.check_write() else { return true };
            if room == 0 {
                self.watched.wake(cx);
                return false;
            }
            let part = rest.get(..usize::try_from(room).unwrap_or(usize::MAX)).unwrap_or(rest);
            if self.stream.write(part).is_err() {
                return true;
            }
            self.at += part.len();
        }
    }

    fn finish(self) {
        let Self { watched, stream, body, .. } = self;
        drop(watched);
        drop(stream);
        // What is wrong with the body is what the response says.
        let _ = OutgoingBody::finish(body, None);
    }
}

impl Exchange for Sandboxed {
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Head>> {
        let State::Waiting(waiting) = &mut self.state else {
            return Poll::Ready(Err(Error::internal("the response's head was read before")));
        };
        if let Some(mut sending) = waiting.sending.take() {
            if sending.go_on(cx) {
                sending.finish();
            } else {
                waiting.sending = Some(sending);
            }
        }
        let Some(answer) = waiting.response.get() else {
            waiting.watched.wake(cx);
            return Poll::Pending;
        };
        self.state = State::Done;
        let response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(code)) => return Poll::Ready(Err(of_code(&code))),
            Err(()) => return Poll::Ready(Err(Error::internal("the response was taken before"))),
        };
        let head = Head { status: response.status(), headers: Headers::from(response.headers().entries()) };
        match reading(response) {
            Ok(reading) => self.state = State::Reading(reading),
            Err(error) => return Poll::Ready(Err(error)),
        }
        Poll::Ready(Ok(head))
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Vec<u8>>>> {
        let State::Reading(reading) = &mut self.state else { return Poll::Ready(Ok(None)) };
        if reading.ended {
            return Poll::Ready(Ok(None));
        }
        match reading.stream.read(CHUNK) {
            Ok(bytes) if bytes.is_empty() => {
                reading.watched.wake(cx);
                Poll::Pending
            }
            Ok(bytes) => Poll::Ready(Ok(Some(bytes))),
            Err(StreamError::Closed) => {
                reading.ended = true;
                Poll::Ready(Ok(None))
            }
            Err(StreamError::LastOperationFailed(error)) => {
                let code: Option<ErrorCode> = http_error_code(&error);
                let failed = code.map_or_else(|| of_stream(&error), |code| of_code(&code));
                self.state = State::Done;
                Poll::Ready(Err(failed))
            }
        }
    }

    fn poll_trailers(&mut self, cx: &mut Context<'_>) -> Poll<Result<Headers>> {
        self.state = match std::mem::replace(&mut self.state, State::Done) {
            State::Reading(Reading { watched, stream, body, _response, .. }) => {
                drop(watched);
                drop(stream);
                let trailers = IncomingBody::finish(body);
                State::Ending(Ending { watched: Watched::new(trailers.subscribe()), trailers, _response })
            }
            other => other,
        };
        let State::Ending(ending) = &mut self.state else { return Poll::Ready(Ok(Headers::new())) };
        let Some(answer) = ending.trailers.get() else {
            ending.watched.wake(cx);
            return Poll::Pending;
        };
        let trailers = match answer {
            Ok(Ok(trailers)) => Ok(trailers.map_or_else(Headers::new, |fields| Headers::from(fields.entries()))),
            Ok(Err(code)) => Err(of_code(&code)),
            Err(()) => Ok(Headers::new()),
        };
        self.state = State::Done;
        Poll::Ready(trailers)
    }
}

fn reading(response: IncomingResponse) -> Result<Reading> {
    let taken = |()| Error::internal("the response's body was taken before");
    let body = response.consume().map_err(taken)?;
    let stream = body.stream().map_err(taken)?;
    Ok(Reading { watched: Watched::new(stream.subscribe()), stream, body, _response: response, ended: false })
}
