//! Every type, by the Write API and by load jobs, compared value by value with what a query returns.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder, StringBuilder};
use arrow_array::types::Int8Type;
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, DictionaryArray,
    DurationSecondArray, FixedSizeBinaryArray, Float32Array, Float64Array, Int16Array, Int64Array, LargeStringArray,
    RecordBatch, StringArray, StructArray, Time64NanosecondArray, TimestampMicrosecondArray, TimestampNanosecondArray,
    UInt64Array,
};
use arrow_buffer::i256;
use arrow_schema::{DataType, Field, Schema};
use serde_json::{Value, json};
use sluice_core::load::LOGICAL_TYPE_KEY;

use crate::support::World;

/// A column, and its two values as the REST API spells them. The second row is NULL where a column allows it.
struct Case {
    name: &'static str,
    values: ArrayRef,
    kind: &'static str,
    spelled: [Value; 2],
    logical: Option<&'static str>,
}

fn case(name: &'static str, kind: &'static str, values: impl Array + 'static, spelled: [Value; 2]) -> Case {
    Case { name, values: Arc::new(values), kind, spelled, logical: None }
}

fn logical(name: &'static str, kind: &'static str, values: impl Array + 'static, spelled: [Value; 2]) -> Case {
    Case { logical: Some(if kind == "JSON" { "json" } else { "geography" }), ..case(name, kind, values, spelled) }
}

fn numbers() -> Vec<Case> {
    let decimal = |value, p, s| Decimal128Array::from(vec![Some(value), None]).with_precision_and_scale(p, s).unwrap();
    let wide = i256::from_string("123456789012345678901234567890").unwrap();
    vec![
        case("ok", "BOOLEAN", BooleanArray::from(vec![Some(true), None]), [json!("true"), Value::Null]),
        case("small", "INTEGER", Int16Array::from(vec![Some(-32768), None]), [json!("-32768"), Value::Null]),
        case(
            "unsigned",
            "NUMERIC",
            UInt64Array::from(vec![Some(u64::MAX), None]),
            [json!("18446744073709551615"), Value::Null],
        ),
        case("single", "FLOAT", Float32Array::from(vec![Some(0.5), None]), [json!("0.5"), Value::Null]),
        case("nan", "FLOAT", Float64Array::from(vec![f64::NAN, f64::NEG_INFINITY]), [json!("NaN"), json!("-Infinity")]),
        case("money", "NUMERIC", decimal(-1_234_567, 12, 2), [json!("-12345.67"), Value::Null]),
        case("fine", "BIGNUMERIC", decimal(1_234_567_890_123, 30, 12), [json!("1.234567890123"), Value::Null]),
        case(
            "wide",
            "BIGNUMERIC",
            Decimal256Array::from(vec![Some(wide), None]).with_precision_and_scale(40, 10).unwrap(),
            [json!("12345678901234567890.123456789"), Value::Null],
        ),
    ]
}

