//! What Prometheus reads of the service.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;
use sluice_core::request::RequestState;
use sluice_core::schedule::Schedule;
use sluice_store::{Scope, Timing};
use sluice_tests::service::{Service, Site, now_us};

/// The series as soon as one of them has a value.
fn once(service: &Service, series: &str, value: f64) -> BTreeMap<String, f64> {
    let begun = Instant::now();
    loop {
        let metrics = service.metrics();
        if metrics.get(series) == Some(&value) {
            return metrics;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{series} is not {value} in {metrics:#?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[tokio::test]
async fn runs_rows_and_failures_are_counted_and_nothing_tells_whose_they_are() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.tenant("globex").await;
    site.put("acme", "a.csv", 0..100);
    site.put("globex", "a.csv", 0..11);
    let (config, grants) =
        (json!({"host": "127.0.0.1", "port": 1, "database": "x", "user": "x"}), json!({"private_network": true}));
    site.connection("acme", "away", "postgres", config, grants, &[]).await;
    let orders = site.pipeline("acme", "orders", "lake", json!({}), None).await;
    let others = site.pipeline("globex", "orders", "lake", json!({}), None).await;
    let away = site.pipeline("acme", "away", "away", json!({"streams": [{"id": "public.t"}]}), None).await;
    let wrong = site.pipeline("acme", "wrong", "lake", json!({"streams": [{"id": "none"}]}), None).await;
    let service = site.start(&["--slots", "3"]);
    let fresh = service.metrics();
    assert_eq!(fresh["sluice_runs_ended_total{state=\"succeeded\",cause=\"manual\"}"], 0.0, "before the first run");
    assert_eq!((fresh["sluice_store_up"], fresh["sluice_host_slots"]), (1.0, 3.0));

    let mut runs = vec![(RequestState::Succeeded, "acme", site.ask("acme", &orders).await)];
    runs.push((RequestState::Succeeded, "globex", site.ask("globex", &others).await));
    runs.push((RequestState::Failed, "acme", site.ask("acme", &away).await));
    runs.push((RequestState::Failed, "acme", site.ask("acme", &wrong).await));
    for (state, tenant, run) in &runs {
        site.run_in(tenant, run, *state).await;
    }
    // Counted after it is recorded.
    let metrics = once(&service, "sluice_rows_total{outcome=\"committed\"}", 111.0);
    let metrics = if metrics["sluice_attempts_total{outcome=\"failed\"}"] == 2.0 {
        metrics
    } else {
        once(&service, "sluice_attempts_total{outcome=\"failed\"}", 2.0)
    };
    for (series, value) in [
        ("sluice_runs_ended_total{state=\"succeeded\",cause=\"manual\"}", 2.0),
        ("sluice_runs_ended_total{state=\"failed\",cause=\"manual\"}", 2.0),
        ("sluice_runs_ended_total{state=\"succeeded\",cause=\"scheduled\"}", 0.0),
        ("sluice_attempts_total{outcome=\"succeeded\"}", 2.0),
        ("sluice_attempts_total{outcome=\"retried\"}", 2.0),
        ("sluice_attempt_failures_total{kind=\"transient\",actor=\"source\"}", 3.0),
        ("sluice_run_duration_seconds_count{state=\"failed\"}", 2.0),
        ("sluice_run_duration_seconds_bucket{state=\"succeeded\",le=\"+Inf\"}", 2.0),
        ("sluice_run_start_delay_seconds_count{cause=\"manual\"}", 4.0),
        ("sluice_queue_wait_seconds_count", 6.0),
        ("sluice_workers_started_total", 6.0),
        ("sluice_worker_crashes_total", 0.0),
        ("sluice_store_errors_total{operation=\"transaction\"}", 0.0),
    ] {
        assert_eq!(metrics.get(series), Some(&value), "{series} in {metrics:#?}");
    }
    // Two attempts waited for a second before they could start; that is no wait in the queue.
    assert!(metrics["sluice_queue_wait_seconds_sum"] < 20.0, "{metrics:#?}");
    assert!(metrics["sluice_committed_bytes_total"] >= 111.0 * 8.0, "{metrics:#?}");
    assert!(metrics["sluice_store_operation_duration_seconds_count{operation=\"transaction\"}"] > 10.0);
    assert!(metrics["process_resident_memory_bytes"] > 1e6 && metrics["process_start_time_seconds"] > 1.7e9);
    let text = format!("{metrics:?}");
    let ids = [&orders, &others, &away].into_iter().chain(runs.iter().map(|(_, _, run)| run));
    for of_tenants in ids.map(String::as_str).chain(["acme", "globex", "orders", "lake"]) {
        assert!(!text.contains(of_tenants), "{of_tenants} is in {text}");
    }
    service.kill();
}

#[tokio::test]
async fn waiting_runs_and_late_schedules_are_seen_and_a_crashed_worker_too() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..10);
    let due = Timing { schedule: Schedule::new("0 0 1 1 *", "UTC"), next_due_us: Some(now_us() - 5_000_000) };
    let orders = site.pipeline("acme", "orders", "lake", json!({}), None).await;
    // Nothing starts where there is no slot.
    let idle = site.start(&["--slots", "0"]);
    site.ask("acme", &orders).await;
    let waiting = once(&idle, "sluice_runs{state=\"ready\"}", 1.0);
    assert_eq!((waiting["sluice_runs{state=\"running\"}"], waiting["sluice_runs{state=\"later\"}"]), (0.0, 0.0));
    let later = once(&idle, "sluice_runs{state=\"ready\"}", 1.0)["sluice_queue_oldest_seconds"];
    assert!((0.0..60.0).contains(&later), "{later}");
    idle.kill();

    // Killed between the sink's commit and the state's: the run is tried again.
    let mut command = site.command(&[]);
    command.env("SLUICE_KILL_AT", "commit.visible");
    let service = Site::begin(command);
    let crashed = {
        let begun = Instant::now();
        loop {
            let metrics = service.metrics();
            if metrics["sluice_worker_crashes_total"] >= 1.0
                && metrics["sluice_attempts_total{outcome=\"retried\"}"] >= 1.0
            {
                break metrics;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{metrics:#?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    assert_eq!(crashed["sluice_attempt_failures_total{kind=\"transient\",actor=\"host\"}"], 1.0, "{crashed:#?}");
    service.kill();

    // The moment is decided about as soon as somebody looks.
    let scope = Scope { tenant: "acme" };
    let nightly = site.pipeline("acme", "nightly", "lake", json!({}), Some(&due)).await;
    let service = site.start(&[]);
    let begun = Instant::now();
    while site.store().schedule(scope, &nightly).await.unwrap().unwrap().scheduled.next_due_us < Some(now_us()) {
        assert!(begun.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    once(&service, "sluice_scheduler_lag_seconds", 0.0);
    service.kill();
}
