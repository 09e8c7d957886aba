//! An old backup of the state is put back, or a table is: nothing is lost or doubled without a word.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use std::path::{Path, PathBuf};

use sluice_core::run::StreamState;
use sluice_store::{NewState, Scope, Store};
use sluice_tests::binary::{Ran, Workspace};
use sluice_tests::{bigquery, guest, sandbox, warehouse};

const LOCAL: &str = "sink: {type: local, path: warehouse}\n";
const INCREMENT: &str = "{incremental: id}";

/// A pipeline that loads ids from nought up to as many as the source has.
struct Numbers {
    workspace: Workspace,
    sink: String,
    read: &'static str,
    load: &'static str,
}

impl Numbers {
    fn into(sink: &str) -> Self {
        Self { workspace: Workspace::new(), sink: sink.to_owned(), read: INCREMENT, load: "transactional" }
    }

    /// Makes the source as long as this.
    fn source_has(&self, rows: i64) {
        self.workspace.pipeline(&format!(
            "name: restore\nsource:\n  connector: {}\n  config: {{rows: {rows}, batch: 100, splits: 2}}\n\
             streams:\n  - id: numbers\n    read: {}\n    load: {}\n{}",
            guest("hostile").display(),
            self.read,
            self.load,
            self.sink
        ));
    }

    fn run(&self, rows: i64, arguments: &[&str]) -> Ran {
        self.source_has(rows);
        self.workspace.run(arguments)
    }

    fn loads(&self, rows: i64, arguments: &[&str]) {
        let ran = self.run(rows, arguments);
        assert_eq!(ran.code(), Some(0), "{ran:?}");
    }

    /// The run fails, and says this.
    fn is_refused(&self, rows: i64, says: &str) {
        let ran = self.run(rows, &[]);
        assert_eq!(ran.code(), Some(2), "{ran:?}");
        let error = &ran.summary()["streams"][0]["error"];
        assert_eq!((error["kind"].as_str(), error["actor"].as_str()), (Some("diverged"), Some("user")), "{ran:?}");
        assert_eq!(error["retry"], "never");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("numbers") && message.contains(says), "{message}");
        assert!(message.contains("--accept-table-state"), "{message}");
        assert_eq!(ran.summary()["streams"][0]["rows_read"], 0, "{ran:?}");
    }

    fn state(&self) -> PathBuf {
        self.workspace.path().join(".sluice")
    }

    fn table(&self) -> PathBuf {
        self.workspace.path().join("warehouse/main/numbers")
    }

    fn ids(&self) -> Vec<i64> {
        warehouse::integers(&self.table(), "id")
    }

    fn has_once(&self, rows: i64) {
        let ids = self.ids();
        assert!(ids == (0..rows).collect::<Vec<_>>(), "{} rows instead of {rows}", ids.len());
    }

    async fn store(&self) -> Store {
        Store::open(&self.state().join("state.db")).await.unwrap()
    }

    async fn cursor(&self) -> StreamState {
        let store = self.store().await;
        let state = store.state_of(Scope::LOCAL, "restore", "numbers").await.unwrap().state;
        store.close().await;
        state
    }

    /// As the service's editor of states does.
    async fn set_cursor(&self, state: Option<StreamState>) {
        let store = self.store().await;
        let lease = store.lease(Scope::LOCAL, "restore", 0).await.unwrap();
        let seen = store.state_of(Scope::LOCAL, "restore", "numbers").await.unwrap().revision;
        let new = NewState { id: "c1".into(), stream: "numbers".into(), state, seen, by: "ann".into() };
        store.change_state(Scope::LOCAL, &lease, &new, 1).await.unwrap();
        store.release(lease).await.unwrap();
        store.close().await;
    }
}

/// A copy of a folder, to be put back later.
struct Backup {
    kept: tempfile::TempDir,
    of: PathBuf,
}

impl Backup {
    fn of(folder: &Path) -> Self {
        let kept = tempfile::tempdir().unwrap();
        copy(folder, kept.path());
        Self { kept, of: folder.to_owned() }
    }

