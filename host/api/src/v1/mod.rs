//! The operations, version 1: `/v1/…`. What belongs to a tenant is below `/v1/tenants/{tenant}/`.

pub mod audit;
pub mod connections;
pub mod connector_recordings;
pub mod connector_versions;
pub mod connectors;
pub mod drafts;
pub mod hooks;
pub mod invitations;
pub mod members;
pub mod offers;
pub mod password;
pub mod pipelines;
pub mod previews;
pub mod providers;
pub(crate) mod record;
pub mod runs;
pub mod session;
pub mod sessions;
pub mod setup;
pub mod state;
pub mod summary;
pub mod tenants;
pub mod time_zones;
pub mod tokens;
pub mod webhook_secret;

use crate::auth::guard::Guarded;

/// Every operation.
pub fn routes(routes: Guarded) -> Guarded {
    routes
        .and(setup::routes)
        .and(session::routes)
        .and(providers::routes)
        .and(sessions::routes)
        .and(password::routes)
        .and(tenants::routes)
        .and(members::routes)
        .and(invitations::routes)
        .and(tokens::routes)
        .and(audit::routes)
        .and(connectors::routes)
        .and(connector_versions::routes)
        .and(connector_recordings::routes)
        .and(connections::routes)
        .and(pipelines::routes)
        .and(drafts::routes)
        .and(previews::routes)
        .and(offers::routes)
        .and(time_zones::routes)
        .and(runs::routes)
        .and(summary::routes)
        .and(state::routes)
        .and(webhook_secret::routes)
        .and(hooks::routes)
}
