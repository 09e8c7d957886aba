//! How entries of the log are shown.

use jiff::Timestamp;
use serde::Serialize;
use sluice_store::AuditRecord;
use utoipa::ToSchema;

use crate::state::instant;

/// Something that was done in the tenant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct AuditView {
    /// Counts from one in the tenant, without a gap.
    seq: u64,
    /// When it was done.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who did it: `user ID`, `token ID`, `schedule`, `host`, or `operator` for a command on the host.
    actor: String,
    /// What was done.
    action: String,
    /// To what.
    object: String,
    /// From where, if it came over the network.
    address: Option<String>,
    /// More of it, without secrets.
    detail: serde_json::Value,
}

impl From<AuditRecord> for AuditView {
    fn from(AuditRecord { seq, at_us, entry }: AuditRecord) -> Self {
        let at = instant(at_us);
        Self {
            seq,
            at,
            actor: entry.actor,
            action: entry.action,
            object: entry.object,
            address: entry.address,
            detail: entry.detail,
        }
    }
}
