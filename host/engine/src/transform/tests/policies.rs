//! What happens to values that do not fit, how rows are counted, and what stays untouched.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{Date32Array, Decimal128Array, Int64Array, RecordBatchOptions, StringArray};
use arrow_schema::DataType;
use sluice_core::error::{Actor, Kind};
use sluice_core::load::{SOURCE_NAME_KEY, SOURCE_TYPE_KEY};

use super::super::quarantine_schema;
use super::*;

fn people() -> RecordBatch {
    batch(&[
        ("c", Arc::new(StringArray::from(vec![Some("1"), Some("secret"), None, Some("4")]))),
        ("id", Arc::new(Int64Array::from(vec![10, 20, 30, 40]))),
    ])
}

#[test]
fn fail_names_stream_column_row_and_reason_but_not_the_value() {
    let spec = casting("INT64", Misfit::Fail);
    let mut transform = transform(&spec, people().schema_ref(), as_is).unwrap();
    let fine = people().slice(2, 2);
    assert_eq!(transform.apply(fine).unwrap().rows_out, 2);
    let error = transform.apply(people()).unwrap_err();
    assert_eq!((error.kind, error.actor), (Kind::Data, Actor::User));
    assert_eq!(error.stream.as_deref(), Some("public.t"));
    assert_eq!(error.field.as_deref(), Some("cast.c.on_misfit"));
    assert!(
        error.message.starts_with("row 4, column \"c\": the value does not fit INT64: the text is not a number"),
        "{error}"
    );
    assert!(!error.to_string().contains("secret"));
}

#[test]
fn null_keeps_the_row_and_counts_the_value() {
    let out = run(&casting("INT64", Misfit::Null), &people()).unwrap();
    assert_eq!(shown(&out.batch), ["1", "∅", "∅", "4"]);
    assert_eq!((out.rows_in, out.rows_out, out.quarantined, out.nulled), (4, 4, 0, 1));
    assert!(out.quarantine.is_none());
}

#[test]
fn quarantine_takes_the_row_out_and_keeps_it_as_it_was() {
    let spec = casting("INT64", Misfit::Quarantine);
    let mut transform = transform(&spec, people().schema_ref(), as_is).unwrap();
    transform.apply(people().slice(2, 2)).unwrap();
    let out = transform.apply(people()).unwrap();
    assert_eq!(shown(&out.batch), ["1", "∅", "4"]);
    assert_eq!(out.batch.column(1).as_primitive::<Int64Type>().values(), &[10, 30, 40]);
    assert_eq!((out.rows_in, out.rows_out, out.quarantined, out.nulled), (4, 3, 1, 0));
    let aside = out.quarantine.unwrap();
    assert_eq!(aside.schema(), quarantine_schema());
    assert_eq!(aside.column(0).as_primitive::<Int64Type>().values(), &[4], "counted over batches, from 1");
    assert_eq!(aside.column(1).as_string::<i32>().value(0), "c");
    assert_eq!(aside.column(2).as_string::<i32>().value(0), "does not fit INT64: the text is not a number");
    assert_eq!(aside.column(3).as_string::<i32>().value(0), r#"{"c":"secret","id":20}"#);
}

#[test]
fn a_row_with_several_misfits_is_put_aside_once_and_its_other_values_are_not_counted() {
    let mut spec = casting("INT64", Misfit::Quarantine);
    spec.cast.insert("d".into(), CastSpec { to: "DATE".into(), on_misfit: Some(Misfit::Quarantine) });
    spec.cast.insert("e".into(), CastSpec { to: "BOOL".into(), on_misfit: Some(Misfit::Null) });
    let texts = |values: [&str; 3]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let batch = batch(&[("c", texts(["x", "2", "3"])), ("d", texts(["x", "x", "2024-01-01"])), ("e", texts(["?"; 3]))]);
    let out = run(&spec, &batch).unwrap();
    assert_eq!((out.rows_in, out.rows_out, out.quarantined, out.nulled), (3, 1, 2, 1));
    let aside = out.quarantine.unwrap();
    let columns: Vec<_> = aside.column(1).as_string::<i32>().iter().flatten().collect();
    assert_eq!(columns, ["c", "d"]);
}

#[test]
fn a_column_without_null_gets_it_only_where_null_is_the_policy() {
    let field = Field::new("c", DataType::Utf8, false);
    let schema: SchemaRef = Arc::new(Schema::new(vec![field]));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(StringArray::from(vec!["x", "2"]))]).unwrap();
    let out = run(&casting("INT64", Misfit::Null), &batch).unwrap();
    assert!(out.batch.schema().field(0).is_nullable());
    let out = run(&casting("INT64", Misfit::Quarantine), &batch).unwrap();
    assert!(!out.batch.schema().field(0).is_nullable());
    assert_eq!(shown(&out.batch), ["2"]);
    let untouched = run(&spec_with(Misfit::Null), &batch).unwrap();
    assert!(!untouched.batch.schema().field(0).is_nullable(), "text cannot misfit text");
}

