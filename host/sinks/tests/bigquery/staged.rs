//! Rows that the Write API does not take: catalogs, TIME columns, partitions outside of its window.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Int64Array, RecordBatch, Time64MicrosecondArray};
use jiff::civil::date;
use sluice_core::commit::{CommitError, Settled};
use sluice_core::load::{LoadStrategy, PartitionUnit, Partitioning, TableSpec};
use sluice_sinks::Sink;

use crate::support::{World, numbered, permit_for};

const DAYS: &str = "SELECT snapshot_date, COUNT(*), MIN(id), MAX(id) FROM {t} GROUP BY 1 ORDER BY 1";

fn catalog(world: &World, day: i8) -> TableSpec {
    let strategy = LoadStrategy::Catalog { snapshot_date: date(2026, 1, day) };
    TableSpec { strategy, ..world.spec(&numbered(0, 1).schema()) }
}

#[tokio::test]
async fn a_catalog_day_that_runs_twice_leaves_exactly_one_copy_and_other_days_alone() {
    let world = World::new("catalog").await;
    world.run(&catalog(&world, 1), &[("a", &[numbered(0, 10)])]).await;
    world.run(&catalog(&world, 2), &[("a", &[numbered(0, 10)]), ("b", &[numbered(10, 15)])]).await;
    assert_eq!(world.query(DAYS).await, [["2026-01-01", "10", "0", "9"], ["2026-01-02", "15", "0", "14"]]);
    assert_eq!(world.run(&catalog(&world, 2), &[("a", &[numbered(100, 120)])]).await, 20);
    assert_eq!(world.query(DAYS).await, [["2026-01-01", "10", "0", "9"], ["2026-01-02", "20", "100", "119"]]);
    assert_eq!(world.tables().await, ["t"], "no staging table is left");
    assert_eq!(world.describe("t").await["timePartitioning"]["field"], "snapshot_date");
}

