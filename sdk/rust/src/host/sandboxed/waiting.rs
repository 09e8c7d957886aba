//! What futures wait for: pollables of the host, all of which are polled at once.

use std::cell::{Cell, RefCell};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use wasip2::clocks::monotonic_clock;
use wasip2::io::poll::{Pollable, poll};

use crate::host::Timer;

struct Entry {
    id: u64,
    pollable: Pollable,
    /// Who waits for it; none while nobody does.
    waker: Option<Waker>,
}

thread_local! {
    static ENTRIES: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

/// A pollable that futures can wait for. Must be dropped before the resource it belongs to, as every pollable must.
pub(super) struct Watched {
    id: u64,
}

impl Watched {
    pub(super) fn new(pollable: Pollable) -> Self {
        let id = NEXT.get();
        NEXT.set(id + 1);
        ENTRIES.with_borrow_mut(|entries| entries.push(Entry { id, pollable, waker: None }));
        Self { id }
    }

    /// Wakes the future when the pollable is ready. To be called by a future that found nothing to do.
    pub(super) fn wake(&self, cx: &Context<'_>) {
        ENTRIES.with_borrow_mut(|entries| {
            if let Some(entry) = entries.iter_mut().find(|entry| entry.id == self.id) {
                entry.waker = Some(cx.waker().clone());
            }
        });
    }

    fn is_ready(&self) -> bool {
        ENTRIES.with_borrow(|entries| entries.iter().find(|e| e.id == self.id).is_none_or(|e| e.pollable.ready()))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let entry = ENTRIES.with_borrow_mut(|entries| {
            let at = entries.iter().position(|entry| entry.id == self.id)?;
            Some(entries.swap_remove(at))
        });
        drop(entry);
    }
}

/// Waits for at least one of the pollables that somebody waits for, and wakes whom it concerns.
pub(super) fn wait() {
    let ready: Vec<Waker> = ENTRIES.with_borrow_mut(|entries| {
        let mut waited: Vec<&mut Entry> = entries.iter_mut().filter(|entry| entry.waker.is_some()).collect();
        if waited.is_empty() {
            // Nobody could ever wake the future: this instance has no other thread.
            crate::log::write(crate::log::Level::Error, "a future waits for nothing that the host could provide");
            #[allow(clippy::disallowed_methods, reason = "there is nothing left that could return an error")]
            std::process::abort();
        }
        let pollables: Vec<&Pollable> = waited.iter().map(|entry| &entry.pollable).collect();
        let ready = poll(&pollables);
        ready.into_iter().filter_map(|at| waited.get_mut(usize::try_from(at).ok()?)?.waker.take()).collect()
    });
    ready.into_iter().for_each(Waker::wake);
}

/// A timer.
pub(super) struct Elapsing {
    watched: Watched,
}

impl Elapsing {
    pub(super) fn new(time: Duration) -> Self {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self { watched: Watched::new(monotonic_clock::subscribe_duration(nanos)) }
    }
}

impl Timer for Elapsing {
    fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.watched.is_ready() {
            return Poll::Ready(());
        }
        self.watched.wake(cx);
        Poll::Pending
    }
}
