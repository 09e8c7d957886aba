//! Whether a tenant's data are fresh and right, in one answer.

mod read;

use sluice_core::access::Operation;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs};

/// The operation on the summary.
pub fn routes(routes: Guarded) -> Guarded {
    routes.operation(Needs::Member(Operation::RunsRead), routes!(read::read))
}
