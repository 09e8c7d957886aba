//! What the API shows of a pipeline.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sluice_store::{PipelineRecord, PipelineRevision, Scope};
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::state::{App, instant};

/// A pipeline.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PipelineView {
    /// Names it for ever.
    id: String,
    /// What people call it.
    name: String,
    /// The connection that it reads from.
    connection: String,
    /// Whether its schedule is followed.
    enabled: bool,
    /// Everything else: streams, sink, limits, schedule, retry, notify; as in the file of `sluice run`.
    #[schema(value_type = Object)]
    definition: Value,
    /// Grows with every change; the `ETag`.
    revision: u64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Who changed it last: `user ID` or `token ID`.
    updated_by: String,
}

impl From<PipelineRecord> for PipelineView {
    fn from(record: PipelineRecord) -> Self {
        Self {
            id: record.id,
            name: record.current.name,
            connection: record.current.connection,
            enabled: record.current.enabled,
            definition: record.current.definition,
            revision: record.revision,
            created_at: instant(record.created_us),
            updated_at: instant(record.updated_us),
            updated_by: record.updated_by,
        }
    }
}

/// What a pipeline was at a revision.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RevisionView {
    /// Which one; the first is 1.
    revision: u64,
    /// What people called it.
    name: String,
    /// The connection that it read from.
    connection: String,
    /// Whether its schedule was followed.
    enabled: bool,
    /// Everything else.
    #[schema(value_type = Object)]
    definition: Value,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    /// Who changed it: `user ID` or `token ID`.
    changed_by: String,
}

impl From<PipelineRevision> for RevisionView {
    fn from(found: PipelineRevision) -> Self {
        Self {
            revision: found.revision,
            name: found.was.name,
            connection: found.was.connection,
            enabled: found.was.enabled,
            definition: found.was.definition,
            changed_at: instant(found.changed_us),
            changed_by: found.changed_by,
        }
    }
}

/// The pipeline of an address.
pub(in crate::v1) async fn find(app: &App, scope: Scope<'_>, id: &str) -> Result<PipelineRecord, Problem> {
    app.store.pipeline(scope, id).await?.ok_or_else(|| Problem::not_found("pipeline"))
}
