//! Files through the sandbox, from the binary: what is loaded, set aside, refused.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sluice_tests::binary::Workspace;
use sluice_tests::objects::{self, Bucket, Dated};
use sluice_tests::{postgres, sandbox, warehouse};

fn pipeline(stream: &str) -> String {
    format!(
        "name: files\nsource:\n  connector: files\n  config:\n    streams:\n      - {{name: t, glob: \"*\"}}\n  \
         grants:\n    folders: {{/data: data}}\nstreams:\n  - {stream}\nsink: {{type: local, path: warehouse}}\n"
    )
}

fn workspace(stream: &str) -> Workspace {
    let workspace = Workspace::new();
    std::fs::create_dir(workspace.path().join("data")).unwrap();
    workspace.pipeline(&pipeline(stream));
    workspace
}

fn gzip(path: &Path) {
    assert!(Command::new("gzip").arg("--force").arg(path).status().unwrap().success());
}

#[test]
fn only_new_files_are_read_and_a_broken_one_leaves_the_state_where_it_was() {
    let workspace = workspace("{id: t, read: {incremental: \"\"}}");
    let data = workspace.path().join("data");
    let table = workspace.path().join("warehouse/main/t");
    std::fs::write(data.join("a.csv"), "id,name\n1,one\n2,two\n").unwrap();
    assert_eq!(workspace.run(&[]).code(), Some(0));

    let rows: String = (3..5_000).map(|id| format!("{id},name {id}\n")).collect();
    std::fs::write(data.join("b.csv"), format!("id,name\n{rows}")).unwrap();
    gzip(&data.join("b.csv"));
    let whole = std::fs::read(data.join("b.csv.gz")).unwrap();
    std::fs::write(data.join("b.csv.gz"), &whole[..whole.len() / 2]).unwrap();
    let broken = workspace.run(&[]);
    assert_eq!(broken.code(), Some(3), "{broken:?}");
    assert!(broken.error().contains("b.csv.gz"), "{}", broken.error());
    assert_eq!(warehouse::integers(&table, "id"), [1, 2], "nothing of the broken file is visible");

    std::fs::write(data.join("b.csv.gz"), &whole).unwrap();
    let mended = workspace.run(&[]);
    assert_eq!(mended.code(), Some(0), "{mended:?}");
    assert_eq!(mended.summary()["streams"][0]["rows_read"], 4_997, "the first file is not read again");
    assert_eq!(warehouse::integers(&table, "id"), (1..5_000).collect::<Vec<_>>());
}

#[test]
fn rows_that_do_not_fit_are_set_aside_with_their_reason_and_all_are_accounted_for() {
    let workspace = workspace("{id: t, cast: {amount: {to: INT64, on_misfit: quarantine}}}");
    let data = workspace.path().join("data");
    std::fs::write(data.join("a.csv"), "id,amount\n1,10\n2,ten\n3,30\n4,\n").unwrap();
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    let stream = &ran.summary()["streams"][0];
    assert_eq!(stream["rows_read"], 4, "{stream}");
    assert_eq!(stream["rows_quarantined"], 1, "{stream}");
    assert_eq!(stream["rows_committed"], 3, "{stream}");
    assert_eq!(warehouse::integers(&workspace.path().join("warehouse/main/t"), "id"), [1, 3, 4]);
    let aside = warehouse::batches(&workspace.path().join("warehouse/main/t__quarantine"));
    let text = arrow_cast::pretty::pretty_format_batches(&aside).unwrap().to_string();
    assert!(text.contains("amount") && text.contains("ten") && text.contains("| 2 "), "{text}");
}

#[test]
fn rows_that_do_not_fit_fail_the_run_by_column_and_row_without_their_value() {
    let workspace = workspace("{id: t, cast: {amount: {to: INT64}}}");
    std::fs::write(workspace.path().join("data/a.csv"), "id,amount\n1,10\n2,secret-ten\n").unwrap();
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(2), "{ran:?}");
    let error = ran.error();
    assert!(error.contains("amount") && error.contains('2') && !error.contains("secret-ten"), "{error}");
    assert!(warehouse::files(&workspace.path().join("warehouse/main/t")).is_empty());
}

