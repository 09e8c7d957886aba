//! What a sink's own types do to values: nothing that changes one, and nulls and nested parts as the sink takes them.

use arrow_array::builder::{Int32Builder, ListBuilder, MapBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{
    Date32Array, Decimal128Array, DictionaryArray, DurationMicrosecondArray, FixedSizeBinaryArray, Float64Array,
    Int32Array, Int64Array, LargeStringArray, ListArray, StringArray, StructArray, Time32SecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray, UInt64Array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Fields, TimeUnit};
use sluice_core::error::Kind;

use super::*;

/// What a column becomes in a sink that wants this type, under `null`.
fn native(array: ArrayRef, to: DataType) -> Vec<String> {
    let out =
        run_into(&spec_with(Misfit::Null), &batch(&[("c", array)]), wants(Field::new("c", to.clone(), true))).unwrap();
    assert_eq!(*out.batch.column(0).data_type(), to);
    shown(&out.batch)
}

fn why(array: ArrayRef, to: Field) -> String {
    let error = run_into(&spec(), &batch(&[("c", array)]), wants(to)).unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (Kind::Data, Some("on_misfit")));
    error.message
}

#[test]
fn nothing_is_rounded_because_a_sink_has_a_narrower_type() {
    let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
    let nanos: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![Some(1_000), Some(1_001), None]));
    assert_eq!(native(Arc::clone(&nanos), micros.clone()), ["1970-01-01T00:00:00.000001", "∅", "∅"]);
    assert!(
        why(nanos, Field::new("c", micros, true))
            .contains("row 2, column \"c\": the value does not fit DATETIME: it has more than six digits")
    );
    let decimals: ArrayRef =
        Arc::new(Decimal128Array::from(vec![1_500, 1_501, -1_500]).with_precision_and_scale(10, 3).unwrap());
    assert_eq!(native(Arc::clone(&decimals), DataType::Decimal128(10, 1)), ["1.5", "∅", "-1.5"]);
    assert_eq!(native(decimals, DataType::Decimal256(40, 20))[1], format!("1.501{}", "0".repeat(17)));
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![2.0, 2.5]));
    assert_eq!(native(floats, DataType::Int64), ["2", "∅"]);
    let large: ArrayRef = Arc::new(UInt64Array::from(vec![7, u64::MAX]));
    assert_eq!(native(Arc::clone(&large), DataType::Int64), ["7", "∅"]);
    assert_eq!(native(large, DataType::Decimal128(20, 0)), ["7", "18446744073709551615"]);
}

#[test]
fn values_outside_the_calendar_or_the_precision_are_misfits_even_where_the_type_stays() {
    let days: ArrayRef = Arc::new(Date32Array::from(vec![Some(0), Some(2_932_897), Some(-719_163), None]));
    assert_eq!(native(days, DataType::Date32), ["1970-01-01", "∅", "∅", "∅"]);
    let micros: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0, i64::MAX, i64::MIN]));
    assert_eq!(native(Arc::clone(&micros), micros.data_type().clone()), ["1970-01-01T00:00:00", "∅", "∅"]);
    let decimals = Decimal128Array::from(vec![99, 100]).with_precision_and_scale(2, 0).unwrap();
    assert_eq!(native(Arc::new(decimals), DataType::Decimal128(2, 0)), ["99", "∅"]);
    let times: ArrayRef = Arc::new(Time32SecondArray::from(vec![86_399, 86_400]));
    assert_eq!(native(times, DataType::Utf8), ["23:59:59", "∅"]);
}

#[test]
fn representations_change_without_a_change_of_values() {
    assert_eq!(native(Arc::new(LargeStringArray::from(vec!["a"])), DataType::Utf8), ["a"]);
    let dictionary: DictionaryArray<Int32Type> = [Some("a"), None].into_iter().collect();
    assert_eq!(native(Arc::new(dictionary), DataType::Utf8), ["a", "∅"]);
    let millis: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![1]).with_timezone("Europe/Berlin"));
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    assert_eq!(native(millis, utc), ["1970-01-01T00:00:00.001Z"]);
    let seconds: ArrayRef = Arc::new(Time32SecondArray::from(vec![61]));
    assert_eq!(native(Arc::clone(&seconds), DataType::Time64(TimeUnit::Microsecond)), ["00:01:01"]);
    assert_eq!(native(Arc::new(DurationMicrosecondArray::from(vec![1_500_000])), DataType::Utf8), ["PT1.5S"]);
    assert_eq!(native(Arc::new(DurationMicrosecondArray::from(vec![1_500_000])), DataType::Int64), ["1500000"]);
    let fixed = FixedSizeBinaryArray::try_from_iter([b"ab"].into_iter()).unwrap();
    assert_eq!(native(Arc::new(fixed), DataType::Binary), ["YWI="]);
}

