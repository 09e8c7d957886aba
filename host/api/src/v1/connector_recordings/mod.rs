//! Recordings that a tenant keeps of its connectors: what another version must do as well before it takes the installed one's place.

mod delete;
mod get;
mod list;
mod put;
#[cfg(test)]
mod tests;
mod view;

use std::time::Duration;

use sluice_core::access::Operation;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs, Rules};

/// Largest recording that is taken, bytes. It lies in the database.
const LARGEST: usize = 16 << 20;

/// How long reading a recording may take: longer than the worker itself, which tells more of what is wrong.
const READING: Duration = Duration::from_secs(180);

/// The operations on recordings.
pub fn routes(routes: Guarded) -> Guarded {
    let writes = Rules::of(Needs::Member(Operation::ConnectorsWrite));
    routes
        .operation(Needs::Member(Operation::ConnectorsRead), routes!(list::list))
        .operation(writes.within(READING).body(LARGEST), routes!(put::put))
        // A recording has rows of the source.
        .operation(Needs::Member(Operation::RowsPreview), routes!(get::get))
        .operation(writes, routes!(delete::delete))
}
