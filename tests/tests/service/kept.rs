//! What is older than the operator keeps is forgotten while the service runs.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sluice_core::request::Cause;
use sluice_store::{AuditEntry, NewRequest, RequestFilter, Scope};
use sluice_tests::service::{Site, now_us};

const ACME: Scope<'static> = Scope { tenant: "acme" };

const DAY_US: i64 = 24 * 3_600 * 1_000_000;

async fn forgotten(site: Site) {
    site.tenant("acme").await;
    let token = site.token("acme").await;
    let pipeline = site.pipeline("acme", "orders", "lake", json!({}), None).await;
    let (store, long_ago) = (site.store(), now_us() - 10 * DAY_US);
    for number in 0..130_i64 {
        let new = NewRequest {
            id: format!("{number:06}"),
            pipeline: pipeline.clone(),
            revision: 1,
            connection: "acme-lake".into(),
            cause: Cause::Manual,
            moment_us: None,
            snapshot_date: None,
            requested_by: "user test".into(),
            priority: 0,
            not_before_us: 0,
            traceparent: None,
        };
        store.ask_for_run(ACME, &new, long_ago + number).await.unwrap();
        store.cancel_run(ACME, &new.id, "test", long_ago + number).await.unwrap();
    }
    let entry = |object: &str| AuditEntry {
        actor: "host".into(),
        action: "secret.use".into(),
        object: object.into(),
        address: None,
        detail: json!({}),
    };
    store.audit(ACME, &entry("connection old"), long_ago).await.unwrap();
    store.audit(ACME, &entry("connection new"), now_us()).await.unwrap();
    let service = site.start(&["--keep-runs", "5", "--keep-audit", "5"]);
    let begun = Instant::now();
    while store.run_requests(ACME, RequestFilter::default(), 1_000).await.unwrap().len() != 100
        || store.audit_after(ACME, 0, 9).await.unwrap()[0].seq != 2
    {
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", store.audit_after(ACME, 0, 9).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (status, log) = service.ask("GET", "/tenants/acme/audit", &token, None);
    assert_eq!(status, 200);
    let items: Vec<(&Value, &Value)> =
        log["items"].as_array().unwrap().iter().map(|one| (&one["seq"], &one["action"])).collect();
    assert_eq!(items, [(&json!(3), &json!("audit.forget")), (&json!(2), &json!("secret.use"))]);
    // The service goes on as before.
    site.put("acme", "a.csv", 0..5);
    let run = site.ask("acme", &pipeline).await;
    site.run_in("acme", &run, sluice_core::request::RequestState::Succeeded).await;
    service.kill();
}

#[tokio::test]
async fn old_runs_and_audit_entries_are_forgotten() {
    forgotten(Site::on_sqlite().await).await;
}

#[tokio::test]
async fn old_runs_and_audit_entries_are_forgotten_on_postgres() {
    forgotten(Site::on_postgres().await).await;
}

#[tokio::test]
async fn days_that_are_none_are_refused() {
    let site = Site::on_sqlite().await;
    for (option, value) in [("--keep-runs", "-1"), ("--keep-logs", "x"), ("--keep-audit", "99999999")] {
        let output = site.command(&[option, value]).stdout(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(option), "{output:?}");
    }
}
