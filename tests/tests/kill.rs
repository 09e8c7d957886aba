//! The process is killed at every point of the path of the data, run again, and every row is there exactly once.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use sluice_tests::binary::Workspace;
use sluice_tests::{guest, warehouse};

/// Where to kill, early and late in the points that are passed many times.
const POINTS: [&str; 15] = [
    "run.begun",
    "stream.planned",
    "stream.prepared",
    "ledger.opened",
    "ledger.opened*2",
    "batch.read",
    "batch.read*5",
    "batch.written*7",
    "ledger.finalized",
    "ledger.finalized*2",
    "commit.permitted",
    "commit.recorded",
    "commit.marked",
    "commit.visible",
    "commit.applied",
];

fn pipeline(rows: i64, read: &str, load: &str) -> String {
    let component = guest("hostile");
    format!(
        "name: kill\nsource:\n  connector: {}\n  config: {{rows: {rows}, batch: 100, splits: 2}}\n\
         streams:\n  - id: numbers\n    read: {read}\n    load: {load}\n\
         sink: {{type: local, path: warehouse}}\n",
        component.display()
    )
}

fn table(workspace: &Workspace) -> std::path::PathBuf {
    workspace.path().join("warehouse/main/numbers")
}

#[test]
fn every_point_that_the_engine_names_is_tried() {
    for point in sluice_engine::POINTS {
        assert!(POINTS.iter().any(|tried| tried.split('*').next() == Some(point)), "{point} is never tried");
    }
}

#[test]
fn an_increment_killed_at_any_point_is_there_exactly_once_after_the_next_run() {
    for point in POINTS {
        let workspace = Workspace::new();
        workspace.pipeline(&pipeline(1_000, "{incremental: id}", "transactional"));
        assert_eq!(workspace.run(&[]).code(), Some(0), "{point}");
        workspace.pipeline(&pipeline(2_000, "{incremental: id}", "transactional"));
        workspace.run_killed_at(point, &[]);
        let ran = workspace.run(&[]);
        assert_eq!(ran.code(), Some(0), "{point}: {ran:?}");
        let rows = warehouse::integers(&table(&workspace), "id");
        assert!(rows == (0..2_000).collect::<Vec<_>>(), "{point}: {} rows", rows.len());
        let committed = ran.summary()["streams"][0]["rows_committed"].as_u64().unwrap();
        let already = matches!(point, "commit.recorded" | "commit.marked" | "commit.visible" | "commit.applied");
        assert_eq!(committed, if already { 0 } else { 1_000 }, "{point}: what was committed is not read again");
    }
}

#[test]
fn a_catalog_day_killed_at_any_point_has_exactly_one_copy_after_the_next_run() {
    for point in POINTS {
        let workspace = Workspace::new();
        let day = ["--snapshot-date", "2026-02-28"];
        workspace.pipeline(&pipeline(700, "full", "catalog"));
        assert_eq!(workspace.run(&day).code(), Some(0), "{point}");
        workspace.pipeline(&pipeline(900, "full", "catalog"));
        workspace.run_killed_at(point, &day);
        let between = warehouse::integers(&table(&workspace), "id").len();
        assert!(between == 700 || between == 900, "{point}: a reader saw {between} rows");
        let ran = workspace.run(&day);
        assert_eq!(ran.code(), Some(0), "{point}: {ran:?}");
        assert_eq!(warehouse::integers(&table(&workspace), "id"), (0..900).collect::<Vec<_>>(), "{point}");
    }
}

#[test]
fn two_catalog_days_are_kept_side_by_side() {
    let workspace = Workspace::new();
    workspace.pipeline(&pipeline(10, "full", "catalog"));
    assert_eq!(workspace.run(&["--snapshot-date", "2026-02-27"]).code(), Some(0));
    assert_eq!(workspace.run(&["--snapshot-date", "2026-02-28"]).code(), Some(0));
    assert_eq!(workspace.run(&["--snapshot-date", "2026-02-28"]).code(), Some(0));
    assert_eq!(warehouse::integers(&table(&workspace), "id").len(), 20);
}

#[test]
fn two_processes_never_run_the_same_pipeline_at_once() {
    let workspace = Workspace::new();
    let slow = pipeline(2_000, "{incremental: id}", "transactional").replace("splits: 2", "splits: 2, pause_ms: 100");
    workspace.pipeline(&slow);
    let mut first = workspace.command(&["run", "pipeline.yaml"]).spawn().unwrap();
    let state = workspace.path().join(".sluice/state.db");
    let waited = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(25));
        state.exists()
    });
    assert!(waited, "the first run did not begin");
    std::thread::sleep(std::time::Duration::from_millis(300));
    let second = workspace.run(&[]);
    assert_ne!(second.code(), Some(0), "{second:?}");
    assert!(second.error().contains(&first.id().to_string()), "the error names the holder: {}", second.error());
    assert!(first.wait().unwrap().success());
    assert_eq!(warehouse::integers(&table(&workspace), "id"), (0..2_000).collect::<Vec<_>>());
}

#[test]
fn an_interrupt_commits_what_is_checkpointed_and_the_next_run_goes_on() {
    let workspace = Workspace::new();
    let slow = pipeline(4_000, "{incremental: id}", "transactional").replace("splits: 2", "splits: 2, pause_ms: 200");
    workspace.pipeline(&slow);
    let child = workspace.command(&["run", "pipeline.yaml"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    let kept = warehouse::integers(&table(&workspace), "id");
    assert!(!kept.is_empty() && kept.len() < 4_000, "{} rows were kept", kept.len());
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    assert_eq!(warehouse::integers(&table(&workspace), "id"), (0..4_000).collect::<Vec<_>>());
    let read = ran.summary()["streams"][0]["rows_read"].as_u64().unwrap();
    assert_eq!(read, 4_000 - kept.len() as u64, "only the rest was read");
}
