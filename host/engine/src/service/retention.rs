//! Forgets what is older than the operator wants to keep: every hour, on one host, a little at a time so that nobody waits for it.

use std::sync::Arc;
use std::time::Duration;

use sluice_core::RunError;
use sluice_store::{LogsBefore, Scope, Store};
use tokio_util::sync::CancellationToken;

use super::schedule::instant;
use crate::clock::Clock;

/// The sweep's name in the store.
const NAME: &str = "retention";

/// How often it is looked whether a sweep is due.
const LOOK: Duration = Duration::from_secs(60);

/// From the end of a sweep to the next.
const EVERY_US: i64 = 3_600_000_000;

/// How long a host that is silent keeps a sweep.
const LEASE_US: i64 = 300_000_000;

/// Between two batches, so that others write as well.
const PAUSE: Duration = Duration::from_millis(20);

/// Rows of a batch: runs, and entries of the audit log.
const RUNS: u32 = 100;
const ENTRIES: u32 = 1_000;

/// Pipelines and tenants that are looked at together.
const PAGE: u32 = 100;

const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// How long things are kept, days; none for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Runs with their attempts.
    pub runs: Option<u32>,
    /// What workers said.
    pub logs: Option<u32>,
    /// Entries of the audit log.
    pub audit: Option<u32>,
}

/// How much was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Runs.
    pub runs: u64,
    /// Batches of logs.
    pub logs: u64,
    /// Entries of the audit log.
    pub audit: u64,
}

/// Forgets.
pub struct Retention {
    /// What is forgotten from.
    pub store: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How long things are kept.
    pub keep: Keep,
}

impl Retention {
    /// Sweeps until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            match self.sweep(&stop).await {
                Ok(Some(swept)) if swept != Swept::default() => {
                    let Swept { runs, logs, audit } = swept;
                    tracing::info!(
                        runs,
                        log_batches = logs,
                        audit_entries = audit,
                        "forgot what is older than is kept"
                    );
                }
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "what is old could not be forgotten; it is tried again"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// One sweep, if it is due and no other host does it; none otherwise. What is left when it is told to stop is for the next one.
    ///
    /// # Errors
    /// If the store does not answer.
    pub async fn sweep(&self, stop: &CancellationToken) -> Result<Option<Swept>, RunError> {
        let now = self.clock.now_us();
        let Some(logs) = self.store.take_sweep(NAME, now.saturating_add(LEASE_US), now).await? else { return Ok(None) };
        let mut swept = Swept::default();
        self.logs(logs, &mut swept, stop).await?;
        self.runs(&mut swept, stop).await?;
        self.audit(&mut swept, stop).await?;
        // What is left goes on at once, on whichever host is there.
        let pause = if stop.is_cancelled() { 0 } else { EVERY_US };
        self.store.hold_sweep(NAME, self.clock.now_us().saturating_add(pause)).await?;
        Ok(Some(swept))
    }

    async fn logs(&self, mut from: LogsBefore, swept: &mut Swept, stop: &CancellationToken) -> Result<(), RunError> {
        let Some(before) = self.before(self.keep.logs) else { return Ok(()) };
        while !stop.is_cancelled() {
            let Some(next) = self.store.forget_logs(NAME, &from, before, RUNS).await? else { break };
            from = next;
            swept.logs += 1;
            self.breathe().await?;
        }
        Ok(())
    }

    async fn runs(&self, swept: &mut Swept, stop: &CancellationToken) -> Result<(), RunError> {
        let Some(before) = self.before(self.keep.runs) else { return Ok(()) };
        let mut last = (String::new(), String::new());
        loop {
            let page = self.store.pipelines_behind((&last.0, &last.1), PAGE).await?;
            let Some(end) = page.last().cloned() else { return Ok(()) };
            last = end;
            for (tenant, pipeline) in page {
                let scope = Scope { tenant: &tenant };
                loop {
                    if stop.is_cancelled() {
                        return Ok(());
                    }
                    let gone = self.store.forget_runs(scope, &pipeline, before, RUNS).await?;
                    swept.runs += gone;
                    if gone > 0 {
                        self.breathe().await?;
                    }
                    if gone < u64::from(RUNS) {
                        break;
                    }
                }
            }
            self.breathe().await?;
        }
    }

    async fn audit(&self, swept: &mut Swept, stop: &CancellationToken) -> Result<(), RunError> {
        let Some(before) = self.before(self.keep.audit) else { return Ok(()) };
        // Whole days: what is forgotten is told of once a day in each log, not with every sweep.
        let before = before.div_euclid(DAY_US).saturating_mul(DAY_US);
        let words = instant(before).to_string();
        let mut last = String::new();
        loop {
            let page = self.store.tenants_behind(&last, PAGE).await?;
            let Some(end) = page.last().cloned() else { return Ok(()) };
            last = end;
            for tenant in page {
                loop {
                    if stop.is_cancelled() {
                        return Ok(());
                    }
                    let (scope, now) = (Scope { tenant: &tenant }, self.clock.now_us());
                    let gone = self.store.forget_audit(scope, (before, &words), ENTRIES, now).await?;
                    swept.audit += gone;
                    if gone > 0 {
                        self.breathe().await?;
                    }
                    if gone < u64::from(ENTRIES) {
                        break;
                    }
                }
            }
            self.breathe().await?;
        }
    }

    /// Lets others write, and keeps the sweep.
    async fn breathe(&self) -> Result<(), RunError> {
        tokio::time::sleep(PAUSE).await;
        self.store.hold_sweep(NAME, self.clock.now_us().saturating_add(LEASE_US)).await
    }

