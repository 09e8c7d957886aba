//! Sends what is in the outbox. A notification is taken with a lease, so that of several hosts one sends it; it is recorded as delivered when
//! the receiver has it, and tried again with growing waits when it has not, for a day. Whoever dies between sending and recording
//! sends it again: a receiver knows it by its id.
//!
//! To add a way of telling: a file beside [`mail`] and [`webhook`], a word in a rule (`sluice_core::notify::NotifyRule`), an arm in
//! [`Deliverer`].

pub mod mail;
pub mod webhook;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sluice_core::RunError;
use sluice_store::{Notification, Scope, Store};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::mail::Mail;
use self::webhook::Webhooks;
use super::metrics::Metrics;
use super::notify::message::Message;
use super::queue::Chance;
use crate::clock::Clock;

/// Notifications on their way at once.
const AT_ONCE: usize = 16;

/// Of these, of one tenant: whose receivers do not answer keeps nobody else waiting.
const OF_ONE_TENANT: usize = 4;

/// Taken at a time, so that a tenant exceeds its share by little.
const A_FEW: usize = 4;

/// How long a notification that was taken is not taken by another. Longer than any way of sending may take.
const LEASE_US: i64 = 120_000_000;

/// How often to look for what other hosts have recorded.
const LOOK: Duration = Duration::from_millis(500);

/// How long to wait after the store did not answer.
const AGAIN: Duration = Duration::from_secs(5);

/// How long what is on its way may take once the service stops.
const GOODBYE: Duration = Duration::from_secs(15);

/// Tries until a notification is given up: over a day.
const MOST_TRIES: u32 = 14;

const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(4 * 3600);

/// Most bytes of the reason that is kept.
const MOST_REASON: usize = 500;

/// Why a notification did not arrive: for the tenant to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// What is wrong and what to do.
    pub why: String,
    /// The receiver wants no more of them.
    pub unwanted: bool,
}

impl Undelivered {
    fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), unwanted: false }
    }
}

/// What a [`Deliverer`] is made of.
pub struct Delivery {
    /// Where the outbox is.
    pub store: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Spreads retries.
    pub chance: Arc<dyn Chance>,
    /// Sends mails; none if the operator has set no server.
    pub mail: Option<Mail>,
    /// Calls webhooks.
    pub webhooks: Webhooks,
    /// Counts what was sent.
    pub metrics: Metrics,
}

/// Sends notifications.
pub struct Deliverer {
    parts: Delivery,
    tasks: TaskTracker,
    /// Notifications on their way, by tenant.
    busy: Mutex<BTreeMap<String, usize>>,
    free: Notify,
}

impl Deliverer {
    /// Of these parts.
    pub fn new(parts: Delivery) -> Arc<Self> {
        Arc::new(Self { parts, tasks: TaskTracker::new(), busy: Mutex::default(), free: Notify::new() })
    }

