//! What whoever operates the service offers a tenant: where rows may go, where runs are carried out, what connections may ask for.

mod read;

use sluice_core::access::Operation;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs};

/// The operation on offers.
pub fn routes(routes: Guarded) -> Guarded {
    routes.operation(Needs::Member(Operation::ConnectorsRead), routes!(read::read))
}
