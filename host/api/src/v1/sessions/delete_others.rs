//! `DELETE /v1/sessions`

use axum::extract::State;
use axum::http::StatusCode;

use crate::auth::principal::Caller;
use crate::http::client::Client;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::record::record_everywhere;

/// End all of one's sessions but the one that asks
#[utoipa::path(
    delete, path = "/v1/sessions", tag = "session", operation_id = "delete_other_sessions",
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn delete_others(
    State(app): State<App>,
    client: Client,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    let (session, user) = caller.session()?;
    app.store.revoke_sessions(&user.id, Some(&session.id), app.now_us()).await?;
    record_everywhere(&app, &user.id, client, "session.delete-others").await?;
    Ok(StatusCode::NO_CONTENT)
}
