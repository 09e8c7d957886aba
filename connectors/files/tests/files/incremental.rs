//! An incremental read takes what is new, and what it does with what has changed is the pipeline's policy.

use serde_json::json;
use sluice_sdk::native::{self, Memory};
use sluice_sdk::{ChangedFiles, Cursor, Error, ErrorKind, Result, Selection};

use crate::support::*;

/// Incremental runs of the stream `s`, one after the other.
struct Runs<'a> {
    fixture: &'a Fixture,
    policy: Option<ChangedFiles>,
    state: Option<Cursor>,
    memory: Memory,
}

impl<'a> Runs<'a> {
    fn of(fixture: &'a Fixture, policy: impl Into<Option<ChangedFiles>>) -> Self {
        Self { fixture, policy: policy.into(), state: None, memory: Memory::default() }
    }

    fn try_next(&mut self, selection: Selection) -> Result<Vec<String>> {
        let plan = native::plan(&mut self.fixture.open(), &[selection], &HINTS, &mut self.memory)?;
        let mut rows = Vec::new();
        for split in &plan.splits {
            rows.extend(self.fixture.read(split, None, usize::MAX)?.rows);
        }
        self.state.clone_from(&plan.streams[0].state_after);
        Ok(rows)
    }

    /// Reads what is new.
    fn next(&mut self) -> Vec<String> {
        let selection = Selection { changed_files: self.policy, ..incremental("s", self.state.clone()) };
        self.try_next(selection).unwrap()
    }

    fn error(&mut self) -> Error {
        let selection = Selection { changed_files: self.policy, ..incremental("s", self.state.clone()) };
        self.try_next(selection).unwrap_err()
    }
}

#[test]
fn only_new_files_are_read() {
    let fixture = Fixture::new();
    fixture.write("s/1.csv", "id\n1\n");
    let mut runs = Runs::of(&fixture, None);
    assert_eq!(runs.next(), ["1"]);
    assert_eq!(runs.next(), [""; 0]);
    // Named before the first one: the state is a set of files, not a place in a list.
    fixture.write("s/0.csv", "id\n0\n");
    assert_eq!(runs.next(), ["0"]);
    let selection = incremental("s", runs.state.clone());
    let plan = native::plan(&mut fixture.open(), &[selection], &HINTS, &mut runs.memory).unwrap();
    assert_eq!((plan.splits.len(), plan.streams[0].bytes), (0, Some(0)));
    assert_eq!(runs.memory.len("s"), 2);
}