#[test]
fn text_that_a_source_calls_json_is_checked() {
    let schema: SchemaRef = Arc::new(Schema::new(vec![json("c")]));
    let batch = RecordBatch::try_new(schema, vec![Arc::new(StringArray::from(vec!["[1]", "[1"]))]).unwrap();
    let out = run(&spec_with(Misfit::Null), &batch).unwrap();
    assert_eq!(shown(&out.batch), ["[1]", "∅"]);
    let error = run(&spec(), &batch).unwrap_err();
    assert!(error.message.contains("does not fit JSON: the text is not valid JSON"), "{error}");
}

/// A list as BigQuery has it: neither it nor its items can be NULL.
fn repeated(item: DataType) -> Field {
    Field::new("c", DataType::List(Arc::new(Field::new("item", item, false))), false)
}

fn lists(values: &[Option<Vec<Option<i32>>>]) -> ArrayRef {
    Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(values.iter().cloned()))
}

#[test]
fn a_null_list_is_empty_where_lists_cannot_be_null() {
    let lists = lists(&[Some(vec![Some(1), Some(2)]), None, Some(vec![])]);
    let out = run_into(&spec(), &batch(&[("c", lists)]), wants(repeated(DataType::Int64))).unwrap();
    assert_eq!(shown(&out.batch), ["[1,2]", "[]", "[]"]);
    assert_eq!(out.nulled, 0, "that is no misfit");
}

#[test]
fn a_null_in_a_list_that_takes_none_is_a_misfit_of_the_list() {
    let lists = lists(&[Some(vec![Some(1), None, None]), Some(vec![]), Some(vec![Some(2)]), Some(vec![None]), None]);
    let input = batch(&[("c", Arc::clone(&lists))]);
    let out = run_into(&spec_with(Misfit::Null), &input, wants(repeated(DataType::Int64))).unwrap();
    assert_eq!(shown(&out.batch), ["[]", "[]", "[2]", "[]", "[]"]);
    assert_eq!(out.nulled, 2);
    assert!(
        why(lists, repeated(DataType::Int64))
            .contains("row 1, column \"c\": the value does not fit ARRAY: it is NULL where")
    );
    let out = run_into(&spec_with(Misfit::Quarantine), &input, wants(repeated(DataType::Int32))).unwrap();
    assert_eq!(shown(&out.batch), ["[]", "[2]", "[]"]);
    let out = run_into(&spec_with(Misfit::Quarantine), &input.slice(1, 2), wants(repeated(DataType::Int32))).unwrap();
    assert_eq!(
        (shown(&out.batch), out.quarantined),
        (vec!["[]".to_owned(), "[2]".to_owned()], 0),
        "a slice sees its rows only"
    );
}

fn people(amounts: Vec<Option<u64>>, nulls: Option<Vec<bool>>) -> ArrayRef {
    let fields =
        Fields::from(vec![Field::new("the amount", DataType::UInt64, true), Field::new("n", DataType::Int32, true)]);
    let ns = Int32Array::from_iter_values(0..i32::try_from(amounts.len()).unwrap());
    let columns: Vec<ArrayRef> = vec![Arc::new(UInt64Array::from(amounts)), Arc::new(ns)];
    Arc::new(StructArray::new(fields, columns, nulls.map(NullBuffer::from)))
}

fn narrowed(nullable: bool) -> Field {
    let fields = vec![Field::new("the_amount", DataType::Int64, nullable), Field::new("n", DataType::Int32, true)];
    Field::new("c", DataType::Struct(fields.into()), true)
}

