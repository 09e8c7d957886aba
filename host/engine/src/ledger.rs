//! The sinks' ledger, kept in the state store.

use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::load::Artifact;
use sluice_sinks::Ledger;

use crate::books::Books;
use crate::failpoint;

/// Writes what a sink begins into the store.
pub(crate) struct StoreLedger {
    pub(crate) books: Books,
}

#[async_trait]
impl Ledger for StoreLedger {
    async fn opened(&self, artifact: &Artifact) -> Result<(), RunError> {
        let Books { store, lease, .. } = &self.books;
        store.artifact_opened(self.books.scope(), lease, artifact).await?;
        failpoint::pass("ledger.opened");
        Ok(())
    }

    async fn progressed(&self, artifact: &Artifact) -> Result<(), RunError> {
        let Books { store, lease, .. } = &self.books;
        store.artifact_progressed(self.books.scope(), lease, artifact).await
    }

    async fn finalized(&self, artifact: &Artifact) -> Result<(), RunError> {
        let Books { store, lease, .. } = &self.books;
        store.artifact_finalized(self.books.scope(), lease, artifact).await?;
        failpoint::pass("ledger.finalized");
        Ok(())
    }
}
