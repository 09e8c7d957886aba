//! Traces, as a real collector of OpenTelemetry takes them.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sluice_core::request::RequestState;
use sluice_core::schedule::Schedule;
use sluice_core::trace::Context;
use sluice_store::{RequestFilter, RunRequest, Scope, Timing};
use sluice_tests::otlp::{self, one};
use sluice_tests::service::{Service, Site, now_us};

/// A service whose spans arrive soon.
fn traced(site: &Site, endpoint: &str) -> Command {
    let mut command = site.command(&["--otlp-endpoint", endpoint]);
    command.env("OTEL_BSP_SCHEDULE_DELAY", "100").env("OTEL_SERVICE_NAME", "sluice-of-a-test");
    command
}

fn trace_of(run: &RunRequest) -> String {
    Context::parse(run.asked.traceparent.as_deref().unwrap()).unwrap().trace_id()
}

/// The name of the span that this one is a part of.
fn above<'a>(spans: &'a [Value], span: &Value) -> &'a str {
    let parent = spans.iter().find(|other| other["span"] == span["parent"]);
    parent.map_or("", |parent| parent["name"].as_str().unwrap())
}

#[tokio::test]
async fn a_scheduled_run_is_one_trace_from_its_moment_to_its_commit() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..70);
    site.put("acme", "b.csv", 70..100);
    let minutely = Timing { schedule: Schedule::new("* * * * *", "UTC"), next_due_us: Some(now_us()) };
    let pipeline = site.pipeline("acme", "orders", "lake", json!({}), Some(&minutely)).await;
    let service = Site::begin(traced(&site, &otlp::endpoint()));
    let begun = Instant::now();
    let run = loop {
        let filter = RequestFilter { pipeline: Some(&pipeline), ..RequestFilter::default() };
        let runs = site.store().run_requests(Scope { tenant: "acme" }, filter, 10).await.unwrap();
        if let Some(run) = runs.into_iter().find(|run| run.state == RequestState::Succeeded) {
            break run;
        }
        assert!(begun.elapsed() < Duration::from_secs(100));
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let spans = otlp::once(&trace_of(&run), "attempt", 1);
    // What was read is in two parts, or one: that is the connector's matter.
    for (name, parent) in [
        ("schedule", ""),
        ("queue", "schedule"),
        ("attempt", "queue"),
        ("run", "attempt"),
        ("connector", "run"),
        ("recover", "run"),
        ("plan", "run"),
        ("stream", "run"),
        ("prepare", "stream"),
        ("read", "stream"),
        ("part", "read"),
        ("stage", "part"),
        ("commit", "stream"),
        ("commit.intent", "commit"),
        ("commit.visible", "commit"),
        ("commit.state", "commit"),
    ] {
        let named: Vec<&Value> = spans.iter().filter(|span| span["name"] == name).collect();
        assert!(!named.is_empty(), "{name} is not in {spans:#?}");
        for span in named {
            assert_eq!(above(&spans, span), parent, "{span:#?}");
            assert!(span["begun_us"].as_u64() <= span["ended_us"].as_u64(), "{span:#?}");
            assert_eq!((&span["status"], &span["events"]), (&"STATUS_CODE_UNSET".into(), &json!([])), "{span:#?}");
            assert_eq!(span["resource"]["service.name"], "sluice-of-a-test");
        }
    }
    let (schedule, queue, attempt) = (one(&spans, "schedule"), one(&spans, "queue"), one(&spans, "attempt"));
    assert_eq!(schedule["parent"], "");
    assert_eq!(schedule["begun_us"].as_i64(), run.asked.moment_us);
    assert_eq!((queue["ended_us"].as_i64(), attempt["begun_us"].as_i64()), (run.started_us, run.started_us));
    assert_eq!((&schedule["kind"], &attempt["kind"]), (&"SPAN_KIND_PRODUCER".into(), &"SPAN_KIND_CONSUMER".into()));
    for span in [schedule, attempt] {
        assert_eq!(span["attributes"]["sluice.run.id"], run.asked.id);
        assert_eq!(span["attributes"]["sluice.pipeline.id"], pipeline);
    }
    assert_eq!(attempt["attributes"]["sluice.run.cause"], "scheduled");
    assert_eq!(attempt["attributes"]["sluice.attempt.outcome"], "succeeded");
    let stream = &one(&spans, "stream")["attributes"];
    assert_eq!((&stream["sluice.stream"], &stream["sluice.rows.committed"]), (&"t".into(), &100.into()));
    assert_eq!(one(&spans, "commit.visible")["attributes"]["sluice.rows"], 100);
    let parts = spans.iter().filter(|span| span["name"] == "part");
    assert_eq!(parts.map(|part| part["attributes"]["sluice.rows"].as_i64().unwrap()).sum::<i64>(), 100);
    assert!(service.metrics()["sluice_spans_total{outcome=\"exported\"}"] >= spans.len() as f64);
    service.kill();
}