    /// What is older than this is forgotten.
    fn before(&self, days: Option<u32>) -> Option<i64> {
        days.map(|days| self.clock.now_us().saturating_sub(i64::from(days).saturating_mul(DAY_US)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use serde_json::json;
    use sluice_core::request::Cause;
    use sluice_store::{AuditEntry, NewConnection, NewPipeline, NewRequest, NewTenant, PipelineChange, RequestFilter};
    use sluice_store::{MasterKey, MasterKeys, Vault};

    use super::*;

    const ACME: Scope<'static> = Scope { tenant: "acme" };

    /// Noon of a day.
    fn day(number: i64) -> i64 {
        number * DAY_US + DAY_US / 2
    }

    async fn entry(store: &Store, at_us: i64) {
        let entry = AuditEntry {
            actor: "host".into(),
            action: "secret.use".into(),
            object: "connection c".into(),
            address: None,
            detail: json!({}),
        };
        store.audit(ACME, &entry, at_us).await.unwrap();
    }

    async fn cancelled_run(store: &Store, number: i64, at_us: i64) {
        let new = NewRequest {
            id: format!("{number:06}"),
            pipeline: "p".into(),
            revision: 1,
            connection: "c".into(),
            cause: Cause::Manual,
            moment_us: None,
            snapshot_date: None,
            requested_by: "user ann".into(),
            priority: 0,
            not_before_us: 0,
            traceparent: None,
        };
        store.ask_for_run(ACME, &new, at_us).await.unwrap();
        store.cancel_run(ACME, &new.id, "test", at_us).await.unwrap();
    }

    async fn furnished(store: &Store) {
        store.create_tenant(&NewTenant { id: "acme".into(), name: "Acme".into() }, 1).await.unwrap();
        let vault =
            Vault::new(MasterKeys::new(MasterKey::new("m", [1; 32]), Vec::new()), Arc::new(|_: &mut [u8]| Ok(())));
        let connection = NewConnection {
            id: "c".into(),
            name: "c".into(),
            connector: "files".into(),
            config: json!({}),
            grants: json!({}),
        };
        store.create_connection(ACME, &vault, &connection, &[], "ann", 1).await.unwrap();
        let first = PipelineChange { name: "p".into(), connection: "c".into(), definition: json!({}), enabled: true };
        store.create_pipeline(ACME, &NewPipeline { id: "p".into(), first }, None, "ann", 1).await.unwrap();
    }

    #[tokio::test]
    async fn once_an_hour_one_host_forgets_what_is_older_than_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("state.db")).await.unwrap();
        furnished(&store).await;
        for number in 0..250 {
            cancelled_run(&store, number, day(number / 100)).await;
        }
        for number in 0..10 {
            entry(&store, day(number)).await;
        }
        let now = Arc::new(AtomicI64::new(day(100) - DAY_US / 4));
        let ticks = now.clone();
        let clock: Arc<dyn Clock> = Arc::new(move || ticks.load(Ordering::Relaxed));
        let keep = Keep { runs: Some(99), logs: Some(99), audit: Some(96) };
        let host = || Retention { store: store.clone(), clock: clock.clone(), keep };
        let stop = CancellationToken::new();
        let (one, other) =
            tokio::join!(async { host().sweep(&stop).await.unwrap() }, async { host().sweep(&stop).await.unwrap() });
        assert!(one.is_some() != other.is_some(), "one of two hosts: {one:?} {other:?}");
        let swept = one.or(other).unwrap();
        // Of the runs of the first day all, of the audit log the days before the fourth: whole days.
        assert_eq!((swept.runs, swept.audit), (100, 4), "{swept:?}");
        let left = store.run_requests(ACME, RequestFilter::default(), 1_000).await.unwrap();
        assert_eq!((left.len(), left[149].asked.id.as_str()), (150, "000100"));
        let log = store.audit_after(ACME, 0, 100).await.unwrap();
        let told = log.last().unwrap();
        assert_eq!((log[0].seq, log.len(), told.entry.action.as_str()), (5, 7, "audit.forget"));
        assert_eq!(told.entry.detail, json!({"before": "1970-01-05T00:00:00Z", "entries": 4, "kept_from": 5}));
        assert_eq!(host().sweep(&stop).await.unwrap(), None, "not before an hour is over");
        now.fetch_add(EVERY_US, Ordering::Relaxed);
        assert_eq!(host().sweep(&stop).await.unwrap(), Some(Swept::default()));
        // The last hundred stay however old they are.
        now.fetch_add(day(1_000), Ordering::Relaxed);
        assert_eq!(host().sweep(&stop).await.unwrap().unwrap().runs, 50);
        assert_eq!(store.run_requests(ACME, RequestFilter::default(), 1_000).await.unwrap().len(), 100);
    }

    #[tokio::test]
    async fn what_is_kept_for_ever_is_not_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("state.db")).await.unwrap();
        furnished(&store).await;
        for number in 0..150 {
            cancelled_run(&store, number, 1).await;
        }
        entry(&store, 1).await;
        let clock: Arc<dyn Clock> = Arc::new(|| day(10_000));
        let retention = Retention { store: store.clone(), clock, keep: Keep::default() };
        assert_eq!(retention.sweep(&CancellationToken::new()).await.unwrap(), Some(Swept::default()));
        assert_eq!(store.run_requests(ACME, RequestFilter::default(), 1_000).await.unwrap().len(), 150);
    }
}
