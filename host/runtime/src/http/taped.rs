//! Requests of an instance that keeps a tape: taken down as the guest makes them, before the host signs them; or answered from a
//! recording, where nothing is sent.

use std::collections::VecDeque;
use std::mem::discriminant;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use sluice_core::recording::{self, Answer, Headers};
use tokio::sync::OwnedSemaphorePermit;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::client::HttpClient;
use super::failure::Failure;
use crate::net::{NetError, NetErrorKind};
use crate::tape::Tape;

/// How long an answer is waited for that was on its way when the recording ended.
const NEVER: Duration = Duration::from_secs(10);

/// A name in recordings, and what a guest is told for it.
type Code = (&'static str, fn() -> Error);

/// What guests are told.
const CODES: &[Code] = &[
    ("dns-error", || Error::DnsError { rcode: Some("NXDOMAIN".to_owned()), info_code: None }),
    ("connection-refused", || Error::ConnectionRefused),
    ("connection-terminated", || Error::ConnectionTerminated),
    ("connection-read-timeout", || Error::ConnectionReadTimeout),
    ("connection-limit-reached", || Error::ConnectionLimitReached),
    ("tls-protocol-error", || Error::TlsProtocolError),
    ("tls-certificate-error", || Error::TlsCertificateError),
    ("http-request-denied", || Error::HttpRequestDenied),
    ("http-request-method-invalid", || Error::HttpRequestMethodInvalid),
    ("http-request-uri-invalid", || Error::HttpRequestUriInvalid),
    ("http-request-uri-too-long", || Error::HttpRequestUriTooLong),
    ("http-request-header-section-size", || Error::HttpRequestHeaderSectionSize(None)),
    ("http-response-header-section-size", || Error::HttpResponseHeaderSectionSize(None)),
    ("http-response-incomplete", || Error::HttpResponseIncomplete),
    ("http-response-timeout", || Error::HttpResponseTimeout),
    ("http-protocol-error", || Error::HttpProtocolError),
];

fn name_of(error: &Error) -> String {
    let known = CODES.iter().find(|(_, code)| discriminant(&code()) == discriminant(error));
    known.map_or("internal-error", |(name, _)| *name).to_owned()
}

fn code_of(name: &str) -> Error {
    CODES.iter().find(|(known, _)| *known == name).map_or(Error::InternalError(None), |(_, code)| code())
}

/// Sends a request, or answers it from the recording.
pub(super) async fn send(
    tape: &Tape,
    client: &HttpClient,
    request: Request<WasiBody>,
    options: Option<RequestOptions>,
    permit: OwnedSemaphorePermit,
) -> Result<Response<WasiBody>, Failure> {
    let (parts, body) = request.into_parts();
    let exchange = tape.request(recording::Request {
        method: parts.method.to_string(),
        url: parts.uri.to_string(),
        headers: written(&parts.headers),
        body: recording::Bytes::default(),
    });
    let body = Tee { inner: body, tape: tape.clone(), exchange, side: Side::Request };
    let outcome = if tape.plays() {
        answer(tape, exchange, body).await
    } else {
        client.send(Request::from_parts(parts, body.boxed_unsync()), options, permit).await
    };
    match outcome {
        Ok(response) => {
            let (head, body) = response.into_parts();
            let told = head.extensions.get::<NetError>().map(|error| error.told(None));
            let (status, headers) = (head.status.as_u16(), written(&head.headers));
            let ended = body.is_end_stream();
            tape.exchange(exchange, size(&headers), |exchange| {
                exchange.response =
                    Some(recording::Response { status, headers, told, ended, ..recording::Response::default() });
            });
            let body = Tee { inner: body, tape: tape.clone(), exchange, side: Side::Response };
            Ok(Response::from_parts(head, body.boxed_unsync()))
        }
        Err(failure) => {
            let told = failure.detail.told(Some(name_of(&failure.code)));
            tape.exchange(exchange, told.message.len(), |exchange| exchange.failed = Some(told));
            Err(failure)
        }
    }
}

/// What the recording has for a request, once its body is there.
async fn answer(tape: &Tape, exchange: Option<usize>, mut body: Tee) -> Result<Response<WasiBody>, Failure> {
    while let Some(frame) = body.frame().await {
        frame.map_err(|code| Failure::new(code, NetErrorKind::Protocol, "the request's body broke off"))?;
    }
    match tape.answer(exchange) {
        Some(Answer::Response(response, _)) => Ok(rebuilt(response)),
        Some(Answer::Failed(told, _)) => {
            let code = code_of(told.code.as_deref().unwrap_or_default());
            Err(Failure { code, detail: NetError::from(told) })
        }
        Some(Answer::Unknown(told)) => Err(Failure { code: Error::HttpRequestDenied, detail: NetError::from(told) }),
        Some(Answer::Never(_)) | None => {
            tokio::time::sleep(NEVER).await;
            let message = "the recording ends before this request was answered";
            Err(Failure::new(Error::HttpResponseTimeout, NetErrorKind::Transient, message))
        }
    }
}

fn rebuilt(recorded: recording::Response) -> Response<WasiBody> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(recorded.status).unwrap_or(StatusCode::BAD_GATEWAY);
    *response.headers_mut() = read(&recorded.headers);
    if let Some(told) = recorded.told {
        response.extensions_mut().insert(NetError::from(told));
    }
    let end = match (recorded.broken, recorded.trailers) {
        (Some(code), _) => End::Broken(code),
        (None, Some(trailers)) => End::Trailers(read(&trailers)),
        (None, None) if recorded.ended => End::Reached,
        (None, None) => End::Never(Box::pin(tokio::time::sleep(NEVER))),
    };
    let pieces = recorded.body.into_iter().map(|piece| Bytes::from(piece.0)).collect();
    response.map(|()| Played { pieces, end }.boxed_unsync())
}

