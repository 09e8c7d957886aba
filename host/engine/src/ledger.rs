//! The sinks' ledger, kept in the state store.

use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::load::Artifact;
use sluice_sinks::Ledger;
use sluice_store::{Scope, Store};

use crate::failpoint;

/// Writes what a sink begins into the store.
pub(crate) struct StoreLedger {
    pub(crate) store: Store,
}

#[async_trait]
impl Ledger for StoreLedger {
    async fn opened(&self, artifact: &Artifact) -> Result<(), RunError> {
        self.store.artifact_opened(Scope::LOCAL, artifact).await?;
        failpoint::pass("ledger.opened");
        Ok(())
    }

    async fn progressed(&self, artifact: &Artifact) -> Result<(), RunError> {
        self.store.artifact_progressed(Scope::LOCAL, artifact).await
    }

    async fn finalized(&self, artifact: &Artifact) -> Result<(), RunError> {
        self.store.artifact_finalized(Scope::LOCAL, artifact).await?;
        failpoint::pass("ledger.finalized");
        Ok(())
    }
}
