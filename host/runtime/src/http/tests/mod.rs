//! Requests through the hooks, as `wasi:http` sends them, against servers in this process.

mod auth;
mod egress;
mod exchange;
mod google;
mod grpc;
mod limits;
mod oauth2;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use sluice_core::manifest::AuthScheme;
use sluice_core::pipeline::Grants;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::{Hooks, HttpClient, HttpSettings};
use crate::environment::Environment;
use crate::net::testing::{Answers, Authority, acceptor, listen, policy};
use crate::net::{EgressPolicy, TlsOptions};

/// Name under which every server of these tests is declared.
const HOST: &str = "api.example.com";

type ServerBody = http_body_util::combinators::BoxBody<Bytes, std::convert::Infallible>;

fn full(text: impl Into<Bytes>) -> ServerBody {
    Full::new(text.into()).boxed()
}

/// An HTTP/1.1 server.
async fn http1<F, S>(respond: F) -> SocketAddr
where
    F: Fn(Request<Incoming>) -> S + Clone + Send + 'static,
    S: Future<Output = Response<ServerBody>> + Send + 'static,
{
    listen(move |stream| {
        let respond = respond.clone();
        async move {
            let service = service_fn(move |request| {
                let response = respond(request);
                async move { Ok::<_, std::convert::Infallible>(response.await) }
            });
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        }
    })
    .await
}

/// An HTTP/2 server over TLS, and the authority that signed its certificate.
async fn https2<F, S>(respond: F) -> (SocketAddr, Authority)
where
    F: Fn(Request<Incoming>) -> S + Clone + Send + 'static,
    S: Future<Output = Response<ServerBody>> + Send + 'static,
{
    let authority = Authority::new();
    let versions = &[&rustls::version::TLS13];
    let acceptor = acceptor(&authority.sign_for(&[HOST]), None, &["h2"], versions);
    let address = listen(move |stream| {
        let (respond, acceptor) = (respond.clone(), acceptor.clone());
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |request| {
                let response = respond(request);
                async move { Ok::<_, std::convert::Infallible>(response.await) }
            });
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        }
    })
    .await;
    (address, authority)
}

/// A server that reads a request's head and answers with these bytes, whatever they are.
async fn raw(answer: &'static [u8], then: Duration) -> SocketAddr {
    listen(move |mut stream| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let _ = stream.write_all(answer).await;
        tokio::time::sleep(then).await;
    })
    .await
}

/// Every name is this machine, and the time is always the same.
fn local() -> Environment {
    environment(Answers::local())
}

fn environment(resolver: Arc<Answers>) -> Environment {
    Environment::new(resolver, Arc::new(|| "2026-01-02T03:04:05Z".parse().unwrap()))
}

fn client_with(policy: EgressPolicy, auth: &[AuthScheme], settings: HttpSettings) -> HttpClient {
    let config = json!({"token": "s3cret", "user": "ada", "password": "lovelace"});
    HttpClient::with_settings(policy, &local(), auth, &config, &Grants::default(), settings).unwrap()
}

/// Hooks of one instance that may reach the server and have two requests under way.
fn hooks(address: SocketAddr) -> Hooks {
    let client = client_with(policy(HOST, address.port(), true), &[], HttpSettings::default());
    Hooks::new(client, 2)
}

fn trusting(authority: &Authority) -> HttpSettings {
    let tls = TlsOptions { authorities: Some(authority.identity.pem()), ..TlsOptions::default() };
    HttpSettings { tls, ..HttpSettings::default() }
}

fn body(text: &'static str) -> WasiBody {
    Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed_unsync()
}

fn get(url: &str) -> Request<WasiBody> {
    Request::builder().uri(url).body(Empty::new().map_err(|never| match never {}).boxed_unsync()).unwrap()
}

async fn send(hooks: &mut Hooks, request: Request<WasiBody>) -> Result<Response<WasiBody>, Error> {
    send_with(hooks, request, RequestOptions::default()).await
}

async fn send_with(
    hooks: &mut Hooks,
    request: Request<WasiBody>,
    options: RequestOptions,
) -> Result<Response<WasiBody>, Error> {
    let sending = hooks.send_request(request, Some(options), Box::new(std::future::ready(Ok(()))));
    let (response, _io) = Pin::from(sending).await?;
    Ok(response)
}

async fn text(response: Response<WasiBody>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn url(address: SocketAddr, path: &str) -> String {
    format!("http://{HOST}:{}{path}", address.port())
}

fn secure_url(address: SocketAddr, path: &str) -> String {
    format!("https://{HOST}:{}{path}", address.port())
}

fn shared<T: Default>() -> Arc<T> {
    Arc::default()
}
