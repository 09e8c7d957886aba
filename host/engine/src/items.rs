//! What streams remember item by item, looked up in the state store for the sandbox.

use std::sync::Arc;

use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::items::ItemKey;
use sluice_runtime::Recall;
use sluice_store::{Scope, Store};

/// What the streams of a pipeline remember.
pub(crate) struct StoredItems {
    pub(crate) store: Store,
    pub(crate) tenant: Arc<str>,
    pub(crate) pipeline: Arc<str>,
}

#[async_trait]
impl Recall for StoredItems {
    async fn recall(&self, stream: &str, keys: &[ItemKey]) -> Result<Vec<Option<Vec<u8>>>, RunError> {
        self.store.recall_items(Scope { tenant: &self.tenant }, &self.pipeline, stream, keys).await
    }
}
