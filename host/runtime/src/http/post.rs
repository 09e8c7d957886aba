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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinHandle;

    use super::*;
    use crate::net::SystemResolver;

    fn post(private_network: bool) -> Post {
        Post::new(Arc::new(SystemResolver), DenyList::default(), private_network, Duration::from_millis(500))
    }

    fn request(address: &str) -> Request<Bytes> {
        Request::post(address).header("sluice-id", "n1").body(Bytes::from_static(b"{}")).unwrap()
    }

    /// A server that answers one request; what it was asked, and the connection, which stays open.
    async fn answering(answer: Vec<u8>) -> (String, JoinHandle<(String, TcpStream)>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/hook?a=b", listener.local_addr().unwrap());
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"{}") {
                let mut chunk = [0; 1024];
                let read = stream.read(&mut chunk).await.unwrap();
                assert!(read > 0, "the request ended early");
                asked.extend_from_slice(&chunk[..read]);
            }
            // Whoever asked may have heard enough.
            let _ = stream.write_all(&answer).await;
            (String::from_utf8(asked).unwrap(), stream)
        });
        (address, served)
    }

    #[tokio::test]
    async fn a_request_goes_out_with_its_path_and_the_status_comes_back() {
        let (address, served) = answering(b"HTTP/1.1 302 x\r\nlocation: http://127.0.0.1:1/\r\n\r\n".to_vec()).await;
        assert_eq!(post(true).send(request(&address)).await.unwrap(), StatusCode::FOUND, "it is not followed");
        let (asked, _) = served.await.unwrap();
        assert!(asked.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("sluice-id: n1\r\n") && asked.contains("host: 127.0.0.1:"), "{asked}");
    }

    #[tokio::test]
    async fn a_private_address_is_refused_and_a_metadata_service_whatever_is_allowed() {
        let refused = post(false).send(request("http://127.0.0.1:1/")).await.unwrap_err();
        assert_eq!(refused.kind, NetErrorKind::Permission, "{refused}");
        let refused = post(true).send(request("http://169.254.169.254/")).await.unwrap_err();
        assert_eq!(refused.kind, NetErrorKind::Permission, "{refused}");
        let deny = DenyList::parse(&["127.0.0.0/8".to_owned()]).unwrap();
        let denied = Post { deny, ..post(true) }.send(request("http://127.0.0.1:1/")).await.unwrap_err();
        assert_eq!(denied.kind, NetErrorKind::Permission, "{denied}");
    }

    #[tokio::test]
    async fn a_receiver_that_says_nothing_or_too_much_is_given_up() {
        let (address, served) = answering(Vec::new()).await;
        let silent = post(true).send(request(&address)).await.unwrap_err();
        assert_eq!(silent.kind, NetErrorKind::Transient, "{silent}");
        drop(served);
        let flood = [b"HTTP/1.1 200 x\r\na: ".as_slice(), &vec![b'a'; 4 * MAX_HEAD]].concat();
        let (address, served) = answering(flood).await;
        let loud = post(true).send(request(&address)).await.unwrap_err();
        assert!(loud.message.contains("without an answer"), "{loud}");
        drop(served);
    }
}
