//! From an origin to a connection that speaks HTTP.

use std::time::Duration;

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime_wasi_http::{Error, WasiBody};

use super::client::HttpSettings;
use super::failure::Failure;
use super::origin::{Lane, Origin};
use super::pool::{Channel, Sender};
use crate::net::dial::{Destination, Dialer, peer};
use crate::net::tls::Tls;
use crate::net::{Buffered, NetErrorKind, TlsOptions};

/// Most bytes of a response's head, and of its trailers.
pub(super) const MAX_RESPONSE_HEAD: usize = 64 << 10;

/// Most headers of a response.
const MAX_RESPONSE_HEADERS: usize = 256;

/// What one HTTP/2 stream, and one connection, may have on the way to a guest that does not read.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

/// Dials, shakes hands and finds out which HTTP the server speaks.
pub(super) async fn open(
    dialer: &Dialer,
    to: &Destination,
    lane: &Lane,
    settings: &HttpSettings,
    timeout: Duration,
) -> Result<Channel, Failure> {
    let origin = &lane.origin;
    let connecting = async {
        let stream = dialer.dial(to, timeout).await?;
        let peer = peer(&stream);
        let sender = if origin.https {
            let offered: &[&str] = match (lane.http2_only, settings.http2) {
                (true, _) => &["h2"],
                (false, true) => &["h2", "http/1.1"],
                (false, false) => &[],
            };
            let offered = offered.iter().map(|&protocol| protocol.to_owned()).collect();
            let options = TlsOptions { alpn: offered, ..settings.tls.clone() };
            let tls = Tls::prepare(&options, &to.host.to_string())?;
            let stream = tls.handshake(Buffered::new(stream), timeout).await?;
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            if lane.http2_only && !http2 {
                return Err(no_http2(origin));
            }
            speak(stream, http2, origin).await?
        } else {
            speak(stream, lane.http2_only, origin).await?
        };
        Ok(Channel { sender, peer, reused: false })
    };
    tokio::time::timeout(timeout, connecting).await.unwrap_or_else(|_| {
        let message = format!("{origin} did not answer within {} seconds", timeout.as_secs_f32());
        Err(Failure::new(Error::ConnectionTimeout, NetErrorKind::Transient, message))
    })
}

fn no_http2(origin: &Origin) -> Failure {
    let message = format!("{origin} does not offer HTTP/2 over TLS, which gRPC needs; check host and port");
    Failure::new(Error::HttpProtocolError, NetErrorKind::Protocol, message)
}

/// Starts the protocol; the connection is driven by a task of its own, which ends when nobody uses it any more.
async fn speak<S>(stream: S, http2: bool, origin: &Origin) -> Result<Sender, Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let io = TokioIo::new(stream);
    if http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(u32::try_from(MAX_RESPONSE_HEAD).unwrap_or(u32::MAX))
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(20));
        let handshake = builder.handshake::<_, WasiBody>(io).await;
        let (sender, connection) = handshake.map_err(|error| Failure::hyper(&origin.to_string(), &error))?;
        drive(origin, connection);
        return Ok(Sender::Http2(sender));
    }
    let mut builder = http1::Builder::new();
    builder.max_headers(MAX_RESPONSE_HEADERS).max_buf_size(2 * MAX_RESPONSE_HEAD).max_header_size(MAX_RESPONSE_HEAD);
    let handshake = builder.handshake::<_, WasiBody>(io).await;
    let (sender, connection) = handshake.map_err(|error| Failure::hyper(&origin.to_string(), &error))?;
    drive(origin, connection);
    Ok(Sender::Http1(sender))
}

fn drive(origin: &Origin, connection: impl Future<Output = hyper::Result<()>> + Send + 'static) {
    let origin = origin.to_string();
    tokio::spawn(async move {
        // Whoever waits for a response is told as well; this is for the log only.
        if let Err(error) = connection.await {
            tracing::debug!(http.origin = origin, error = %error, "a pooled connection ended");
        }
    });
}
