//! What a folder offers.

use serde_json::json;
use sluice_sdk::{DiscoverFilter, ErrorKind, Outcome, Source, StreamKind};

use crate::support::*;

fn ids(fixture: &Fixture) -> Vec<String> {
    fixture.discover().into_iter().map(|info| info.id).collect()
}

#[test]
fn files_and_folders_at_the_top_are_streams() {
    let fixture = Fixture::new();
    fixture
        .write("customers.csv", "id\n1\n")
        .write("orders/2024/01.csv", "id\n1\n")
        .write("orders/2024/02.csv.gz", gzip(b"id\n2\n"))
        .write("events/a.ndjson", "{\"x\":1}\n")
        .write("events/b.csv", "x\n1\n")
        .write("events.parquet", parquet(3, 10))
        .write("orders.parquet", parquet(3, 10))
        .write("notes.txt", "hello")
        .write("_SUCCESS", "")
        .write("orders/_tmp/x.csv", "broken");
    assert_eq!(ids(&fixture), ["customers", "events", "events/csv", "events/ndjson", "orders", "orders.parquet"]);
    let orders = fixture.discover().into_iter().find(|info| info.id == "orders").unwrap();
    assert_eq!(orders.kind, StreamKind::Files);
    assert_eq!(orders.description.as_deref(), Some("orders/** (csv) (csv, 2 files)"));
    let parquet = fixture.discover().into_iter().find(|info| info.id == "orders.parquet").unwrap();
    assert_eq!(parquet.rows, Some(3));
}

#[test]
fn configured_streams_replace_the_suggested_ones() {
    let fixture = Fixture::new().streams(json!([
        {"name": "b", "glob": "in/*-[0-9].txt", "options": {"format": "csv"}},
        {"name": "a", "glob": "**/*.ndjson"},
    ]));
    fixture.write("in/x-1.txt", "id\n1\n").write("in/x-y.txt", "id\n2\n").write("deep/er/n.ndjson", "{\"id\":3}\n");
    assert_eq!(ids(&fixture), ["a", "b"]);
    assert_eq!(fixture.rows("a").unwrap(), ["3"]);
    assert_eq!(fixture.rows("b").unwrap(), ["1"]);
}

#[test]
fn pages_follow_each_other() {
    let fixture = Fixture::new();
    for name in ["a", "b", "c"] {
        fixture.write(&format!("{name}.csv"), "id\n1\n");
    }
    let filter = DiscoverFilter { page_size: 2, ..DiscoverFilter::default() };
    let first = fixture.open().discover(&filter, None).unwrap();
    let second = fixture.open().discover(&filter, first.next.as_deref()).unwrap();
    let ids = |page: &sluice_sdk::DiscoverPage| page.streams.iter().map(|s| s.id.clone()).collect::<Vec<_>>();
    assert_eq!((ids(&first), ids(&second), second.next), (vec!["a".into(), "b".into()], vec!["c".into()], None));
    let filter = DiscoverFilter { contains: "B".into(), page_size: 10, ..DiscoverFilter::default() };
    assert_eq!(ids(&fixture.open().discover(&filter, None).unwrap()), ["b"]);
}

#[test]
fn a_check_names_the_grant_that_is_missing() {
    let fixture = Fixture::new();
    std::fs::remove_dir(fixture.dir.path()).unwrap();
    let steps = fixture.open().check().unwrap();
    assert_eq!(steps[0].outcome, Outcome::Failed);
    assert!(steps[0].detail.contains("does not exist"), "{:?}", steps[0]);
    assert!(steps[0].remedy.contains("`source.grants.folders`"), "{:?}", steps[0]);
    assert_eq!(steps[1].outcome, Outcome::Skipped);
    std::fs::create_dir(fixture.dir.path()).unwrap();
}

#[test]
fn a_check_reports_each_stream() {
    let fixture = Fixture::new();
    assert_eq!(fixture.open().check().unwrap()[0].outcome, Outcome::Warned);
    fixture.write("good.csv", "id\n1\n").write("bad.parquet", "no parquet at all");
    let steps = fixture.open().check().unwrap();
    let outcomes: Vec<_> = steps.iter().map(|step| (step.name.as_str(), step.outcome)).collect();
    assert_eq!(outcomes, [("list", Outcome::Passed), ("read bad", Outcome::Failed), ("read good", Outcome::Passed)]);
    assert!(steps[1].detail.contains("bad.parquet is not a Parquet file"), "{:?}", steps[1]);
}

#[test]
fn a_configuration_that_cannot_work_names_its_field() {
    for (streams, field) in [
        (json!([{"name": "", "glob": "*"}]), "/streams/0/name"),
        (json!([{"name": "a", "glob": "../*"}]), "/streams/0/glob"),
        (json!([{"name": "a", "glob": "*"}, {"name": "a", "glob": "*"}]), "/streams/1/name"),
        (json!([{"name": "a", "glob": "*", "options": {"csv": {"delimiter": "ab"}}}]), "/streams/0/options"),
    ] {
        let error = Fixture::new().streams(streams).try_open().err().unwrap();
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Config, Some(field)), "{error}");
    }
}

#[test]
fn a_stream_that_does_not_exist_is_named() {
    let fixture = Fixture::new();
    fixture.write("a.csv", "id\n1\n");
    let error = fixture.rows("b").unwrap_err();
    assert_eq!((error.kind, error.stream.as_deref()), (ErrorKind::NotFound, Some("b")));
}