#[test]
fn a_file_that_is_listed_late_is_read_however_old_it_is() {
    let fixture = Fixture::new();
    fixture.write("s/new.csv", "id\n1\n");
    let mut runs = Runs::of(&fixture, None);
    assert_eq!(runs.next(), ["1"]);
    fixture.write("s/old.csv", "id\n2\n");
    let file = std::fs::File::options().write(true).open(fixture.path("s/old.csv")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(runs.next(), ["2"]);
    assert_eq!(runs.next(), [""; 0]);
}

#[test]
fn a_file_that_went_away_and_comes_back_as_it_was_is_not_read_again() {
    let fixture = Fixture::new();
    fixture.write("s/1.csv", "id\n1\n").write("s/2.csv", "id\n2\n");
    let mut runs = Runs::of(&fixture, None);
    assert_eq!(runs.next(), ["1", "2"]);
    std::fs::rename(fixture.path("s/1.csv"), fixture.path("elsewhere.csv")).unwrap();
    assert_eq!(runs.next(), [""; 0]);
    std::fs::rename(fixture.path("elsewhere.csv"), fixture.path("s/1.csv")).unwrap();
    assert_eq!(runs.next(), [""; 0]);
}

#[test]
fn a_changed_file_is_read_again_unless_the_policy_says_otherwise() {
    for policy in [None, Some(ChangedFiles::Append)] {
        let fixture = Fixture::new();
        fixture.write("s/1.csv", "id\n1\n").write("s/2.csv", "id\n2\n");
        let mut runs = Runs::of(&fixture, policy);
        runs.next();
        fixture.append("s/1.csv", "3\n");
        assert_eq!(runs.next(), ["1", "3"]);
        assert_eq!(runs.next(), [""; 0]);
    }
}

#[test]
fn with_ignore_a_changed_file_stays_as_it_was_read_until_the_policy_changes() {
    let fixture = Fixture::new();
    fixture.write("s/1.csv", "id\n1\n");
    let mut runs = Runs::of(&fixture, ChangedFiles::Ignore);
    runs.next();
    fixture.append("s/1.csv", "2\n");
    fixture.write("s/2.csv", "id\n3\n");
    assert_eq!(runs.next(), ["3"]);
    assert_eq!(runs.next(), [""; 0]);
    runs.policy = Some(ChangedFiles::Append);
    assert_eq!(runs.next(), ["1", "2"]);
}

#[test]
fn with_tail_only_complete_new_lines_are_read() {
    let fixture = Fixture::new();
    fixture.write("s/1.csv", "id,name\n1,a\n2,not yet com");
    let mut runs = Runs::of(&fixture, ChangedFiles::Tail);
    assert_eq!(runs.next(), ["1|a"]);
    fixture.append("s/1.csv", "plete\n3,c\n4");
    assert_eq!(runs.next(), ["2|not yet complete", "3|c"]);
    assert_eq!(runs.next(), [""; 0]);
    fixture.append("s/1.csv", ",d");
    assert_eq!(runs.next(), [""; 0], "its line break is still missing");
    fixture.append("s/1.csv", "\n");
    assert_eq!(runs.next(), ["4|d"]);
}

#[test]
fn tail_reads_a_file_that_shrank_from_its_start() {
    let fixture = Fixture::new();
    fixture.write("s/1.ndjson", "{\"id\":1}\n{\"id\":2}\n");
    let mut runs = Runs::of(&fixture, ChangedFiles::Tail);
    runs.next();
    fixture.write("s/1.ndjson", "{\"id\":7}\n");
    assert_eq!(runs.next(), ["7"]);
}

#[test]
fn tail_is_refused_where_it_cannot_work() {
    let fixture = Fixture::new();
    fixture.write("s/1.csv.gz", gzip(b"id\n1\n"));
    let error = Runs::of(&fixture, ChangedFiles::Tail).error();
    assert_eq!((error.kind, error.stream.as_deref()), (ErrorKind::Unsupported, Some("s")));
    assert!(error.message.contains("s/1.csv.gz: changed_files: tail needs"), "{error}");
}

#[test]
fn tail_does_not_go_on_within_a_line_that_another_policy_has_read() {
    let fixture = Fixture::new();
    fixture.write("s/1.csv", "id,name\n1,half a li");
    let mut runs = Runs::of(&fixture, ChangedFiles::Append);
    assert_eq!(runs.next(), ["1|half a li"]);
    fixture.append("s/1.csv", "ne\n2,b\n");
    runs.policy = Some(ChangedFiles::Tail);
    assert!(runs.error().message.contains("s/1.csv was read up to byte 19, which is within a line"));
}

#[test]
fn with_replace_rows_say_their_file_and_changed_files_are_named() {
    let fixture = Fixture::new();
    fixture.write("s/1.csv", "id\n1\n").write("s/2.csv", "id\n2\n").write("s/3.csv", "id\n3\n");
    let mut runs = Runs::of(&fixture, ChangedFiles::Replace);
    assert_eq!(runs.next(), ["1|s/1.csv", "2|s/2.csv", "3|s/3.csv"]);
    assert_eq!(runs.memory.replaced("s").len(), 3, "without a state the table may have rows of any file");
    fixture.append("s/1.csv", "10\n");
    fixture.write("s/2.csv", "id\n");
    fixture.write("s/4.csv", "id\n4\n");
    assert_eq!(runs.next(), ["1|s/1.csv", "10|s/1.csv", "4|s/4.csv"]);
    assert_eq!(runs.memory.replaced("s"), ["s/1.csv", "s/2.csv"]);
    assert_eq!(runs.next(), [""; 0]);
    assert_eq!(runs.memory.replaced("s"), [""; 0]);
}

#[test]
fn with_replace_the_file_is_told_by_every_format_and_whatever_columns_are_chosen() {
    for (key, content) in [
        ("s/1.csv", csv(3).into_bytes()),
        ("s/1.ndjson.gz", gzip(ndjson(3).as_bytes())),
        ("s/1.parquet", parquet(3, 2)),
    ] {
        let fixture = Fixture::new();
        fixture.write(key, content);
        let selection = Selection {
            changed_files: Some(ChangedFiles::Replace),
            columns: vec!["id".into()],
            ..incremental("s", None)
        };
        let rows = Runs::of(&fixture, None).try_next(selection).unwrap();
        assert_eq!(rows, [0, 1, 2].map(|id| format!("{id}|{key}")));
    }
}

#[test]
fn replace_is_refused_where_rows_do_not_say_their_file() {
    let fixture = Fixture::new();
    fixture.write("s/1.csv", "id\n1\n");
    let mut runs = Runs::of(&fixture, ChangedFiles::Replace);
    runs.next();
    runs.next();
    runs.policy = Some(ChangedFiles::Append);
    runs.next();
    runs.policy = Some(ChangedFiles::Replace);
    let error = runs.error();
    assert!(error.message.contains("do not say which file they are of"), "{error}");
}

#[test]
fn replace_is_refused_where_files_have_a_column_of_the_same_name() {
    let fixture = Fixture::new();
    fixture.write("s/1.csv", "id,_sluice_file\n1,x\n");
    let error = Runs::of(&fixture, ChangedFiles::Replace).error();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.message.contains("_sluice_file of their own"), "{error}");
}

