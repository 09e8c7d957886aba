//! For whoever operates the service or writes programs for it: whether it lives, what it counts, what it offers. Nothing here tells
//! anything of a tenant.

mod docs;
mod document;
mod health;
pub(crate) mod metrics;
mod ready;

use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs, Rules};

/// The operations outside of `/v1`.
pub fn routes(routes: Guarded) -> Guarded {
    let watched = Rules::of(Needs::Nobody).unlimited();
    routes
        .operation(watched, routes!(health::health))
        .operation(watched, routes!(ready::ready))
        .operation(watched, routes!(metrics::metrics))
        .operation(Needs::Nobody, routes!(document::document))
        .operation(Needs::Nobody, routes!(docs::docs))
}
