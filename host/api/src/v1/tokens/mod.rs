//! API tokens: of a person, or of a service of the tenant.
//!
//! No token makes tokens: whoever finds one has it as long as it is good and no longer, and with its role and no other. A token's role is
//! at most its maker's, and a person's token is never worth more than the person is now.

mod create;
mod create_service;
mod delete;
mod delete_service;
mod list;
mod list_service;
mod make;
mod view;

use sluice_core::access::Operation;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs, Rules};

/// The operations on tokens.
pub fn routes(routes: Guarded) -> Guarded {
    let own = Rules::of(Needs::PersonWho(Operation::OwnTokens)).answers_secret();
    let service = Rules::of(Needs::PersonWho(Operation::TokensWrite)).answers_secret();
    routes
        .operation(Needs::Member(Operation::OwnTokens), routes!(list::list))
        .operation(own, routes!(create::create))
        .operation(Needs::Member(Operation::OwnTokens), routes!(delete::delete))
        .operation(Needs::Member(Operation::TokensRead), routes!(list_service::list_service))
        .operation(service, routes!(create_service::create_service))
        .operation(Needs::Member(Operation::TokensWrite), routes!(delete_service::delete_service))
}
