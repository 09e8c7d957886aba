//! `GET /v1/sessions`

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::principal::Caller;
use crate::http::page::Page;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::{App, instant};

/// A browser in which one is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionView {
    id: String,
    /// Whether it is the one that asks.
    current: bool,
    /// When one signed in.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last used, within a minute.
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
    /// When it ends if it is not used.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// What the browser says of itself.
    user_agent: String,
    /// Where one signed in from.
    address: String,
}

/// One's sessions, the last used first
///
/// There are at most 50, on one page.
#[utoipa::path(
    get, path = "/v1/sessions", tag = "session", operation_id = "list_sessions",
    responses((status = 200, body = Page<SessionView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<SessionView>>, Problem> {
    let (current, user) = caller.session()?;
    let sessions = app.store.sessions_of(&user.id, app.now_us()).await?;
    let view = |session: sluice_store::Session| SessionView {
        current: session.id == current.id,
        id: session.id,
        created_at: instant(session.created_us),
        last_seen_at: instant(session.last_seen_us),
        expires_at: instant(session.expires_us),
        user_agent: session.user_agent,
        address: session.address,
    };
    Ok(Json(Page { items: sessions.into_iter().map(view).collect(), next: None }))
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn one_sees_and_ends_ones_own_sessions_only() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let (ann, bob) = (service.member("acme", Role::Viewer).await, service.member("acme", Role::Owner).await);
        let here = service.session_of(&ann).await;
        let (there, elsewhere) = (service.session_of(&ann).await, service.session_of(&ann).await);
        let bobs = service.session_of(&bob).await;
        let list = async |session: &str| service.call(Method::GET, "/v1/sessions", Some(session), None).await;
        let mine = list(&here).await.body["items"].as_array().unwrap().clone();
        assert_eq!((mine.len(), mine.iter().filter(|one| one["current"] == true).count()), (3, 1));
        assert_eq!((&mine[0]["address"], &mine[0]["user_agent"]), (&"192.0.2.1".into(), &"test".into()));

        let other = mine.iter().find(|one| one["current"] == false).unwrap()["id"].as_str().unwrap();
        let path = format!("/v1/sessions/{other}");
        assert_eq!(service.call(Method::DELETE, &path, Some(&bobs), None).await.problem(), "not-found");
        assert_eq!(service.call(Method::DELETE, &path, Some(&here), None).await.status, StatusCode::NO_CONTENT);
        assert_eq!(service.call(Method::DELETE, &path, Some(&here), None).await.problem(), "not-found");
        assert_eq!(
            service.call(Method::DELETE, "/v1/sessions", Some(&here), None).await.status,
            StatusCode::NO_CONTENT
        );
        let left = [list(&here).await, list(&there).await, list(&elsewhere).await, list(&bobs).await];
        assert_eq!(left.map(|one| one.status.as_u16()), [200, 401, 401, 200]);
    }

    #[tokio::test]
    async fn one_who_signs_in_everywhere_keeps_the_sessions_used_last() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let ann = service.member("acme", Role::Viewer).await;
        let mut all = Vec::new();
        for _ in 0..51 {
            service.pass(1);
            let headers = axum::http::HeaderMap::new();
            let client = crate::http::client::Client::default();
            let answer = crate::v1::session::signed_in(&service.app, &ann, &headers, client).await.unwrap();
            let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
            all.push(cookie["__Host-sluice=".len()..].split(';').next().unwrap().to_owned());
        }
        let ask = async |session: &str| service.call(Method::GET, "/v1/sessions", Some(session), None).await;
        assert_eq!(ask(&all[0]).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(ask(&all[50]).await.body["items"].as_array().map(Vec::len), Some(50));
    }

    #[tokio::test]
    async fn a_session_ends_when_it_is_not_used_and_at_the_latest_after_two_weeks() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let used = service.session("acme", Role::Viewer).await;
        let idle = service.session("acme", Role::Viewer).await;
        let ask = async |session: &str| service.call(Method::GET, "/v1/session", Some(session), None).await.status;
        assert_eq!((ask(&used).await, ask(&idle).await), (StatusCode::OK, StatusCode::OK));
        service.pass(23 * 3_600);
        assert_eq!(ask(&used).await, StatusCode::OK);
        service.pass(3_601);
        assert_eq!((ask(&used).await, ask(&idle).await), (StatusCode::OK, StatusCode::UNAUTHORIZED));
        for _ in 0..13 {
            service.pass(23 * 3_600);
            assert_eq!(ask(&used).await, StatusCode::OK);
        }
        service.pass(23 * 3_600);
        assert_eq!(ask(&used).await, StatusCode::UNAUTHORIZED);
    }
}
