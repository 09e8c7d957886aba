//! `GET /v1/providers`

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::problem::ProblemBody;
use crate::state::App;

/// An identity provider.
#[derive(Serialize, ToSchema)]
#[schema(as = IdentityProvider)]
pub(super) struct ProviderView {
    /// Names it in addresses.
    name: String,
    /// What people see.
    title: String,
    /// Where a browser goes to sign in with it.
    begin: String,
}

/// List the identity providers that one can sign in with
///
/// None if the operator has set up none.
#[utoipa::path(
    get, path = "/v1/providers", tag = "session", operation_id = "list_providers",
    responses((status = 200, body = Vec<ProviderView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn list(State(app): State<App>) -> Json<Vec<ProviderView>> {
    let views = app.providers.iter().map(|provider| {
        let settings = provider.settings();
        let begin = format!("/v1/providers/{}/begin", settings.name);
        ProviderView { name: settings.name.clone(), title: settings.title.clone(), begin }
    });
    Json(views.collect())
}
