//! Signing in and out, and who one is.

mod begin;
mod delete;
mod me;
mod read;
mod sign_in;

use utoipa_axum::routes;

pub(super) use begin::{begin, signed_in};
pub(super) use me::{Me, RoleWord};

use crate::auth::guard::{Guarded, Needs, Rules};

/// The operations on the session of who asks.
pub fn routes(routes: Guarded) -> Guarded {
    routes
        .operation(Rules::of(Needs::Nobody).answers_secret(), routes!(sign_in::sign_in))
        .operation(Needs::Somebody, routes!(read::read))
        .operation(Needs::Person, routes!(delete::delete))
}
