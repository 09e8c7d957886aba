//! What tests of operations share: a service on an empty database, with people in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::request::Builder;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::Value;
use sluice_core::access::Role;
use sluice_core::offers::Offers;
use sluice_core::worker::StoreAddress;
use sluice_engine::service::components::Components;
use sluice_engine::service::elsewhere::Elsewhere;
use sluice_engine::service::live::Live;
use sluice_engine::service::metrics::Metrics;
use sluice_engine::service::resolve::Resolver;
use sluice_engine::service::trace::Untraced;
use sluice_store::{MasterKey, MasterKeys, NewSession, NewTenant, NewToken, NewUser, Scope, Store, Vault};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::auth::password::Passwords;
use crate::auth::principal::IDLE_US;
use crate::auth::token::{Purpose, Secret};
use crate::{App, Parts, router};

mod demo;
pub(crate) mod uploads;

pub(crate) use demo::{LEAKY_HOST, SECRET};

/// When every test begins.
pub(crate) const START_US: i64 = 1_790_000_000_000_000;

/// A service on an empty database, whose clock stands still until it is moved.
pub(crate) struct Service {
    pub(crate) app: App,
    clock: Arc<AtomicI64>,
    counter: Arc<AtomicU64>,
    router: Router,
    folder: TempDir,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The session that the answer set.
    pub(crate) fn session(&self) -> String {
        let cookie = self.headers[header::SET_COOKIE].to_str().unwrap();
        cookie.strip_prefix("__Host-sluice=").unwrap().split(';').next().unwrap().to_owned()
    }

    /// The problem's name.
    pub(crate) fn problem(&self) -> &str {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json", "{self:?}");
        assert_eq!(self.body["status"], self.status.as_u16());
        self.body["type"].as_str().unwrap().strip_prefix("urn:sluice:problem:").unwrap()
    }
}

impl Service {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With other parts than most tests want.
    pub(crate) async fn with(change: impl FnOnce(&mut Parts)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("state.db")).await.unwrap();
        let clock = Arc::new(AtomicI64::new(START_US));
        let counter = Arc::new(AtomicU64::new(1));
        let (ticks, names, seeds) = (clock.clone(), counter.clone(), counter.clone());
        let fill = move |bytes: &mut [u8]| {
            let seed = seeds.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            bytes.iter_mut().zip(seed.iter().cycle()).for_each(|(byte, seed)| *byte = *seed);
        };
        let dice = fill.clone();
        let keys = MasterKeys::new(MasterKey::new("test", [7; 32]), Vec::new());
        let dice = move |bytes: &mut [u8]| {
            dice(bytes);
            Ok(())
        };
        let vault = Vault::new(keys, Arc::new(dice));
        let offers = Offers { warehouse: Some(folder.path().join("warehouse")), ..Offers::default() };
        let mut parts = Parts {
            resolver: Resolver {
                catalogue: demo::catalogue().with_uploads(store.clone()),
                components: Components::new(store.clone(), folder.path().join("connectors")),
                store: store.clone(),
                vault,
                offers,
                elsewhere: Elsewhere::default(),
            },
            store,
            address: StoreAddress::File(folder.path().join("state.db")),
            workers: Arc::new(demo::workers()),
            live: Live::default(),
            metrics: Metrics::default(),
            traces: Arc::new(Untraced),
            queued: Arc::default(),
            clock: Arc::new(move || ticks.load(Ordering::Relaxed)),
            random: Arc::new(fill),
            ids: Arc::new(move || format!("id{:08}", names.fetch_add(1, Ordering::Relaxed))),
            passwords: Passwords::default(),
            providers: Vec::new(),
            origin: "https://sluice.example".into(),
            cloud: None,
        };
        change(&mut parts);
        let app = App::new(parts);
        let router = router(&app);
        Self { app, clock, counter, router, folder }
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// A tenant with this id.
    pub(crate) async fn tenant(&self, id: &str) {
        let new = NewTenant { id: id.into(), name: format!("Tenant {id}") };
        self.app.store.create_tenant(&new, START_US).await.unwrap();
    }

    /// A person who is a member of the tenant; the person's id.
    pub(crate) async fn member(&self, tenant: &str, role: Role) -> String {
        let id = format!("user{}", self.counter.fetch_add(1, Ordering::Relaxed));
        let new = NewUser { id: id.clone(), email: format!("{id}@example.com"), name: id.clone(), password: None };
        self.app.store.create_user(&new, START_US).await.unwrap();
        self.app.store.add_member(Scope { tenant }, &id, role, START_US).await.unwrap();
        id
    }

    /// An API token of somebody with this role in the tenant.
    pub(crate) async fn token(&self, tenant: &str, role: Role) -> String {
        let user = self.member(tenant, role).await;
        self.token_of(tenant, &user, role).await
    }

    /// An API token of this person in the tenant.
    pub(crate) async fn token_of(&self, tenant: &str, user: &str, role: Role) -> String {
        let secret = Secret::new(Purpose::Api, self.app.random.as_ref());
        let new = NewToken {
            id: self.app.ids.next(),
            user: Some(user.to_owned()),
            name: "test".into(),
            token_hash: secret.hash().to_vec(),
            role,
            created_by: user.to_owned(),
            expires_us: None,
        };
        self.app.store.create_token(Scope { tenant }, &new, START_US).await.unwrap();
        secret.expose().to_owned()
    }

    /// The session of somebody with this role in the tenant, who has just signed in.
    pub(crate) async fn session(&self, tenant: &str, role: Role) -> String {
        let user = self.member(tenant, role).await;
        self.session_of(&user).await
    }

    /// A session of this person.
    pub(crate) async fn session_of(&self, user: &str) -> String {
        let secret = Secret::new(Purpose::Session, self.app.random.as_ref());
        let now = self.app.now_us();
        let new = NewSession {
            id: self.app.ids.next(),
            token_hash: secret.hash().to_vec(),
            user: user.to_owned(),
            expires_us: now + IDLE_US,
            user_agent: "test".into(),
            address: "192.0.2.1".into(),
        };
        self.app.store.begin_session(&new, now).await.unwrap();
        secret.expose().to_owned()
    }

    /// A request with an API token or, as this service's own pages send it, with a session's cookie.
    pub(crate) fn request(method: Method, path: &str, credential: Option<&str>) -> Builder {
        let request = Request::builder().method(method).uri(path);
        match credential {
            None => request,
            Some(session) if session.starts_with("slus_") => {
                let request = request.header(header::COOKIE, format!("__Host-sluice={session}"));
                request.header("sec-fetch-site", "same-origin")
            }
            Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
        }
    }

    /// Sends a request with an API token or a session; `body` is none for one without.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        credential: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        self.finish(Self::request(method, path, credential), body).await
    }

    /// Sends a request that was begun.
    pub(crate) async fn finish(&self, mut request: Builder, body: Option<Value>) -> Answer {
        let body = match body {
            Some(json) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    /// What is in the tenant's audit log: actions and objects, the oldest first.
    pub(crate) async fn audited(&self, tenant: &str) -> Vec<String> {
        let log = self.app.store.audit_after(Scope { tenant }, 0, 1_000).await.unwrap();
        log.into_iter().map(|one| format!("{} {}", one.entry.action, one.entry.object)).collect()
    }

    /// Sends any request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, 16 << 20).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned().into());
        Answer { status: parts.status, headers: parts.headers, body }
    }
}
