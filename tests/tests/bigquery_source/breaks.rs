//! Kills, cuts, interrupts: every row once.

use sluice_tests::binary::Workspace;
use sluice_tests::proxy::Proxy;
use sluice_tests::{env, warehouse};

use crate::support::{Data, good, make_questions, run, table};

#[test]
fn a_session_is_read_by_several_splits_and_a_kill_repeats_nothing() {
    let data = Data::new();
    data.sql("CREATE TABLE `{d}.n` AS SELECT n AS id FROM UNNEST(GENERATE_ARRAY(1, 350000)) AS n");
    let workspace = Workspace::new();
    let pipeline = data.local(&[], "  - {id: {d}.n, table: n}\n") + "limits: {split_bytes: 100000, parallel: 4}\n";
    workspace.pipeline(&pipeline);
    for point in ["stream.planned", "batch.read*2", "batch.written*3", "ledger.finalized*2", "commit.permitted"] {
        workspace.run_killed_at(point, &[]);
    }
    let ran = good(workspace.run(&[]));
    assert_eq!(ran.summary()["streams"][0]["rows_committed"], 350_000);
    assert!(warehouse::integers(&table(&workspace, "n"), "id") == (1..=350_000).collect::<Vec<_>>());
    let workspace = Workspace::new();
    workspace.pipeline(&pipeline);
    workspace.run_killed_at("commit.recorded", &[]);
    good(workspace.run(&[]));
    let ids = warehouse::integers(&table(&workspace, "n"), "id");
    // Read in full, so the second run adds a second copy to the one that was settled.
    assert_eq!(ids.len(), 700_000);
}

/// A table of three batches: what the server sends of a million rows at once.
fn make_long(data: &Data) {
    data.sql("CREATE TABLE `{d}.long` AS SELECT n AS id FROM UNNEST(GENERATE_ARRAY(1, 2500000)) AS n");
}

#[test]
fn a_stream_that_is_cut_goes_on_behind_the_last_row() {
    let data = Data::new();
    make_long(&data);
    let proxy = Proxy::before(&env("SLUICE_TEST_BIGQUERY_GRPC"));
    let workspace = Workspace::new();
    // Eight megabytes are a batch; this is in the middle of the second.
    proxy.cut_after(12_000_000);
    let ran =
        good(run(&workspace, &data.local(&[("storage_endpoint", proxy.url())], "  - {id: {d}.long, table: t}\n")));
    assert_eq!(ran.summary()["streams"][0]["rows_read"], 2_500_000);
    assert!(warehouse::integers(&table(&workspace, "t"), "id") == (1..=2_500_000).collect::<Vec<_>>());
    assert_eq!(proxy.connections(), 2);
    // The first batch came over once only: 12 MB until the cut, then the second batch and the half of a third.
    assert!(proxy.sent() < 12_000_000 + 13_000_000, "{} bytes", proxy.sent());
}

#[test]
fn a_server_that_is_away_for_a_moment_is_asked_again() {
    let data = Data::new();
    make_questions(&data, 10);
    let (rest, grpc) =
        (Proxy::before(&env("SLUICE_TEST_BIGQUERY_REST")), Proxy::before(&env("SLUICE_TEST_BIGQUERY_GRPC")));
    rest.refuse(2);
    grpc.refuse(2);
    let workspace = Workspace::new();
    let more = [("endpoint", rest.url()), ("storage_endpoint", grpc.url())];
    let ran = good(run(&workspace, &data.local(&more, "  - {id: {d}.posts_questions, table: t}\n")));
    assert_eq!(ran.summary()["streams"][0]["rows_read"], 10);
    assert!(rest.connections() > 2 && grpc.connections() > 2);
}

#[test]
fn an_interrupt_keeps_whole_batches_and_the_next_run_goes_on_at_that_row() {
    let data = Data::new();
    make_long(&data);
    let proxy = Proxy::before(&env("SLUICE_TEST_BIGQUERY_GRPC"));
    let workspace = Workspace::new();
    workspace.pipeline(&data.local(&[("storage_endpoint", proxy.url())], "  - {id: {d}.long, table: t}\n"));
    proxy.hold_after(12_000_000);
    let child = workspace.command(&["run", "pipeline.yaml"]).spawn().unwrap();
    proxy.wait_until_held();
    // The first batch must have been handed over before the run is asked to stop.
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    std::thread::sleep(std::time::Duration::from_millis(500));
    proxy.release();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    let kept = warehouse::integers(&table(&workspace, "t"), "id");
    assert!(kept == (1..=2_000_000).collect::<Vec<_>>(), "{} rows were kept", kept.len());
    let ran = good(workspace.run(&[]));
    assert_eq!(ran.summary()["streams"][0]["rows_read"], 500_000, "only the rest was read");
    assert!(warehouse::integers(&table(&workspace, "t"), "id") == (1..=2_500_000).collect::<Vec<_>>());
}
