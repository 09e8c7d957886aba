//! What a pipeline would be, said of a part of it that somebody is still writing. Nothing is stored, and no source is asked.

mod names;
mod schedule;

use sluice_core::access::Operation;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs};

/// The previews.
pub fn routes(routes: Guarded) -> Guarded {
    routes
        .operation(Needs::Member(Operation::PipelinesRead), routes!(schedule::schedule))
        .operation(Needs::Member(Operation::PipelinesRead), routes!(names::names))
}