#[test]
fn with_fail_a_changed_file_is_named() {
    let fixture = Fixture::new();
    fixture.write("s/1.csv", "id\n1\n");
    let mut runs = Runs::of(&fixture, ChangedFiles::Fail);
    runs.next();
    fixture.append("s/1.csv", "2\n");
    let error = runs.error();
    assert!(error.message.contains("s/1.csv has changed"), "{error}");
    assert_eq!(runs.error(), error, "nothing of a plan that failed is remembered");
}

#[test]
fn a_cursor_column_and_a_filter_are_refused() {
    let fixture = Fixture::new();
    fixture.write("s.csv", "id\n1\n");
    let by_column = Selection { mode: sluice_sdk::ReadMode::Incremental("id".into()), ..full("s") };
    assert_eq!(fixture.plan(by_column, &HINTS).unwrap_err().kind, ErrorKind::Unsupported);
    let filtered = Selection { filter: Some("id > 1".into()), ..full("s") };
    assert_eq!(fixture.plan(filtered, &HINTS).unwrap_err().kind, ErrorKind::Unsupported);
}

#[test]
fn an_incremental_read_goes_on_after_a_full_one_and_a_full_one_forgets_what_went_before() {
    let fixture = Fixture::new();
    fixture.write("s/1.csv", "id\n1\n").write("s/2.csv", "id\n2\n");
    let mut runs = Runs::of(&fixture, None);
    assert_eq!(runs.next(), ["1", "2"]);
    std::fs::remove_file(fixture.path("s/1.csv")).unwrap();
    assert_eq!(runs.try_next(full("s")).unwrap(), ["2"]);
    assert_eq!(runs.memory.len("s"), 1);
    fixture.write("s/3.csv", "id\n3\n");
    assert_eq!(runs.next(), ["3"]);
}

#[test]
fn a_state_of_another_version_is_refused() {
    let fixture = Fixture::new();
    fixture.write("s.csv", "id\n1\n");
    let error = fixture.plan(incremental("s", Some(b"{\"v\":1}".to_vec())), &HINTS).unwrap_err();
    assert!(error.message.contains("--from-beginning"), "{error}");
}

#[test]
fn streams_that_share_folders_do_not_share_what_they_remember() {
    let fixture =
        Fixture::new().streams(json!([{"name": "s", "glob": "in/*.csv"}, {"name": "t", "glob": "in/1*.csv"}]));
    fixture.write("in/1.csv", "id\n1\n").write("in/2.csv", "id\n2\n");
    let mut runs = Runs::of(&fixture, None);
    assert_eq!(runs.next(), ["1", "2"]);
    assert_eq!(runs.try_next(incremental("t", None)).unwrap(), ["1"]);
    assert_eq!((runs.memory.len("s"), runs.memory.len("t")), (2, 1));
}