    fn restore(&self) {
        std::fs::remove_dir_all(&self.of).unwrap();
        copy(self.kept.path(), &self.of);
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn an_old_backup_of_the_state_is_refused_until_a_newer_one_is_put_back() {
    let numbers = Numbers::into(LOCAL);
    numbers.loads(1_000, &[]);
    let old = Backup::of(&numbers.state());
    numbers.loads(2_000, &[]);
    let new = Backup::of(&numbers.state());
    old.restore();
    for _ in 0..2 {
        numbers.is_refused(3_000, "the state is older than table main.numbers");
        numbers.has_once(2_000);
    }
    new.restore();
    numbers.loads(3_000, &[]);
    numbers.has_once(3_000);
}

#[tokio::test]
async fn a_person_who_sets_the_cursor_to_where_the_rows_end_goes_on_without_a_double() {
    let numbers = Numbers::into(LOCAL);
    numbers.loads(1_000, &[]);
    let old = Backup::of(&numbers.state());
    numbers.loads(2_000, &[]);
    let end = numbers.cursor().await;
    old.restore();
    numbers.is_refused(3_000, "the state is older");
    numbers.set_cursor(Some(end)).await;
    numbers.loads(3_000, &[]);
    numbers.has_once(3_000);
    numbers.loads(4_000, &[]);
    numbers.has_once(4_000);
}

#[tokio::test]
async fn a_cursor_that_was_set_before_anything_was_refused_accepts_nothing() {
    let numbers = Numbers::into(LOCAL);
    numbers.loads(1_000, &[]);
    let state = numbers.cursor().await;
    numbers.set_cursor(Some(state)).await;
    let old = Backup::of(&numbers.state());
    numbers.loads(2_000, &[]);
    old.restore();
    numbers.is_refused(2_000, "the state is older");
    numbers.has_once(2_000);
}

#[test]
fn a_table_that_is_taken_as_it_is_gets_the_rows_behind_the_old_cursor_again() {
    let numbers = Numbers::into(LOCAL);
    numbers.loads(1_000, &[]);
    let old = Backup::of(&numbers.state());
    numbers.loads(2_000, &[]);
    old.restore();
    numbers.loads(2_000, &["--accept-table-state"]);
    assert_eq!(numbers.ids(), (0..1_000).chain((1_000..2_000).flat_map(|id| [id, id])).collect::<Vec<_>>());
    numbers.loads(2_000, &[]);
    assert_eq!(numbers.ids().len(), 3_000, "accepted once is accepted");
}

#[test]
fn a_backup_that_was_made_at_any_moment_of_a_run_doubles_and_loses_nothing() {
    for point in sluice_engine::POINTS {
        let numbers = Numbers::into(LOCAL);
        numbers.loads(1_000, &[]);
        numbers.source_has(2_000);
        numbers.workspace.run_killed_at(point, &[]);
        let backup = Backup::of(&numbers.state());
        numbers.loads(2_000, &[]);
        backup.restore();
        // The load that the backup has recorded is the one that is in the table, or another is.
        if matches!(point, "commit.recorded" | "commit.marked" | "commit.visible" | "commit.applied") {
            numbers.loads(2_000, &[]);
        } else {
            numbers.is_refused(2_000, "the state is older");
            continue;
        }
        numbers.has_once(2_000);
        numbers.loads(3_000, &[]);
        backup.restore();
        numbers.is_refused(3_000, "the state is older");
        numbers.has_once(3_000);
    }
}

#[test]
fn the_state_file_alone_without_its_log_is_an_old_backup() {
    let numbers = Numbers::into(LOCAL);
    numbers.loads(1_000, &[]);
    numbers.source_has(2_000);
    numbers.workspace.run_killed_at("commit.applied", &[]);
    let state = numbers.state();
    assert!(std::fs::metadata(state.join("state.db-wal")).unwrap().len() > 0, "the last commits are in the log");
    for log in ["state.db-wal", "state.db-shm"] {
        std::fs::remove_file(state.join(log)).unwrap();
    }
    numbers.is_refused(2_000, "the state is older");
    numbers.has_once(2_000);
}

#[test]
fn a_state_that_is_lost_is_noticed_and_from_the_beginning_is_an_answer() {
    let numbers = Numbers::into(LOCAL);
    numbers.loads(1_000, &[]);
    std::fs::remove_dir_all(numbers.state()).unwrap();
    numbers.is_refused(1_000, "the last that it knows of is none");
    numbers.has_once(1_000);
    std::fs::remove_dir_all(numbers.table()).unwrap();
    numbers.loads(1_000, &[]);
    numbers.has_once(1_000);
    std::fs::remove_dir_all(numbers.state()).unwrap();
    numbers.loads(1_000, &["--from-beginning"]);
    assert_eq!(numbers.ids().len(), 2_000, "rows that are in the table stay there");
    numbers.loads(1_000, &[]);
    assert_eq!(numbers.ids().len(), 2_000);
}

#[test]
fn a_table_that_is_gone_is_not_filled_with_new_rows_only() {
    let numbers = Numbers::into(LOCAL);
    numbers.loads(1_000, &[]);
    std::fs::remove_dir_all(numbers.table()).unwrap();
    numbers.is_refused(2_000, "does not exist any more");
    assert!(!numbers.table().exists());
    numbers.loads(2_000, &["--from-beginning"]);
    numbers.has_once(2_000);
    std::fs::remove_dir_all(numbers.table()).unwrap();
    numbers.loads(3_000, &["--accept-table-state"]);
    assert_eq!(numbers.ids(), (2_000..3_000).collect::<Vec<_>>(), "who wants new rows only can have them");
}

#[tokio::test]
async fn a_table_that_was_dropped_to_be_loaded_anew_needs_only_a_reset() {
    let numbers = Numbers::into(LOCAL);
    numbers.loads(1_000, &[]);
    std::fs::remove_dir_all(numbers.table()).unwrap();
    numbers.set_cursor(None).await;
    numbers.loads(2_000, &[]);
    numbers.has_once(2_000);
}

#[test]
fn a_table_that_was_put_back_is_told_from_a_state_that_was() {
    let numbers = Numbers::into(LOCAL);
    numbers.loads(1_000, &[]);
    let table = Backup::of(&numbers.table());
    numbers.loads(2_000, &[]);
    let newer = Backup::of(&numbers.table());
    table.restore();
    numbers.is_refused(3_000, "was put back to an earlier version");
    newer.restore();
    numbers.loads(3_000, &[]);
    numbers.has_once(3_000);
}

#[test]
fn what_was_backed_up_together_and_put_back_together_fits() {
    let numbers = Numbers::into(LOCAL);
    numbers.loads(1_000, &[]);
    let (state, table) = (Backup::of(&numbers.state()), Backup::of(&numbers.table()));
    numbers.loads(2_000, &[]);
    state.restore();
    table.restore();
    numbers.loads(2_000, &[]);
    numbers.has_once(2_000);
}

#[test]
fn runs_without_new_rows_leave_the_mark_alone() {
    let numbers = Numbers::into(LOCAL);
    numbers.loads(1_000, &[]);
    let old = Backup::of(&numbers.state());
    numbers.loads(1_000, &[]);
    old.restore();
    numbers.loads(1_000, &[]);
    numbers.has_once(1_000);
}

#[test]
fn a_day_of_a_catalog_is_replaced_whatever_the_state_is() {
    let numbers = Numbers { read: "full", load: "catalog", ..Numbers::into(LOCAL) };
    let day = ["--snapshot-date", "2026-02-28"];
    numbers.loads(500, &day);
    let old = Backup::of(&numbers.state());
    numbers.loads(700, &day);
    old.restore();
    numbers.loads(900, &day);
    numbers.has_once(900);
    std::fs::remove_dir_all(numbers.table()).unwrap();
    numbers.loads(900, &day);
    numbers.has_once(900);
}

#[test]
fn pipelines_that_share_a_table_have_marks_of_their_own() {
    let numbers = Numbers::into(LOCAL);
    let other = |rows: i64| {
        numbers.source_has(rows);
        let file = numbers.workspace.path().join("pipeline.yaml");
        let text = std::fs::read_to_string(&file).unwrap().replace("name: restore", "name: other");
        std::fs::write(file, text).unwrap();
        let ran = numbers.workspace.run(&["--state", "other.db"]);
        assert_eq!(ran.code(), Some(0), "{ran:?}");
    };
    numbers.loads(100, &[]);
    other(100);
    numbers.loads(200, &[]);
    let old = Backup::of(&numbers.state());
    other(200);
    numbers.loads(300, &[]);
    other(300);
    old.restore();
    numbers.is_refused(400, "the state is older");
    other(400);
    assert_eq!(numbers.ids().len(), 700);
}

#[test]
fn in_bigquery_an_old_backup_is_refused_and_a_table_that_is_gone_as_well() {
    let dataset = sandbox::unique("restore");
    let numbers = Numbers::into(&bigquery::sink(&dataset));
    let ids = || bigquery::integers(&format!("{dataset}.numbers"), "id");
    numbers.loads(100, &[]);
    let old = Backup::of(&numbers.state());
    numbers.source_has(200);
    numbers.workspace.run_killed_at("commit.marked", &[]);
    numbers.loads(200, &[]);
    let new = Backup::of(&numbers.state());
    old.restore();
    numbers.is_refused(300, &format!("the state is older than table {dataset}.numbers"));
    assert_eq!(ids(), (0..200).collect::<Vec<_>>());
    new.restore();
    numbers.loads(300, &[]);
    assert_eq!(ids(), (0..300).collect::<Vec<_>>());
    bigquery::query(&format!("DROP TABLE {dataset}.numbers"));
    numbers.is_refused(400, "does not exist any more");
    numbers.loads(400, &["--from-beginning"]);
    assert_eq!(ids(), (0..400).collect::<Vec<_>>());
}
