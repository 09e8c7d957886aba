//! Why a run failed, as the API shows it.

use serde::Serialize;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind, Retry};
use utoipa::ToSchema;

/// Why a run, an attempt or a stream failed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ErrorView {
    /// Class of failure: `config`, `auth`, `transient`, `data`, …
    #[schema(value_type = String)]
    kind: Kind,
    /// Who has to act: `user`, `source`, `sink` or `host`.
    #[schema(value_type = String)]
    actor: Actor,
    /// What is wrong and what to do.
    message: String,
    /// The field of the configuration or the pipeline concerned.
    field: Option<String>,
    /// The stream concerned.
    stream: Option<String>,
    /// Whether another attempt can help.
    retryable: bool,
}

impl From<RunError> for ErrorView {
    fn from(error: RunError) -> Self {
        Self {
            kind: error.kind,
            actor: error.actor,
            message: error.message,
            field: error.field,
            stream: error.stream,
            retryable: error.retry != Retry::Never,
        }
    }
}
