//! Runs that somebody asks for.

use std::time::Duration;

use serde_json::json;
use sluice_core::request::RequestState;
use sluice_core::trace::Context;
use sluice_store::{Plain, Scope, SecretChange, SecretValue};
use sluice_tests::service::Site;
use sluice_tests::{env, otlp, warehouse};

#[tokio::test]
async fn a_run_is_carried_out_in_a_process_of_its_own_and_recorded() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..100);
    let pipeline = site.pipeline("acme", "orders", "lake", json!({}), None).await;
    let service = site.start(&[]);
    let run = site.ask("acme", &pipeline).await;
    let run = site.run_in("acme", &run, RequestState::Succeeded).await;
    assert_eq!((run.attempts, run.error.is_none(), run.ended_us.is_some()), (1, true, true));
    assert_eq!(warehouse::integers(&site.table("acme", "orders", "t"), "id"), (0..100).collect::<Vec<_>>());
    let scope = Scope { tenant: "acme" };
    let attempts = site.store().attempts_of(scope, &run.asked.id).await.unwrap();
    assert_eq!(attempts.len(), 1);
    let counts = &attempts[0].streams[0].counts;
    assert_eq!((counts.read, counts.committed, counts.reconciled()), (100, 100, true));
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
}

/// Rows whose load is still under way when a test has seen that it is: some seconds, on a quick machine as well.
const MANY: i64 = 6_000_000;

fn put_many(site: &Site) {
    const FILE: i64 = 50_000;
    for file in 0..MANY / FILE {
        site.put("acme", &format!("{file:03}.csv"), file * FILE..(file + 1) * FILE);
    }
}

#[tokio::test]
async fn runs_let_the_service_go_first() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    put_many(&site);
    let pipeline = site.pipeline("acme", "orders", "lake", json!({}), None).await;
    let service = site.start(&[]);
    let run = site.ask("acme", &pipeline).await;
    site.run_in("acme", &run, RequestState::Running).await;
    let begun = std::time::Instant::now();
    // It steps back when it begins.
    while service.workers() != [10] {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", service.workers());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    service.kill();
}

#[tokio::test]
async fn what_fails_is_tried_again_as_its_policy_says_and_then_it_has_failed() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..1);
    // Nobody listens there, which may pass.
    let (config, grants) =
        (json!({"host": "127.0.0.1", "port": 1, "database": "x", "user": "x"}), json!({"private_network": true}));
    site.connection("acme", "away", "postgres", config, grants, &[]).await;
    let pipeline = site.pipeline("acme", "away", "away", json!({"streams": [{"id": "public.t"}]}), None).await;
    let wrong = site.pipeline("acme", "wrong", "lake", json!({"streams": [{"id": "none"}]}), None).await;
    let service = site.start(&[]);
    let (run, other) = (site.ask("acme", &pipeline).await, site.ask("acme", &wrong).await);
    let run = site.run_in("acme", &run, RequestState::Failed).await;
    let error = run.error.unwrap();
    assert_eq!(run.attempts, 3, "{error:?}");
    assert!(error.message.contains("127.0.0.1"), "{error:?}");
    // What cannot get better by itself is not tried again.
    assert_eq!(site.run_in("acme", &other, RequestState::Failed).await.attempts, 1);
    service.kill();
}

#[tokio::test]
async fn a_cancelled_run_ends_and_the_next_one_goes_on() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    put_many(&site);
    let pipeline = site.pipeline("acme", "big", "lake", json!({"limits": {"parallel": 1}}), None).await;
    let service = site.start(&[]);
    let run = site.ask("acme", &pipeline).await;
    site.run_in("acme", &run, RequestState::Running).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let scope = Scope { tenant: "acme" };
    assert!(site.store().cancel_run(scope, &run, "a person asked", sluice_tests::service::now_us()).await.unwrap());
    let cancelled = site.run_in("acme", &run, RequestState::Cancelled).await;
    assert_eq!(cancelled.reason.as_deref(), Some("a person asked"));
    let next = site.ask("acme", &pipeline).await;
    site.run_in("acme", &next, RequestState::Succeeded).await;
    assert_eq!(warehouse::integers(&site.table("acme", "big", "t"), "id"), (0..MANY).collect::<Vec<_>>());
    service.kill();
}

