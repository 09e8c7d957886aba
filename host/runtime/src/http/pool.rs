//! Open connections that wait for the next request, per origin and protocol.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::client::conn::{http1, http2};
use wasmtime_wasi_http::WasiBody;

use super::origin::Lane;

/// Idle connections kept per origin.
const MAX_IDLE: usize = 16;

/// Lanes remembered; wildcard hosts let a guest name as many as it likes.
const MAX_LANES: usize = 128;

/// How long a connection may wait. Below the minute after which many servers close.
const IDLE: Duration = Duration::from_secs(50);

/// How old an HTTP/2 connection may get before the name is resolved anew.
const MAX_AGE: Duration = Duration::from_secs(600);

/// The sending half of a connection.
pub(super) enum Sender {
    /// One request at a time.
    Http1(http1::SendRequest<WasiBody>),
    /// Many at once.
    Http2(http2::SendRequest<WasiBody>),
}

/// A connection, taken out of the pool for a request.
pub(super) struct Channel {
    pub(super) sender: Sender,
    /// The address at the other end.
    pub(super) peer: Option<IpAddr>,
    /// Whether another request used it before.
    pub(super) reused: bool,
}

#[derive(Default)]
struct Slot {
    idle: Vec<(http1::SendRequest<WasiBody>, Option<IpAddr>, Instant)>,
    shared: Option<(http2::SendRequest<WasiBody>, Option<IpAddr>, Instant)>,
    /// Held while somebody dials, so that ten requests at once share one HTTP/2 connection.
    dialing: Arc<tokio::sync::Mutex<()>>,
    only_http1: bool,
}

/// The pool of one connection. Dropping it closes everything.
#[derive(Default)]
pub(super) struct Pool {
    slots: Mutex<HashMap<Lane, Slot>>,
}

impl Pool {
    /// A connection that is open, if there is one.
    pub(super) fn take(&self, lane: &Lane) -> Option<Channel> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.get_mut(lane)?;
        if let Some((sender, peer, since)) = &slot.shared {
            if !sender.is_closed() && since.elapsed() < MAX_AGE {
                return Some(Channel { sender: Sender::Http2(sender.clone()), peer: *peer, reused: true });
            }
            slot.shared = None;
        }
        while let Some((sender, peer, since)) = slot.idle.pop() {
            if !sender.is_closed() && since.elapsed() < IDLE {
                return Some(Channel { sender: Sender::Http1(sender), peer, reused: true });
            }
        }
        None
    }

    /// The lock to hold while dialling; none if connections of this lane cannot be shared anyway.
    pub(super) fn gate(&self, lane: &Lane) -> Option<Arc<tokio::sync::Mutex<()>>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MAX_LANES && !slots.contains_key(lane) {
            make_room(&mut slots);
        }
        let slot = slots.entry(lane.clone()).or_default();
        (!slot.only_http1).then(|| Arc::clone(&slot.dialing))
    }

    /// Remembers what a new connection speaks; one that can be shared is shared from now on.
    pub(super) fn opened(&self, lane: &Lane, channel: &Channel) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = slots.get_mut(lane) else { return };
        match &channel.sender {
            Sender::Http1(_) => slot.only_http1 = true,
            Sender::Http2(sender) => {
                slot.only_http1 = false;
                slot.shared = Some((sender.clone(), channel.peer, Instant::now()));
            }
        }
    }

    fn give_back(&self, lane: &Lane, sender: http1::SendRequest<WasiBody>, peer: Option<IpAddr>) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = slots.get_mut(lane) else { return };
        slot.idle.retain(|(sender, _, since)| !sender.is_closed() && since.elapsed() < IDLE);
        if slot.idle.len() < MAX_IDLE && !sender.is_closed() {
            slot.idle.push((sender, peer, Instant::now()));
        }
    }

    #[cfg(test)]
    pub(super) fn idle(&self, lane: &Lane) -> usize {
        self.slots.lock().unwrap().get(lane).map_or(0, |slot| slot.idle.len())
    }
}

/// Forgets the lanes that nothing is open to; if all are in use, an arbitrary one, whose requests go on undisturbed.
fn make_room(slots: &mut HashMap<Lane, Slot>) {
    slots.retain(|_, slot| {
        slot.idle.retain(|(sender, _, since)| !sender.is_closed() && since.elapsed() < IDLE);
        let shared = slot.shared.as_ref().is_some_and(|(sender, ..)| !sender.is_closed());
        shared || !slot.idle.is_empty() || Arc::strong_count(&slot.dialing) > 1
    });
    if slots.len() >= MAX_LANES
        && let Some(lane) = slots.keys().next().cloned()
    {
        slots.remove(&lane);
    }
}

/// A connection that a response is still being read from.
pub(super) struct Lease {
    pool: Arc<Pool>,
    lane: Lane,
    channel: Channel,
}

impl Lease {
    pub(super) fn new(pool: Arc<Pool>, lane: Lane, channel: Channel) -> Self {
        Self { pool, lane, channel }
    }

    /// Hands the connection back once the response was read to its end. Without this it is closed.
    pub(super) fn release(self) {
        if let Sender::Http1(sender) = self.channel.sender {
            self.pool.give_back(&self.lane, sender, self.channel.peer);
        }
    }
}
