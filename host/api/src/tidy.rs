//! Forgets what is over: sessions that ended long ago, failed attempts to sign in, answers that were kept for repeated requests,
//! secrets that do not sign any more, drafts that nobody goes on with. Every host does so; what one has forgotten, the next does not find.

use std::convert::Infallible;
use std::time::Duration;

use sluice_core::RunError;
use sluice_store::DAY_US;

use crate::auth::throttle;
use crate::state::App;
use crate::v1::drafts::KEPT_DAYS;

const EVERY: Duration = Duration::from_secs(3_600);

/// How long an ended session is kept for whoever looks into what happened.
const SESSIONS_US: i64 = 30 * 24 * 3_600 * 1_000_000;

/// Tidies up now and every hour.
pub(crate) async fn for_ever(app: &App) -> Infallible {
    loop {
        if let Err(error) = once(app).await {
            tracing::warn!(error = %error, "what is over could not be forgotten; it is tried again in an hour");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn once(app: &App) -> Result<(), RunError> {
    let now = app.now_us();
    app.store.forget_sessions(now.saturating_sub(SESSIONS_US)).await?;
    app.store.forget_failures(now.saturating_sub(throttle::WINDOW_US)).await?;
    app.store.forget_keys(now).await?;
    app.store.forget_signing_secrets(now).await?;
    app.store.forget_drafts(now.saturating_sub(KEPT_DAYS * DAY_US)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use sluice_core::access::Role;
    use sluice_store::Scope;

    use super::*;
    use crate::testing::{START_US, Service};

    #[tokio::test]
    async fn what_is_over_is_forgotten_and_nothing_else() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let store = &service.app.store;
        let session = service.session("acme", Role::Viewer).await;
        store.count_failure("account x", throttle::WINDOW_US, START_US).await.unwrap();
        store.reserve_key(Scope { tenant: "acme" }, "k", b"x", START_US + 60, START_US).await.unwrap();
        once(&service.app).await.unwrap();
        let ask = async || service.call(axum::http::Method::GET, "/v1/session", Some(&session), None).await.status;
        assert_eq!(ask().await.as_u16(), 200);
        assert_eq!(store.failures("account x", throttle::WINDOW_US, START_US).await.unwrap().count, 1);
        service.pass(32 * 24 * 3_600);
        once(&service.app).await.unwrap();
        let left = [
            store.forget_sessions(i64::MAX).await.unwrap(),
            store.forget_failures(i64::MAX).await.unwrap(),
            store.forget_keys(i64::MAX).await.unwrap(),
        ];
        assert_eq!(left, [0, 0, 0]);
    }
}
