//! Versions of connectors that a tenant uploads: looked at, approved or rejected, yanked.
//!
//! What the operator has installed for everybody is seen here as well, and changed only by `sluice admin connector`.

mod approve;
mod decide;
mod get;
mod list;
mod reject;
#[cfg(test)]
mod tests;
mod upload;
mod view;
mod yank;

use std::time::Duration;

use sluice_core::access::Operation;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs, Rules};

pub(super) use decide::{reason, went_back};

/// Largest component that is taken, bytes.
pub(super) const LARGEST: usize = 64 << 20;

/// How long looking at a component may take: longer than the worker itself, which tells more of what is wrong.
const EXAMINING: Duration = Duration::from_secs(180);

/// How long trying a version on connections may take, as above.
const TRYING: Duration = Duration::from_secs(330);

/// The operations on versions of connectors.
pub fn routes(routes: Guarded) -> Guarded {
    let writes = Rules::of(Needs::Member(Operation::ConnectorsWrite));
    routes
        .operation(writes.within(EXAMINING).body(LARGEST), routes!(upload::upload))
        .operation(Needs::Member(Operation::ConnectorsRead), routes!(list::list))
        .operation(Needs::Member(Operation::ConnectorsRead), routes!(get::get))
        .operation(writes.within(TRYING), routes!(approve::approve))
        .operation(writes, routes!(reject::reject))
        .operation(writes, routes!(yank::yank))
}
