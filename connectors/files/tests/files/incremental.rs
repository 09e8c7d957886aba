//! An incremental read takes what is new, and what it does with what has changed is a policy.

use serde_json::json;
use sluice_sdk::{Cursor, ErrorKind, Selection};

use crate::support::*;

/// Reads what is new, and returns the state after it.
fn next(fixture: &Fixture, id: &str, state: Option<Cursor>) -> (Vec<String>, Option<Cursor>) {
    let plan = fixture.plan(incremental(id, state.clone()), &HINTS).unwrap();
    let after = plan.streams[0].state_after.clone().unwrap();
    (fixture.rows_of(incremental(id, state), &HINTS).unwrap(), Some(after))
}

#[test]
fn only_new_files_are_read() {
    let fixture = Fixture::new();
    fixture.write("s/1.csv", "id\n1\n");
    let (rows, state) = next(&fixture, "s", None);
    assert_eq!(rows, ["1"]);
    let (rows, state) = next(&fixture, "s", state);
    assert_eq!(rows, [""; 0]);
    // Named before the first one: the state is a set of files, not a place in a list.
    fixture.write("s/0.csv", "id\n0\n");
    let (rows, state) = next(&fixture, "s", state);
    assert_eq!(rows, ["0"]);
    let plan = fixture.plan(incremental("s", state), &HINTS).unwrap();
    assert_eq!(plan.splits.len(), 0);
    assert_eq!(plan.streams[0].bytes, Some(0));
}

#[test]
fn a_changed_file_is_read_again() {
    let fixture = Fixture::new();
    fixture.write("s/1.csv", "id\n1\n").write("s/2.csv", "id\n2\n");
    let (_, state) = next(&fixture, "s", None);
    fixture.append("s/1.csv", "3\n");
    assert_eq!(next(&fixture, "s", state).0, ["1", "3"]);
}

#[test]
fn with_append_only_complete_new_lines_are_read() {
    let fixture = Fixture::with(json!({"on_change": "append"}));
    fixture.write("s/1.csv", "id,name\n1,a\n2,not yet com");
    let (rows, state) = next(&fixture, "s", None);
    assert_eq!(rows, ["1|a"]);
    fixture.append("s/1.csv", "plete\n3,c\n4");
    let (rows, state) = next(&fixture, "s", state);
    assert_eq!(rows, ["2|not yet complete", "3|c"]);
    let (rows, _) = next(&fixture, "s", state);
    assert_eq!(rows, [""; 0]);
}

#[test]
fn append_reads_a_file_that_shrank_from_its_start() {
    let fixture = Fixture::with(json!({"on_change": "append"}));
    fixture.write("s/1.ndjson", "{\"id\":1}\n{\"id\":2}\n");
    let (_, state) = next(&fixture, "s", None);
    fixture.write("s/1.ndjson", "{\"id\":7}\n");
    assert_eq!(next(&fixture, "s", state).0, ["7"]);
}

#[test]
fn append_is_refused_where_it_cannot_work() {
    let fixture = Fixture::with(json!({"on_change": "append"}));
    fixture.write("s/1.csv.gz", gzip(b"id\n1\n"));
    let error = fixture.plan(incremental("s", None), &HINTS).unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Config, Some("/options/on_change")));
}

#[test]
fn with_fail_a_changed_file_is_named() {
    let fixture = Fixture::with(json!({"on_change": "fail"}));
    fixture.write("s/1.csv", "id\n1\n");
    let (_, state) = next(&fixture, "s", None);
    fixture.append("s/1.csv", "2\n");
    let error = fixture.plan(incremental("s", state), &HINTS).unwrap_err();
    assert!(error.message.contains("s/1.csv has changed"), "{error}");
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
fn an_incremental_read_goes_on_after_a_full_one() {
    let fixture = Fixture::new();
    fixture.write("s/1.csv", "id\n1\n");
    let state = fixture.plan(full("s"), &HINTS).unwrap().streams[0].state_after.clone();
    fixture.write("s/2.csv", "id\n2\n");
    assert_eq!(next(&fixture, "s", state).0, ["2"]);
}
