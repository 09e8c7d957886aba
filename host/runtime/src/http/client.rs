//! The host's HTTP client: one of a connection, shared by its instances.

use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use sluice_core::RunError;
use sluice_core::manifest::AuthScheme;
use sluice_core::pipeline::Grants;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::auth::{Configured, Credentials, Outgoing};
use super::body::ResponseBody;
use super::dial;
use super::failure::Failure;
use super::origin::{Lane, Origin};
use super::pool::{Channel, Lease, Pool, Sender};
use super::request;
use crate::environment::{Clock, Environment};
use crate::net::dial::{Destination, Dialer};
use crate::net::{EgressPolicy, NetErrorKind, TlsOptions};

/// Longest time that a guest may ask to wait for anything.
const MAX_TIMEOUT: Duration = Duration::from_secs(3600);

/// What an operator may set.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Time to connect, TLS included, where the guest does not say.
    pub connect: Duration,
    /// Time from the request to the end of the response's head, where the guest does not say.
    pub first_byte: Duration,
    /// Longest silence within a response's body, where the guest does not say.
    pub between_bytes: Duration,
    /// Offer HTTP/2 over TLS. gRPC uses it whatever is said here.
    pub http2: bool,
    /// How certificates are checked; the protocols offered are the client's own.
    pub tls: TlsOptions,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            first_byte: Duration::from_secs(300),
            between_bytes: Duration::from_secs(120),
            http2: true,
            tls: TlsOptions::default(),
        }
    }
}

/// An HTTP client under a policy, with credentials and a pool. Cheap to clone; clones share the pool.
#[derive(Clone)]
pub struct HttpClient {
    inner: Arc<Inner>,
}

struct Inner {
    dialer: Dialer,
    credentials: Credentials,
    settings: HttpSettings,
    clock: Clock,
    pool: Arc<Pool>,
}

impl HttpClient {
    /// A client for one connection. `auth` is the manifest's, `config` holds the secrets that it names, `grants` is
    /// what the operator allows the connection.
    ///
    /// # Errors
    /// Names the configuration field whose value cannot be sent as a credential.
    pub fn new(
        policy: EgressPolicy,
        environment: &Environment,
        auth: &[AuthScheme],
        config: &serde_json::Value,
        grants: &Grants,
    ) -> Result<Self, RunError> {
        Self::with_settings(policy, environment, auth, config, grants, HttpSettings::default())
    }

    /// [`Self::new`] with settings other than the defaults.
    ///
    /// # Errors
    /// Names the configuration field whose value cannot be sent as a credential.
    pub fn with_settings(
        policy: EgressPolicy,
        environment: &Environment,
        auth: &[AuthScheme],
        config: &serde_json::Value,
        grants: &Grants,
        settings: HttpSettings,
    ) -> Result<Self, RunError> {
        let credentials = Credentials::resolve(auth, Configured { config, grants, environment })?;
        Ok(Self::assemble(policy, environment, credentials, settings))
    }

    pub(super) fn assemble(
        policy: EgressPolicy,
        environment: &Environment,
        credentials: Credentials,
        settings: HttpSettings,
    ) -> Self {
        let dialer = Dialer::new(Arc::new(policy), Arc::clone(&environment.resolver));
        let clock = Arc::clone(&environment.clock);
        Self { inner: Arc::new(Inner { dialer, credentials, settings, clock, pool: Arc::default() }) }
    }

    /// Sends a request and returns once the response's head is there. `permit` counts the request until the guest
    /// lets the response go. What the host knows about a refusal is in the response's extensions, as a `NetError`.
    pub(super) async fn send(
        &self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        permit: OwnedSemaphorePermit,
    ) -> Result<Response<WasiBody>, Failure> {
        let inner = &*self.inner;
        let times = Times::new(&inner.settings, options);
        let (mut parts, body) = request.into_parts();
        let origin = Origin::of(&parts.uri)?;
        let to = inner.destination(&origin)?;
        request::sanitise(&mut parts, &origin)?;
        let lane = Lane::of(origin.clone(), &parts.headers);
        let mut request = Request::from_parts(parts, body);
        let repeatable = Repeatable::of(&request);
        loop {
            let mut channel = inner.channel(&lane, &to, times.connect).await?;
            request = inner.prepare(request, &origin, &to, &channel).await?;
            let sending = send_over(&mut channel, request);
            let Ok(outcome) = tokio::time::timeout(times.first_byte, sending).await else {
                let message = format!("{origin} did not answer within {} seconds", times.first_byte.as_secs_f32());
                return Err(Failure::new(Error::HttpResponseTimeout, NetErrorKind::Transient, message));
            };
            match outcome {
                Ok(mut response) => {
                    let now = (inner.clock)();
                    if let Some(told) = inner.credentials.explain(&origin, &to.rule, &response, now) {
                        response.extensions_mut().insert(told);
                    }
                    let lease = Lease::new(Arc::clone(&inner.pool), lane, channel);
                    return Ok(response.map(|incoming| {
                        ResponseBody::new(incoming, times.between_bytes, lease, permit).boxed_unsync()
                    }));
                }
                // The server closed a waiting connection before any of the request was sent.
                Err((_, Some(unsent))) if channel.reused => request = *unsent,
                Err((error, _)) => match &repeatable {
                    // Or while it was being sent; sent again only where that cannot do anything twice.
                    Some(copy) if channel.reused && !error.is_parse() => request = copy.request(),
                    _ => return Err(Failure::hyper(&origin.to_string(), &error)),
                },
            }
        }
    }

