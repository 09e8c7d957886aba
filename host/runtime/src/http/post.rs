//! A request of the host's own to an address that a tenant has chosen: a webhook. The same rules as for guests: the name is resolved
//! once, every address is checked, and the connection goes to one that was. Redirects are not followed, and nothing is read of the answer but
//! its head.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::origin::Origin;
use crate::net::dial::Dialer;
use crate::net::egress::HostPattern;
use crate::net::tls::Tls;
use crate::net::{Buffered, DenyList, EgressPolicy, HostRule, NetError, NetErrorKind, Resolver, TlsOptions};

/// Most bytes of an answer's head.
const MAX_HEAD: usize = 16 << 10;

/// Sends requests to addresses that somebody else has chosen.
#[derive(Clone)]
pub struct Post {
    resolver: Arc<dyn Resolver>,
    deny: DenyList,
    private_network: bool,
    timeout: Duration,
}

impl Post {
    /// To public addresses, and private ones if `private_network` is true; never to what `deny` names. Each request has `timeout`
    /// from its first packet to the head of its answer.
    pub fn new(resolver: Arc<dyn Resolver>, deny: DenyList, private_network: bool, timeout: Duration) -> Self {
        Self { resolver, deny, private_network, timeout }
    }

    /// Sends a request whose address is absolute; the status of the answer.
    ///
    /// # Errors
    /// `Permission` where the address may not be reached, `NotFound` where the name does not resolve, `Transient` where nobody answers
    /// in time, `Protocol` where the answer is none, and what TLS has to say.
    pub async fn send(&self, request: Request<Bytes>) -> Result<StatusCode, NetError> {
        tokio::time::timeout(self.timeout, self.exchange(request)).await.unwrap_or_else(|_| {
            let message = format!("there was no answer within {} seconds", self.timeout.as_secs_f32());
            Err(NetError::new(NetErrorKind::Transient, message))
        })
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<StatusCode, NetError> {
        let wrong = |message: String| NetError::new(NetErrorKind::Config, message);
        let origin =
            Origin::of(request.uri()).map_err(|_| wrong("the address is not one that can be called".into()))?;
        let pattern = HostPattern::Exact(origin.host.clone());
        let rule = HostRule { pattern, port: Some(origin.port), own: true };
        let policy = EgressPolicy::new(vec![rule], self.private_network).with_deny(self.deny.clone());
        let dialer = Dialer::new(Arc::new(policy), Arc::clone(&self.resolver));
        let to = dialer.destination(&origin.host.to_string(), origin.port)?;
        let stream = dialer.dial(&to, self.timeout).await?;

        let authority = origin.authority().map_err(|_| wrong("the address has no host".into()))?;
        let (mut parts, body) = request.into_parts();
        let host = HeaderValue::try_from(authority.as_str()).map_err(|e| wrong(e.to_string()))?;
        parts.headers.insert(HOST, host);
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        parts.uri = path.parse().map_err(|_| wrong("the address has a path that cannot be called".into()))?;
        let request = Request::from_parts(parts, Full::new(body));
        if !origin.https {
            return speak(stream, request).await;
        }
        let tls = Tls::prepare(&TlsOptions::default(), &origin.host.to_string())?;
        speak(tls.handshake(Buffered::new(stream), self.timeout).await?, request).await
    }
}

/// One request over a connection of its own, which is closed once the head of the answer is there.
async fn speak<S>(stream: S, request: Request<Full<Bytes>>) -> Result<StatusCode, NetError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let failed = |error: hyper::Error| {
        let kind = if error.is_parse() { NetErrorKind::Protocol } else { NetErrorKind::Transient };
        NetError::new(kind, format!("the connection ended without an answer: {error}"))
    };
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_HEAD);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let sending = sender.send_request(request);
    tokio::pin!(sending, connection);
    tokio::select! {
        answer = &mut sending => return answer.map(|answer| answer.status()).map_err(failed),
        ended = &mut connection => ended.map_err(failed)?,
    }
    // A connection that has ended well has handed over its answer before.
    sending.await.map(|answer| answer.status()).map_err(failed)
}
