//! What an incremental run does with files that are new, changed, grown, gone, or listed late.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;

use super::{Bucket, workspace};
use crate::binary::{Ran, Workspace};
use crate::warehouse;

/// A bucket whose files can be given a time.
pub trait Dated: Bucket {
    /// Sets when an object was last changed, seconds since 1970.
    fn date(&self, key: &str, seconds: u64);
}

/// Sets a file's time.
///
/// # Panics
/// If it cannot be set.
pub fn set_modified(path: &std::path::Path, seconds: u64) {
    let file = std::fs::File::options().write(true).open(path).expect("the file");
    file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).expect("its time is set");
}

fn rows(ids: &[i64]) -> Vec<u8> {
    let rows: String = ids.iter().map(|id| format!("{id}\n")).collect();
    format!("id\n{rows}").into_bytes()
}

struct Runs<'a> {
    bucket: &'a dyn Dated,
    workspace: Workspace,
}

impl<'a> Runs<'a> {
    fn new(bucket: &'a dyn Dated, policy: &str) -> Self {
        let config = json!({"streams": [{"name": "t", "glob": "**/*.csv"}]});
        let read = format!("{{incremental: \"\"}}, changed_files: {policy}");
        Self { bucket, workspace: workspace(bucket, &config, &["t"], &read) }
    }

    /// What lies there before the first run.
    fn begin(&self) {
        self.bucket.put("in/a.csv", &rows(&[1, 2]));
        self.bucket.put("in/b.csv", &rows(&[3, 4]));
        self.bucket.put("in/gone.csv", &rows(&[7]));
        self.bucket.put("in/growing.csv", &rows(&[5, 6]));
        assert_eq!(self.read(), (7, vec![1, 2, 3, 4, 5, 6, 7]), "all at first");
        assert_eq!(self.read().0, 0, "nothing has changed");
    }

    /// A file is new, one has grown, one is gone, and one is listed late: it is older than all that were read.
    fn go_on(&self) {
        self.bucket.put("in/0.csv", &rows(&[10]));
        self.bucket.put("in/growing.csv", &rows(&[5, 6, 8, 9]));
        self.bucket.delete("in/gone.csv");
        self.bucket.put("in/late.csv", &rows(&[11]));
        self.bucket.date("in/late.csv", 1_000_000_000);
    }

    /// A file has been written again.
    fn rewrite(&self) {
        self.bucket.put("in/b.csv", &rows(&[3, 40]));
    }

    fn run(&self) -> Ran {
        self.workspace.run(&[])
    }

    fn table(&self) -> Vec<i64> {
        warehouse::integers(&self.workspace.path().join("warehouse/main/t"), "id")
    }

    /// Runs: rows that were read, and all rows of the table.
    fn read(&self) -> (i64, Vec<i64>) {
        let ran = self.run();
        assert_eq!(ran.code(), Some(0), "{ran:?}");
        let read = ran.summary()["streams"][0]["rows_read"].as_i64().expect("a number");
        (read, self.table())
    }

    /// Runs twice: the second run finds nothing to do.
    fn settled(&self) -> (i64, Vec<i64>) {
        let first = self.read();
        let second = self.read();
        assert_eq!(second, (0, first.1.clone()), "nothing has changed since");
        first
    }
}

/// With `append` changed files are read again as wholes and their rows are added.
///
/// # Panics
/// If not.
pub fn append_adds_changed_files_as_wholes(bucket: &dyn Dated) {
    let runs = Runs::new(bucket, "append");
    runs.begin();
    runs.go_on();
    runs.rewrite();
    assert_eq!(runs.settled(), (8, vec![1, 2, 3, 3, 4, 5, 5, 6, 6, 7, 8, 9, 10, 11, 40]));
}

/// With `tail` only what was added to a file is read.
///
/// # Panics
/// If not.
pub fn tail_adds_what_was_added(bucket: &dyn Dated) {
    let runs = Runs::new(bucket, "tail");
    runs.begin();
    runs.go_on();
    assert_eq!(runs.settled(), (4, vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]));
    runs.rewrite();
    let ran = runs.run();
    assert_eq!(ran.code(), Some(2), "{ran:?}");
    assert!(ran.error().contains("in/b.csv was read up to byte 7, which is within a line"), "{}", ran.error());
}

/// With `ignore` changed files stay as they were read.
///
/// # Panics
/// If not.
pub fn ignore_leaves_changed_files_as_they_were_read(bucket: &dyn Dated) {
    let runs = Runs::new(bucket, "ignore");
    runs.begin();
    runs.go_on();
    runs.rewrite();
    assert_eq!(runs.settled(), (2, vec![1, 2, 3, 4, 5, 6, 7, 10, 11]));
}

/// With `fail` a changed file is named, and nothing is read until it is dealt with.
///
/// # Panics
/// If not.
pub fn fail_names_a_changed_file_and_reads_nothing(bucket: &dyn Dated) {
    let runs = Runs::new(bucket, "fail");
    runs.begin();
    runs.go_on();
    let ran = runs.run();
    assert_eq!(ran.code(), Some(2), "{ran:?}");
    assert!(ran.error().contains("in/growing.csv has changed"), "{}", ran.error());
    assert_eq!(runs.table(), [1, 2, 3, 4, 5, 6, 7]);
    bucket.delete("in/growing.csv");
    assert_eq!(runs.settled(), (2, vec![1, 2, 3, 4, 5, 6, 7, 10, 11]));
}

/// With `replace` the rows of a changed file take the place of those that the table has of it.
///
/// # Panics
/// If not.
pub fn replace_puts_new_rows_in_the_place_of_a_files_old_ones(bucket: &dyn Dated) {
    let runs = Runs::new(bucket, "replace");
    runs.begin();
    runs.go_on();
    runs.rewrite();
    assert_eq!(runs.settled(), (8, vec![1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 40]), "rows of a file that is gone stay");
    bucket.put("in/a.csv", b"id\n");
    assert_eq!(runs.settled(), (0, vec![3, 5, 6, 7, 8, 9, 10, 11, 40]), "a file that became empty");
}