fn written(headers: &HeaderMap) -> Headers {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec().into())).collect()
}

fn read(headers: &Headers) -> HeaderMap {
    let one = |(name, value): &(String, recording::Bytes)| {
        Some((HeaderName::try_from(name.as_str()).ok()?, HeaderValue::from_bytes(&value.0).ok()?))
    };
    let mut all = HeaderMap::new();
    for (name, value) in headers.iter().filter_map(one) {
        all.append(name, value);
    }
    all
}

fn size(headers: &Headers) -> usize {
    headers.iter().map(|(name, value)| name.len() + value.0.len() + 8).sum()
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Request,
    Response,
}

/// A body that is taken down as it passes.
struct Tee {
    inner: WasiBody,
    tape: Tape,
    exchange: Option<usize>,
    side: Side,
}

impl Tee {
    fn passed(&self, frame: &Frame<Bytes>) {
        let (side, ended) = (self.side, self.inner.is_end_stream());
        let data = frame.data_ref();
        let trailers = frame.trailers_ref().map(written);
        let bytes = data.map_or(0, Bytes::len);
        self.tape.exchange(self.exchange, bytes, |exchange| match (side, &mut exchange.response) {
            (Side::Request, _) => exchange.request.body.0.extend_from_slice(data.map_or(&[], |data| data)),
            (Side::Response, Some(response)) => {
                response.body.extend(data.map(|data| recording::Bytes(data.to_vec())));
                response.ended |= ended || trailers.is_some();
                response.trailers = trailers.or(response.trailers.take());
            }
            (Side::Response, None) => {}
        });
    }

    fn over(&self, broken: Option<String>) {
        if self.side == Side::Response {
            self.tape.exchange(self.exchange, 0, |exchange| {
                if let Some(response) = &mut exchange.response {
                    response.ended = broken.is_none();
                    response.broken = broken;
                }
            });
        }
    }
}

impl Body for Tee {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match &polled {
            Some(Ok(frame)) => self.passed(frame),
            Some(Err(error)) => self.over(Some(name_of(error))),
            None => self.over(None),
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A recorded body, in the pieces in which it came.
struct Played {
    pieces: VecDeque<Bytes>,
    end: End,
}

enum End {
    Reached,
    Trailers(HeaderMap),
    Broken(String),
    /// The guest did not wait for the rest when it was recorded.
    Never(Pin<Box<tokio::time::Sleep>>),
}

impl Body for Played {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(piece) = self.pieces.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if let End::Never(patience) = &mut self.end {
            std::task::ready!(patience.as_mut().poll(cx));
            self.end = End::Reached;
            return Poll::Ready(Some(Err(Error::ConnectionReadTimeout)));
        }
        Poll::Ready(match std::mem::replace(&mut self.end, End::Reached) {
            End::Trailers(trailers) => Some(Ok(Frame::trailers(trailers))),
            End::Broken(code) => Some(Err(code_of(&code))),
            End::Reached | End::Never(_) => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && matches!(self.end, End::Reached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_that_the_host_tells_guests_has_a_name_and_comes_back() {
        for (name, code) in CODES {
            assert_eq!(name_of(&code_of(name)), *name);
            assert_eq!(name_of(&code()), *name);
        }
        assert_eq!(name_of(&Error::LoopDetected), "internal-error");
        assert!(matches!(code_of("nonsense"), Error::InternalError(None)));
    }

    #[tokio::test]
    async fn a_recorded_body_comes_in_its_pieces_and_ends_as_it_did() {
        let recorded = |end: fn(&mut recording::Response)| {
            let mut response = recording::Response {
                status: 206,
                body: vec!["ab".into(), "c".into()],
                ..recording::Response::default()
            };
            end(&mut response);
            rebuilt(response)
        };
        let mut whole = recorded(|response| {
            response.ended = true;
            response.headers =
                vec![("x-a".into(), "1".into()), ("x-a".into(), "2".into()), ("no name".into(), "".into())];
        });
        assert_eq!((whole.status().as_u16(), whole.headers().len()), (206, 2));
        let mut pieces = Vec::new();
        while let Some(frame) = whole.body_mut().frame().await {
            pieces.push(frame.unwrap().into_data().unwrap());
        }
        assert_eq!(pieces, ["ab", "c"]);
        let broken = recorded(|response| response.broken = Some("connection-terminated".into()));
        assert!(matches!(broken.into_body().collect().await, Err(Error::ConnectionTerminated)));
        let trailers = recorded(|response| response.trailers = Some(vec![("grpc-status".into(), "0".into())]));
        assert_eq!(trailers.into_body().collect().await.unwrap().trailers().unwrap()["grpc-status"], "0");
    }
}
