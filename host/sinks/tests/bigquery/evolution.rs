//! Tables that are made, and tables that follow their stream.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use sluice_core::error::Kind;
use sluice_core::load::{Evolution, PartitionUnit, Partitioning, SOURCE_NAME_KEY};
use sluice_sinks::Sink;

use crate::support::{World, numbered};

fn schema(fields: Vec<Field>) -> SchemaRef {
    Arc::new(Schema::new(fields))
}

#[tokio::test]
async fn a_table_is_made_with_types_modes_descriptions_partitions_and_clusters() {
    let world = World::new("made").await;
    let source = HashMap::from([(SOURCE_NAME_KEY.to_owned(), "Order ID".to_owned())]);
    let mut spec = world.spec(&schema(vec![
        Field::new("order_id", DataType::Int32, false).with_metadata(source),
        Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
    ]));
    spec.partitioning = Some(Partitioning { column: "at".into(), unit: PartitionUnit::Month });
    spec.clustering = vec!["order_id".into()];
    for _ in 0..2 {
        world.sink.prepare(&spec).await.unwrap();
    }
    let table = world.describe("t").await;
    assert_eq!(table["timePartitioning"]["type"], "MONTH");
    assert_eq!(table["timePartitioning"]["field"], "at");
    assert_eq!(table["clustering"]["fields"][0], "order_id");
    let column = &table["schema"]["fields"][0];
    assert_eq!((&column["mode"], &column["description"]), (&"REQUIRED".into(), &"Source name: Order ID".into()));
}

#[tokio::test]
async fn new_columns_are_added_and_the_rows_before_them_hold_null() {
    let world = World::new("added").await;
    world.run(&world.spec(&numbered(0, 1).schema()), &[("a", &[numbered(0, 2)])]).await;
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![Some(2), None]));
    let notes: ArrayRef = Arc::new(StringArray::from(vec!["x", "y"]));
    let batch = RecordBatch::try_from_iter_with_nullable([("id", ids, true), ("note", notes, false)]).unwrap();
    world.run(&world.spec(&batch.schema()), &[("a", &[batch])]).await;
    let rows = world.query("SELECT COUNT(*), COUNT(id), COUNT(name), COUNT(note) FROM {t}").await;
    assert_eq!(rows, [["4", "3", "2", "2"]]);
    assert_eq!(world.describe("t").await["schema"]["fields"][0]["mode"], "NULLABLE");
}

#[tokio::test]
async fn integers_widen_and_rows_of_the_old_type_still_fit() {
    let world = World::new("widened").await;
    let batch = |amount: ArrayRef, ratio: ArrayRef| {
        RecordBatch::try_from_iter_with_nullable([("amount", amount, true), ("ratio", ratio, true)]).unwrap()
    };
    let integers = || -> ArrayRef { Arc::new(Int64Array::from(vec![7])) };
    let old = batch(integers(), integers());
    let decimals = Decimal128Array::from(vec![150]).with_precision_and_scale(10, 2).unwrap();
    let new = batch(Arc::new(decimals), Arc::new(Float64Array::from(vec![0.25])));
    world.run(&world.spec(&old.schema()), &[("a", std::slice::from_ref(&old))]).await;
    world.run(&world.spec(&new.schema()), &[("a", &[new])]).await;
    assert_eq!(world.describe("t").await["schema"]["fields"][0]["type"], "NUMERIC");
    assert_eq!(world.query("SELECT amount, ratio FROM {t} ORDER BY 1").await, [["1.5", "0.25"], ["7", "7.0"]]);
}

#[tokio::test]
async fn what_is_never_automatic_names_every_column_and_changes_nothing() {
    let world = World::new("refused").await;
    world.run(&world.spec(&numbered(0, 1).schema()), &[("a", &[numbered(0, 2)])]).await;
    let wanted = schema(vec![
        Field::new("id", DataType::Utf8, true),
        Field::new("name", DataType::Date32, true),
        Field::new("more", DataType::Utf8, true),
    ]);
    let error = world.sink.prepare(&world.spec(&wanted)).await.unwrap_err();
    assert_eq!(error.kind, Kind::SchemaChanged);
    assert!(error.message.contains("column id is INTEGER in the table and STRING in the stream"), "{error}");
    assert!(error.message.contains("column name is STRING in the table and DATE in the stream"), "{error}");
    assert_eq!(world.describe("t").await["schema"]["fields"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_frozen_table_stays_as_it_is() {
    let world = World::new("frozen").await;
    world.run(&world.spec(&numbered(0, 1).schema()), &[("a", &[numbered(0, 2)])]).await;
    let mut fields: Vec<_> = numbered(0, 1).schema().fields().iter().map(|f| f.as_ref().clone()).collect();
    fields.push(Field::new("more", DataType::Utf8, true));
    let mut spec = world.spec(&schema(fields));
    spec.evolution = Evolution::Freeze;
    let error = world.sink.prepare(&spec).await.unwrap_err();
    assert!(error.message.contains("column more STRING is new"), "{error}");
    assert_eq!(world.describe("t").await["schema"]["fields"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn two_processes_that_evolve_a_table_at_once_both_succeed() {
    let world = World::new("both").await;
    world.sink.prepare(&world.spec(&numbered(0, 1).schema())).await.unwrap();
    let with = |name: &str| {
        let mut fields: Vec<_> = numbered(0, 1).schema().fields().iter().map(|f| f.as_ref().clone()).collect();
        fields.push(Field::new(name, DataType::Utf8, true));
        world.spec(&schema(fields))
    };
    let (left, right) = (with("left_note"), with("right_note"));
    let (a, b) = tokio::join!(world.sink.prepare(&left), world.sink.prepare(&right));
    a.unwrap();
    b.unwrap();
    let table = world.describe("t").await;
    let mut names: Vec<_> =
        table["schema"]["fields"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["id", "left_note", "name", "right_note"]);
}

#[tokio::test]
async fn a_pipeline_that_asks_for_the_impossible_hears_it_before_a_row_is_read() {
    let world = World::new("impossible").await;
    let mut spec = world.spec(&numbered(0, 1).schema());
    spec.partitioning = Some(Partitioning { column: "id".into(), unit: PartitionUnit::Day });
    let error = world.sink.prepare(&spec).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (Kind::Config, Some("partition")));
    spec.partitioning = None;
    spec.clustering = vec!["nowhere".into()];
    assert!(world.sink.prepare(&spec).await.unwrap_err().message.contains("column nowhere does not exist"));
}
