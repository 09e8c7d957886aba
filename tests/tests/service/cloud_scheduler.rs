//! Schedules whose time Cloud Scheduler keeps.

use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};
use sluice_core::request::{Cause, RequestState};
use sluice_core::schedule::Schedule;
use sluice_store::{NewSchedule, RequestFilter, RunRequest, Scope, Timing};
use sluice_tests::cloud::{Project, SERVICE_ACCOUNT, call, fire, token};
use sluice_tests::service::{Service, Site, now_us};
use sluice_tests::warehouse;

const SCOPE: Scope<'static> = Scope { tenant: "acme" };

fn start(site: &Site, project: &Project) -> Service {
    let arguments = project.arguments();
    site.start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn scheduled(cron: &str, zone: &str) -> Timing {
    Timing { schedule: Schedule::new(cron, zone), next_due_us: None }
}

/// Gives a pipeline a schedule that has held for ten minutes, and whose last moment was a minute ago; the moment.
async fn just_due(site: &Site, pipeline: &str) -> String {
    let minute = 60_000_000;
    let moment = Timestamp::from_microsecond((now_us() / minute - 1) * minute).unwrap();
    let cron = format!("{} * * * *", moment.strftime("%-M"));
    let schedule = NewSchedule {
        pipeline: pipeline.into(),
        revision: 1,
        connection: "acme-lake".into(),
        schedule: Schedule::new(cron, "UTC"),
        next_due_us: Some(moment.as_microsecond()),
    };
    site.store().set_schedule(SCOPE, &schedule, now_us() - 10 * minute).await.unwrap();
    moment.to_string()
}

async fn runs(site: &Site, cause: Cause) -> Vec<RunRequest> {
    let all = site.store().run_requests(SCOPE, RequestFilter::default(), 100).await.unwrap();
    all.into_iter().filter(|run| run.asked.cause == cause).collect()
}

#[tokio::test]
async fn a_job_is_kept_like_its_schedule() {
    let (site, project) = (Site::on_sqlite().await, Project::new("kept"));
    site.tenant("acme").await;
    project.make("backup");
    project.make("sluice-of-somebody-else");
    let pipeline =
        site.pipeline("acme", "orders", "lake", json!({}), Some(&scheduled("30 2 * * mon-fri", "Europe/Berlin"))).await;
    let service = start(&site, &project);
    let origin = format!("http://localhost:{}", service.address.rsplit(':').next().unwrap());
    let job = project.job(&pipeline, |_| true).await;
    assert_eq!((&job["schedule"], &job["timeZone"]), (&json!("30 2 * * 1-5"), &json!("Europe/Berlin")));
    assert_eq!(job["state"], "ENABLED");
    let target = json!({"uri": format!("{origin}/v1/hooks/cloud-scheduler/acme/{pipeline}"), "httpMethod": "POST",
        "oidcToken": {"serviceAccountEmail": SERVICE_ACCOUNT, "audience": origin}});
    assert_eq!(job["httpTarget"], target);
    assert_eq!((&job["attemptDeadline"], &job["retryConfig"]["retryCount"]), (&json!("60s"), &json!(5)));
    let id = job["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();

    // Cloud Scheduler asks to slow down; then the change is made.
    project.exhaust(3);
    let schedule = NewSchedule {
        pipeline: pipeline.clone(),
        revision: 1,
        connection: "acme-lake".into(),
        schedule: Schedule::new("0 6 L * *", "UTC"),
        next_due_us: None,
    };
    site.store().set_schedule(SCOPE, &schedule, now_us()).await.unwrap();
    let job = project.job(&pipeline, |job| job["schedule"] == "0 6 28-31 * *").await;
    assert_eq!(job["timeZone"], "UTC");
    assert!(job["name"].as_str().unwrap().ends_with(&id), "a change keeps the job");

    // Somebody changes it by hand.
    let path = format!("/v1/{}", job["name"].as_str().unwrap());
    let other = json!({"schedule": "* * * * *", "httpTarget": {"uri": job["httpTarget"]["uri"]}});
    call("PATCH", &format!("{path}?updateMask=schedule,httpTarget"), Some(&other));
    call("POST", &format!("{path}:pause"), None);
    let job = project.job(&pipeline, |job| job["schedule"] == "0 6 28-31 * *" && job["state"] == "ENABLED").await;
    assert_eq!(job["httpTarget"], target);
    call("DELETE", &path, None);
    project.job(&pipeline, |_| true).await;

    site.store().drop_schedule(SCOPE, &pipeline).await.unwrap();
    project.only(&["backup", "sluice-of-somebody-else"]).await;
    service.kill();
}

#[tokio::test]
async fn a_time_runs_the_pipeline_once_however_often_it_is_told() {
    let (site, project) = (Site::on_sqlite().await, Project::new("once"));
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..10);
    let pipeline = site.pipeline("acme", "orders", "lake", json!({}), None).await;
    let moment = just_due(&site, &pipeline).await;
    let service = start(&site, &project);
    let job = project.job(&pipeline, |_| true).await;
    // The service does not keep the time itself.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(runs(&site, Cause::Scheduled).await.is_empty());
    let first = fire(&job, &moment, &json!({}));
    assert_eq!(first, (200, json!({"outcome": "decided", "queued": 1})));
    for _ in 0..3 {
        assert_eq!(fire(&job, &moment, &json!({})), (200, json!({"outcome": "known", "queued": 0})));
    }
    let run = runs(&site, Cause::Scheduled).await.remove(0);
    site.run_in("acme", &run.asked.id, RequestState::Succeeded).await;
    assert_eq!(run.asked.moment_us, Some(moment.parse::<Timestamp>().unwrap().as_microsecond()));
    assert_eq!(warehouse::integers(&site.table("acme", "orders", "t"), "id"), (0..10).collect::<Vec<_>>());
    assert_eq!(fire(&job, &moment, &json!({})).1["outcome"], "known");
    let later = Timestamp::from_microsecond(now_us() / 60_000_000 * 60_000_000).unwrap().to_string();
    assert_eq!(fire(&job, &later, &json!({})).0, 409, "no moment of the schedule");
    assert_eq!(runs(&site, Cause::Scheduled).await.len(), 1);
    service.kill();
}

#[tokio::test]
async fn a_run_that_a_person_started_does_not_swallow_the_scheduled_one() {
    let (site, project) = (Site::on_sqlite().await, Project::new("manual"));
    site.tenant("acme").await;
    for file in 0..20_i64 {
        site.put("acme", &format!("{file:03}.csv"), file * 50_000..(file + 1) * 50_000);
    }
    let pipeline = site.pipeline("acme", "big", "lake", json!({"limits": {"parallel": 1}}), None).await;
    let moment = just_due(&site, &pipeline).await;
    let service = start(&site, &project);
    let job = project.job(&pipeline, |_| true).await;
    let manual = site.ask("acme", &pipeline).await;
    site.run_in("acme", &manual, RequestState::Running).await;
    assert_eq!(fire(&job, &moment, &json!({})), (200, json!({"outcome": "decided", "queued": 1})));
    assert_eq!(site.run("acme", &manual).await.state, RequestState::Running, "it was under way");
    let run = runs(&site, Cause::Scheduled).await.remove(0);
    site.run_in("acme", &manual, RequestState::Succeeded).await;
    site.run_in("acme", &run.asked.id, RequestState::Succeeded).await;
    assert_eq!(warehouse::integers(&site.table("acme", "big", "t"), "id"), (0..1_000_000).collect::<Vec<_>>());
    service.kill();
}

#[tokio::test]
async fn whoever_forges_a_call_starts_nothing() {
    let (site, project) = (Site::on_sqlite().await, Project::new("forged"));
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..10);
    let pipeline = site.pipeline("acme", "orders", "lake", json!({}), None).await;
    let moment = just_due(&site, &pipeline).await;
    let service = start(&site, &project);
    let job = project.job(&pipeline, |_| true).await;
    let audience = job["httpTarget"]["oidcToken"]["audience"].as_str().unwrap();
    let claims = json!({"email": SERVICE_ACCOUNT, "email_verified": true, "sub": "100"});
    let good = token(audience, &claims);
    let parts: Vec<&str> = good.split('.').collect();
    let evil = URL_SAFE_NO_PAD.encode(json!({"email": SERVICE_ACCOUNT, "aud": audience}).to_string());
    let none = URL_SAFE_NO_PAD.encode(json!({"alg": "none", "typ": "JWT"}).to_string());
    let bearer = |token: &str| json!({"headers": {"Authorization": format!("Bearer {token}")}});
    let now = now_us() / 1_000_000;
    for forged in [
        bearer("x"),
        bearer(&format!("{}.{evil}.{}", parts[0], parts[2])),
        bearer(&format!("{none}.{}.", parts[1])),
        bearer(&token("https://other.example", &claims)),
        json!({"claims": {"aud": "https://other.example"}}),
        json!({"claims": {"iss": "https://accounts.google.com"}}),
        json!({"claims": {"exp": now - 60}}),
        json!({"claims": {"iat": now + 3_600}}),
        json!({"headers": {"Authorization": ""}}),
    ] {
        let (status, problem) = fire(&job, &moment, &forged);
        assert_eq!((status, &problem["type"]), (401, &Value::from("urn:sluice:problem:unauthenticated")), "{forged}");
    }
    for another in [
        json!({"claims": {"email": "other@test-project.iam.gserviceaccount.com"}}),
        json!({"claims": {"email_verified": false}}),
        json!({"headers": {"X-CloudScheduler-JobName": "nightly"}}),
    ] {
        assert_eq!(fire(&job, &moment, &another).0, 403, "{another}");
    }
    assert!(runs(&site, Cause::Scheduled).await.is_empty());
    assert_eq!(fire(&job, &moment, &bearer(&good)).0, 200, "the same with nothing forged");
    service.kill();
}

#[tokio::test]
async fn it_does_not_start_without_what_cloud_scheduler_needs() {
    let site = Site::on_sqlite().await;
    let refused = |arguments: &[&str]| {
        let output = site.command(arguments).stdout(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(refused(&["--scheduler", "cloud"]).contains("--origin"));
    let reached = ["--scheduler", "cloud", "--origin", "https://sluice.example"];
    assert!(refused(&reached).contains("--scheduler-service-account"));
    let whose = [&reached[..], &["--scheduler-service-account", SERVICE_ACCOUNT]].concat();
    assert!(refused(&whose).contains("--scheduler-project"));
}
