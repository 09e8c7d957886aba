//! Pipelines: what is read from a connection, what becomes of it, where it goes and when. Every change makes a revision, and revisions
//! stay.

mod calendar;
mod create;
mod delete;
mod disable;
mod dry_run;
mod enable;
mod export;
mod get;
mod import;
mod input;
mod known;
mod list;
mod restore;
mod revision;
mod revisions;
mod schedule;
mod switch;
mod update;
mod validate;
pub(in crate::v1) mod view;

pub(in crate::v1) use dry_run::{PlannedView, forecast};
pub(in crate::v1) use input::{examine, parse, timing};

use sluice_core::access::Operation;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs, Rules};
use crate::v1::connections::ASKING;

/// The operations on pipelines.
pub fn routes(routes: Guarded) -> Guarded {
    routes
        .operation(Needs::Member(Operation::PipelinesRead), routes!(list::list))
        .operation(Needs::Member(Operation::PipelinesRead), routes!(calendar::calendar))
        .operation(Needs::Member(Operation::PipelinesWrite), routes!(create::create))
        .operation(Needs::Member(Operation::PipelinesWrite), routes!(validate::validate))
        .operation(Needs::Member(Operation::PipelinesWrite), routes!(import::import))
        .operation(Needs::Member(Operation::PipelinesRead), routes!(get::get))
        .operation(Needs::Member(Operation::PipelinesWrite), routes!(update::update))
        .operation(Needs::Member(Operation::PipelinesWrite), routes!(delete::delete))
        .operation(Needs::Member(Operation::PipelinesRead), routes!(revisions::revisions))
        .operation(Needs::Member(Operation::PipelinesRead), routes!(revision::revision))
        .operation(Needs::Member(Operation::PipelinesWrite), routes!(restore::restore))
        .operation(Needs::Member(Operation::SchedulesSwitch), routes!(enable::enable))
        .operation(Needs::Member(Operation::SchedulesSwitch), routes!(disable::disable))
        .operation(Needs::Member(Operation::PipelinesRead), routes!(schedule::schedule))
        .operation(Needs::Member(Operation::PipelinesRead), routes!(export::export))
        .operation(Rules::of(Needs::Member(Operation::PipelinesDryRun)).within(ASKING), routes!(dry_run::dry_run))
}