#[test]
fn a_part_of_a_struct_that_does_not_fit_is_null_or_takes_the_struct_with_it() {
    let array = people(vec![Some(1), Some(u64::MAX), None, Some(u64::MAX)], Some(vec![true, true, true, false]));
    let input = batch(&[("c", Arc::clone(&array))]);
    let out = run_into(&spec_with(Misfit::Null), &input, wants(narrowed(true))).unwrap();
    let expected = [r#"{"the_amount":1,"n":0}"#, r#"{"the_amount":null,"n":1}"#, r#"{"the_amount":null,"n":2}"#, "∅"];
    assert_eq!(shown(&out.batch), expected);
    assert_eq!(out.nulled, 1, "what lies under a NULL does not count");
    let out = run_into(&spec_with(Misfit::Null), &input, wants(narrowed(false))).unwrap();
    assert_eq!(shown(&out.batch), [expected[0], "∅", "∅", "∅"]);
    assert_eq!(out.nulled, 2);
    assert!(why(array, narrowed(true)).starts_with("row 2, column \"c.the amount\": "));
}

#[test]
fn a_struct_whose_parts_are_only_renamed_shares_its_columns() {
    let array = people(vec![Some(1)], None);
    let out = run(&spec(), &batch(&[("c", Arc::clone(&array))])).unwrap();
    let inner = out.batch.column(0).as_struct();
    assert_eq!(inner.fields()[0].name(), "the_amount");
    assert!(Arc::ptr_eq(array.as_struct().column(0), inner.column(0)));
}

#[test]
fn lists_of_structs_are_converted_all_the_way_down() {
    let item = Arc::new(Field::new("item", people(vec![], None).data_type().clone(), true));
    let items = people(vec![Some(1), Some(u64::MAX), Some(3)], None);
    let offsets = arrow_buffer::OffsetBuffer::from_lengths([1, 0, 2]);
    let lists: ArrayRef = Arc::new(ListArray::new(item, offsets, items, None));
    let to = repeated(narrowed(true).data_type().clone());
    let out = run_into(&spec_with(Misfit::Null), &batch(&[("c", Arc::clone(&lists))]), wants(to.clone())).unwrap();
    assert_eq!(shown(&out.batch)[2], r#"[{"the_amount":null,"n":1},{"the_amount":3,"n":2}]"#);
    assert_eq!(out.nulled, 1);
    let out = run_into(&spec_with(Misfit::Quarantine), &batch(&[("c", lists)]), wants(to)).unwrap();
    let aside = out.quarantine.unwrap();
    assert_eq!(aside.column(0).as_primitive::<Int64Type>().values(), &[3]);
    assert_eq!(aside.column(1).as_string::<i32>().value(0), "c.the amount");
    assert_eq!(
        aside.column(3).as_string::<i32>().value(0),
        r#"{"c":[{"the amount":18446744073709551615,"n":1},{"the amount":3,"n":2}]}"#
    );
}

#[test]
fn a_map_becomes_a_list_of_pairs_or_json() {
    let mut builder = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    builder.keys().append_value("a");
    builder.values().append_value(1);
    builder.append(true).unwrap();
    builder.append(false).unwrap();
    let map: ArrayRef = Arc::new(builder.finish());
    assert_eq!(native(Arc::clone(&map), DataType::Utf8), [r#"{"a":1}"#, "∅"]);
    let pair = vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Int64, true)];
    let out = run_into(&spec(), &batch(&[("c", map)]), wants(repeated(DataType::Struct(pair.into())))).unwrap();
    assert_eq!(shown(&out.batch), [r#"[{"key":"a","value":1}]"#, "[]"]);
}

#[test]
fn lists_and_maps_stay_what_they_are_where_only_their_items_change() {
    let item = |data_type| Arc::new(Field::new("item", data_type, true));
    let narrow: ArrayRef =
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]));
    let large = arrow_cast::cast(&narrow, &DataType::LargeList(item(DataType::UInt64))).unwrap();
    let out = native_batch(large, DataType::LargeList(item(DataType::Int64)));
    assert_eq!(out.column(0).as_list::<i64>().value(0).as_primitive::<Int64Type>().null_count(), 1);
    let pairs: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None])]));
    let fixed = arrow_cast::cast(&pairs, &DataType::FixedSizeList(item(DataType::Int32), 2)).unwrap();
    let out = native_batch(fixed, DataType::FixedSizeList(item(DataType::Int64), 2));
    assert_eq!(shown(&out), ["[1,null]"]);
    let mut builder = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    builder.keys().append_value("a");
    builder.values().append_value(1);
    builder.append(true).unwrap();
    let pair = vec![Field::new("keys", DataType::LargeUtf8, false), Field::new("values", DataType::Int64, true)];
    let entries = Arc::new(Field::new("entries", DataType::Struct(pair.into()), false));
    let out = native_batch(Arc::new(builder.finish()), DataType::Map(entries, false));
    assert_eq!(shown(&out), [r#"[{"keys":"a","values":1}]"#]);
}

/// As [`native`], but the batch.
fn native_batch(array: ArrayRef, to: DataType) -> RecordBatch {
    let out = run_into(&spec(), &batch(&[("c", array)]), wants(Field::new("c", to.clone(), true))).unwrap();
    assert_eq!(*out.batch.column(0).data_type(), to);
    out.batch
}

#[test]
fn items_of_a_list_are_checked_even_where_its_type_stays() {
    let item = Arc::new(Field::new("item", DataType::Date32, true));
    let days: ArrayRef = Arc::new(Date32Array::from(vec![0, i32::MAX, 1]));
    let dates: ArrayRef = Arc::new(ListArray::new(item, arrow_buffer::OffsetBuffer::from_lengths([1, 2]), days, None));
    let out = run(&spec_with(Misfit::Null), &batch(&[("c", Arc::clone(&dates))])).unwrap();
    assert_eq!(shown(&out.batch), [r#"["1970-01-01"]"#, r#"[null,"1970-01-02"]"#]);
    assert_eq!(run(&spec(), &batch(&[("c", dates.slice(0, 1))])).unwrap().rows_out, 1);
    let numbers: ArrayRef = lists(&[Some(vec![Some(1)])]);
    let out = run(&spec(), &batch(&[("c", Arc::clone(&numbers))])).unwrap();
    assert!(Arc::ptr_eq(&numbers, out.batch.column(0)), "a list with nothing to check is handed on");
}

#[test]
fn a_parquet_warehouse_gets_the_milliseconds_it_can_hold() {
    let zone = Some("Europe/Berlin".into());
    let seconds: ArrayRef = Arc::new(arrow_array::TimestampSecondArray::from(vec![1]).with_timezone("Europe/Berlin"));
    assert_eq!(native(seconds, DataType::Timestamp(TimeUnit::Millisecond, zone)), ["1970-01-01T00:00:01Z"]);
    let day: ArrayRef = Arc::new(arrow_array::Date64Array::from(vec![86_400_000, i64::MAX]));
    assert_eq!(native(day, DataType::Timestamp(TimeUnit::Millisecond, None)), ["1970-01-02T00:00:00", "∅"]);
    let times: ArrayRef = Arc::new(Time32SecondArray::from(vec![1, 86_400]));
    assert_eq!(native(times, DataType::Time32(TimeUnit::Millisecond)), ["00:00:01", "∅"]);
    let wall: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0]));
    let utc = Field::new("c", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true);
    let error = run_into(&spec(), &batch(&[("c", wall)]), wants(utc)).unwrap_err();
    assert_eq!(error.kind, Kind::Unsupported, "which zone it is only a person can say");
}