#[test]
fn a_folder_that_is_not_granted_is_said_to_be() {
    let workspace = workspace("{id: t}");
    workspace.pipeline(&pipeline("{id: t}").replace("  grants:\n    folders: {/data: data}\n", ""));
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(2), "{ran:?}");
    assert!(ran.error().contains("grants.folders"), "{}", ran.error());
}

#[test]
fn a_wrong_pipeline_is_refused_by_line_and_field() {
    let workspace = Workspace::new();
    workspace
        .pipeline("name: x\nsource: {connector: files}\nstreams: [{id: t, colums: [a]}]\nsink: {type: \"null\"}\n");
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(2), "{ran:?}");
    assert!(ran.error().contains("colums"), "{}", ran.error());
    workspace.pipeline("name: x\nsource: {connector: nothing}\nstreams: [{id: t}]\nsink: {type: \"null\"}\n");
    let ran = workspace.run(&[]);
    assert!(ran.error().contains("no connector named nothing"), "{}", ran.error());
}

/// A folder that is granted.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Bucket for Folder {
    fn connector(&self) -> &'static str {
        "files"
    }

    fn config(&self) -> Value {
        json!({})
    }

    fn below(&self, folder: &str) -> Value {
        json!({"path": format!("/data/{folder}"), "streams": [{"name": "t", "glob": "**/*.csv"}]})
    }

    fn grants(&self) -> Value {
        json!({"folders": {"/data": self.0.path()}})
    }

    fn put(&self, key: &str, content: &[u8]) {
        let path = self.0.path().join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn delete(&self, key: &str) {
        std::fs::remove_file(self.0.path().join(key)).unwrap();
    }

    fn place(&self) -> String {
        "/data".into()
    }
}

impl Dated for Folder {
    fn date(&self, key: &str, seconds: u64) {
        objects::set_modified(&self.0.path().join(key), seconds);
    }
}

#[test]
fn files_that_others_compressed_arrive_row_for_row() {
    objects::files_that_others_compressed_arrive_row_for_row(&Folder::new());
}

#[test]
fn files_that_others_compressed_and_broke_are_named() {
    objects::files_that_others_compressed_and_broke_are_named(&Folder::new());
}

#[test]
fn append_adds_changed_files_as_wholes() {
    objects::append_adds_changed_files_as_wholes(&Folder::new());
}

#[test]
fn tail_adds_what_was_added() {
    objects::tail_adds_what_was_added(&Folder::new());
}

#[test]
fn replace_puts_new_rows_in_the_place_of_a_files_old_ones() {
    objects::replace_puts_new_rows_in_the_place_of_a_files_old_ones(&Folder::new());
}

#[test]
fn ignore_leaves_changed_files_as_they_were_read() {
    objects::ignore_leaves_changed_files_as_they_were_read(&Folder::new());
}

#[test]
fn fail_names_a_changed_file_and_reads_nothing() {
    objects::fail_names_a_changed_file_and_reads_nothing(&Folder::new());
}

#[test]
fn killed_at_any_point_every_row_is_there_once() {
    objects::killed_at_any_point_every_row_is_there_once(&Folder::new());
}

#[test]
fn more_files_than_a_listing_has_on_a_page_are_read_once_and_late_ones_too() {
    objects::many_objects_are_listed_and_read(&Folder::new(), 3_000);
}

#[test]
fn changed_files_of_a_connector_that_reads_none_are_refused_by_field() {
    let workspace = Workspace::new();
    let schema = sandbox::unique("none");
    workspace.pipeline(&format!(
        "name: x\n{}streams:\n  - {{id: {schema}.t, read: {{incremental: id}}, changed_files: ignore}}\nsink: {{type: \"null\"}}\n",
        postgres::source(&[])
    ));
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(2), "{ran:?}");
    assert!(
        ran.error().contains("the connector postgres does not read files; remove `changed_files`"),
        "{}",
        ran.error()
    );
}