    #[cfg(test)]
    pub(super) fn idle(&self, url: &str) -> usize {
        let origin = Origin::of(&url.parse().unwrap()).unwrap();
        self.inner.pool.idle(&Lane::of(origin, &HeaderMap::new()))
    }
}

impl Inner {
    /// The policy's answer for an origin.
    fn destination(&self, origin: &Origin) -> Result<Destination, Failure> {
        let rule = self.dialer.policy().allows_host(&origin.host, origin.port);
        let rule = rule.map_err(|denied| Failure::from(crate::net::NetError::from(denied)))?;
        Ok(Destination { host: origin.host.clone(), port: origin.port, rule })
    }

    /// A pooled connection, or a new one.
    async fn channel(&self, lane: &Lane, to: &Destination, timeout: Duration) -> Result<Channel, Failure> {
        if let Some(channel) = self.pool.take(lane) {
            return Ok(channel);
        }
        let gate = self.pool.gate(lane);
        let _dialing = match &gate {
            Some(gate) => Some(gate.lock().await),
            None => None,
        };
        // Somebody else may have dialled in the meantime.
        if let Some(channel) = self.pool.take(lane) {
            return Ok(channel);
        }
        let channel = dial::open(&self.dialer, to, lane, &self.settings, timeout).await?;
        self.pool.opened(lane, &channel);
        Ok(channel)
    }

    /// Addresses and authenticates the request for the connection it will go over.
    async fn prepare(
        &self,
        request: Request<WasiBody>,
        origin: &Origin,
        to: &Destination,
        channel: &Channel,
    ) -> Result<Request<WasiBody>, Failure> {
        let (mut parts, body) = request.into_parts();
        request::address(&mut parts, origin, matches!(channel.sender, Sender::Http2(_)))?;
        let length = length(&parts, &body);
        let mut outgoing = Outgoing { parts: &mut parts, origin, length };
        self.credentials.apply(&mut outgoing, &to.rule, channel.peer, (self.clock)()).await?;
        Ok(Request::from_parts(parts, body))
    }
}

/// Bytes of a body, as the guest stated them or as they are known.
fn length(parts: &Parts, body: &WasiBody) -> Option<u64> {
    if body.is_end_stream() {
        return Some(0);
    }
    let stated = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    stated.or_else(|| body.size_hint().exact())
}

/// A request that may be sent again after a connection that waited in the pool turned out to be closed: idempotent
/// (RFC 9110, section 9.2.2) and without a body.
struct Repeatable {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl Repeatable {
    fn of(request: &Request<WasiBody>) -> Option<Self> {
        (request.method().is_idempotent() && request.body().is_end_stream()).then(|| Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
        })
    }

    fn request(&self) -> Request<WasiBody> {
        let mut request = Request::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// What failed, and the request if nothing of it was sent.
type Unsent = (hyper::Error, Option<Box<Request<WasiBody>>>);

async fn send_over(channel: &mut Channel, request: Request<WasiBody>) -> Result<Response<Incoming>, Unsent> {
    let outcome = match &mut channel.sender {
        Sender::Http1(sender) => match sender.ready().await {
            Ok(()) => sender.try_send_request(request).await,
            Err(error) => return Err((error, Some(Box::new(request)))),
        },
        Sender::Http2(sender) => match sender.ready().await {
            Ok(()) => sender.try_send_request(request).await,
            Err(error) => return Err((error, Some(Box::new(request)))),
        },
    };
    outcome.map_err(|mut failed| {
        let unsent = failed.take_message().map(Box::new);
        (failed.into_error(), unsent)
    })
}

/// How long each part of a request may take.
struct Times {
    connect: Duration,
    first_byte: Duration,
    between_bytes: Duration,
}

impl Times {
    fn new(settings: &HttpSettings, options: Option<RequestOptions>) -> Self {
        let options = options.unwrap_or_default();
        let bounded = |asked: Option<Duration>, default: Duration| asked.unwrap_or(default).min(MAX_TIMEOUT);
        Self {
            connect: bounded(options.connect_timeout, settings.connect),
            first_byte: bounded(options.first_byte_timeout, settings.first_byte),
            between_bytes: bounded(options.between_bytes_timeout, settings.between_bytes),
        }
    }
}
