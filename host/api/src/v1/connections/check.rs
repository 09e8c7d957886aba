//! `POST /v1/tenants/{tenant}/connections/{connection}/check`

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;
use sluice_core::secret::Redactor;
use sluice_engine::service::resolve::Purpose;

use super::input::hide;
use super::tried::{CheckView, PhaseView, tried};
use super::view::find;
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::record::record;

/// Try a connection
///
/// A worker connects as a run would, for at most a minute. Reads no rows. With `Accept: text/event-stream` it is told as it goes: `phase`
/// with what the worker is at, `step` with each step, and at the end `end` with all of them, or `problem`. Who stops listening ends it.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/connections/{connection}/check", tag = "connections",
    operation_id = "check_connection", params(("tenant" = String, Path), ("connection" = String, Path)),
    responses(
        (status = 200, content((CheckView = "application/json"), (PhaseView = "text/event-stream"))),
        (status = "4XX", body = ProblemBody), (status = "5XX", body = ProblemBody)
    )
)]
pub(super) async fn check(
    State(app): State<App>,
    member: Member,
    headers: HeaderMap,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    find(&app, member.scope(), &id).await?;
    let (actor, address) = (member.caller.actor(), member.caller.address.as_deref());
    let purpose = Purpose { actor: &actor, object: "check", address, now_us: app.now_us() };
    let opened = app.resolver.source(member.scope(), &id, purpose).await;
    let opened = opened.map_err(|error| hide(error, &Redactor::default()))?;
    record(&app, &member, "connection.check", format!("connection {id}"), json!({})).await?;
    tried(&app, &headers, opened.it, opened.redactor).await
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::json;
    use sluice_core::access::Role;

    use crate::testing::{LEAKY_HOST, SECRET, Service};

    #[tokio::test]
    async fn its_steps_are_told_without_the_secrets_that_a_source_repeats() {
        let service = Service::new().await;
        service.tenant("acme").await;
        service.tenant("globex").await;
        let editor = service.token("acme", Role::Editor).await;
        let operator = service.token("acme", Role::Operator).await;
        let stranger = service.token("globex", Role::Owner).await;
        let id = service.connection("acme", &editor, "shop").await;
        let path = format!("/v1/tenants/acme/connections/{id}/check");
        let done = service.call(Method::POST, &path, Some(&operator), None).await;
        assert_eq!(done.status, StatusCode::OK, "{done:?}");
        assert_eq!((&done.body["passed"], &done.body["steps"][0]["detail"]), (&true.into(), &"as [secret]".into()));
        assert_eq!(done.body["steps"][1]["outcome"], "warned");
        let actions = service.actions("acme").await;
        assert_eq!((actions["secret.use"], actions["connection.check"]), (1, 1));
        let elsewhere = path.replace("acme", "globex");
        let other = service.call(Method::POST, &elsewhere, Some(&stranger), None).await;
        assert_eq!(other.status, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn a_failure_names_the_field_and_repeats_no_secret() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let body = |host: &str| json!({"name": "n", "connector": "demo", "config": {"host": host, "password": SECRET}});
        let ask = async |host: &str| {
            service.call(Method::POST, "/v1/tenants/acme/connections/check", Some(&editor), Some(body(host))).await
        };
        let failed = ask(LEAKY_HOST).await;
        assert_eq!(
            (failed.status, &failed.body["field"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &"/config/password".into())
        );
        assert_eq!(failed.body["detail"], "password [secret] was refused");
        let crashed = ask("crash.example.com").await;
        assert_eq!(crashed.status, StatusCode::SERVICE_UNAVAILABLE, "{crashed:?}");
        assert_eq!(ask("db.example.com").await.body["passed"], true);
        assert_eq!(service.found_in_files(SECRET), Vec::<String>::new());
    }

    #[tokio::test]
    async fn who_asks_for_events_is_told_as_it_goes() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let id = service.connection("acme", &editor, "shop").await;
        let ask = async |path: &str, body: Option<serde_json::Value>| {
            let request = Service::request(Method::POST, path, Some(&editor)).header("accept", "text/event-stream");
            let told = service.finish(request, body).await;
            assert_eq!(
                (told.status, &told.headers["content-type"]),
                (StatusCode::OK, &"text/event-stream".parse().unwrap())
            );
            told.body.as_str().unwrap().to_owned()
        };
        let told = ask(&format!("/v1/tenants/acme/connections/{id}/check"), None).await;
        let names: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
        assert_eq!(names, ["phase", "phase", "step", "step", "end"], "{told}");
        assert!(told.contains(r#"{"phase":"reaching","host":"db.example.com","port":5432}"#), "{told}");
        assert!(told.contains("as [secret]") && !told.contains(SECRET), "{told}");
        let config = json!({"host": LEAKY_HOST, "password": SECRET});
        let body = json!({"name": "n", "connector": "demo", "config": config});
        let failed = ask("/v1/tenants/acme/connections/check", Some(body)).await;
        assert!(failed.starts_with("event: problem\ndata: {\"type\":\"urn:sluice:problem:invalid\""), "{failed}");
        assert!(failed.contains("password [secret] was refused"), "{failed}");
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let config = json!({"host": "slow.example.com", "password": SECRET});
        let body = json!({"name": "n", "connector": "demo", "config": config});
        let late = service.call(Method::POST, "/v1/tenants/acme/connections/check", Some(&editor), Some(body)).await;
        assert_eq!(late.status, StatusCode::GATEWAY_TIMEOUT, "{late:?}");
    }
}
