//! Every pair of types that a cast may bring together, with values that fit and values that do not.

use arrow_array::types::{Date32Type, Int32Type};
use arrow_array::{
    BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, DurationSecondArray, Float32Array,
    Float64Array, Int32Array, Int64Array, LargeStringArray, ListArray, NullArray, PrimitiveArray, StringArray,
    StringViewArray, Time64NanosecondArray, TimestampMicrosecondArray, TimestampNanosecondArray, UInt64Array,
};
use arrow_schema::{DataType, TimeUnit};

use super::*;

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// What a column becomes under `null`: its type, and its values with `∅` where they do not fit or were NULL.
fn cast(array: ArrayRef, to: &str) -> (DataType, Vec<String>) {
    let out = run(&casting(to, Misfit::Null), &batch(&[("c", array)])).unwrap();
    (out.batch.column(0).data_type().clone(), shown(&out.batch))
}

fn values(array: ArrayRef, to: &str) -> Vec<String> {
    cast(array, to).1
}

#[test]
fn text_becomes_numbers() {
    let numbers = texts(&["1", " -7 ", "9223372036854775808", "1.5", "", "x"]);
    assert_eq!(values(numbers, "INT64"), ["1", "-7", "∅", "∅", "∅", "∅"]);
    let floats = texts(&["1", "-2.5e3", "NaN", "inf", "1e999", "x"]);
    assert_eq!(values(floats, "FLOAT64"), ["1.0", "-2500.0", "NaN", "inf", "∅", "∅"]);
    let decimals = texts(&["1", "-2.345", "99999999.995", "NaN", "x"]);
    let (data_type, shown) = cast(Arc::clone(&decimals), "NUMERIC(10,2)");
    assert_eq!(data_type, DataType::Decimal128(10, 2));
    assert_eq!(shown, ["1.00", "-2.35", "∅", "∅", "∅"]);
    let (data_type, shown) = cast(decimals, "BIGNUMERIC");
    assert_eq!(data_type, DataType::Decimal256(76, 38));
    assert_eq!(shown[1], format!("-2.345{}", "0".repeat(35)));
}

#[test]
fn text_becomes_booleans() {
    let (data_type, shown) = cast(texts(&["true", "F", " yes", "0", "2", ""]), "BOOL");
    assert_eq!(data_type, DataType::Boolean);
    assert_eq!(shown, ["true", "false", "true", "false", "∅", "∅"]);
}

