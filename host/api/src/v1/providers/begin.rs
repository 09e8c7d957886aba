//! `GET /v1/providers/{provider}/begin`

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sluice_core::RunError;

use super::query::BeginQuery;
use super::{Errand, back, errand, provider};
use crate::auth::token::{Purpose, Random, hash_of};
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;

/// Go to an identity provider to sign in
///
/// For browsers: redirects to the provider, which sends the browser back. With an invitation, a new person becomes known on the way.
#[utoipa::path(
    get, path = "/v1/providers/{provider}/begin", tag = "session", operation_id = "begin_with_provider",
    params(("provider" = String, Path, description = "Its name"), BeginQuery),
    responses(
        (status = 303, description = "To the provider", headers(("Location" = String), ("Set-Cookie" = String))),
        (status = "4XX", body = ProblemBody), (status = 502, description = "The provider does not answer", body = ProblemBody)
    )
)]
pub(super) async fn begin(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(asked): Query<BeginQuery>,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 2]), Problem> {
    let provider = provider(&app, &name)?;
    if asked.invitation.as_deref().is_some_and(|secret| hash_of(Purpose::Invitation, secret).is_none()) {
        return Err(Problem::field("invitation", "this is not the secret of an invitation; take the whole link"));
    }
    let secret = || secret(app.random.as_ref());
    let kept =
        Errand { provider: name, state: secret(), nonce: secret(), verifier: secret(), invitation: asked.invitation };
    let address = provider.begin(&kept, &back(&app, provider), app.now()).await?;
    let address = HeaderValue::try_from(address).map_err(|e| RunError::internal(e.to_string()))?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, address), (header::SET_COOKIE, errand::keep(&kept)?)]))
}

/// 32 random bytes as RFC 7636 wants a verifier: 43 characters.
fn secret(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
