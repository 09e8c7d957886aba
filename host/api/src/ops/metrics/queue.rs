//! How much waits and runs now, as the database has it.
//!
//! Anybody who reaches `/metrics` may ask as often as they like, so the database is not asked more than once a second.

use std::time::Duration;

use sluice_core::RunError;
use sluice_core::metrics::Text;
use sluice_store::QueueCounts;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::state::App;

/// How long an answer holds.
const HOLDS: Duration = Duration::from_secs(1);

/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was seen last, and when.
#[derive(Default)]
pub(crate) struct Watch(Mutex<Option<(Instant, Option<Seen>)>>);

/// What the database said.
#[derive(Clone, Copy)]
struct Seen {
    counts: QueueCounts,
    /// Since when a moment of a schedule waits to be decided about.
    overdue_us: i64,
    oldest_us: i64,
}

pub(super) async fn write(app: &App, text: &mut Text) {
    let seen = seen(app).await;
    text.gauge("sluice_store_up", "Whether the database answers within a second.", u8::from(seen.is_some()));
    if let Some(Seen { counts, overdue_us, oldest_us }) = seen {
        let states = [("running", counts.running), ("ready", counts.ready), ("later", counts.later)];
        let help = "Runs on all hosts: under way, ready to start, waiting for their time.";
        text.gauges("sluice_runs", help, "state", &states);
        let help = "How long the longest waiting run could have started.";
        text.gauge("sluice_queue_oldest_seconds", help, seconds(oldest_us));
        let help = "How long the longest overdue moment of a schedule waits to be decided about.";
        text.gauge("sluice_scheduler_lag_seconds", help, seconds(overdue_us));
    }
    text.gauge("sluice_host_runs", "Runs under way on this host.", app.live.count());
    let help = "Memory of the workers of runs under way on this host.";
    text.gauge("sluice_host_workers_memory_bytes", help, app.live.memory_bytes());
}

/// What there is now, or was a moment ago; none if the database does not answer.
async fn seen(app: &App) -> Option<Seen> {
    let mut last = app.watch().0.lock().await;
    if let Some((at, seen)) = *last
        && at.elapsed() < HOLDS
    {
        return seen;
    }
    let seen = match tokio::time::timeout(PATIENCE, look(app)).await {
        Ok(Ok(seen)) => Some(seen),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the queue is missing in the metrics");
            None
        }
        Err(_) => None,
    };
    *last = Some((Instant::now(), seen));
    seen
}

async fn look(app: &App) -> Result<Seen, RunError> {
    let now = app.now_us();
    let counts = app.store.queue_counts(now).await?;
    let next = app.store.next_due().await?;
    let since = |us: Option<i64>| us.map_or(0, |us| now.saturating_sub(us).max(0));
    Ok(Seen { counts, overdue_us: since(next), oldest_us: since(counts.oldest_us) })
}

fn seconds(us: i64) -> f64 {
    Duration::from_micros(us.unsigned_abs()).as_secs_f64()
}
