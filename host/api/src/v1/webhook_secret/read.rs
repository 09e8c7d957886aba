//! `GET /v1/tenants/{tenant}/webhook-secret`

use axum::Json;
use axum::extract::State;

use super::SecretView;
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::Tagged;
use crate::state::App;

/// The secret that signs webhooks: how it ends and since when, not the secret
///
/// Its ETag is wanted for replacing it, also if there is none yet.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/webhook-secret", tag = "notifications", operation_id = "read_webhook_secret",
    params(("tenant" = String, Path)),
    responses((status = 200, body = SecretView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn read(State(app): State<App>, member: Member) -> Result<Tagged<Json<SecretView>>, Problem> {
    let known = app.store.known_signing_secrets(member.scope(), &app.resolver.vault, app.now_us()).await?;
    let view = known.as_ref().map(SecretView::from).unwrap_or_default();
    Ok(Tagged(known.map_or(0, |secrets| secrets.revision), Json(view)))
}