#[test]
fn lists_within_lists_lose_only_what_does_not_fit() {
    let mut builder = ListBuilder::new(ListBuilder::new(Int32Builder::new()));
    for outer in [vec![vec![Some(1)], vec![None, Some(2)]], vec![vec![Some(3)]]] {
        for inner in outer {
            builder.values().append_value(inner);
        }
        builder.append(true);
    }
    let inner = DataType::List(Arc::new(Field::new("item", DataType::Int64, false)));
    let to = Field::new("c", DataType::List(Arc::new(Field::new("item", inner, true))), true);
    let lists: ArrayRef = Arc::new(builder.finish());
    let out = run_into(&spec_with(Misfit::Null), &batch(&[("c", lists)]), wants(to)).unwrap();
    assert_eq!(shown(&out.batch), ["[[1],null]", "[[3]]"]);
}

#[test]
fn a_type_that_the_sink_cannot_be_given_is_named_before_any_row() {
    let schema = batch(&[("c", Arc::new(Int64Array::from(vec![1])))]).schema();
    let to = Field::new("c", DataType::Date32, true);
    let error = transform(&spec(), &schema, wants(to)).map(|_| ()).unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (Kind::Unsupported, Some("cast.c")));
    assert!(error.message.contains("no cast from Int64 to Date32"), "{error}");
}
