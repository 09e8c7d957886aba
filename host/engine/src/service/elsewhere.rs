//! Secrets that are kept elsewhere: read when they are used, on the host, and kept in memory for a short time.
//!
//! Whether a tenant may use one is not asked here: [`super::resolve`] asks the operator's offers first, every time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::secret::SecretRef;
use sluice_store::Plain;

use crate::clock::Clock;

/// Secrets in memory at once.
const MOST: usize = 1_000;

/// Where secrets are kept.
#[async_trait]
pub trait Keeper: Send + Sync {
    /// A version of a secret, in the clear.
    ///
    /// # Errors
    /// Why it cannot be had, and what to do.
    async fn read(&self, reference: &SecretRef) -> Result<Plain, RunError>;
}

/// Reads secrets from where they are kept. Cheap to clone; all clones share what is in memory.
#[derive(Clone, Default)]
pub struct Elsewhere(Option<Arc<Inner>>);

struct Inner {
    keeper: Box<dyn Keeper>,
    clock: Arc<dyn Clock>,
    keep_us: i64,
    /// With the time at which each was read.
    known: Mutex<HashMap<SecretRef, (i64, Plain)>>,
}

impl std::fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Elsewhere(…)" } else { "Elsewhere(nowhere)" })
    }
}

impl Elsewhere {
    /// Reads from this keeper; what was read is good for so long.
    pub fn new(keeper: Box<dyn Keeper>, clock: Arc<dyn Clock>, keep: Duration) -> Self {
        let keep_us = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
        Self(Some(Arc::new(Inner { keeper, clock, keep_us, known: Mutex::default() })))
    }

    /// A secret, as it is now or was a short time ago.
    ///
    /// # Errors
    /// If the operator has set up no place to read from, or it cannot be had.
    pub async fn read(&self, reference: &SecretRef) -> Result<Plain, RunError> {
        let Some(inner) = &self.0 else {
            let message = "this service reads no secrets that are kept elsewhere; set the secret itself, or ask whoever operates it";
            return Err(RunError::new(Kind::Unsupported, Actor::User, message));
        };
        if let Some(known) = inner.known(reference) {
            return Ok(known);
        }
        let began = inner.clock.now_us();
        let read = inner.keeper.read(reference).await?;
        inner.keep(reference, began, &read);
        Ok(read)
    }
}

impl Inner {
    fn known(&self, reference: &SecretRef) -> Option<Plain> {
        let now = self.clock.now_us();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(reference) {
            Some((at, plain)) if self.is_good(*at, now) => Some(plain.clone()),
            _ => {
                known.remove(reference);
                None
            }
        }
    }

    fn keep(&self, reference: &SecretRef, at: i64, plain: &Plain) {
        let now = self.clock.now_us();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (at, _)| self.is_good(*at, now));
        if known.len() < MOST {
            known.insert(reference.clone(), (at, plain.clone()));
        }
    }

    /// A clock that was set back must not make anything good for longer.
    fn is_good(&self, at: i64, now: i64) -> bool {
        (0..self.keep_us).contains(&now.saturating_sub(at))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

    use super::*;

    /// Gives another text each time.
    struct Changing(Arc<AtomicUsize>);

    #[async_trait]
    impl Keeper for Changing {
        async fn read(&self, reference: &SecretRef) -> Result<Plain, RunError> {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            if reference.to_string().contains("gone") {
                return Err(RunError::internal("gone"));
            }
            Ok(Plain::new(format!("{reference} {count}")))
        }
    }

    fn reference(secret: &str) -> SecretRef {
        SecretRef::parse(&format!("projects/p/secrets/{secret}/versions/latest")).unwrap()
    }

    #[tokio::test]
    async fn a_secret_is_asked_for_again_after_a_short_time_and_a_failure_at_once() {
        let (calls, now) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicI64::new(0)));
        let ticks = now.clone();
        let clock = Arc::new(move || ticks.load(Ordering::Relaxed));
        let elsewhere = Elsewhere::new(Box::new(Changing(calls.clone())), clock, Duration::from_secs(60));
        let (a, b, gone) = (reference("a"), reference("b"), reference("gone"));
        let first = elsewhere.read(&a).await.unwrap();
        assert_eq!(first.expose_text(), Some("projects/p/secrets/a/versions/latest 0"));
        now.store(59_999_999, Ordering::Relaxed);
        assert_eq!(elsewhere.clone().read(&a).await.unwrap(), first);
        assert_ne!(elsewhere.read(&b).await.unwrap(), first);
        now.store(60_000_000, Ordering::Relaxed);
        assert_ne!(elsewhere.read(&a).await.unwrap(), first);
        assert_eq!(calls.load(Ordering::Relaxed), 3);
        for calls_then in [4, 5] {
            assert!(elsewhere.read(&gone).await.is_err());
            assert_eq!(calls.load(Ordering::Relaxed), calls_then);
        }
        now.store(-1, Ordering::Relaxed);
        elsewhere.read(&a).await.unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 6, "the clock was set back");
        assert!(!format!("{elsewhere:?}").contains("projects"));
    }

    #[tokio::test]
    async fn without_a_keeper_nothing_is_read() {
        let error = Elsewhere::default().read(&reference("a")).await.unwrap_err();
        assert_eq!((error.kind, error.actor), (Kind::Unsupported, Actor::User));
    }
}
