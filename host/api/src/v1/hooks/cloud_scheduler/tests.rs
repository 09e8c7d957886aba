use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use sluice_core::access::Role;
use sluice_core::request::Cause;
use sluice_core::schedule::{CloudJobs, Schedule};
use sluice_engine::service::cloud::JobStates;
use sluice_store::{NewConnection, NewPipeline, NewRequest, PipelineChange, RequestFilter, RunRequest, Scope, Timing};

use super::CloudHook;
use crate::auth::identity::Issuer;
use crate::auth::identity::testing::{ISSUER, Published, TestKey};
use crate::testing::{Answer, START_US, Service};

const EMAIL: &str = "knocks@p.iam.gserviceaccount.com";
const AUDIENCE: &str = "https://sluice.example";
const SCOPE: Scope<'static> = Scope { tenant: "acme" };

/// 2026-09-21T14:10:00Z is a little before the tests' clock, and a moment of every tenth minute.
const MOMENT: &str = "2026-09-21T14:10:00Z";

fn jobs() -> CloudJobs {
    CloudJobs {
        prefix: "sluice-t".into(),
        origin: AUDIENCE.into(),
        service_account: EMAIL.into(),
        audience: AUDIENCE.into(),
    }
}

/// A service that Cloud Scheduler wakes, with a pipeline whose schedule holds since `since` seconds ago.
async fn service(cron: &str, since: i64) -> Service {
    let published = Published::of(vec![TestKey::one().published("one")]);
    let hook = CloudHook {
        issuer: Issuer::new(ISSUER, published).unwrap(),
        jobs: jobs(),
        parent: "projects/p/locations/l".into(),
        states: JobStates::default(),
    };
    let service = Service::with(|parts| parts.cloud = Some(Arc::new(hook))).await;
    service.tenant("acme").await;
    let store = &service.app.store;
    let connection = NewConnection {
        id: "lake".into(),
        name: "lake".into(),
        connector: "files".into(),
        config: json!({}),
        grants: json!({}),
    };
    store.create_connection(SCOPE, &service.app.resolver.vault, &connection, &[], "test", START_US).await.unwrap();
    let first =
        PipelineChange { name: "orders".into(), connection: "lake".into(), definition: json!({}), enabled: true };
    let timing = Timing { schedule: Schedule::new(cron, "UTC"), next_due_us: Some(START_US) };
    let new = NewPipeline { id: "orders".into(), first };
    let made = START_US - since * 1_000_000;
    store.create_pipeline(SCOPE, &new, Some(&timing), "test", made).await.unwrap();
    service
}

fn token(change: &Value) -> String {
    let now = START_US / 1_000_000;
    let mut claims = json!({"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 3_600, "sub": "100",
        "email": EMAIL, "email_verified": true});
    change.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
    TestKey::one().sign(&json!({"alg": "RS256", "kid": "one"}), &claims)
}

async fn call(service: &Service, token: Option<&str>, job: &str, moment: Option<&str>) -> Answer {
    let mut request = Request::post("/v1/hooks/cloud-scheduler/acme/orders").header("X-CloudScheduler-JobName", job);
    if let Some(token) = token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    if let Some(moment) = moment {
        request = request.header("X-CloudScheduler-ScheduleTime", moment);
    }
    service.send(request.body(Body::empty()).unwrap()).await
}

async fn knock(service: &Service, moment: &str) -> Answer {
    call(service, Some(&token(&json!({}))), &jobs().id("acme", "orders"), Some(moment)).await
}

async fn runs(service: &Service) -> Vec<RunRequest> {
    service.app.store.run_requests(SCOPE, RequestFilter::default(), 100).await.unwrap()
}

#[tokio::test]
async fn a_moment_gets_one_run_however_often_it_is_told() {
    let service = service("*/10 * * * *", 600).await;
    let first = knock(&service, MOMENT).await;
    assert_eq!((first.status, first.body), (StatusCode::OK, json!({"outcome": "decided", "queued": 1})));
    for _ in 0..2 {
        // With an offset, as Cloud Scheduler writes times.
        let again = knock(&service, "2026-09-21T16:10:00+02:00").await;
        assert_eq!((again.status, again.body), (StatusCode::OK, json!({"outcome": "known", "queued": 0})));
    }
    let runs = runs(&service).await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!(runs[0].asked.cause, Cause::Scheduled);
    assert_eq!(runs[0].asked.moment_us, Some(MOMENT.parse::<jiff::Timestamp>().unwrap().as_microsecond()));
    assert_eq!(runs[0].asked.snapshot_date.as_deref(), Some("2026-09-21"));
}

