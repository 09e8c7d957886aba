//! How far the runs of this host are, for whoever watches.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sluice_core::worker::StreamProgress;
use tokio::sync::watch;

/// How far an attempt is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Which attempt of the run; counts from one.
    pub attempt: u32,
    /// Every stream that has begun, in that order.
    pub streams: Vec<StreamProgress>,
    /// Resident memory of the worker, bytes.
    pub memory_bytes: u64,
}

/// A run by its tenant and id.
type Run = (String, String);

/// The runs that are under way here. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Live(Arc<Mutex<BTreeMap<Run, watch::Sender<Progress>>>>);

impl Live {
    /// Follows a run; none if it is not under way on this host. The channel closes when the attempt ends. A watcher that is slow
    /// misses what lies between, never the newest.
    pub fn watch(&self, tenant: &str, run: &str) -> Option<watch::Receiver<Progress>> {
        let runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.get(&(tenant.to_owned(), run.to_owned())).map(watch::Sender::subscribe)
    }

    /// How many runs are under way here.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Memory of the workers that are under way here, bytes.
    pub fn memory_bytes(&self) -> u64 {
        let runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.values().map(|sender| sender.borrow().memory_bytes).sum()
    }

    /// Shows an attempt for as long as the value lives.
    pub fn show(&self, tenant: &str, run: &str, attempt: u32) -> Shown {
        let key = (tenant.to_owned(), run.to_owned());
        let (sender, _) = watch::channel(Progress { attempt, ..Progress::default() });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), sender.clone());
        Shown { live: self.clone(), key, sender }
    }
}

/// An attempt that is shown.
pub struct Shown {
    live: Live,
    key: Run,
    sender: watch::Sender<Progress>,
}

impl Shown {
    /// Shows how far it is now.
    pub fn update(&self, streams: Vec<StreamProgress>, memory_bytes: u64) {
        self.sender.send_modify(|progress| {
            progress.streams = streams;
            progress.memory_bytes = memory_bytes;
        });
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.live.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_watcher_sees_the_newest_and_then_the_end() {
        let live = Live::default();
        assert!(live.watch("t", "r").is_none());
        let shown = live.show("t", "r", 2);
        let mut watcher = live.watch("t", "r").unwrap();
        assert!(live.watch("other", "r").is_none());
        shown.update(Vec::new(), 1);
        shown.update(Vec::new(), 7);
        watcher.changed().await.unwrap();
        assert_eq!((watcher.borrow().attempt, watcher.borrow().memory_bytes), (2, 7));
        drop(shown);
        assert!(watcher.changed().await.is_err());
        assert_eq!(live.count(), 0);
    }
}
