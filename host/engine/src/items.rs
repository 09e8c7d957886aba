//! What streams remember item by item, looked up in the state store for the sandbox.

use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::items::ItemKey;
use sluice_runtime::Recall;

use crate::books::Books;

/// What the streams of a pipeline remember.
pub(crate) struct StoredItems {
    pub(crate) books: Books,
}

#[async_trait]
impl Recall for StoredItems {
    async fn recall(&self, stream: &str, keys: &[ItemKey]) -> Result<Vec<Option<Vec<u8>>>, RunError> {
        let Books { store, lease, .. } = &self.books;
        store.recall_items(self.books.scope(), lease.pipeline(), stream, keys).await
    }
}
