//! Connectors configured for a tenant. Secrets go in and never come out: they are taken out of the configuration before anything else
//! looks at it, sealed, and answered by the names of their fields only.

mod check;
mod create;
mod delete;
pub mod discovered;
mod get;
mod input;
mod list;
mod preview;
mod steer;
mod streams;
mod tried;
mod try_out;
mod update;
mod view;
mod working;

pub(in crate::v1) use create::{as_json, sealing};
pub(in crate::v1) use input::{hide, permitted};
pub(in crate::v1) use steer::{Leads, leads_elsewhere};
pub(in crate::v1) use streams::{ColumnView, StreamsQuery, StreamsView, told};
pub(in crate::v1) use tried::{CheckView, PhaseView, tried};
pub(in crate::v1) use view::{GrantsBody, grants_of};
pub(in crate::v1) use working::{ASKING, ask, limits};

use sluice_core::access::Operation;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs, Rules};

/// The operations on connections.
pub fn routes(routes: Guarded) -> Guarded {
    routes
        .operation(Needs::Member(Operation::ConnectionsRead), routes!(list::list))
        .operation(Needs::Member(Operation::ConnectionsWrite), routes!(create::create))
        .operation(Rules::of(Needs::Member(Operation::ConnectionsWrite)).within(ASKING), routes!(try_out::try_out))
        .operation(Needs::Member(Operation::ConnectionsRead), routes!(get::get))
        .operation(Needs::Member(Operation::ConnectionsWrite), routes!(update::update))
        .operation(Needs::Member(Operation::ConnectionsWrite), routes!(delete::delete))
        .operation(Rules::of(Needs::Member(Operation::ConnectionsCheck)).within(ASKING), routes!(check::check))
        .operation(Rules::of(Needs::Member(Operation::StreamsRead)).within(ASKING), routes!(streams::streams))
        .operation(Rules::of(Needs::Member(Operation::RowsPreview)).within(ASKING), routes!(preview::preview))
}
