//! The time zones that schedules may have.

mod list;

use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs};

/// The operation on time zones.
pub fn routes(routes: Guarded) -> Guarded {
    routes.operation(Needs::Somebody, routes!(list::list))
}
