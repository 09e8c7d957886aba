//! The state of a pipeline's streams: where the next run begins. It can be looked at, set, reset, and what was done to it can be taken
//! back. Never while a run of the pipeline is under way: the store's lease decides.

mod changes;
mod editing;
mod get;
mod reset;
mod reset_all;
mod set;
mod undo;
mod view;

use sluice_core::access::Operation;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs};

/// The operations on states.
pub fn routes(routes: Guarded) -> Guarded {
    routes
        .operation(Needs::Member(Operation::StateRead), routes!(get::get))
        .operation(Needs::Member(Operation::StateWrite), routes!(reset_all::reset_all))
        .operation(Needs::Member(Operation::StateWrite), routes!(set::set))
        .operation(Needs::Member(Operation::StateWrite), routes!(reset::reset))
        .operation(Needs::Member(Operation::StateRead), routes!(changes::changes))
        .operation(Needs::Member(Operation::StateWrite), routes!(undo::undo))
}
