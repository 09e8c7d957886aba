//! A session begins: for whoever signs in, is the first person, or accepts an invitation.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sluice_core::RunError;
use sluice_store::NewSession;

use super::Me;
use crate::auth::cookie;
use crate::auth::principal::{IDLE_US, LONGEST_US};
use crate::auth::token::{Purpose, Secret, hash_of};
use crate::http::client::Client;
use crate::http::problem::Problem;
use crate::state::App;
use crate::v1::record::record_everywhere;

/// Sessions of one person at once. A further one ends those that were not used for longest.
const MOST: usize = 50;

/// What is kept of what the browser says of itself, characters.
const LONGEST_AGENT: usize = 200;

/// Signs somebody in: begins a session, records it, and answers who it is.
pub(crate) async fn signed_in(app: &App, user: &str, headers: &HeaderMap, client: Client) -> Result<Response, Problem> {
    let (session, cookie) = begin(app, user, headers, client).await?;
    record_everywhere(app, user, client, "session.create").await?;
    let me = Me::of_person(app, user, session).await?;
    let headers = [(header::SET_COOKIE, cookie), (header::LOCATION, HeaderValue::from_static("/v1/session"))];
    Ok((StatusCode::CREATED, headers, Json(me)).into_response())
}

/// Begins a session with a secret of its own, its id and its cookie; the one that the browser had, whoever's it was, ends.
pub(crate) async fn begin(
    app: &App,
    user: &str,
    headers: &HeaderMap,
    client: Client,
) -> Result<(String, HeaderValue), Problem> {
    let now = app.now_us();
    if let Some(hash) = cookie::SESSION.read(headers).and_then(|text| hash_of(Purpose::Session, text))
        && let Some((before, _)) = app.store.session(&hash, now).await?
    {
        app.store.revoke_session(&before.user, &before.id, now).await?;
    }
    for spare in app.store.sessions_of(user, now).await?.iter().skip(MOST - 1) {
        app.store.revoke_session(user, &spare.id, now).await?;
    }
    let secret = Secret::new(Purpose::Session, app.random.as_ref());
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let new = NewSession {
        id: app.ids.next(),
        token_hash: secret.hash().to_vec(),
        user: user.to_owned(),
        expires_us: now.saturating_add(IDLE_US),
        user_agent: agent.chars().take(LONGEST_AGENT).collect(),
        address: client.address().unwrap_or_default(),
    };
    app.store.begin_session(&new, now).await?;
    let cookie = cookie::SESSION.set(secret.expose(), LONGEST_US / 1_000_000);
    let cookie = cookie.ok_or_else(|| RunError::internal("a session's secret does not fit into a cookie"))?;
    Ok((new.id, cookie))
}
