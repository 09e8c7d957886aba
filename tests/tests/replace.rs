//! Rows of changed files change places with their new ones, in both sinks, whatever is killed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use sluice_tests::binary::{Ran, Workspace};
use sluice_tests::{bigquery, sandbox, warehouse};

/// Where to kill; names of replaced files are an artifact of their own, before those of the rows.
const POINTS: [&str; 15] = [
    "run.begun",
    "stream.planned",
    "stream.prepared",
    "ledger.opened",
    "ledger.opened*2",
    "batch.read",
    "batch.read*2",
    "batch.written*2",
    "ledger.finalized",
    "ledger.finalized*2",
    "commit.permitted",
    "commit.recorded",
    "commit.marked",
    "commit.visible",
    "commit.applied",
];

const LOCAL: &str = "sink: {type: local, path: warehouse}\n";

/// A pipeline over the files of a folder.
struct Files {
    workspace: Workspace,
}

impl Files {
    fn into(sink: &str, more: &str) -> Self {
        let workspace = Workspace::new();
        std::fs::create_dir(workspace.path().join("data")).unwrap();
        let limits = if more.contains("limits:") { "" } else { "limits: {batch_bytes: 4096}\n" };
        workspace.pipeline(&format!(
            "name: replace\nsource:\n  connector: files\n  config:\n    streams:\n      - {{name: t, glob: \"*.csv\"}}\n  \
             grants:\n    folders: {{/data: data}}\nstreams:\n  - id: t\n    read: {{incremental: \"\"}}\n    \
             changed_files: replace\n{more}{limits}{sink}"
        ));
        Self { workspace }
    }

    fn write(&self, file: &str, ids: impl IntoIterator<Item = i64>) {
        let rows: String = ids.into_iter().map(|id| format!("{id}\n")).collect();
        std::fs::write(self.workspace.path().join("data").join(file), format!("id\n{rows}")).unwrap();
    }

    fn run(&self) -> Ran {
        let ran = self.workspace.run(&[]);
        assert_eq!(ran.code(), Some(0), "{ran:?}");
        ran
    }

    fn local(&self) -> Vec<i64> {
        warehouse::integers(&self.workspace.path().join("warehouse/main/t"), "id")
    }

    /// What lies there at first, and what becomes of it: a file is written again, one becomes empty, one is new.
    fn begin(&self) -> Vec<i64> {
        self.write("a.csv", 0..100);
        self.write("b.csv", 100..200);
        self.write("c.csv", 200..300);
        self.run();
        (0..300).collect()
    }

    fn go_on(&self) -> Vec<i64> {
        // Large enough for a batch of its own for each file: those of smaller ones are put together.
        self.write("b.csv", 1_000..1_300);
        self.write("c.csv", []);
        self.write("d.csv", 2_000..2_300);
        (0..100).chain(1_000..1_300).chain(2_000..2_300).collect()
    }
}

#[test]
fn every_point_that_the_engine_names_is_tried() {
    for point in sluice_engine::POINTS {
        assert!(POINTS.iter().any(|tried| tried.split('*').next() == Some(point)), "{point} is never tried");
    }
}

#[test]
fn files_replaced_in_a_warehouse_are_seen_as_they_were_or_as_they_are_wherever_a_run_is_killed() {
    for point in POINTS {
        let files = Files::into(LOCAL, "");
        let before = files.begin();
        assert_eq!(files.local(), before, "{point}");
        let after = files.go_on();
        files.workspace.run_killed_at(point, &[]);
        let between = files.local();
        assert!(between == before || between == after, "{point}: a reader saw {} rows", between.len());
        files.run();
        assert!(files.local() == after, "{point}: {:?}", files.local());
        assert_eq!(files.run().summary()["streams"][0]["rows_read"], 0, "{point}: nothing is left to read");
        let staging = files.workspace.path().join("warehouse/main/t/_staging");
        assert_eq!(std::fs::read_dir(staging).unwrap().count(), 0, "{point}: nothing is left behind");
    }
}

#[test]
fn files_replaced_in_bigquery_are_seen_as_they_were_or_as_they_are_wherever_a_run_is_killed() {
    for point in POINTS {
        let dataset = sandbox::unique("replace");
        let table = || bigquery::integers(&format!("{dataset}.t"), "id");
        let files = Files::into(&bigquery::sink(&dataset), "");
        let before = files.begin();
        assert_eq!(table(), before, "{point}");
        let after = files.go_on();
        files.workspace.run_killed_at(point, &[]);
        let between = table();
        assert!(between == before || between == after, "{point}: a reader saw {} rows", between.len());
        files.run();
        assert!(table() == after, "{point}: {:?}", table());
        assert_eq!(files.run().summary()["streams"][0]["rows_read"], 0, "{point}: nothing is left to read");
    }
}

#[test]
fn each_row_says_which_file_it_is_of_and_counts_are_of_what_was_read() {
    let files = Files::into(LOCAL, "    columns: [id]\n");
    files.begin();
    let batches = warehouse::batches(&files.workspace.path().join("warehouse/main/t"));
    assert!(batches.iter().all(|batch| batch.schema().fields().iter().map(|f| f.name()).eq(["id", "_sluice_file"])));
    files.go_on();
    let ran = files.run();
    let stream = &ran.summary()["streams"][0];
    for count in ["rows_read", "rows_sent", "rows_finalized", "rows_committed"] {
        assert_eq!(stream[count], 600, "{count}: {stream}");
    }
}

#[test]
fn from_the_beginning_every_file_that_is_there_is_in_the_table_once() {
    let files = Files::into(LOCAL, "");
    files.begin();
    let after = files.go_on();
    let ran = files.workspace.run(&["--from-beginning"]);
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    assert_eq!(files.local(), after);
}

#[test]
fn a_file_that_changes_again_and_again_is_there_as_it_is_last() {
    let files = Files::into(LOCAL, "");
    files.begin();
    for round in 1..6 {
        files.write("a.csv", round * 10..round * 10 + round);
        files.write(&format!("new-{round}.csv"), [5_000 + round]);
        files.run();
    }
    let expected: Vec<i64> = (50..55).chain(100..300).chain(5_001..5_006).collect();
    assert_eq!(files.local(), expected);
}

#[test]
fn a_stopped_run_replaces_nothing() {
    let files = Files::into(LOCAL, "limits: {parallel: 1, batch_bytes: 4096}\n");
    let before = files.begin();
    files.write("b.csv", 10_000..2_000_000);
    let child = files.workspace.command(&["run", "pipeline.yaml"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1_200));
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(files.local(), before, "a part of a file is not the file");
    files.write("b.csv", [7_000]);
    files.run();
    assert_eq!(files.local().len(), 201);
}

#[test]
fn rows_that_do_not_say_their_file_cannot_be_replaced_and_the_pipeline_is_told() {
    let files = Files::into(LOCAL, "");
    let replacing = std::fs::read_to_string(files.workspace.path().join("pipeline.yaml")).unwrap();
    files.workspace.pipeline(&replacing.replace("changed_files: replace", "changed_files: append"));
    files.begin();
    files.go_on();
    files.workspace.pipeline(&replacing);
    let ran = files.workspace.run(&[]);
    assert_eq!(ran.code(), Some(2), "{ran:?}");
    assert!(ran.error().contains("do not say which file they are of"), "{}", ran.error());
    files.workspace.pipeline(
        &replacing.replace("changed_files: replace", "rename: {_sluice_file: f}\n    changed_files: replace"),
    );
    let ran = files.workspace.run(&[]);
    assert!(ran.error().contains("leave it as it is"), "{}", ran.error());
}