#[tokio::test]
async fn a_run_that_a_person_started_swallows_nothing() {
    let service = service("*/10 * * * *", 600).await;
    let manual = NewRequest {
        id: "manual".into(),
        pipeline: "orders".into(),
        revision: 1,
        connection: "lake".into(),
        cause: Cause::Manual,
        moment_us: None,
        snapshot_date: None,
        requested_by: "user x".into(),
        priority: 0,
        not_before_us: 0,
        traceparent: None,
    };
    service.app.store.ask_for_run(SCOPE, &manual, START_US).await.unwrap();
    assert_eq!(knock(&service, MOMENT).await.body["queued"], 1);
    assert_eq!(runs(&service).await.len(), 2);
    // An unfinished scheduled run does: that is what the schedule says.
    service.pass(600);
    let next = knock(&service, "2026-09-21T14:20:00Z").await;
    assert_eq!(next.body, json!({"outcome": "decided", "queued": 0}));
}

#[tokio::test]
async fn times_that_the_schedule_does_not_have_start_nothing() {
    let service = service("*/10 * * * *", 600).await;
    assert_eq!(knock(&service, MOMENT).await.status, StatusCode::OK);
    let before = runs(&service).await.len();
    let not_yet = knock(&service, "2026-09-21T15:00:00Z").await;
    assert_eq!(not_yet.status, StatusCode::CONFLICT, "{not_yet:?}");
    service.pass(60);
    let never = knock(&service, "2026-09-21T14:11:00Z").await;
    assert_eq!(never.status, StatusCode::CONFLICT, "{never:?}");
    for wrong in ["yesterday", "", "2026-09-21"] {
        let wrong = knock(&service, wrong).await;
        assert_eq!(
            (wrong.status, &wrong.body["field"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &"X-CloudScheduler-ScheduleTime".into())
        );
    }
    let by_hand = call(&service, Some(&token(&json!({}))), &jobs().id("acme", "orders"), None).await;
    assert_eq!(by_hand.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(runs(&service).await.len(), before);
}

#[tokio::test]
async fn a_job_that_calls_more_often_than_its_schedule_is_no_mistake() {
    let service = service("10 14 L * *", 600).await;
    let called = knock(&service, MOMENT).await;
    assert_eq!((called.status, called.body), (StatusCode::OK, json!({"outcome": "no-moment", "queued": 0})));
    assert!(runs(&service).await.is_empty());
}

#[tokio::test]
async fn whoever_proves_too_little_starts_nothing() {
    let service = service("*/10 * * * *", 600).await;
    let job = jobs().id("acme", "orders");
    let forged = TestKey::two().sign(&json!({"alg": "RS256", "kid": "one"}), &json!({"email": EMAIL}));
    let old = token(&json!({"exp": START_US / 1_000_000 - 60}));
    let elsewhere = token(&json!({"aud": "https://other.example"}));
    for token in [None, Some("x"), Some(forged.as_str()), Some(old.as_str()), Some(elsewhere.as_str())] {
        let refused = call(&service, token, &job, Some(MOMENT)).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{token:?}");
        assert!(!refused.body.to_string().contains("audience"), "{refused:?}");
    }
    for change in [json!({"email": "other@p.iam.gserviceaccount.com"}), json!({"email_verified": false})] {
        assert_eq!(
            call(&service, Some(&token(&change)), &job, Some(MOMENT)).await.status,
            StatusCode::FORBIDDEN,
            "{change}"
        );
    }
    for other in ["", "nightly", jobs().id("acme", "other").as_str(), &format!("projects/q/locations/l/jobs/{job}")] {
        let refused = call(&service, Some(&token(&json!({}))), other, Some(MOMENT)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{other}");
    }
    assert!(runs(&service).await.is_empty());
    let whole = format!("projects/p/locations/l/jobs/{job}");
    assert_eq!(call(&service, Some(&token(&json!({}))), &whole, Some(MOMENT)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_service_that_keeps_the_time_itself_has_no_hook() {
    let service = Service::new().await;
    assert_eq!(call(&service, Some(&token(&json!({}))), "x", Some(MOMENT)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_member_sees_the_job_of_a_pipeline_and_nobody_else_does() {
    let service = service("0 3 L * *", 600).await;
    service.tenant("globex").await;
    let (viewer, stranger) = (service.token("acme", Role::Viewer).await, service.token("globex", Role::Owner).await);
    let ask = async |path: &str, token: &str| service.call(Method::GET, path, Some(token), None).await;
    let path = "/v1/tenants/acme/pipelines/orders/cloud-job";
    let seen = ask(path, &viewer).await;
    let job = jobs().id("acme", "orders");
    let expected = json!({"name": format!("projects/p/locations/l/jobs/{job}"), "cron": "0 3 28-31 * *", "time_zone": "UTC",
        "exact": false, "state": "pending", "checked_at": null, "problem": null});
    assert_eq!((seen.status, seen.body), (StatusCode::OK, expected));
    assert_eq!(ask(path, &stranger).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ask("/v1/tenants/globex/pipelines/orders/cloud-job", &stranger).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ask("/v1/tenants/acme/pipelines/none/cloud-job", &viewer).await.status, StatusCode::NOT_FOUND);
}
