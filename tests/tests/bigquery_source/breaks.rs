//! Kills, cuts, interrupts: every row once.

use sluice_store::{Scope, Store};
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

/// A run that was stopped behind the second batch of three: two million rows are kept, and none is shown.
fn interrupted(data: &Data) -> Workspace {
    make_long(data);
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
    assert_eq!(warehouse::integers(&table(&workspace, "t"), "id"), [0; 0], "a part of a session is not shown");
    workspace.pipeline(&data.local(&[], "  - {id: {d}.long, table: t}\n"));
    workspace
}

#[test]
fn an_interrupt_keeps_whole_batches_and_the_next_run_goes_on_at_that_row() {
    let workspace = interrupted(&Data::new());
    let ran = good(workspace.run(&[]));
    assert_eq!(ran.summary()["streams"][0]["rows_read"], 500_000, "only the rest was read");
    assert!(warehouse::integers(&table(&workspace, "t"), "id") == (1..=2_500_000).collect::<Vec<_>>());
}

#[test]
fn a_session_that_is_over_is_read_anew_by_the_next_run_and_no_row_is_missing_or_doubled() {
    let data = Data::new();
    let workspace = interrupted(&data);
    forget_session(&workspace, &format!("{}.long", data.dataset));
    data.sql("INSERT INTO `{d}.long` VALUES (2500001)");
    let ran = good(workspace.run(&[]));
    let stream = &ran.summary()["streams"][0];
    let warning = stream["warnings"][0].as_str().unwrap();
    assert!(warning.contains("the read session is over") && warning.contains("2000000 rows"), "{warning}");
    assert_eq!(stream["rows_committed"], 2_500_001, "as the table is now");
    assert!(warehouse::integers(&table(&workspace, "t"), "id") == (1..=2_500_001).collect::<Vec<_>>());
}

#[test]
fn a_table_that_is_gone_is_no_session_that_is_over() {
    let data = Data::new();
    let workspace = interrupted(&data);
    data.sql("DROP TABLE `{d}.long`");
    let ran = workspace.run(&[]);
    assert_eq!(ran.summary()["error"]["kind"], "not-found", "{ran:?}");
    assert!(ran.error().contains("long"), "{}", ran.error());
}

/// Lets the plan that an interrupted run left name a session that the server does not know, as one that is over for long.
fn forget_session(workspace: &Workspace, stream: &str) {
    let renamed = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).replace("/sessions/", "/sessions/0");
        assert!(text.contains("/sessions/0"), "{text}");
        text
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open(&workspace.path().join(".sluice/state.db")).await.unwrap();
        let mut state = store.state_of(Scope::LOCAL, "bq", stream).await.unwrap().state;
        for (split, cursor) in &mut state.pending.as_mut().unwrap().splits {
            // A line of JSON, then the schema.
            let end = split.descriptor.iter().position(|byte| *byte == b'\n').unwrap();
            let schema = split.descriptor.split_off(end);
            split.descriptor = renamed(&split.descriptor).into_bytes();
            split.descriptor.extend(schema);
            if let Some(cursor) = cursor {
                cursor.0 = renamed(&cursor.0).into_bytes();
            }
        }
        let lease = store.lease(Scope::LOCAL, "bq", 0).await.unwrap();
        store.keep_back(Scope::LOCAL, &lease, (stream, "test"), &state, 0).await.unwrap();
        store.release(lease).await.unwrap();
    });
}
