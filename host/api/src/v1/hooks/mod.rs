//! What other services call. They prove who they are in their own ways, so that the guard lets everybody pass to them.

mod cloud_scheduler;
mod job;

pub use cloud_scheduler::CloudHook;
use sluice_core::access::Operation;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs, Rules};

/// The hooks, and what they hang on.
pub fn routes(routes: Guarded) -> Guarded {
    // A thousand jobs may call in one minute, from the few addresses that Google calls from.
    let called = Rules::of(Needs::Nobody).unlimited();
    routes
        .operation(called, routes!(cloud_scheduler::knock))
        .operation(Needs::Member(Operation::PipelinesRead), routes!(job::job))
}