#[test]
fn what_needs_no_change_is_handed_on_without_a_copy() {
    let decimals = Decimal128Array::from(vec![1, 2]).with_precision_and_scale(15, 2).unwrap();
    let batch = batch(&[
        ("a b", Arc::new(Int64Array::from(vec![1, 2]))),
        ("dropped", Arc::new(Int64Array::from(vec![1, 2]))),
        ("text", Arc::new(StringArray::from(vec!["x", "y"]))),
        ("amount", Arc::new(decimals)),
        ("day", Arc::new(Date32Array::from(vec![0, 1]))),
    ]);
    let columns = ["day", "amount", "text", "a b"].map(String::from).to_vec();
    let spec = StreamSpec { columns, rename: [("text".into(), "note".into())].into(), ..spec() };
    let out = run(&spec, &batch).unwrap();
    let names: Vec<_> = out.batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["day", "amount", "note", "a_b"]);
    for (name, array) in ["day", "amount", "text", "a b"].iter().zip(out.batch.columns()) {
        assert!(Arc::ptr_eq(batch.column_by_name(name).unwrap(), array), "{name} was copied");
    }
    assert_eq!(out.batch.schema().field(3).metadata().get(SOURCE_NAME_KEY).unwrap(), "a b");
    assert_eq!(out.batch.schema().field(0).metadata().get(SOURCE_NAME_KEY), None);
}

#[test]
fn what_the_source_says_of_a_column_outlives_rename_and_the_sinks_answer() {
    let mut field = json("c d");
    field = field.clone().with_metadata({
        let mut metadata = field.metadata().clone();
        metadata.insert(SOURCE_TYPE_KEY, "jsonb");
        metadata
    });
    let schema: SchemaRef = Arc::new(Schema::new(vec![field]));
    let out = transform(&spec(), &schema, wants(Field::new("c_d", DataType::LargeUtf8, true))).unwrap().output_schema();
    assert_eq!(out.field(0).data_type(), &DataType::LargeUtf8);
    assert_eq!(out.field(0).metadata().get(SOURCE_TYPE_KEY).unwrap(), "jsonb");
    assert_eq!(out.field(0).metadata().get(LOGICAL_TYPE_KEY).unwrap(), "json");
    assert_eq!(out.field(0).metadata().get(SOURCE_NAME_KEY).unwrap(), "c d");
    let mut spec = spec();
    spec.cast.insert("c d".into(), CastSpec { to: "STRING".into(), on_misfit: None });
    let out = transform(&spec, &schema, as_is).unwrap().output_schema();
    assert_eq!(out.field(0).metadata().get(LOGICAL_TYPE_KEY), None, "a cast to text is text");
}

#[test]
fn a_column_that_is_not_there_is_named_with_its_field() {
    let fails = |spec: StreamSpec| {
        let error = transform(&spec, people().schema_ref(), as_is).map(|_| ()).unwrap_err();
        (error.kind, error.field.unwrap(), error.message)
    };
    let (kind, field, message) = fails(StreamSpec { columns: vec!["id".into(), "gone".into()], ..spec() });
    assert_eq!((kind, field.as_str()), (Kind::NotFound, "columns[1]"));
    assert!(message.contains("\"gone\"; it has c, id"), "{message}");
    assert_eq!(fails(StreamSpec { columns: vec!["id".into(), "id".into()], ..spec() }).1, "columns[1]");
    let mut spec = spec();
    spec.cast.insert("gone".into(), CastSpec { to: "DATE".into(), on_misfit: None });
    assert_eq!(fails(spec).1, "cast.gone");
}

#[test]
fn a_batch_of_another_schema_is_the_sources_fault() {
    let mut transform = transform(&spec(), people().schema_ref(), as_is).unwrap();
    let error = transform.apply(batch(&[("c", Arc::new(Int64Array::from(vec![1])))])).unwrap_err();
    assert_eq!((error.kind, error.actor), (Kind::Protocol, Actor::Source));
}

#[test]
fn batches_without_rows_or_without_columns_pass() {
    let out = run(&casting("INT64", Misfit::Quarantine), &people().slice(0, 0)).unwrap();
    assert_eq!((out.rows_in, out.rows_out), (0, 0));
    let schema: SchemaRef = Arc::new(Schema::empty());
    let options = RecordBatchOptions::new().with_row_count(Some(3));
    let bare = RecordBatch::try_new_with_options(Arc::clone(&schema), vec![], &options).unwrap();
    assert_eq!(run(&spec(), &bare).unwrap().rows_out, 3);
}

#[test]
fn a_slice_is_converted_like_a_whole() {
    let whole = run(&casting("NUMERIC(5,1)", Misfit::Null), &people()).unwrap().batch;
    let sliced = run(&casting("NUMERIC(5,1)", Misfit::Null), &people().slice(1, 3)).unwrap().batch;
    assert_eq!(whole.slice(1, 3).column(0).as_primitive::<Decimal128Type>(), sliced.column(0).as_primitive());
}
