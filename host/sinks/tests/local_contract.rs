//! The local and the null sink show the behaviour that every sink must show.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed assertion is how a test fails")]

use std::path::PathBuf;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type};
use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::load::TableName;
use sluice_sinks::contract::{Readback, Skip, Subject, names, run};
use sluice_sinks::local::{LocalSink, preview, tables};
use sluice_sinks::null::NullSink;

struct Warehouse(PathBuf);

#[async_trait]
impl Readback for Warehouse {
    async fn ids(&self, table: &TableName, day: Option<&str>) -> Result<Vec<i64>, RunError> {
        let mut ids = Vec::new();
        for batch in preview(&self.0, table, usize::MAX)? {
            let column = batch.column_by_name("id").unwrap().as_primitive::<Int64Type>();
            for row in 0..batch.num_rows() {
                let is_wanted = day.is_none_or(|day| {
                    let days = batch.column_by_name("snapshot_date").unwrap().as_primitive::<Date32Type>();
                    days.value_as_date(row).unwrap().to_string() == day
                });
                if is_wanted {
                    ids.push(column.value(row));
                }
            }
        }
        Ok(ids)
    }

    async fn columns(&self, table: &TableName) -> Result<Vec<String>, RunError> {
        let all = tables(&self.0)?;
        let found = all.iter().find(|info| info.name == *table).unwrap();
        Ok(found.schema.fields().iter().map(|f| f.name().clone()).collect())
    }
}

struct Nothing;

#[async_trait]
impl Readback for Nothing {
    async fn ids(&self, _table: &TableName, _day: Option<&str>) -> Result<Vec<i64>, RunError> {
        Ok(Vec::new())
    }

    async fn columns(&self, _table: &TableName) -> Result<Vec<String>, RunError> {
        Ok(Vec::new())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_sink_behaves_as_every_sink_must() {
    let folder = tempfile::tempdir().unwrap();
    let sink = LocalSink::new(folder.path().to_path_buf());
    let readback = Warehouse(folder.path().to_path_buf());
    let subject = Subject { sink: &sink, readback: &readback, dataset: "contract".into(), prefix: "t".into() };
    let report = run(&subject, &[]).await;
    assert_eq!(report.failed, []);
    assert_eq!(report.passed.len(), names().count());
}

#[tokio::test]
async fn the_null_sink_behaves_as_far_as_it_can() {
    let keeps_nothing = "the null sink keeps no rows";
    let no_schema = "the null sink has no tables";
    let no_marks = "the null sink keeps no marks, and says so";
    let skips = [
        ("a_commit_shows_every_row_of_every_split", keeps_nothing),
        (
            "a_load_is_intact_before_its_commit_and_committed_after_it",
            "nothing can be lost, so a load is always committed",
        ),
        ("committing_twice_changes_nothing", keeps_nothing),
        ("settling_changes_nothing", "nothing can be lost, so a load is always committed"),
        ("an_abandoned_load_is_never_visible", keeps_nothing),
        ("an_empty_load_is_committed_and_adds_nothing", keeps_nothing),
        ("loads_add_up", keeps_nothing),
        ("a_catalog_day_loaded_twice_is_there_once", keeps_nothing),
        ("two_catalog_days_stay_side_by_side", keeps_nothing),
        ("evolution_adds_a_column_and_keeps_the_rows", keeps_nothing),
        ("a_frozen_table_refuses_a_new_column_by_name", no_schema),
        ("preparing_twice_changes_nothing", keeps_nothing),
        ("the_ledger_is_told_before_the_first_row", "the null sink leaves nothing behind to write down"),
        ("no_row_is_taken_when_the_ledger_refuses", "the null sink leaves nothing behind to write down"),
        ("loads_of_files_that_replace_nothing_add_up", keeps_nothing),
        ("rows_of_a_file_change_places_with_its_new_ones", keeps_nothing),
        ("a_file_that_became_empty_loses_its_rows", keeps_nothing),
        ("files_of_one_load_are_replaced_one_by_one", keeps_nothing),
        ("replacing_twice_changes_nothing", keeps_nothing),
        ("a_replacing_load_that_is_given_up_changes_nothing", keeps_nothing),
        ("files_of_any_name_and_many_of_them_are_replaced", keeps_nothing),
        ("what_preparing_would_do_is_foreseen_and_not_done", no_schema),
        ("a_table_that_nobody_marked_has_no_mark", no_marks),
        ("a_mark_is_its_authors_own_and_the_last_one_stands", no_marks),
        ("a_mark_outlasts_commits_and_new_columns", no_marks),
    ];
    let skips: Vec<_> = skips.into_iter().map(|(case, reason)| Skip { case, reason }).collect();
    let subject = Subject { sink: &NullSink, readback: &Nothing, dataset: "contract".into(), prefix: "t".into() };
    let report = run(&subject, &skips).await;
    assert_eq!(report.failed, []);
    let expected = [
        "nothing_is_visible_before_the_commit",
        "a_dropped_writer_shows_nothing",
        "an_empty_catalog_day_replaces_what_was_there",
    ];
    assert_eq!(report.passed, expected);
}
