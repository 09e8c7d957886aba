//! A plan that expires is shown as a whole: what an interrupted run has read of it becomes visible with the rest, or is given up
//! and read anew. Whatever is killed, every row is there exactly once.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use sluice_tests::binary::{Ran, Workspace};
use sluice_tests::{bigquery, guest, sandbox, warehouse};

const LOCAL: &str = "sink: {type: local, path: warehouse}\n";
const ROWS: i64 = 2_000;

fn pipeline(sink: &str, session: &str, more: &str) -> String {
    format!(
        "name: expired\nsource:\n  connector: {}\n  config: {{rows: {ROWS}, batch: 100, splits: 2, session: {session}{more}}}\n\
         streams:\n  - id: numbers\n    read: {{incremental: id}}\n    load: transactional\n{sink}",
        guest("hostile").display()
    )
}

/// A run that was stopped in the middle of both splits, and the rows that it read.
fn interrupted(sink: &str) -> (Workspace, u64) {
    let workspace = Workspace::new();
    workspace.pipeline(&(pipeline(sink, "first", ", pause_ms: 250") + "limits: {wall_seconds: 1}\n"));
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(5), "{ran:?}");
    let stream = &ran.summary()["streams"][0];
    let read = stream["rows_read"].as_u64().unwrap();
    assert!(read > 0 && read < ROWS as u64, "{read} rows were read before the stop");
    assert_eq!((stream["rows_finalized"].as_u64(), &stream["rows_committed"]), (Some(read), &0.into()), "{ran:?}");
    (workspace, read)
}

fn local_rows(workspace: &Workspace) -> Vec<i64> {
    warehouse::integers(&workspace.path().join("warehouse/main/numbers"), "id")
}

fn good(ran: Ran) -> Ran {
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    ran
}

/// Nothing is left where loads are prepared.
fn is_tidy(workspace: &Workspace) -> bool {
    let staging = workspace.path().join("warehouse/main/numbers/_staging");
    std::fs::read_dir(staging).map_or(true, |mut entries| entries.next().is_none())
}

#[test]
fn what_an_interrupted_run_has_read_becomes_visible_with_the_rest() {
    let (workspace, read) = interrupted(LOCAL);
    assert_eq!(local_rows(&workspace), [0; 0], "a part of the plan is not shown");
    workspace.pipeline(&pipeline(LOCAL, "first", ""));
    let ran = good(workspace.run(&[]));
    assert_eq!(ran.summary()["streams"][0]["rows_read"], ROWS as u64 - read, "only the rest was read");
    assert_eq!(local_rows(&workspace), (0..ROWS).collect::<Vec<_>>());
    assert!(is_tidy(&workspace));
    assert_eq!(good(workspace.run(&[])).summary()["streams"][0]["rows_read"], 0, "the state is behind all of it");
}

#[test]
fn a_plan_that_may_be_interrupted_twice_is_still_one() {
    let (workspace, first) = interrupted(LOCAL);
    workspace.pipeline(&(pipeline(LOCAL, "first", ", pause_ms: 400") + "limits: {wall_seconds: 1}\n"));
    let second = workspace.run(&[]);
    assert_eq!(second.code(), Some(5), "{second:?}");
    let second = second.summary()["streams"][0]["rows_read"].as_u64().unwrap();
    assert!(second > 0 && local_rows(&workspace).is_empty());
    workspace.pipeline(&pipeline(LOCAL, "first", ""));
    let ran = good(workspace.run(&[]));
    assert_eq!(ran.summary()["streams"][0]["rows_read"], ROWS as u64 - first - second);
    assert_eq!(local_rows(&workspace), (0..ROWS).collect::<Vec<_>>());
    assert!(is_tidy(&workspace));
}

#[test]
fn a_plan_that_has_expired_is_given_up_and_the_stream_is_read_anew_in_the_same_run() {
    let (workspace, read) = interrupted(LOCAL);
    workspace.pipeline(&pipeline(LOCAL, "second", ""));
    let ran = good(workspace.run(&[]));
    let stream = &ran.summary()["streams"][0];
    assert_eq!((&stream["rows_read"], &stream["rows_committed"]), (&ROWS.into(), &ROWS.into()), "{ran:?}");
    let warning = stream["warnings"][0].as_str().unwrap();
    assert!(
        warning.contains(&format!("session first is over); the {read} rows that it had stored are given up")),
        "{warning}"
    );
    assert_eq!(local_rows(&workspace), (0..ROWS).collect::<Vec<_>>());
    assert!(is_tidy(&workspace), "what was given up is gone");
}

#[test]
fn rows_that_the_sink_has_lost_meanwhile_are_read_anew() {
    let (workspace, _) = interrupted(LOCAL);
    std::fs::remove_dir_all(workspace.path().join("warehouse/main/numbers/_staging")).unwrap();
    workspace.pipeline(&pipeline(LOCAL, "first", ""));
    let ran = good(workspace.run(&[]));
    assert_eq!(ran.summary()["streams"][0]["rows_read"], ROWS);
    assert_eq!(local_rows(&workspace), (0..ROWS).collect::<Vec<_>>());
}

#[test]
fn a_kill_at_any_point_of_the_run_that_goes_on_or_begins_anew_changes_nothing() {
    let (interrupted, _) = interrupted(LOCAL);
    for point in sluice_engine::POINTS {
        for session in ["first", "second"] {
            let workspace = interrupted.copy();
            workspace.pipeline(&pipeline(LOCAL, session, ""));
            workspace.run_killed_at(point, &[]);
            let ran = good(workspace.run(&[]));
            let rows = local_rows(&workspace);
            assert!(rows == (0..ROWS).collect::<Vec<_>>(), "{point}, {session}: {} rows: {ran:?}", rows.len());
            assert!(is_tidy(&workspace), "{point}, {session}");
        }
    }
}

#[test]
fn from_the_beginning_gives_up_what_was_kept() {
    let (workspace, _) = interrupted(LOCAL);
    workspace.pipeline(&pipeline(LOCAL, "first", ""));
    let ran = good(workspace.run(&["--from-beginning"]));
    assert_eq!(ran.summary()["streams"][0]["rows_read"], ROWS);
    assert_eq!(local_rows(&workspace), (0..ROWS).collect::<Vec<_>>());
    assert!(is_tidy(&workspace));
}

#[test]
fn in_bigquery_the_rows_of_both_runs_or_of_the_new_plan_alone_are_there_once() {
    for session in ["first", "second"] {
        let dataset = sandbox::unique("expired");
        let sink = bigquery::sink(&dataset);
        let (workspace, _) = interrupted(&sink);
        let ids = || bigquery::integers(&format!("{dataset}.numbers"), "id");
        assert_eq!(ids(), [0; 0]);
        workspace.pipeline(&pipeline(&sink, session, ""));
        workspace.run_killed_at("commit.recorded", &[]);
        good(workspace.run(&[]));
        assert!(ids() == (0..ROWS).collect::<Vec<_>>(), "{session}: {} rows", ids().len());
    }
}
