//! What a stream remembers item by item holds with the rows that it speaks of, whatever is killed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use sluice_core::items::ItemKey;
use sluice_store::{Scope, Store};
use sluice_tests::binary::Workspace;
use sluice_tests::{guest, warehouse};

/// A guest that counts in an item how often it has planned, and whose plans are carried out.
fn pipeline(rows: i64, attack: &str, more: &str) -> String {
    format!(
        "name: kill\nsource:\n  connector: {}\n  config: {{attack: {attack}, rows: {rows}, batch: 100, splits: 2{more}}}\n\
         streams:\n  - id: numbers\n    read: {{incremental: id}}\nsink: {{type: local, path: warehouse}}\n",
        guest("hostile").display()
    )
}

/// How often it has planned, as it remembers.
async fn visits(workspace: &Workspace) -> usize {
    let store = Store::open(&workspace.path().join(".sluice/state.db")).await.unwrap();
    let values = store.recall_items(Scope::LOCAL, "kill", "numbers", &[ItemKey::of("visits")]).await.unwrap();
    store.close().await;
    values[0].as_ref().map_or(0, Vec::len)
}

fn ids(workspace: &Workspace) -> Vec<i64> {
    warehouse::integers(&workspace.path().join("warehouse/main/numbers"), "id")
}

#[tokio::test]
async fn items_are_remembered_exactly_if_the_rows_are_committed() {
    for point in sluice_engine::POINTS {
        let workspace = Workspace::new();
        workspace.pipeline(&pipeline(1_000, "items", ""));
        assert_eq!(workspace.run(&[]).code(), Some(0), "{point}");
        assert_eq!(visits(&workspace).await, 1, "{point}");
        workspace.pipeline(&pipeline(2_000, "items", ""));
        workspace.run_killed_at(point, &[]);
        let between = visits(&workspace).await;
        assert_eq!(between, if point == "commit.applied" { 2 } else { 1 }, "{point}: before anybody recovered");
        let ran = workspace.run(&[]);
        assert_eq!(ran.code(), Some(0), "{point}: {ran:?}");
        // What was recorded is committed by the next run, before that makes a plan of its own.
        let recorded = matches!(point, "commit.recorded" | "commit.marked" | "commit.visible" | "commit.applied");
        assert_eq!(visits(&workspace).await, if recorded { 3 } else { 2 }, "{point}");
        assert!(ids(&workspace) == (0..2_000).collect::<Vec<_>>(), "{point}");
    }
}

#[tokio::test]
async fn a_plan_that_fails_remembers_nothing() {
    let workspace = Workspace::new();
    workspace.pipeline(&pipeline(1_000, "items-fail", ""));
    let failed = workspace.run(&[]);
    assert!(failed.error().contains("after it was remembered"), "{failed:?}");
    assert_eq!(visits(&workspace).await, 0);
}

#[tokio::test]
async fn a_stopped_run_remembers_when_its_plan_is_finished_and_not_before() {
    let workspace = Workspace::new();
    workspace.pipeline(&pipeline(4_000, "items", ", pause_ms: 200"));
    let child = workspace.command(&["run", "pipeline.yaml"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    let kept = ids(&workspace).len();
    assert!(kept > 0 && kept < 4_000, "{kept} rows were kept");
    assert_eq!(visits(&workspace).await, 0);
    // Killed while it goes on: what the first plan wants remembered must survive that, too.
    workspace.run_killed_at("batch.written*3", &[]);
    assert_eq!(visits(&workspace).await, 0);
    assert_eq!(workspace.run(&[]).code(), Some(0));
    assert_eq!(visits(&workspace).await, 1);
    assert!(ids(&workspace) == (0..4_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_run_from_the_beginning_forgets() {
    let workspace = Workspace::new();
    workspace.pipeline(&pipeline(100, "items", ""));
    assert_eq!(workspace.run(&[]).code(), Some(0));
    assert_eq!(workspace.run(&[]).code(), Some(0));
    assert_eq!(visits(&workspace).await, 2);
    assert_eq!(workspace.run(&["--from-beginning"]).code(), Some(0));
    assert_eq!(visits(&workspace).await, 1);
}
