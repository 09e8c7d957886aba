//! Whatever is killed, whenever: every run ends in a true state, and no row is lost or doubled.

use std::time::{Duration, Instant};

use serde_json::json;
use sluice_core::request::RequestState;
use sluice_tests::service::Site;
use sluice_tests::warehouse;

const PIPELINES: i64 = 50;
const ROWS: i64 = 20_000;
const KILLS: u64 = 6;

/// Starts fifty runs, kills the service again and again while they run, and looks at what became of them.
async fn survives(site: Site) {
    let mut runs = Vec::new();
    for tenant in ["acme", "globex"] {
        site.tenant(tenant).await;
        for file in 0..5 {
            site.put(tenant, &format!("{file}.csv"), file * ROWS / 5..(file + 1) * ROWS / 5);
        }
        for number in 0..PIPELINES / 2 {
            let pipeline = site.pipeline(tenant, &format!("p{number}"), "lake", json!({}), None).await;
            runs.push((tenant, number, site.ask(tenant, &pipeline).await));
        }
    }
    let slots = ["--slots", "50", "--slots-per-tenant", "50", "--slots-per-connection", "50"];
    // Spread, and the same each time: a failure can be looked at again.
    let mut dice: u64 = 0x5EED;
    for _ in 0..KILLS {
        let service = site.start(&slots);
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        tokio::time::sleep(Duration::from_millis(200 + (dice >> 33) % 2_500)).await;
        service.kill();
    }
    let service = site.start(&slots);
    let begun = Instant::now();
    let mut attempts = 0;
    for (tenant, number, run) in &runs {
        let ended = site.run_in(tenant, run, RequestState::Succeeded).await;
        attempts += u64::from(ended.attempts);
        let rows = warehouse::integers(&site.table(tenant, &format!("p{number}"), "t"), "id");
        assert_eq!(rows, (0..ROWS).collect::<Vec<_>>(), "{tenant} {number}");
    }
    assert!(attempts > runs.len() as u64, "no run was hit, so nothing is shown");
    assert!(begun.elapsed() < Duration::from_secs(240), "{:?}", begun.elapsed());
    service.kill();
}

#[tokio::test]
async fn killing_the_service_under_fifty_runs_loses_and_doubles_nothing_on_a_state_file() {
    survives(Site::on_sqlite().await).await;
}

#[tokio::test]
async fn killing_the_service_under_fifty_runs_loses_and_doubles_nothing_on_postgresql() {
    survives(Site::on_postgres().await).await;
}
