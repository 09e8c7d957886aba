//! Waiting for futures, and in them. An instance has one thread: nothing runs but what is polled here.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::host::host;

/// Runs a future to its end. Whatever its requests and timers wait for is waited for at once, so futures that are joined
/// make progress together. May be called within another future; what that one waits for goes on too.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    loop {
        if woken.0.swap(false, Ordering::Relaxed) {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
        } else {
            host().wait();
        }
    }
}

/// Waits while other futures go on.
pub async fn sleep(time: Duration) {
    let mut timer = host().timer(time);
    std::future::poll_fn(|cx| timer.poll_elapsed(cx)).await;
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