#[tokio::test]
async fn a_run_that_is_asked_for_joins_its_callers_trace_and_all_its_attempts_do() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..10);
    let pipeline = site.pipeline("acme", "orders", "lake", json!({}), None).await;
    let token = site.token("acme").await;
    let mut command = traced(&site, &otlp::endpoint());
    // Every worker dies between the sink's commit and the state's.
    command.env("SLUICE_KILL_AT", "commit.visible");
    let service = Site::begin(command);
    let trace = format!("{:032x}", u128::from(now_us().unsigned_abs()) << 32 | u128::from(std::process::id()));
    let (bearer, parent) = (format!("Bearer {token}"), format!("00-{trace}-00000000000000aa-01"));
    let headers = [("Authorization", bearer.as_str()), ("traceparent", parent.as_str())];
    let path = format!("/tenants/acme/pipelines/{pipeline}/runs");
    let (status, made) = service.ask_with("POST", &path, &headers, Some(&json!({})));
    assert_eq!(status, 201, "{made}");
    let run = made["id"].as_str().unwrap();
    site.run_in("acme", run, RequestState::Failed).await;
    let spans = otlp::once(&trace, "attempt", 3);
    let request = one(&spans, "POST /v1/tenants/{tenant}/pipelines/{pipeline}/runs");
    assert_eq!((&request["parent"], &request["kind"]), (&"00000000000000aa".into(), &"SPAN_KIND_SERVER".into()));
    assert_eq!(request["attributes"]["http.response.status_code"], 201);
    let attempts: Vec<&Value> = spans.iter().filter(|span| span["name"] == "attempt").collect();
    let outcomes: Vec<&str> =
        attempts.iter().map(|span| span["attributes"]["sluice.attempt.outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["retried", "retried", "failed"]);
    for attempt in &attempts {
        assert_eq!(attempt["attributes"]["error.type"], "transient", "{attempt}");
        assert_eq!(attempt["status"], "STATUS_CODE_ERROR");
        assert!(attempt["message"].as_str().unwrap().contains("ended before its job"), "{attempt}");
        assert_eq!(above(&spans, attempt), "queue");
    }
    let queues: Vec<&Value> = spans.iter().filter(|span| span["name"] == "queue").collect();
    assert!(queues.len() == 3 && queues.iter().all(|queue| queue["parent"] == request["span"]), "{queues:#?}");
    // What a worker told before it died is there, what it was doing is not.
    assert!(spans.iter().any(|span| span["name"] == "commit.intent"));
    assert!(!spans.iter().any(|span| span["name"] == "commit"), "{spans:#?}");

    let (_, log) = service.stop();
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let ended: Vec<&Value> = lines.iter().filter(|line| line["fields"]["message"] == "an attempt ended").collect();
    assert_eq!(ended.len(), 3, "{log}");
    for line in &ended {
        assert_eq!((&line["span"]["trace_id"], &line["span"]["run"]), (&trace.as_str().into(), &run.into()), "{line}");
    }
}

#[tokio::test]
async fn a_collector_that_is_gone_neither_slows_a_run_nor_fails_it() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..10);
    let pipeline = site.pipeline("acme", "orders", "lake", json!({}), None).await;
    // One that takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    for endpoint in ["http://127.0.0.1:1", &silent] {
        let service = Site::begin(traced(&site, endpoint));
        let run = site.ask("acme", &pipeline).await;
        let run = site.run_in("acme", &run, RequestState::Succeeded).await;
        assert!(run.ended_us.unwrap() - run.queued_us < 20_000_000, "{run:?}");
        if endpoint != silent {
            failed(&service);
        }
        let begun = Instant::now();
        let (status, log) = service.stop();
        assert!(status.success() && begun.elapsed() < Duration::from_secs(10), "{:?} {log}", begun.elapsed());
        let told = log.matches("the collector takes no spans").count();
        assert!(told == 1 || endpoint == silent && told < 2, "it is said once: {log}");
    }
}

fn failed(service: &Service) {
    let begun = Instant::now();
    while service.metrics()["sluice_spans_total{outcome=\"failed\"}"] < 3.0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{:#?}", service.metrics());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[tokio::test]
async fn nothing_is_traced_where_nobody_follows_and_the_sampler_is_heard() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..10);
    let pipeline = site.pipeline("acme", "orders", "lake", json!({}), None).await;
    let token = site.token("acme").await;
    let path = format!("/tenants/acme/pipelines/{pipeline}/runs");
    let ask = async |service: &Service| {
        let (status, made) = service.ask("POST", &path, &token, Some(&json!({})));
        assert_eq!(status, 201, "{made}");
        site.run_in("acme", made["id"].as_str().unwrap(), RequestState::Succeeded).await
    };
    let service = site.start(&[]);
    assert_eq!(ask(&service).await.asked.traceparent, None);
    assert!(!service.metrics().keys().any(|series| series.starts_with("sluice_spans")));
    service.kill();

    let mut command = traced(&site, &otlp::endpoint());
    command.env("OTEL_TRACES_SAMPLER", "always_off");
    let service = Site::begin(command);
    let run = ask(&service).await;
    assert!(run.asked.traceparent.as_deref().is_some_and(|context| context.ends_with("-00")), "{run:?}");
    assert_eq!(service.metrics()["sluice_spans_total{outcome=\"ended\"}"], 0.0);
    service.stop();
    assert_eq!(otlp::spans(&trace_of(&run)), Vec::<Value>::new());

    let mut command = traced(&site, &otlp::endpoint());
    let refused = command.env("OTEL_TRACES_SAMPLER", "sometimes").output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", String::from_utf8_lossy(&refused.stderr));
}