#[tokio::test]
async fn a_service_that_is_stopped_puts_its_runs_back_and_the_next_one_ends_them() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    put_many(&site);
    let pipeline = site.pipeline("acme", "big", "lake", json!({"limits": {"parallel": 1}}), None).await;
    let service = site.start(&[]);
    let run = site.ask("acme", &pipeline).await;
    site.run_in("acme", &run, RequestState::Running).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
    assert_eq!(site.run("acme", &run).await.state, RequestState::Queued, "{log}");
    let service = site.start(&[]);
    site.run_in("acme", &run, RequestState::Succeeded).await;
    assert_eq!(warehouse::integers(&site.table("acme", "big", "t"), "id"), (0..MANY).collect::<Vec<_>>());
    service.kill();
}

#[tokio::test]
async fn the_log_and_the_trace_of_a_run_are_kept_without_secrets() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..10);
    let orders = site.pipeline("acme", "orders", "lake", json!({}), None).await;
    // The source tells the user's name in its error; as a secret it must not be repeated.
    let config = json!({"host": env("SLUICE_TEST_POSTGRES_HOST"), "port": env("SLUICE_TEST_POSTGRES_PORT").parse::<u16>().unwrap(),
        "database": env("SLUICE_TEST_POSTGRES_DATABASE"), "tls": "disable"});
    let secret = |field: &str, value: &str| SecretChange {
        field: field.into(),
        value: SecretValue::Set(Plain::new(serde_json::to_vec(value).unwrap())),
    };
    let secrets = [secret("/user", "whispered-name"), secret("/password", "whispered-word")];
    site.connection("acme", "db", "postgres", config, json!({"private_network": true}), &secrets).await;
    let closed = site.pipeline("acme", "closed", "db", json!({"streams": [{"id": "public.t"}]}), None).await;
    let service = site.start(&["--otlp-endpoint", &otlp::endpoint()]);
    let run = site.ask("acme", &orders).await;
    site.run_in("acme", &run, RequestState::Succeeded).await;
    let scope = Scope { tenant: "acme" };
    let log = site.store().run_log(scope, &run, (0, 0), 100).await.unwrap();
    let told = "the stream is committed stream=t table=t rows.committed=10";
    assert!(log.iter().any(|line| line.level == "info" && line.message.starts_with(told)), "{log:?}");

    let token = site.token("acme").await;
    let path = format!("/tenants/acme/pipelines/{closed}/runs");
    let (status, made) = service.ask("POST", &path, &token, Some(&json!({})));
    assert_eq!(status, 201, "{made}");
    let run = made["id"].as_str().unwrap();
    let failed = site.run_in("acme", run, RequestState::Failed).await;
    let log = site.store().run_log(scope, run, (0, 0), 100).await.unwrap();
    let told = service.metrics();
    let said = service.stop().1;
    let trace = Context::parse(failed.asked.traceparent.as_deref().unwrap()).unwrap().trace_id();
    let spans = format!("{:?}", otlp::once(&trace, "attempt", 1));
    assert!(spans.contains("[secret]") && spans.contains("plan"), "{spans}");
    let everything = format!("{failed:?} {log:?} {said} {spans} {told:?}");
    assert!(everything.contains("[secret]"), "{everything}");
    assert!(!everything.contains("whispered"), "{everything}");
}

#[tokio::test]
async fn a_second_service_on_the_same_state_file_is_refused() {
    let site = Site::on_sqlite().await;
    let service = site.start(&[]);
    let refused = site.command(&[]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", String::from_utf8_lossy(&refused.stderr));
    service.kill();
}
