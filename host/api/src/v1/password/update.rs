//! `PUT /v1/password`

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use sluice_core::validate;
use utoipa::ToSchema;

use crate::auth::password::hashed;
use crate::auth::principal::Caller;
use crate::auth::throttle::Try;
use crate::http::body::Body;
use crate::http::client::Client;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::state::App;
use crate::v1::record::record_everywhere;

/// Another password.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordChange)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// The one that is good now.
    #[schema(max_length = 256, format = Password, write_only)]
    current: String,
    /// The one that will be.
    #[schema(min_length = 12, max_length = 256, format = Password, write_only)]
    new: String,
}

/// Change one's password
///
/// All other sessions end. Tokens stay good; revoke them if they may be known.
#[utoipa::path(
    put, path = "/v1/password", tag = "session", operation_id = "change_password",
    request_body = Change,
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn update(
    State(app): State<App>,
    client: Client,
    caller: Caller,
    Body(change): Body<Change>,
) -> Result<StatusCode, Problem> {
    let (session, user) = caller.session()?;
    let Some(hash) = user.password.clone() else {
        return Err(Problem::new(Slug::Refused, "you have no password here: you sign in through a provider"));
    };
    if change.current.chars().count() > 256 {
        return Err(Problem::field("current", "a password has at most 256 characters"));
    }
    validate::password("new", &change.new, &[&user.name, &user.email])?;
    // Whoever found an open browser has no more tries than whoever signs in.
    let attempt = Try::begin(&app, &validate::email("email", &user.email)?, client).await?;
    if !app.passwords.verify(change.current, Some(hash.0)).await? {
        attempt.failed(&app).await?;
        return Err(Problem::field("current", "this is not your password"));
    }
    attempt.succeeded(&app).await?;
    let new = hashed(&app, change.new).await?;
    app.store.set_password(&user.id, Some(&new)).await?;
    app.store.revoke_sessions(&user.id, Some(&session.id), app.now_us()).await?;
    record_everywhere(&app, &user.id, client, "password.update").await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::json;
    use sluice_core::access::Role;
    use sluice_store::PasswordHash;

    use crate::testing::Service;

    #[tokio::test]
    async fn a_new_password_takes_the_old_one_and_ends_the_other_sessions() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let ann = service.member("acme", Role::Viewer).await;
        let (here, there) = (service.session_of(&ann).await, service.session_of(&ann).await);
        let change = async |current: &str, new: &str| {
            let body = json!({"current": current, "new": new});
            service.call(Method::PUT, "/v1/password", Some(&here), Some(body)).await
        };
        assert_eq!(change("x", "five words that nobody says").await.problem(), "refused", "there is none yet");
        let hash = service.app.passwords.hash("four words nobody says".into(), [1; 16]).await.unwrap();
        service.app.store.set_password(&ann, Some(&PasswordHash(hash))).await.unwrap();
        let wrong = change("not these four words", "five words that nobody says").await;
        assert_eq!((wrong.problem(), &wrong.body["field"]), ("invalid", &"current".into()));
        let weak = change("four words nobody says", "qwertyuiop12").await;
        assert_eq!((weak.problem(), &weak.body["field"]), ("invalid", &"new".into()));
        let done = change("four words nobody says", "five words that nobody says").await;
        assert_eq!(done.status, StatusCode::NO_CONTENT, "{done:?}");
        let ask = async |session: &str| service.call(Method::GET, "/v1/session", Some(session), None).await.status;
        assert_eq!((ask(&here).await, ask(&there).await), (StatusCode::OK, StatusCode::UNAUTHORIZED));
        assert_eq!(service.audited("acme").await, [format!("password.update user {ann}")]);
        for _ in 0..5 {
            assert_eq!(change("guess", "five words that nobody says").await.problem(), "invalid");
        }
        assert_eq!(change("five words that nobody says", "six words").await.problem(), "invalid");
        let throttled = change("five words that nobody says", "six words that nobody says").await;
        assert_eq!(throttled.problem(), "too-many-requests");
    }
}
