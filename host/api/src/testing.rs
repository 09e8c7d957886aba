//! What tests of operations share: a service on an empty database, with people in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::Value;
use sluice_core::access::Role;
use sluice_core::offers::Offers;
use sluice_core::worker::StoreAddress;
use sluice_engine::service::live::Live;
use sluice_engine::service::resolve::Resolver;
use sluice_store::{MasterKey, MasterKeys, NewTenant, NewToken, NewUser, Scope, Store, Vault};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::auth::password::Passwords;
use crate::auth::token::{Purpose, Secret};
use crate::{App, Parts, router};

mod demo;

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

impl Service {
    pub(crate) async fn new() -> Self {
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
        let app = App::new(Parts {
            resolver: Resolver { store: store.clone(), vault, offers },
            store,
            address: StoreAddress::File(folder.path().join("state.db")),
            catalogue: demo::catalogue(),
            workers: Arc::new(demo::workers()),
            live: Live::default(),
            queued: Arc::default(),
            clock: Arc::new(move || ticks.load(Ordering::Relaxed)),
            random: Arc::new(fill),
            ids: Arc::new(move || format!("id{:08}", names.fetch_add(1, Ordering::Relaxed))),
            passwords: Passwords::default(),
            origin: "https://sluice.example".into(),
        });
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
        let secret = Secret::new(Purpose::Api, self.app.random.as_ref());
        let new = NewToken {
            id: format!("{user}-token"),
            user: Some(user.clone()),
            name: "test".into(),
            token_hash: secret.hash().to_vec(),
            role,
            created_by: user,
            expires_us: None,
        };
        self.app.store.create_token(Scope { tenant }, &new, START_US).await.unwrap();
        secret.expose().to_owned()
    }

    /// Sends a request; `body` is none for one without.
    pub(crate) async fn call(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            Some(json) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    /// Sends any request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, 16 << 20).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned().into());
        Answer { status: parts.status, headers: parts.headers, body }
    }
}
