//! The store as one run may use it: as its tenant, under the lease of its pipeline.

use std::sync::Arc;

use sluice_core::RunError;
use sluice_core::mark::Author;
use sluice_store::{Lease, Scope, Store};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// A store, and the lease without which nothing of a run can be recorded.
#[derive(Clone)]
pub(crate) struct Books {
    pub(crate) store: Store,
    pub(crate) lease: Arc<Lease>,
    tenant: Arc<str>,
}

impl Books {
    /// Takes the lease of a pipeline.
    pub(crate) async fn open(store: Store, tenant: &str, pipeline: &str, now_us: i64) -> Result<Self, RunError> {
        let lease = Arc::new(store.lease(Scope { tenant }, pipeline, now_us).await?);
        Ok(Self { store, lease, tenant: tenant.into() })
    }

    /// Whose rows these are.
    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope { tenant: &self.tenant }
    }

    /// Whose the marks of a stream are.
    pub(crate) fn author(&self, stream: &str) -> Author {
        Author::new(&self.tenant, self.lease.pipeline(), stream)
    }

    /// Keeps the lease until it is dropped. If another process has taken it, `lost` is cancelled: nothing can be recorded any more, and
    /// what the run goes on to do is in vain.
    pub(crate) fn keep(&self, clock: Arc<dyn Clock>, lost: CancellationToken) -> Kept {
        let books = self.clone();
        let task = self.lease.expires().then(|| {
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(books.store.renew_every()).await;
                    match books.store.renew(&books.lease, clock.now_us()).await {
                        Ok(true) => {}
                        Ok(false) => {
                            tracing::error!(pipeline = books.lease.pipeline(), "another host has taken the pipeline");
                            return lost.cancel();
                        }
                        // The lease holds until it expires, so there is time to ask again.
                        Err(error) => tracing::warn!(%error, "the lease of a run could not be renewed"),
                    }
                }
            })
        });
        Kept { task }
    }

    /// Hands the lease back, where that has to be told.
    pub(crate) async fn close(self) {
        let Ok(lease) = Arc::try_unwrap(self.lease) else { return };
        if let Err(error) = self.store.release(lease).await {
            tracing::warn!(%error, "the lease of a run could not be handed back; it expires by itself");
        }
    }
}

/// Keeps a lease while it lives.
pub(crate) struct Kept {
    task: Option<tokio::task::JoinHandle<()>>,
}

impl Kept {
    /// Ends the renewing and waits until it has ended, so that nothing else holds the lease.
    pub(crate) async fn stop(mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _cancelled = task.await;
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
