//! The operations, version 1: `/v1/…`. What belongs to a tenant is below `/v1/tenants/{tenant}/`.

pub mod audit;

use crate::auth::guard::Guarded;

/// Every operation.
pub fn routes(routes: Guarded) -> Guarded {
    routes.and(audit::routes)
}
