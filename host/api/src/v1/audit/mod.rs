//! The audit log of a tenant.

mod export;
mod list;
mod view;

use sluice_core::access::Operation;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs};

/// The operations on the log.
pub fn routes(routes: Guarded) -> Guarded {
    routes
        .operation(Needs::Member(Operation::AuditRead), routes!(list::list))
        .operation(Needs::Member(Operation::AuditRead), routes!(export::export))
}
