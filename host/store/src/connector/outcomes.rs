//! What became of a pipeline's attempts with one version of its connector.

use sluice_core::RunError;

use crate::db::sql;
use crate::{Scope, Store};

impl Store {
    /// Whether the last attempt of a pipeline with this component that has ended was a success.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn last_succeeded_with(&self, scope: Scope<'_>, pipeline: &str, sha256: &str) -> Result<bool, RunError> {
        let row = sql(
            "SELECT state FROM runs WHERE tenant = $1 AND pipeline = $2 AND connector_digest = $3 AND state <> 'running' \
                       ORDER BY started_us DESC LIMIT 1",
        );
        let row = row.bind(scope.tenant).bind(pipeline).bind(sha256).one_on(&self.db, "reading runs").await?;
        Ok(row.map(|row| row.text("state")).transpose()?.as_deref() == Some("succeeded"))
    }

    /// Whether an attempt of a pipeline with this component has ever succeeded.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn has_succeeded_with(&self, scope: Scope<'_>, pipeline: &str, sha256: &str) -> Result<bool, RunError> {
        let row = sql("SELECT 1 AS one FROM runs WHERE tenant = $1 AND pipeline = $2 AND connector_digest = $3 \
                       AND state = 'succeeded' LIMIT 1");
        let row = row.bind(scope.tenant).bind(pipeline).bind(sha256).one_on(&self.db, "reading runs").await?;
        Ok(row.is_some())
    }
}
