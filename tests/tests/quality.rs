//! Data-quality checks from the binary: what they find is told by column and count, and what fails commits nothing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use std::path::PathBuf;

use sluice_tests::binary::Workspace;
use sluice_tests::warehouse;

/// A stream of all files of a folder, read file by file, with these checks.
fn workspace(checks: &str) -> Workspace {
    let workspace = Workspace::new();
    std::fs::create_dir(workspace.path().join("data")).unwrap();
    checking(&workspace, checks);
    workspace
}

fn checking(workspace: &Workspace, checks: &str) {
    workspace.pipeline(&format!(
        "name: quality\nsource:\n  connector: files\n  config:\n    streams:\n      - {{name: t, glob: \"*\"}}\n  \
         grants:\n    folders: {{/data: data}}\nstreams:\n  - id: t\n    read: {{incremental: \"\"}}\n    \
         checks: {checks}\nsink: {{type: local, path: warehouse}}\nretry: {{max_attempts: 2}}\n\
         schedule: {{cron: \"@daily\", time_zone: Europe/Berlin}}\nnotify: [{{email: [ops@example.com]}}]\nrun: local\n"
    ));
}

fn put(workspace: &Workspace, name: &str, content: &str) {
    std::fs::write(workspace.path().join("data").join(name), content).unwrap();
}

fn table(workspace: &Workspace) -> PathBuf {
    workspace.path().join("warehouse/main/t")
}

#[test]
fn what_warns_is_told_and_the_rows_are_committed() {
    let workspace = workspace(
        "[{not_null: [name], level: warn}, {unique: [id], level: warn}, {rows: {min: 1}}, \
         {accepted: {column: name, values: [one, two]}, level: warn}]",
    );
    put(&workspace, "a.csv", "id,name\n1,one\n2,\n");
    put(&workspace, "b.csv", "id,name\n2,secret-three\n3,two\n");
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    assert_eq!(warehouse::integers(&table(&workspace), "id"), [1, 2, 2, 3]);
    let stream = &ran.summary()["streams"][0];
    let warnings = stream["warnings"].to_string();
    assert!(warnings.contains("check not_null (name): NULL of 4 rows: name in 1"), "{warnings}");
    assert!(warnings.contains("check unique (id): 1 of 4 rows repeat the id of another row"), "{warnings}");
    assert!(warnings.contains("check accepted (name): 1 of 4 rows have in name none of the 2 accepted"), "{warnings}");
    assert!(!format!("{ran:?}").contains("secret-three"), "a value is never told");
    let found: Vec<_> = stream["checks"].as_array().unwrap().iter().map(|found| found["check"].clone()).collect();
    assert_eq!(found, [0, 1, 3]);
    assert_eq!(stream["checks"][0]["level"], "warn");
}

#[test]
fn what_fails_commits_nothing_and_leaves_the_state_where_it_was() {
    let workspace = workspace("[{rows: {min: 1}, level: warn}, {unique: [id]}]");
    put(&workspace, "a.csv", "id,name\n1,one\n2,two\n");
    assert_eq!(workspace.run(&[]).code(), Some(0));

    put(&workspace, "b.csv", "id,name\n3,three\n3,drei-geheim\n");
    let failed = workspace.run(&[]);
    assert_eq!(failed.code(), Some(2), "{failed:?}");
    let summary = failed.summary();
    assert_eq!((&summary["state"], &summary["streams"][0]["rows_committed"]), (&"failed".into(), &0.into()));
    let error = &summary["error"];
    assert_eq!((&error["kind"], &error["stream"], &error["field"]), (&"data".into(), &"t".into(), &"checks[1]".into()));
    let message = failed.error();
    assert!(message.contains("nothing was committed") && message.contains("unique (id): 1 of 2 rows"), "{message}");
    assert!(!format!("{failed:?}").contains("drei-geheim"), "a value is never told");
    assert_eq!(warehouse::integers(&table(&workspace), "id"), [1, 2]);

    // The same rows are read again, and pass once the source is mended.
    put(&workspace, "b.csv", "id,name\n3,three\n4,four\n");
    let mended = workspace.run(&[]);
    assert_eq!(mended.code(), Some(0), "{mended:?}");
    assert_eq!(mended.summary()["streams"][0]["rows_read"], 2);
    assert_eq!(warehouse::integers(&table(&workspace), "id"), [1, 2, 3, 4]);

    // Nothing new is fewer rows than asked for, which only warns.
    let idle = workspace.run(&[]);
    assert_eq!(idle.code(), Some(0), "{idle:?}");
    let warnings = idle.summary()["streams"][0]["warnings"].to_string();
    assert!(warnings.contains("check rows: 0 rows, but at least 1 are expected"), "{warnings}");
}

#[test]
fn data_that_is_old_at_the_commit_fails_a_freshness_check() {
    let workspace = workspace("[{fresh: {column: at, max_age_minutes: 60}}]");
    put(&workspace, "a.csv", "id,at\n1,2020-01-01T00:00:00Z\n2,2020-01-01T00:00:01Z\n");
    let failed = workspace.run(&[]);
    assert_eq!(failed.code(), Some(2), "{failed:?}");
    assert!(failed.error().contains("fresh (at): the newest at is "), "{}", failed.error());
    assert!(warehouse::files(&table(&workspace)).is_empty());
    put(&workspace, "b.csv", "id,at\n3,2999-01-01T00:00:00Z\n");
    assert_eq!(workspace.run(&[]).code(), Some(0), "one new time is enough");
    assert_eq!(warehouse::integers(&table(&workspace), "id"), [1, 2, 3]);
}

#[test]
fn a_check_of_a_column_that_is_not_there_is_refused_before_anything_is_read() {
    let workspace = workspace("[{not_null: [nmae]}]");
    put(&workspace, "a.csv", "id,name\n1,one\n");
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(2), "{ran:?}");
    assert!(ran.error().contains("the table has no column nmae; there are id, name"), "{}", ran.error());
    assert_eq!(ran.summary()["streams"][0]["rows_read"], 0);
}

#[test]
fn what_only_the_service_does_is_checked_by_the_command_line_too() {
    let workspace = workspace("[{rows: {min: 2, max: 1}}]");
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(2), "{ran:?}");
    assert!(ran.error().contains("`min` is above `max`"), "{}", ran.error());
    checking(&workspace, "[]\n    on_misfit: fail\nlimits: {parallel: 1}");
    let path = workspace.path().join("pipeline.yaml");
    let yaml = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, yaml.replace("run: local", "run: dataflow")).unwrap();
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(2), "{ran:?}");
    assert!(ran.error().contains("`run: dataflow` is not offered by this version"), "{}", ran.error());
}