#[tokio::test]
async fn a_catalog_that_became_empty_empties_its_day() {
    let world = World::new("empty_catalog").await;
    world.run(&catalog(&world, 1), &[("a", &[numbered(0, 10)])]).await;
    assert_eq!(world.run(&catalog(&world, 1), &[("a", &[])]).await, 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM {t}").await, 0);
}

#[tokio::test]
async fn a_snapshot_is_not_seen_before_its_commit_and_only_once_after_two() {
    let world = World::new("swap").await;
    let spec = catalog(&world, 1);
    world.run(&spec, &[("a", &[numbered(0, 10)])]).await;
    let load = world.load(&spec);
    let receipt = world.write(&load, "a", &[numbered(50, 53)]).await.unwrap();
    assert_eq!(world.number("SELECT MAX(id) FROM {t}").await, 9);
    let permit = permit_for(&load, vec![receipt]);
    assert_eq!(world.sink.settle(permit.intent()).await.unwrap(), Settled::Intact);
    world.sink.commit(&permit).await.unwrap();
    assert!(matches!(world.sink.settle(permit.intent()).await.unwrap(), Settled::Committed { .. }));
    world.sink.commit(&permit).await.unwrap();
    assert_eq!(world.query(DAYS).await, [["2026-01-01", "3", "50", "52"]]);
}

#[tokio::test]
async fn a_large_snapshot_is_loaded_in_several_files() {
    let mut config = crate::support::config();
    config.staging_file_bytes = 100_000;
    let world = World::with("files", config).await;
    let batches: Vec<_> = (0..20).map(|i| numbered(i * 5_000, (i + 1) * 5_000)).collect();
    assert_eq!(world.run(&catalog(&world, 1), &[("a", &batches)]).await, 100_000);
    assert_eq!(world.query(DAYS).await, [["2026-01-01", "100000", "0", "99999"]]);
    assert_eq!(world.number("SELECT COUNT(DISTINCT id) FROM {t}").await, 100_000);
}

#[tokio::test]
async fn a_staging_table_that_lost_rows_is_not_committed_and_the_old_snapshot_stays() {
    let world = World::new("lost_rows").await;
    let spec = catalog(&world, 1);
    world.run(&spec, &[("a", &[numbered(0, 10)])]).await;
    let load = world.load(&spec);
    let receipt = world.write(&load, "a", &[numbered(50, 60)]).await.unwrap();
    let staging = receipt.artifacts[0].name.rsplit('/').next().unwrap().to_owned();
    world.query(&format!("DELETE FROM `{}`.`{staging}` WHERE id = 50", world.dataset)).await;
    let permit = permit_for(&load, vec![receipt]);
    let refused = world.sink.commit(&permit).await.unwrap_err();
    assert!(
        matches!(&refused, CommitError::Refused(e) if e.message.contains("not the 10 that were sent")),
        "{refused}"
    );
    assert_eq!(world.query(DAYS).await, [["2026-01-01", "10", "0", "9"]]);

    // The rows are read again, into another staging table, under the same load.
    let again = world.write(&load, "a", &[numbered(50, 60)]).await.unwrap();
    world.sink.commit(&permit_for(&load, vec![again])).await.unwrap();
    assert_eq!(world.query(DAYS).await, [["2026-01-01", "10", "50", "59"]]);
}

#[tokio::test]
async fn a_staging_table_that_is_abandoned_is_deleted() {
    let world = World::new("abandoned").await;
    let spec = catalog(&world, 1);
    world.sink.prepare(&spec).await.unwrap();
    let load = world.load(&spec);
    let receipt = world.write(&load, "a", &[numbered(0, 10)]).await.unwrap();
    assert_eq!(world.tables().await.len(), 2);
    for _ in 0..2 {
        world.sink.abandon(&receipt.artifacts).await.unwrap();
    }
    assert_eq!(world.tables().await, ["t"]);
    let settled = world.sink.settle(permit_for(&load, vec![receipt]).intent()).await.unwrap();
    assert!(matches!(settled, Settled::Lost { .. }));
}

#[tokio::test]
async fn time_columns_are_added_to_what_is_there() {
    let world = World::new("time").await;
    let batch = |from: i64| {
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(from..from + 3));
        let at: ArrayRef = Arc::new(Time64MicrosecondArray::from(vec![Some(1), None, Some(86_399_999_999)]));
        RecordBatch::try_from_iter_with_nullable([("id", ids, false), ("at", at, true)]).unwrap()
    };
    let spec = world.spec(&batch(0).schema());
    world.run(&spec, &[("a", &[batch(0)]), ("b", &[batch(3)])]).await;
    world.run(&spec, &[("a", &[batch(6)])]).await;
    let rows = world.query("SELECT COUNT(*), COUNT(DISTINCT id), COUNT(at), MAX(at) FROM {t}").await;
    assert_eq!(rows, [["9", "9", "6", "23:59:59.999999"]]);
}

#[tokio::test]
async fn rows_outside_of_the_write_apis_window_arrive_with_the_others_exactly_once() {
    let world = World::new("window").await;
    let today = i32::try_from(jiff::Timestamp::now().as_second() / 86_400).unwrap();
    let batch = |ids: std::ops::Range<i64>, days: Vec<Option<i32>>| {
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(ids));
        let days: ArrayRef = Arc::new(Date32Array::from(days));
        RecordBatch::try_from_iter_with_nullable([("id", ids, false), ("day", days, true)]).unwrap()
    };
    let mixed = batch(0..4, vec![Some(today), Some(today - 5_000), None, Some(today + 800)]);
    let recent = batch(4..6, vec![Some(today), Some(today - 1)]);
    let mut spec = world.spec(&mixed.schema());
    spec.partitioning = Some(Partitioning { column: "day".into(), unit: PartitionUnit::Day });
    world.sink.prepare(&spec).await.unwrap();
    let load = world.load(&spec);
    let first = world.write(&load, "a", &[mixed]).await.unwrap();
    let second = world.write(&load, "b", &[recent]).await.unwrap();
    assert_eq!((first.artifacts.len(), second.artifacts.len()), (2, 1));
    let permit = permit_for(&load, vec![first, second]);
    assert_eq!(world.sink.settle(permit.intent()).await.unwrap(), Settled::Intact);
    assert_eq!(world.sink.commit(&permit).await.unwrap().rows_committed, 6);
    assert!(matches!(world.sink.settle(permit.intent()).await.unwrap(), Settled::Committed { .. }));
    world.sink.commit(&permit).await.unwrap();
    assert_eq!(world.query("SELECT COUNT(*), COUNT(DISTINCT id) FROM {t}").await, [["6", "6"]]);
}
