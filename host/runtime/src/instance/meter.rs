//! How long a guest has computed: the time spent inside polls of its call, not the time it waited for the host.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Counts the computing time of the current call.
#[derive(Clone, Default)]
pub(crate) struct Meter(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// What times are counted from; `Instant` has no zero of its own.
    origin: OnceLock<Instant>,
    spent: AtomicU64,
    /// Nanoseconds since `origin` at which the poll under way began, plus one; 0 outside a poll.
    entered: AtomicU64,
}

impl Meter {
    fn now(&self) -> u64 {
        let origin = self.0.origin.get_or_init(Instant::now);
        u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Begins a new call.
    pub(crate) fn reset(&self) {
        self.0.spent.store(0, Ordering::Relaxed);
        self.0.entered.store(0, Ordering::Relaxed);
    }

    /// Computing time of this call so far, the poll under way included.
    pub(crate) fn spent(&self) -> Duration {
        let entered = self.0.entered.load(Ordering::Relaxed);
        let running = if entered == 0 { 0 } else { self.now().saturating_sub(entered - 1) };
        Duration::from_nanos(self.0.spent.load(Ordering::Relaxed).saturating_add(running))
    }

    /// Counts the time that polls of `future` take.
    pub(crate) fn measure<F: Future>(&self, future: F) -> Metered<F> {
        Metered { meter: self.clone(), future: Box::pin(future) }
    }
}

/// A future whose polls are timed.
pub(crate) struct Metered<F> {
    meter: Meter,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let begun = self.meter.now();
        self.meter.0.entered.store(begun + 1, Ordering::Relaxed);
        let polled = self.future.as_mut().poll(context);
        let took = self.meter.now().saturating_sub(begun);
        self.meter.0.entered.store(0, Ordering::Relaxed);
        self.meter.0.spent.fetch_add(took, Ordering::Relaxed);
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_is_not_computing() {
        let meter = Meter::default();
        meter.measure(tokio::time::sleep(Duration::from_millis(50))).await;
        assert!(meter.spent() < Duration::from_millis(25), "{:?}", meter.spent());
        let busy = async {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_millis(30) {
                std::hint::spin_loop();
            }
        };
        meter.measure(busy).await;
        assert!(meter.spent() >= Duration::from_millis(30), "{:?}", meter.spent());
    }
}
