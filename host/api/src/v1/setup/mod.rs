//! The first person, who owns the first tenant.

mod create;
mod read;

use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs, Rules};

/// The operations on a service that nobody uses yet.
pub fn routes(routes: Guarded) -> Guarded {
    routes
        .operation(Needs::Nobody, routes!(read::read))
        .operation(Rules::of(Needs::Nobody).answers_secret(), routes!(create::create))
}
