//! What the API shows of a recording.

use jiff::Timestamp;
use serde::Serialize;
use sluice_core::recording::is_name;
use sluice_engine::service::catalogue::{Installed, Origin};
use sluice_store::{KeptRecording, Scope};
use utoipa::ToSchema;

use crate::http::problem::{Problem, Slug};
use crate::state::{App, instant};

/// A recording of a connector.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecordingView {
    /// What it is called; unique within the connector.
    name: String,
    /// SHA-256 of the file, in hexadecimal digits.
    sha256: String,
    /// The file's size, bytes.
    size: u64,
    /// The version of the connector that was recorded, by the file's words.
    version: String,
    /// SHA-256 of its component, by the file's words.
    digest: String,
    /// Calls of the connector that are in it.
    calls: u64,
    /// Rows that they delivered.
    rows: u64,
    /// When it was added, or last replaced by another file.
    #[schema(value_type = String, format = DateTime)]
    added_at: Timestamp,
    /// By whom: `user ID` or `token ID`.
    added_by: String,
}

impl From<KeptRecording> for RecordingView {
    fn from(KeptRecording { new, size, added_us, added_by }: KeptRecording) -> Self {
        Self {
            name: new.name,
            sha256: new.sha256,
            size,
            version: new.version,
            digest: new.digest,
            calls: new.calls,
            rows: new.rows,
            added_at: instant(added_us),
            added_by,
        }
    }
}

/// The connector of this name.
pub(super) async fn connector(app: &App, scope: Scope<'_>, name: &str) -> Result<Installed, Problem> {
    app.resolver.catalogue.find(scope, name).await?.ok_or_else(|| Problem::not_found("connector"))
}

/// Whether recordings of it are of use.
pub(super) fn upgradable(connector: &Installed) -> Result<(), Problem> {
    if connector.origin != Origin::BuiltIn {
        return Ok(());
    }
    let detail =
        "this connector comes with the service: no other version of it is tried here, so that recordings are of no use";
    Err(Problem::new(Slug::Refused, detail))
}

/// A recording's name, if it can be one.
pub(super) fn named(text: &str) -> Result<&str, Problem> {
    if is_name(text) {
        return Ok(text);
    }
    let detail = "a recording's name has 1 to 100 letters, digits, `.`, `_` and `-`, the first a letter or a digit";
    Err(Problem::field("recording", detail))
}

/// What the audit log calls it.
pub(super) fn object(connector: &str, name: &str) -> String {
    format!("recording {connector}/{name}")
}
