//! Tenants themselves. Whose tenants they are, `GET /v1/session` tells.

mod create;
mod read;
mod update;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sluice_core::access::Operation;
use sluice_store::Tenant;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs};
use crate::state::instant;

/// The operations on tenants.
pub fn routes(routes: Guarded) -> Guarded {
    routes
        .operation(Needs::Person, routes!(create::create))
        .operation(Needs::Member(Operation::TenantRead), routes!(read::read))
        .operation(Needs::Member(Operation::TenantWrite), routes!(update::update))
}

/// What a person decides about a tenant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TenantBody {
    /// What it is called.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
}

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
struct TenantView {
    id: String,
    /// What it is called.
    name: String,
    /// Since when there is it.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Tenant> for TenantView {
    fn from(tenant: Tenant) -> Self {
        Self { id: tenant.id, name: tenant.name, created_at: instant(tenant.created_us) }
    }
}
