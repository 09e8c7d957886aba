//! Runs: what was asked for, what became of it, row for row, and what was said meanwhile.

mod backfill;
mod cancel;
mod error;
mod events;
mod get;
mod list;
mod logs;
mod retry;
mod start;
mod view;

use sluice_core::access::Operation;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs};

/// The operations on runs.
pub fn routes(routes: Guarded) -> Guarded {
    routes
        .operation(Needs::Member(Operation::RunsStart), routes!(start::start))
        .operation(Needs::Member(Operation::RunsStart), routes!(backfill::backfill))
        .operation(Needs::Member(Operation::RunsRead), routes!(list::list))
        .operation(Needs::Member(Operation::RunsRead), routes!(get::get))
        .operation(Needs::Member(Operation::RunsControl), routes!(cancel::cancel))
        .operation(Needs::Member(Operation::RunsControl), routes!(retry::retry))
        .operation(Needs::Member(Operation::LogsRead), routes!(logs::logs))
        .operation(Needs::Member(Operation::RunsRead), routes!(events::events))
}
