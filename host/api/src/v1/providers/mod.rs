//! Signing in through identity providers: the browser goes there, and comes back with a code.
//!
//! What the browser keeps meanwhile ([`Errand`]) is in a cookie of its own, which lasts ten minutes and is good for one return.

mod begin;
mod errand;
mod finish;
mod list;
mod query;
mod welcome;

use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs, Rules};
use crate::auth::oidc::{Errand, Provider};
use crate::http::problem::Problem;
use crate::state::App;

/// The operations on identity providers.
pub fn routes(routes: Guarded) -> Guarded {
    routes
        .operation(Needs::Nobody, routes!(list::list))
        .operation(Needs::Nobody, routes!(begin::begin))
        .operation(Rules::of(Needs::Nobody).answers_secret(), routes!(finish::finish))
}

/// The provider of a name.
fn provider<'a>(app: &'a App, name: &str) -> Result<&'a Provider, Problem> {
    let found = app.providers.iter().find(|provider| provider.settings().name == name);
    found.ok_or_else(|| Problem::not_found("identity provider"))
}

/// Where a provider sends the browser back to; what the provider has to be told when this service is registered there.
fn back(app: &App, provider: &Provider) -> String {
    format!("{}/v1/providers/{}/finish", app.origin, provider.settings().name)
}
