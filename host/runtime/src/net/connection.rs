//! One open connection of a guest.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BufMut;
use socket2::SockRef;
use tokio::io::{AsyncBufRead, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::client::TlsStream;

use super::buffered::Buffered;
use super::dial::CONNECT_TIMEOUT;
use super::error::{NetError, NetErrorKind};
use super::tls::{Tls, TlsOptions, server_end_point};

/// Most bytes that one read returns.
pub const MAX_READ: usize = 1 << 20;

/// What a read starts with; grows while the peer fills it.
const FIRST_READ: usize = 16 << 10;

/// An open connection, with or without TLS; closed when dropped. Counted against the instance's limit.
pub struct Connection {
    transport: Transport,
    host: String,
    /// Bytes that the next read makes room for.
    expect: usize,
    _permit: OwnedSemaphorePermit,
}

enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<Buffered>>),
    /// A handshake failed or was cancelled half-way.
    Broken,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tls = matches!(self.transport, Transport::Tls(_));
        f.debug_struct("Connection").field("host", &self.host).field("tls", &tls).finish_non_exhaustive()
    }
}

impl Connection {
    pub(super) fn new(stream: TcpStream, host: String, permit: OwnedSemaphorePermit) -> Self {
        Self { transport: Transport::Plain(stream), host, expect: FIRST_READ, _permit: permit }
    }

    /// Waits for bytes, then takes what has arrived, at most `max` and at most [`MAX_READ`]. Empty at the end.
    ///
    /// # Errors
    /// The connection was lost, or the peer broke the rules of TLS.
    pub async fn read(&mut self, max: usize) -> Result<Vec<u8>, NetError> {
        let max = max.min(MAX_READ);
        if max == 0 {
            return Ok(Vec::new());
        }
        let room = self.expect.min(max);
        let mut bytes = Vec::with_capacity(room);
        let outcome = match &mut self.transport {
            Transport::Plain(stream) => std::future::poll_fn(|cx| poll_plain(stream, cx, &mut bytes, room)).await,
            Transport::Tls(stream) => std::future::poll_fn(|cx| poll_tls(stream, cx, &mut bytes, room)).await,
            Transport::Broken => return Err(broken()),
        };
        outcome.map_err(|error| lost("reading from", &self.host, &error))?;
        self.adapt(bytes.len());
        Ok(bytes)
    }

    /// Follows the peer's pace: a bulk transfer reads megabytes, a conversation does not hold them.
    fn adapt(&mut self, read: usize) {
        if read >= self.expect {
            self.expect = (self.expect * 4).min(MAX_READ);
        } else if read < self.expect / 8 {
            self.expect = (self.expect / 2).max(FIRST_READ);
        }
    }

    /// Sends all bytes.
    ///
    /// # Errors
    /// The connection was lost.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        let outcome = match &mut self.transport {
            Transport::Plain(stream) => stream.write_all(bytes).await,
            Transport::Tls(stream) => match stream.write_all(bytes).await {
                Ok(()) => stream.flush().await,
                Err(error) => Err(error),
            },
            Transport::Broken => return Err(broken()),
        };
        outcome.map_err(|error| lost("writing to", &self.host, &error))
    }

    /// Turns TLS on over a connection that began without.
    ///
    /// # Errors
    /// TLS is on already, bytes arrived that nobody read (they would count as protected although they came in the
    /// clear), or the handshake failed. The connection is of no more use then.
    pub async fn start_tls(&mut self, options: &TlsOptions) -> Result<(), NetError> {
        if let Transport::Plain(stream) = &self.transport
            && has_unread(stream)
        {
            self.transport = Transport::Broken;
            return Err(NetError::new(
                NetErrorKind::Protocol,
                "the server sent bytes before TLS began; they could be an attacker's, so the connection is given up",
            ));
        }
        self.secure(options).await
    }

    /// Shakes hands over the plain connection.
    pub(super) async fn secure(&mut self, options: &TlsOptions) -> Result<(), NetError> {
        let tls = Tls::prepare(options, &self.host)?;
        let stream = match std::mem::replace(&mut self.transport, Transport::Broken) {
            Transport::Plain(stream) => stream,
            on @ Transport::Tls(_) => {
                self.transport = on;
                return Err(NetError::new(NetErrorKind::Protocol, "TLS is on already for this connection"));
            }
            Transport::Broken => return Err(broken()),
        };
        let stream = tls.handshake(Buffered::new(stream), CONNECT_TIMEOUT).await?;
        self.transport = Transport::Tls(Box::new(stream));
        Ok(())
    }

    /// Channel binding data `tls-server-end-point` (RFC 5929); none without TLS, or where the certificate's signature
    /// has no defined hash.
    pub fn tls_server_end_point(&self) -> Option<Vec<u8>> {
        let Transport::Tls(stream) = &self.transport else { return None };
        let (_, session) = stream.get_ref();
        server_end_point(session.peer_certificates()?.first()?)
    }

    /// The application protocol that was agreed on; none without TLS or ALPN.
    pub fn alpn_protocol(&self) -> Option<Vec<u8>> {
        let Transport::Tls(stream) = &self.transport else { return None };
        let (_, session) = stream.get_ref();
        session.alpn_protocol().map(<[u8]>::to_vec)
    }
}

/// Fills the free capacity, without clearing it first. Ready once there is at least one byte, or the end; one call
/// suffices, because the kernel hands over all it has.
fn poll_plain(stream: &mut TcpStream, cx: &mut Context<'_>, bytes: &mut Vec<u8>, room: usize) -> Poll<io::Result<()>> {
    tokio_util::io::poll_read_buf(Pin::new(stream), cx, &mut bytes.limit(room)).map_ok(|_| ())
}

/// The same over TLS, record by record, as long as more is there.
fn poll_tls(
    stream: &mut TlsStream<Buffered>,
    cx: &mut Context<'_>,
    bytes: &mut Vec<u8>,
    room: usize,
) -> Poll<io::Result<()>> {
    while bytes.len() < room {
        match Pin::new(&mut *stream).poll_fill_buf(cx) {
            Poll::Ready(Ok([])) => break,
            Poll::Ready(Ok(chunk)) => {
                let length = chunk.len().min(room - bytes.len());
                bytes.extend_from_slice(chunk.get(..length).unwrap_or_default());
                Pin::new(&mut *stream).consume(length);
            }
            // What was read is delivered; a broken connection is still broken at the next call.
            Poll::Ready(Err(_)) | Poll::Pending if !bytes.is_empty() => break,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
    }
    Poll::Ready(Ok(()))
}

/// Whether the socket holds bytes that nobody read.
fn has_unread(stream: &TcpStream) -> bool {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    matches!(SockRef::from(stream).peek(&mut byte), Ok(count) if count > 0)
}

fn broken() -> NetError {
    NetError::new(NetErrorKind::Transient, "the connection was given up after a failed TLS handshake")
}

fn lost(doing: &str, host: &str, error: &io::Error) -> NetError {
    let tls = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    if tls {
        return NetError::new(
            NetErrorKind::Protocol,
            format!("{doing} {host}: the TLS connection is damaged: {error}"),
        );
    }
    let what = format!("the connection was lost while {doing} {host}");
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return NetError::new(NetErrorKind::Transient, format!("{what}: closed without saying so in TLS"));
    }
    NetError::io(&what, error)
}
