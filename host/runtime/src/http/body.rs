//! A response's body on its way to the guest. The guest's reading is the back-pressure: nothing is read ahead of it but
//! what the connection buffers.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

use super::failure;
use super::pool::Lease;

/// Counts the silence between two frames, hands the connection back at the end, and keeps the request counted as open
/// for as long as the guest holds it.
pub(super) struct ResponseBody {
    incoming: Incoming,
    silence: Pin<Box<Sleep>>,
    /// Whether `silence` is counting since the last frame.
    waiting: bool,
    between_bytes: Duration,
    lease: Option<Lease>,
    _permit: OwnedSemaphorePermit,
}

impl ResponseBody {
    pub(super) fn new(incoming: Incoming, between_bytes: Duration, lease: Lease, permit: OwnedSemaphorePermit) -> Self {
        let silence = Box::pin(tokio::time::sleep(between_bytes));
        let mut body = Self { incoming, silence, waiting: false, between_bytes, lease: Some(lease), _permit: permit };
        body.release_if_ended();
        body
    }

    fn release_if_ended(&mut self) {
        if self.incoming.is_end_stream()
            && let Some(lease) = self.lease.take()
        {
            lease.release();
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.waiting = false;
                this.release_if_ended();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                // Dropped, not handed back: the connection is in an unknown state.
                this.lease = None;
                Poll::Ready(Some(Err(failure::code(&error))))
            }
            Poll::Ready(None) => {
                if let Some(lease) = this.lease.take() {
                    lease.release();
                }
                Poll::Ready(None)
            }
            Poll::Pending => {
                if !this.waiting {
                    this.waiting = true;
                    this.silence.as_mut().reset(Instant::now() + this.between_bytes);
                }
                std::task::ready!(this.silence.as_mut().poll(cx));
                this.lease = None;
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
