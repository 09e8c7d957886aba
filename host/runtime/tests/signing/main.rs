//! Requests that the host signs, against servers that check signatures. `cargo xtask test` starts them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a failed assertion is how a test fails; the servers' addresses are in the environment"
)]

mod azure;
mod google;
mod s3;

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::request::Builder;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use jiff::Timestamp;
use serde_json::{Value, json};
use sluice_core::manifest::AuthScheme;
use sluice_core::pipeline::Grants;
use sluice_runtime::Environment;
use sluice_runtime::http::{Hooks, HttpClient};
use sluice_runtime::net::{EgressPolicy, NetError, Resolver, expand_hosts};
use wasmtime_wasi_http::{RequestOptions, WasiBody, WasiHttpHooks};

/// Every name is this machine, as virtual-hosted buckets need it.
struct Local;

#[async_trait]
impl Resolver for Local {
    async fn resolve(&self, _name: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(vec![IpAddr::from([127, 0, 0, 1])])
    }
}

/// A variable of the test servers.
fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run the tests with `cargo xtask test`"))
}

/// A connection to one server, as a guest has it.
struct Guest {
    hooks: Hooks,
    base: String,
}

/// What a request was answered.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// What the host knows about a refusal.
    told: Option<NetError>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

impl Guest {
    /// A guest whose connection has this scheme and configuration, at a clock that is `off` by some minutes.
    fn connect(base: &str, scheme: AuthScheme, config: Value, grants: &Grants, off_minutes: i64) -> Self {
        let uri: http::Uri = base.parse().unwrap();
        let own = json!({"host": uri.host().unwrap(), "port": uri.port_u16().unwrap()});
        let policy = EgressPolicy::new(expand_hosts(&["{host}:{port}".to_owned()], &own).unwrap(), true);
        let clock = move || Timestamp::from_second(Timestamp::now().as_second() + 60 * off_minutes).unwrap();
        let environment = Environment::new(Arc::new(Local), Arc::new(clock));
        let client = HttpClient::new(policy, &environment, &[scheme], &config, grants).unwrap();
        Self { hooks: Hooks::new(client, 4), base: base.to_owned() }
    }

    /// Sends a request whose URI is a path below the server's address.
    async fn send(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = Builder::new().method(method).uri(format!("{}{target}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body: WasiBody = if body.is_empty() {
            Empty::new().map_err(|never| match never {}).boxed_unsync()
        } else {
            Full::new(Bytes::copy_from_slice(body)).map_err(|never| match never {}).boxed_unsync()
        };
        let request = request.body(body).unwrap();
        let io = Box::new(std::future::ready(Ok(())));
        let sending = self.hooks.send_request(request, Some(RequestOptions::default()), io);
        let (response, _io) = match Pin::from(sending).await {
            Ok(response) => response,
            Err(code) => panic!("{target}: {code:?}: {:?}", self.hooks.last_failure().take()),
        };
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body, told: self.hooks.last_failure().take() }
    }

    async fn get(&mut self, target: &str) -> Answer {
        self.send("GET", target, &[], b"").await
    }

    async fn put(&mut self, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.send("PUT", target, headers, body).await
    }
}

/// A name that no other test of this process has.
fn unique(prefix: &str) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{prefix}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Keys that are spelled differently by everybody who signs them, percent-encoded as a guest would.
const ODD_KEYS: [(&str, &str); 10] = [
    ("plain.csv", "plain.csv"),
    ("a b.csv", "a%20b.csv"),
    ("a+b.csv", "a+b.csv"),
    ("a+b2.csv", "a%2Bb2.csv"),
    ("100%.csv", "100%25.csv"),
    ("%41.csv", "%2541.csv"),
    ("ü/ñandú/日本.csv", "%C3%BC/%c3%b1and%C3%BA/%E6%97%A5%E6%9C%AC.csv"),
    ("~tilde-_.csv", "%7etilde-_.csv"),
    ("(1)!*';$@,=&.csv", "(1)!*';$@,=&.csv"),
    ("date=2024-01-01/x&y=z.csv", "date=2024-01-01/x&y=z.csv"),
];
