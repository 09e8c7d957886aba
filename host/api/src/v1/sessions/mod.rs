//! The browsers in which one is signed in.

mod delete;
mod delete_others;
mod list;

use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs};

/// The operations on one's sessions.
pub fn routes(routes: Guarded) -> Guarded {
    routes
        .operation(Needs::Person, routes!(list::list))
        .operation(Needs::Person, routes!(delete_others::delete_others))
        .operation(Needs::Person, routes!(delete::delete))
}
