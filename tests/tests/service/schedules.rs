//! Runs that a schedule asks for.

use std::time::Duration;

use serde_json::json;
use sluice_core::request::{Cause, RequestState};
use sluice_core::schedule::Schedule;
use sluice_store::{RequestFilter, Scope, Timing};
use sluice_tests::service::{Site, now_us};
use sluice_tests::warehouse;

/// A schedule of every minute whose last moment was just now, and is not decided yet.
fn due(seconds_ago: i64) -> Timing {
    Timing { schedule: Schedule::new("* * * * *", "UTC"), next_due_us: Some(now_us() - seconds_ago * 1_000_000) }
}

#[tokio::test]
async fn each_moment_gets_one_run_however_many_hosts_look() {
    let site = Site::on_postgres().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..10);
    let mut pipelines = Vec::new();
    for number in 0..10 {
        pipelines.push(site.pipeline("acme", &format!("p{number}"), "lake", json!({}), Some(&due(0))).await);
    }
    let hosts = [site.start(&["--slots", "2"]), site.start(&["--slots", "2"]), site.start(&["--slots", "2"])];
    // The next full minute, and what it takes to run ten small pipelines.
    let minute = 60_000_000;
    let next = (now_us() / minute + 1) * minute;
    let scope = Scope { tenant: "acme" };
    let begun = std::time::Instant::now();
    loop {
        let filter = RequestFilter { state: Some(RequestState::Succeeded), ..RequestFilter::default() };
        let done = site.store().run_requests(scope, filter, 100).await.unwrap();
        let of_next = done.iter().filter(|run| run.asked.moment_us == Some(next)).count();
        if of_next == pipelines.len() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(150), "{done:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for pipeline in &pipelines {
        let filter = RequestFilter { pipeline: Some(pipeline), ..RequestFilter::default() };
        let runs = site.store().run_requests(scope, filter, 100).await.unwrap();
        let runs: Vec<_> = runs.iter().filter(|run| run.asked.moment_us == Some(next)).collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        assert_eq!((runs[0].asked.cause, runs[0].attempts), (Cause::Scheduled, 1));
        let name = pipeline.trim_start_matches("acme-");
        assert_eq!(warehouse::integers(&site.table("acme", name, "t"), "id"), (0..10).collect::<Vec<_>>());
    }
    hosts.into_iter().for_each(|host| drop(host.kill()));
}

#[tokio::test]
async fn among_a_thousand_schedules_a_moment_starts_its_run_within_a_second() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..10);
    // All but one are due in an hour.
    let later = Timing { schedule: Schedule::new("0 0 1 1 *", "UTC"), next_due_us: Some(now_us() + 3_600_000_000) };
    for number in 0..999 {
        site.pipeline("acme", &format!("idle{number}"), "lake", json!({}), Some(&later)).await;
    }
    let pipeline = site.pipeline("acme", "soon", "lake", json!({}), Some(&due(0))).await;
    let service = site.start(&[]);
    let scope = Scope { tenant: "acme" };
    let begun = std::time::Instant::now();
    let run = loop {
        let filter = RequestFilter { pipeline: Some(&pipeline), ..RequestFilter::default() };
        let runs = site.store().run_requests(scope, filter, 10).await.unwrap();
        // The first moment after the service was there.
        if let Some(run) = runs.into_iter().find(|run| run.state == RequestState::Succeeded) {
            break run;
        }
        assert!(begun.elapsed() < Duration::from_secs(100));
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let delay = run.started_us.unwrap() - run.asked.moment_us.unwrap();
    assert!((0..1_000_000).contains(&delay), "{delay} µs");
    service.kill();
}
