//! One's password.

mod update;

use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs};

/// The operations on one's password.
pub fn routes(routes: Guarded) -> Guarded {
    routes.operation(Needs::Person, routes!(update::update))
}
