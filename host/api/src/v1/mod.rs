//! The operations, version 1: `/v1/…`. What belongs to a tenant is below `/v1/tenants/{tenant}/`.

pub mod audit;
pub mod connections;
pub mod connectors;
pub mod pipelines;
pub(crate) mod record;
pub mod runs;
pub mod state;

use crate::auth::guard::Guarded;

/// Every operation.
pub fn routes(routes: Guarded) -> Guarded {
    routes
        .and(audit::routes)
        .and(connectors::routes)
        .and(connections::routes)
        .and(pipelines::routes)
        .and(runs::routes)
        .and(state::routes)
}
