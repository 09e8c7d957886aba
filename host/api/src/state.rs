//! What handlers work with.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use sluice_core::worker::StoreAddress;
use sluice_engine::clock::Clock;
use sluice_engine::service::Ids;
use sluice_engine::service::live::Live;
use sluice_engine::service::metrics::Metrics;
use sluice_engine::service::resolve::Resolver;
use sluice_engine::service::trace::Traces;
use sluice_engine::service::worker::Workers;
use sluice_store::Store;
use tokio::sync::Notify;

use crate::auth::oidc::Provider;
use crate::auth::password::Passwords;
use crate::auth::token::Random;
use crate::http::limits::{Limiters, Limits};
use crate::http::metrics::Requests;
use crate::ops::metrics::queue::Watch;
use crate::v1::connections::discovered::Discovered;
use crate::v1::hooks::CloudHook;

/// What the binary hands in. Time, chance and names come from outside, so that tests control them.
pub struct Parts {
    /// What is remembered.
    pub store: Store,
    /// Where that is, for workers.
    pub address: StoreAddress,
    /// Opens connections, with the vault for their secrets, what the operator offers and the connectors that there are.
    pub resolver: Resolver,
    /// Processes in which connectors do what somebody waits for.
    pub workers: Arc<Workers>,
    /// How far the runs of this host are.
    pub live: Live,
    /// Told when something was put into the queue or cancelled.
    pub queued: Arc<Notify>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Random bytes, for secrets.
    pub random: Arc<dyn Random>,
    /// Names for what is made.
    pub ids: Arc<dyn Ids>,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// Where people may sign in instead.
    pub providers: Vec<Provider>,
    /// Where browsers find the service: `https://sluice.example.com`, without a path.
    pub origin: String,
    /// What this host counts of runs.
    pub metrics: Metrics,
    /// Where spans go.
    pub traces: Arc<dyn Traces>,
    /// Cloud Scheduler, if it keeps the time of schedules.
    pub cloud: Option<Arc<CloudHook>>,
}

/// The parts, shared by all requests, and what is kept between them.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// The parts, and what this process counts and prepares.
struct Shared {
    parts: Parts,
    limits: Limits,
    limiters: Limiters,
    requests: Requests,
    watch: Watch,
    document: OnceLock<String>,
    discovered: Discovered,
}

impl App {
    /// Of these parts.
    pub fn new(parts: Parts) -> Self {
        Self::limited(parts, Limits::default())
    }

    /// Of these parts, with limits of the operator's choosing.
    pub fn limited(parts: Parts, limits: Limits) -> Self {
        let (limiters, requests) = (Limiters::new(&limits), Requests::default());
        Self(Arc::new(Shared {
            parts,
            limits,
            limiters,
            requests,
            watch: Watch::default(),
            document: OnceLock::new(),
            discovered: Discovered::default(),
        }))
    }

    /// Which proxies are believed, and how many requests are answered.
    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Counts requests against their limits.
    pub(crate) fn limiters(&self) -> &Limiters {
        &self.0.limiters
    }

    /// Counts requests for whoever watches the service.
    pub(crate) fn requests(&self) -> &Requests {
        &self.0.requests
    }

    /// What `/metrics` has seen of the queue.
    pub(crate) fn watch(&self) -> &Watch {
        &self.0.watch
    }

    /// The OpenAPI document as JSON, made once.
    pub(crate) fn document(&self) -> &str {
        self.0.document.get_or_init(|| crate::document(self).to_pretty_json().unwrap_or_default())
    }

    /// The streams that connections were found to offer.
    pub(crate) fn discovered(&self) -> &Discovered {
        &self.0.discovered
    }

    /// Now, as the store keeps times.
    pub fn now_us(&self) -> i64 {
        self.clock.now_us()
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        instant(self.now_us())
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}

/// A stored time, as the API shows it: RFC 3339 in UTC. One that no calendar has counts as the calendar's beginning.
pub(crate) fn instant(us: i64) -> Timestamp {
    Timestamp::from_microsecond(us).unwrap_or_default()
}
