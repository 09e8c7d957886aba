//! `DELETE /v1/session`

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::auth::cookie;
use crate::auth::principal::Caller;
use crate::http::client::Client;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::record::record_everywhere;

/// Sign out
#[utoipa::path(
    delete, path = "/v1/session", tag = "session", operation_id = "sign_out",
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn delete(State(app): State<App>, client: Client, caller: Caller) -> Result<Response, Problem> {
    let (session, user) = caller.session()?;
    app.store.revoke_session(&user.id, &session.id, app.now_us()).await?;
    record_everywhere(&app, &user.id, client, "session.delete").await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie::SESSION.clear())]).into_response())
}
