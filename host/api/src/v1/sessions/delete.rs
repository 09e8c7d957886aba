//! `DELETE /v1/sessions/{session}`

use axum::extract::State;
use axum::http::StatusCode;

use crate::auth::principal::Caller;
use crate::http::client::Client;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::record::record_everywhere;

/// End one of one's sessions
#[utoipa::path(
    delete, path = "/v1/sessions/{session}", tag = "session", operation_id = "delete_session",
    params(("session" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn delete(
    State(app): State<App>,
    client: Client,
    caller: Caller,
    Path(session): Path<String>,
) -> Result<StatusCode, Problem> {
    let (_, user) = caller.session()?;
    if !app.store.revoke_session(&user.id, &session, app.now_us()).await? {
        return Err(Problem::not_found("session"));
    }
    record_everywhere(&app, &user.id, client, "session.delete").await?;
    Ok(StatusCode::NO_CONTENT)
}