#[test]
fn text_becomes_dates_and_times() {
    assert_eq!(values(texts(&["2024-02-29", "2023-02-29", "10000-01-01"]), "DATE"), ["2024-02-29", "∅", "∅"]);
    assert_eq!(values(texts(&["23:59:59.9999999", "24:00", "x"]), "TIME"), ["23:59:59.999999", "∅", "∅"]);
    let moments = texts(&["2024-02-29 12:00:00", "2024-02-29T12:00:00+02", "2024-02-29", "x"]);
    let (data_type, shown) = cast(Arc::clone(&moments), "TIMESTAMP");
    assert_eq!(data_type, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
    assert_eq!(shown, ["2024-02-29T12:00:00Z", "2024-02-29T10:00:00Z", "2024-02-29T00:00:00Z", "∅"]);
    assert_eq!(values(moments, "DATETIME"), ["2024-02-29T12:00:00", "∅", "2024-02-29T00:00:00", "∅"]);
}

#[test]
fn text_becomes_json_if_it_is_json() {
    let out = run(&casting("JSON", Misfit::Null), &batch(&[("c", texts(&["{\"a\": [1]}", "1", "{", ""]))])).unwrap();
    assert_eq!(out.batch.schema().field(0).metadata().get(LOGICAL_TYPE_KEY).unwrap(), "json");
    assert_eq!(out.batch.column(0).null_count(), 2);
    assert_eq!(out.nulled, 2);
}

#[test]
fn text_and_bytes_become_each_other() {
    let (data_type, shown) = cast(texts(&["é"]), "BYTES");
    assert_eq!((data_type, shown), (DataType::Binary, vec!["w6k=".to_owned()]));
    let bytes: ArrayRef = Arc::new(BinaryArray::from_vec(vec![b"ok", b"\xff"]));
    assert_eq!(values(bytes, "STRING"), ["ok", "∅"]);
}

#[test]
fn every_packing_of_text_is_read() {
    let dictionary: DictionaryArray<Int32Type> = ["1", "x", "1"].into_iter().collect();
    assert_eq!(values(Arc::new(dictionary), "INT64"), ["1", "∅", "1"]);
    assert_eq!(values(Arc::new(LargeStringArray::from(vec!["1", "x"])), "INT64"), ["1", "∅"]);
    assert_eq!(values(Arc::new(StringViewArray::from(vec!["1", "x"])), "NUMERIC(3,1)"), ["1.0", "∅"]);
}

#[test]
fn integers_become_what_holds_them() {
    assert_eq!(values(Arc::new(UInt64Array::from(vec![1, u64::MAX])), "INT64"), ["1", "∅"]);
    let ints = || -> ArrayRef { Arc::new(Int64Array::from(vec![Some(0), Some(-12), None, Some(i64::MAX)])) };
    assert_eq!(values(ints(), "STRING"), ["0", "-12", "∅", "9223372036854775807"]);
    assert_eq!(values(ints(), "BOOL"), ["false", "true", "∅", "true"]);
    assert_eq!(values(ints(), "NUMERIC(4,1)"), ["0.0", "-12.0", "∅", "∅"]);
    assert_eq!(values(ints(), "FLOAT64"), ["0.0", "-12.0", "∅", "9.223372036854776e18"]);
    assert_eq!(values(ints(), "JSON"), ["0", "-12", "∅", "9223372036854775807"]);
    let most: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    assert_eq!(values(most, "NUMERIC"), ["18446744073709551615.000000000"]);
}

#[test]
fn floats_are_rounded_only_where_a_person_asks() {
    let floats = || -> ArrayRef { Arc::new(Float64Array::from(vec![0.1, -2.5, f64::NAN, f64::INFINITY, 1e30])) };
    assert_eq!(values(floats(), "INT64"), ["0", "-3", "∅", "∅", "∅"]);
    assert_eq!(values(floats(), "NUMERIC"), ["0.100000000", "-2.500000000", "∅", "∅", "∅"]);
    assert_eq!(values(floats(), "JSON"), ["0.1", "-2.5", "\"NaN\"", "\"inf\"", "1e30"]);
    let edges: ArrayRef = Arc::new(Float64Array::from(vec![9_223_372_036_854_775_808.0, -9_223_372_036_854_775_808.0]));
    assert_eq!(values(edges, "INT64"), ["∅", "-9223372036854775808"]);
    let narrow: ArrayRef = Arc::new(Float32Array::from(vec![0.1]));
    assert_eq!(values(Arc::clone(&narrow), "BIGNUMERIC(40,20)"), ["0.10000000000000000000"]);
    assert_eq!(values(narrow, "STRING"), ["0.1"]);
}

#[test]
fn decimals_are_rounded_half_away_from_zero_where_a_person_asks() {
    let decimals = || -> ArrayRef {
        let decimals = Decimal128Array::from(vec![1_005, -2_495, 9_999_999]);
        Arc::new(decimals.with_precision_and_scale(10, 3).unwrap())
    };
    assert_eq!(values(decimals(), "NUMERIC(5,2)"), ["1.01", "-2.50", "∅"]);
    assert_eq!(values(decimals(), "INT64"), ["1", "-2", "10000"]);
    assert_eq!(values(decimals(), "FLOAT64"), ["1.005", "-2.495", "9999.999"]);
    assert_eq!(values(decimals(), "STRING"), ["1.005", "-2.495", "9999.999"]);
    assert_eq!(values(decimals(), "JSON"), ["\"1.005\"", "\"-2.495\"", "\"9999.999\""]);
}

#[test]
fn moments_become_each_other() {
    let nanos = || -> ArrayRef {
        Arc::new(TimestampNanosecondArray::from(vec![Some(-1), Some(1_709_208_000_000_000_001), None]))
    };
    assert_eq!(values(nanos(), "DATETIME"), ["1969-12-31T23:59:59.999999", "2024-02-29T12:00:00", "∅"]);
    assert_eq!(values(nanos(), "TIMESTAMP"), ["1969-12-31T23:59:59.999999Z", "2024-02-29T12:00:00Z", "∅"]);
    assert_eq!(values(nanos(), "DATE"), ["1969-12-31", "2024-02-29", "∅"]);
    assert_eq!(values(nanos(), "TIME"), ["23:59:59.999999", "12:00:00", "∅"]);
    assert_eq!(values(nanos(), "STRING"), ["1969-12-31T23:59:59.999999999", "2024-02-29T12:00:00.000000001", "∅"]);
    let dates: ArrayRef = Arc::new(Date32Array::from(vec![19_782, i32::MAX]));
    assert_eq!(values(Arc::clone(&dates), "TIMESTAMP"), ["2024-02-29T00:00:00Z", "∅"]);
    assert_eq!(values(dates, "STRING"), ["2024-02-29", "∅"]);
    let times: ArrayRef = Arc::new(Time64NanosecondArray::from(vec![1_999, -1]));
    assert_eq!(values(times, "TIME"), ["00:00:00.000001", "∅"]);
    let zoned: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0, i64::MAX]).with_timezone("Europe/Berlin"));
    assert_eq!(values(zoned, "DATETIME"), ["1970-01-01T00:00:00", "∅"]);
    let length: ArrayRef = Arc::new(DurationSecondArray::from(vec![90]));
    assert_eq!(values(length, "STRING"), ["PT90S"]);
}

