//! Pipelines that somebody is still setting up: kept with every change, so that a closed page loses nothing. A draft is its author's
//! alone. What it reads from may be tried before anything is made of it; its secrets are sealed like those of a connection, and never
//! come back.

mod check;
mod create;
mod delete;
mod finish;
mod get;
mod input;
mod list;
mod open;
mod plan;
mod sample;
mod streams;
mod update;
mod view;

use sluice_core::access::Operation;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs, Rules};
use crate::v1::connections::ASKING;

/// Most drafts of one person in a tenant.
const MOST: u32 = 20;

/// A draft that nobody touched for so long is forgotten, days.
pub(crate) const KEPT_DAYS: i64 = 30;

/// The operations on drafts.
pub fn routes(routes: Guarded) -> Guarded {
    let write = Needs::Member(Operation::PipelinesWrite);
    let asking = |operation| Rules::of(Needs::Member(operation)).within(ASKING);
    routes
        .operation(write, routes!(list::list))
        .operation(write, routes!(create::create))
        .operation(write, routes!(get::get))
        .operation(write, routes!(update::update))
        .operation(write, routes!(delete::delete))
        .operation(asking(Operation::ConnectionsWrite), routes!(check::check))
        .operation(asking(Operation::ConnectionsWrite), routes!(streams::streams))
        .operation(asking(Operation::RowsPreview), routes!(sample::sample))
        .operation(asking(Operation::PipelinesDryRun), routes!(plan::plan))
        .operation(Rules::of(write), routes!(finish::finish))
}