    /// Sends until it is told to stop; then what is on its way comes to its end.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let wait = match self.pass().await {
                Ok(()) => LOOK,
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be looked at; trying again");
                    AGAIN
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.free.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.tasks.close();
        if tokio::time::timeout(GOODBYE, self.tasks.wait()).await.is_err() {
            tracing::warn!("notifications were on their way; they are sent again");
        }
    }

    /// Begins to send what is due, as much as may be on its way at once.
    ///
    /// # Errors
    /// If the store does not answer.
    pub async fn pass(self: &Arc<Self>) -> Result<(), RunError> {
        loop {
            let few = AT_ONCE.saturating_sub(self.tasks.len()).min(A_FEW);
            if few == 0 {
                return Ok(());
            }
            let full = self.full();
            let full: Vec<&str> = full.iter().map(String::as_str).collect();
            let now = self.parts.clock.now_us();
            // Taking writes, and there is seldom anything to take.
            if self.parts.store.next_notification().await?.is_none_or(|next| next > now) {
                return Ok(());
            }
            let limit = u32::try_from(few).unwrap_or(u32::MAX);
            let taken = self.parts.store.take_notifications(limit, &full, now.saturating_add(LEASE_US), now).await?;
            if taken.is_empty() {
                return Ok(());
            }
            for notification in taken {
                self.count(&notification.tenant, true);
                let deliverer = Arc::clone(self);
                self.tasks.spawn(async move {
                    deliverer.send(&notification).await;
                    deliverer.count(&notification.tenant, false);
                    deliverer.free.notify_one();
                });
            }
        }
    }

    /// Tenants that have their share on its way.
    fn full(&self) -> Vec<String> {
        let busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.iter().filter(|(_, count)| **count >= OF_ONE_TENANT).map(|(tenant, _)| tenant.clone()).collect()
    }

    fn count(&self, tenant: &str, begins: bool) {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let count = busy.entry(tenant.to_owned()).or_default();
        *count = if begins { count.saturating_add(1) } else { count.saturating_sub(1) };
        if *count == 0 {
            busy.remove(tenant);
        }
    }

    async fn send(&self, notification: &Notification) {
        let sent = self.try_to_send(notification).await;
        let (store, scope) = (&self.parts.store, Scope { tenant: &notification.tenant });
        let (now, channel) = (self.parts.clock.now_us(), channel(notification));
        let recorded = match sent {
            Ok(()) => {
                self.parts.metrics.notified(channel, "delivered");
                store.notification_delivered(scope, &notification.id, now).await
            }
            Err(undelivered) => {
                let wait =
                    wait_after(notification.attempts, self.parts.chance.next()).filter(|_| !undelivered.unwanted);
                let next = wait.map(|wait| now.saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX)));
                let mut why = undelivered.why;
                why.truncate(why.floor_char_boundary(MOST_REASON));
                self.parts.metrics.notified(channel, if next.is_some() { "retried" } else { "given-up" });
                if next.is_none() {
                    let (id, tenant) = (&notification.id, &notification.tenant);
                    tracing::warn!(
                        notification = id,
                        tenant,
                        attempts = notification.attempts,
                        why,
                        "gave a notification up"
                    );
                }
                store.notification_failed(scope, &notification.id, &why.replace('\0', " "), next, now).await
            }
        };
        if let Err(error) = recorded {
            tracing::error!(notification = notification.id, %error, "what became of a notification is not recorded; it is sent again");
        }
    }

    async fn try_to_send(&self, notification: &Notification) -> Result<(), Undelivered> {
        let message: Message = serde_json::from_value(notification.payload.clone())
            .map_err(|_| Undelivered::because("another version of Sluice wrote this notification"))?;
        let named = |way: &str| notification.target.get(way).and_then(|address| address.as_str());
        let now_us = self.parts.clock.now_us();
        if let Some(address) = named("email") {
            let Some(mail) = &self.parts.mail else {
                let why = "this service sends no mail: its operator has to set --smtp-url and --mail-from";
                return Err(Undelivered::because(why));
            };
            return mail.send(&notification.id, address, &message, notification.created_us).await;
        }
        if let Some(address) = named("webhook") {
            let scope = Scope { tenant: &notification.tenant };
            return self
                .parts
                .webhooks
                .call(&self.parts.store, scope, (&notification.id, address), &message, now_us)
                .await;
        }
        Err(Undelivered::because("another version of Sluice chose this target"))
    }
}

/// The way that a notification goes.
fn channel(notification: &Notification) -> &'static str {
    ["email", "webhook"].into_iter().find(|way| notification.target.get(way).is_some()).unwrap_or("other")
}

/// How long to wait after so many tries; none after the last one. `chance` is between 0 and 1 and takes up to a fifth off.
fn wait_after(tries: u32, chance: f64) -> Option<Duration> {
    if tries >= MOST_TRIES {
        return None;
    }
    let wait = FIRST_WAIT.saturating_mul(3_u32.saturating_pow(tries.saturating_sub(1))).min(LONGEST_WAIT);
    Some(wait.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 5.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_four_hours_and_end_after_a_day() {
        let waits: Vec<u64> = (1..).map_while(|tries| wait_after(tries, 0.0)).map(|wait| wait.as_secs()).collect();
        assert_eq!(waits[..4], [5, 15, 45, 135]);
        assert_eq!(waits.last(), Some(&(4 * 3600)));
        assert_eq!(waits.len(), 13);
        let all: u64 = waits.iter().sum();
        assert!((24 * 3600..30 * 3600).contains(&all), "{all}");
    }

    #[test]
    fn chance_takes_a_fifth_off_at_most() {
        assert_eq!(wait_after(1, 1.0), Some(Duration::from_secs(4)));
        assert_eq!(wait_after(1, f64::INFINITY), Some(Duration::from_secs(4)));
    }
}