#[test]
fn lists_become_json_text() {
    let lists: ArrayRef =
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]));
    let out = run(&casting("STRING", Misfit::Fail), &batch(&[("c", Arc::clone(&lists))])).unwrap();
    assert_eq!(shown(&out.batch), ["[1,null]", "∅"]);
    let out = run(&casting("JSON", Misfit::Fail), &batch(&[("c", lists)])).unwrap();
    assert_eq!(shown(&out.batch), ["[1,null]", "∅"]);
}

#[test]
fn a_column_of_nothing_takes_any_type() {
    for to in ["STRING", "INT64", "NUMERIC(5,1)", "TIMESTAMP", "JSON"] {
        assert_eq!(values(Arc::new(NullArray::new(2)), to), ["∅", "∅"], "{to}");
    }
}

#[test]
fn a_cast_to_the_type_it_has_copies_nothing() {
    let array: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let out = run(&casting("INT64", Misfit::Fail), &batch(&[("c", Arc::clone(&array))])).unwrap();
    assert!(Arc::ptr_eq(&array, out.batch.column(0)));
}

#[test]
fn a_cast_that_does_not_exist_is_refused_with_its_field() {
    for (array, to) in [
        (Arc::new(BooleanArray::from(vec![true])) as ArrayRef, "DATE"),
        (Arc::new(Int32Array::from(vec![1])), "TIMESTAMP"),
        (Arc::new(PrimitiveArray::<Date32Type>::from(vec![1])), "INT64"),
        (Arc::new(Float64Array::from(vec![1.0])), "BOOL"),
        (Arc::new(Int32Array::from(vec![1])), "BYTES"),
    ] {
        let error = run(&casting(to, Misfit::Null), &batch(&[("c", array)])).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("cast.c.to"), "{to}");
        assert!(error.message.starts_with("there is no cast from "), "{}", error.message);
        assert_eq!(error.stream.as_deref(), Some("public.t"));
    }
}