fn texts() -> Vec<Case> {
    let dictionary: DictionaryArray<Int8Type> = [Some("red"), None].into_iter().collect();
    let json_texts = StringArray::from(vec![Some(r#"{"a": [1, "x"], "n": null}"#), None]);
    let uuid = FixedSizeBinaryArray::try_from_sparse_iter_with_size([Some([1_u8; 16]), None].into_iter(), 16).unwrap();
    vec![
        case(
            "text",
            "STRING",
            LargeStringArray::from(vec![Some("héé '\"\n"), None]),
            [json!("héé '\"\n"), Value::Null],
        ),
        case("colour", "STRING", dictionary, [json!("red"), Value::Null]),
        case("bytes", "BYTES", BinaryArray::from_opt_vec(vec![Some(b"\x00\xff"), None]), [json!("AP8="), Value::Null]),
        case("uuid", "BYTES", uuid, [json!("AQEBAQEBAQEBAQEBAQEBAQ=="), Value::Null]),
        case("lasts", "STRING", DurationSecondArray::from(vec![Some(90), None]), [json!("PT90S"), Value::Null]),
        logical("doc", "JSON", json_texts, [json!(r#"{"a":[1,"x"],"n":null}"#), Value::Null]),
        logical(
            "place",
            "GEOGRAPHY",
            StringArray::from(vec![Some("POINT(1 2)"), None]),
            [json!("POINT(1 2)"), Value::Null],
        ),
    ]
}

fn times() -> Vec<Case> {
    let micros = 1_700_000_000_123_456_i64;
    vec![
        case("day", "DATE", Date32Array::from(vec![Some(-719_162), None]), [json!("0001-01-01"), Value::Null]),
        case("last_day", "DATE", Date32Array::from(vec![Some(2_932_896), None]), [json!("9999-12-31"), Value::Null]),
        case(
            "local",
            "DATETIME",
            TimestampMicrosecondArray::from(vec![Some(micros), None]),
            [json!("2023-11-14T22:13:20.123456"), Value::Null],
        ),
        case(
            "instant",
            "TIMESTAMP",
            TimestampNanosecondArray::from(vec![Some(micros * 1000), None]).with_timezone("+02:00"),
            [json!("1700000000.123456"), Value::Null],
        ),
        case(
            "before",
            "TIMESTAMP",
            TimestampMicrosecondArray::from(vec![Some(-1_500_000), None]).with_timezone("UTC"),
            [json!("-1.5"), Value::Null],
        ),
    ]
}

fn nested() -> Vec<Case> {
    let mut tags = ListBuilder::new(StringBuilder::new());
    tags.values().append_value("a");
    tags.values().append_value("b");
    tags.append(true);
    tags.append(true);
    let mut inner = ListBuilder::new(Int64Builder::new());
    inner.values().append_value(7);
    inner.append(true);
    inner.append(true);
    let (name, ids): (ArrayRef, ArrayRef) =
        (Arc::new(StringArray::from(vec![Some("n"), None])), Arc::new(inner.finish()));
    let record = StructArray::from(vec![
        (Arc::new(Field::new("name", DataType::Utf8, true)), name),
        (Arc::new(Field::new("ids", ids.data_type().clone(), true)), ids),
    ]);
    vec![
        case("tags", "STRING", tags.finish(), [json!([{"v": "a"}, {"v": "b"}]), json!([])]),
        case(
            "record",
            "RECORD",
            record,
            [json!({"f": [{"v": "n"}, {"v": [{"v": "7"}]}]}), json!({"f": [{"v": null}, {"v": []}]})],
        ),
    ]
}

async fn every_value_comes_back(test: &str, mut cases: Vec<Case>) {
    let world = World::new(test).await;
    cases.push(case("row", "INTEGER", Int64Array::from(vec![0, 1]), [json!("0"), json!("1")]));
    let fields: Vec<_> = cases
        .iter()
        .map(|case| {
            let field = Field::new(case.name, case.values.data_type().clone(), true);
            let tag = case.logical.map(|logical| (LOGICAL_TYPE_KEY.to_owned(), logical.to_owned()));
            field.with_metadata(tag.into_iter().collect::<HashMap<_, _>>())
        })
        .collect();
    let batch =
        RecordBatch::try_new(Arc::new(Schema::new(fields)), cases.iter().map(|c| c.values.clone()).collect()).unwrap();
    let spec = world.spec(&batch.schema());
    assert_eq!(world.run(&spec, &[("a", &[batch])]).await, 2);

    let described = world.describe("t").await;
    for (case, field) in cases.iter().zip(described["schema"]["fields"].as_array().unwrap()) {
        assert_eq!(field["type"], case.kind, "{}", case.name);
        let rows = world.query(&format!("SELECT `{0}` FROM {{t}} ORDER BY `row`", case.name)).await;
        let mut values: Vec<_> = rows.into_iter().map(|mut row| row.remove(0)).collect();
        if case.kind == "JSON" {
            let parsed: Value = serde_json::from_str(values[0].as_str().unwrap()).unwrap();
            values[0] = json!(parsed.to_string());
        }
        assert_eq!(values, case.spelled, "{}", case.name);
    }
}

#[tokio::test]
async fn numbers_arrive_by_the_write_api() {
    every_value_comes_back("numbers", numbers()).await;
}

#[tokio::test]
async fn texts_and_bytes_arrive_by_the_write_api() {
    every_value_comes_back("texts", texts()).await;
}

#[tokio::test]
async fn dates_and_times_arrive_by_the_write_api() {
    every_value_comes_back("times", times()).await;
}

#[tokio::test]
async fn arrays_and_records_arrive_by_the_write_api() {
    every_value_comes_back("nested", nested()).await;
}

#[tokio::test]
async fn every_type_arrives_by_a_load_job_and_so_does_time() {
    let mut cases: Vec<_> = [numbers(), texts(), times(), nested()].into_iter().flatten().collect();
    let noon = Time64NanosecondArray::from(vec![Some(43_200_000_001_000), None]);
    cases.push(case("noon", "TIME", noon, [json!("12:00:00.000001"), Value::Null]));
    every_value_comes_back("types_load", cases).await;
}
