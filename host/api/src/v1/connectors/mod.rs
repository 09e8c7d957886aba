//! The connectors that are installed.

mod follow;
mod get;
mod list;
mod rollback;
#[cfg(test)]
mod tests;
mod view;

use sluice_core::access::Operation;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs};

/// The operations on connectors.
pub fn routes(routes: Guarded) -> Guarded {
    routes
        .operation(Needs::Member(Operation::ConnectorsRead), routes!(list::list))
        .operation(Needs::Member(Operation::ConnectorsRead), routes!(get::get))
        .operation(Needs::Member(Operation::ConnectorsWrite), routes!(rollback::rollback))
        .operation(Needs::Member(Operation::ConnectorsWrite), routes!(follow::follow))
}
