//! `POST /v1/tenants/{tenant}/connections/{connection}/check`

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::json;
use sluice_core::pipeline::SourceSpec;
use sluice_core::plan::{CheckStep, Outcome};
use sluice_core::secret::Redactor;
use sluice_core::worker::{Event, Job};
use sluice_engine::service::resolve::Purpose;
use utoipa::ToSchema;

use super::input::hide;
use super::view::find;
use super::working::{ask, limits};
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::record::record;

/// What trying a connection came to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::v1) struct CheckView {
    /// Whether no step failed.
    passed: bool,
    /// What was tried, in that order.
    steps: Vec<StepView>,
}

/// One step of trying a connection.
#[derive(Debug, Serialize, ToSchema)]
struct StepView {
    /// What was tried.
    name: String,
    /// `passed`, `warned` (it works, but something should be known), `failed`, or `skipped` because an earlier step failed.
    #[schema(value_type = String)]
    outcome: Outcome,
    /// What was found.
    detail: String,
    /// What a person can do; empty when it passed.
    remedy: String,
}

/// Try a connection
///
/// A worker connects as a run would, for at most a minute. Reads no rows.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/connections/{connection}/check", tag = "connections",
    operation_id = "check_connection", params(("tenant" = String, Path), ("connection" = String, Path)),
    responses(
        (status = 200, body = CheckView), (status = "4XX", body = ProblemBody), (status = "5XX", body = ProblemBody)
    )
)]
pub(super) async fn check(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<CheckView>, Problem> {
    find(&app, member.scope(), &id).await?;
    let (actor, address) = (member.caller.actor(), member.caller.address.as_deref());
    let purpose = Purpose { actor: &actor, object: "check", address, now_us: app.now_us() };
    let opened = app.resolver.source(member.scope(), &id, purpose).await;
    let opened = opened.map_err(|error| hide(error, &Redactor::default()))?;
    record(&app, &member, "connection.check", format!("connection {id}"), json!({})).await?;
    Ok(Json(steps(&app, opened.it, &opened.redactor).await?))
}

/// Has a worker try a source.
pub(in crate::v1) async fn steps(app: &App, source: SourceSpec, redactor: &Redactor) -> Result<CheckView, Problem> {
    let told = ask(app, &Job::Check { source, limits: limits() }, redactor).await?;
    let steps = told.into_iter().filter_map(|event| match event {
        Event::Step(step) => Some(step),
        _ => None,
    });
    let shown = |CheckStep { name, outcome, detail, remedy }| StepView {
        name,
        outcome,
        detail: redactor.redact(&detail).into_owned(),
        remedy: redactor.redact(&remedy).into_owned(),
    };
    let steps: Vec<StepView> = steps.map(shown).collect();
    Ok(CheckView { passed: steps.iter().all(|step| step.outcome != Outcome::Failed), steps })
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
