//! A worker at an attempt: what it tells is passed on, and it is told to stop, or to end, in time.

use std::time::Duration;

use sluice_core::RunError;
use sluice_core::worker::{Event, Order, Summary};
use tokio_util::sync::CancellationToken;

use super::live::Shown;
use super::log::Log;
use super::trace::OfWorker;
use super::worker::Worker;

/// How long a run has to come to its next checkpoints before it is ended.
const GRACE: Duration = Duration::from_secs(20);

/// How often what a worker said is recorded.
const RECORD: Duration = Duration::from_millis(500);

/// What becomes of what a worker tells.
pub(super) struct Told<'a> {
    pub(super) log: Log,
    pub(super) spans: OfWorker,
    pub(super) shown: &'a Shown,
}

/// What a worker is told to do, and when.
pub(super) struct Orders {
    pub(super) cancel: CancellationToken,
    pub(super) stop: CancellationToken,
    pub(super) stopped: bool,
    pub(super) deadline: Option<tokio::time::Instant>,
}

/// Watches a worker to its end.
pub(super) async fn watch(worker: &mut Worker, told: &mut Told<'_>, orders: &mut Orders) -> Result<Summary, RunError> {
    let mut tick = tokio::time::interval(RECORD);
    let mut summary = None;
    loop {
        tokio::select! {
            event = worker.next() => match event? {
                None => return summary.ok_or_else(|| RunError::internal("a worker has left without telling how its run ended")),
                Some(Event::Progress { streams, memory_bytes }) => told.shown.update(streams, memory_bytes),
                Some(Event::Log { level, message }) => told.log.add(level, &message),
                Some(Event::Spans { spans }) => told.spans.take(spans),
                Some(Event::Ended(ended)) => summary = Some(ended),
                Some(_) => {}
            },
            _ = tick.tick() => told.log.flush().await,
            () = orders.asked() => {
                orders.stopped = true;
                orders.deadline = Some(tokio::time::Instant::now() + GRACE);
                worker.order(Order::Stop).await;
            }
            () = overdue(orders.deadline) => {
                orders.deadline = None;
                worker.order(Order::Kill).await;
            }
        }
    }
}

impl Orders {
    /// Ends when the run is to stop, once.
    async fn asked(&self) {
        if self.stopped {
            std::future::pending::<()>().await;
        }
        tokio::select! {
            () = self.cancel.cancelled() => {}
            () = self.stop.cancelled() => {}
        }
    }
}

async fn overdue(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
