use arrow_array::types::Int64Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray, PrimitiveArray,
    TimestampMicrosecondArray, TimestampSecondArray,
};
use arrow_schema::{Field, Schema};
use serde_json::{Value, json};

use super::*;

fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let arrays = columns.iter().map(|(_, array)| Arc::clone(array)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn numbers(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn check(check: &Value) -> Vec<Check> {
    vec![serde_json::from_value(check.clone()).unwrap()]
}

/// What a check measures, each inner list of batches being a split.
fn measured(asked: &Value, splits: &[Vec<RecordBatch>]) -> Measured {
    let schema = splits[0][0].schema();
    let checks = Checks::plan(&check(asked), &schema, "run").unwrap().unwrap();
    let meters = splits.iter().map(|batches| {
        let mut meter = checks.meter();
        batches.iter().for_each(|batch| meter.take(batch).unwrap());
        meter
    });
    let meters = meters.collect();
    checks.measured(meters, 0).remove(0)
}

fn refused(asked: &Value, columns: &[(&str, ArrayRef)]) -> String {
    let error = Checks::plan(&check(asked), &batch(columns).schema(), "run").err().unwrap();
    assert_eq!((error.kind, error.field.as_deref()), (Kind::Config, Some("checks[0]")));
    error.message
}

#[test]
fn without_checks_there_is_nothing() {
    assert!(Checks::plan(&[], &batch(&[("a", numbers(&[Some(1)]))]).schema(), "run").unwrap().is_none());
}

#[test]
fn rows_are_counted_over_batches_splits_and_what_was_held() {
    let two = batch(&[("a", numbers(&[Some(1), None]))]);
    assert_eq!(
        measured(&json!({"rows": {"min": 1}}), &[vec![two.clone(), two.clone()], vec![two.clone()]]),
        Measured::Rows(6)
    );
    let checks = Checks::plan(&check(&json!({"rows": {"min": 1}})), &two.schema(), "run").unwrap().unwrap();
    assert_eq!(checks.measured(vec![checks.meter()], 40), [Measured::Rows(40)]);
}

#[test]
fn nulls_are_counted_for_each_column() {
    let one = batch(&[("a", numbers(&[Some(1), None, None])), ("b", texts(&[Some("x"), Some("y"), None]))]);
    assert_eq!(
        measured(&json!({"not_null": ["b", "a"]}), &[vec![one.clone()], vec![one.slice(1, 2)]]),
        Measured::Nulls(vec![2, 4])
    );
}

#[test]
fn repetitions_are_found_across_batches_and_splits() {
    let one = batch(&[("a", numbers(&[Some(1), Some(2), Some(2)]))]);
    let other = batch(&[("a", numbers(&[Some(3), Some(1), Some(4)]))]);
    assert_eq!(measured(&json!({"unique": ["a"]}), &[vec![one.clone()], vec![other.clone()]]), Measured::Duplicates(2));
    assert_eq!(measured(&json!({"unique": ["a"]}), &[vec![other]]), Measured::Duplicates(0));
    // A slice begins in the middle of its buffer.
    assert_eq!(measured(&json!({"unique": ["a"]}), &[vec![one.slice(0, 2), one.slice(2, 1)]]), Measured::Duplicates(1));
}

#[test]
fn several_columns_are_compared_together_and_null_with_nothing() {
    let rows = batch(&[
        ("a", texts(&[Some("ab"), Some("a"), Some("ab"), None, None])),
        ("b", texts(&[Some("c"), Some("bc"), Some("c"), Some("c"), Some("c")])),
    ]);
    assert_eq!(measured(&json!({"unique": ["a", "b"]}), &[vec![rows.clone()]]), Measured::Duplicates(1));
    assert_eq!(measured(&json!({"unique": ["b"]}), &[vec![rows]]), Measured::Duplicates(3));
}

#[test]
fn values_of_every_plain_type_are_compared() {
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(BooleanArray::from(vec![true, false, true])),
        Arc::new(Float64Array::from(vec![1.5, 2.5, 1.5])),
        Arc::new(Date32Array::from(vec![1, 2, 1])),
        Arc::new(TimestampMicrosecondArray::from(vec![1, 2, 1]).with_timezone("UTC")),
        Arc::new(Decimal128Array::from(vec![1, 2, 1]).with_precision_and_scale(10, 2).unwrap()),
        Arc::new(arrow_array::BinaryArray::from(vec![&b"a"[..], b"b", b"a"])),
        Arc::new(arrow_array::LargeStringArray::from(vec!["a", "b", "a"])),
        Arc::new(arrow_array::StringViewArray::from(vec!["a", "b", "a"])),
    ];
    for array in arrays {
        let of = array.data_type().clone();
        assert_eq!(
            measured(&json!({"unique": ["c"]}), &[vec![batch(&[("c", array)])]]),
            Measured::Duplicates(1),
            "{of}"
        );
    }
}

#[test]
fn millions_of_different_rows_are_told_apart() {
    let rows: Vec<RecordBatch> = (0..20)
        .map(|part| {
            batch(&[("a", Arc::new(Int64Array::from_iter_values(part * 50_000..(part + 1) * 50_000)) as ArrayRef)])
        })
        .collect();
    assert_eq!(measured(&json!({"unique": ["a"]}), &[rows]), Measured::Duplicates(0));
}

#[test]
fn more_rows_than_can_be_compared_fail_a_check_that_fails_and_are_told_by_one_that_warns() {
    let rows = batch(&[("a", numbers(&[Some(1), Some(2), Some(3)]))]);
    let plan = |level: &str| {
        let asked = check(&json!({"unique": ["a"], "level": level}));
        Checks::with_most(&asked, &rows.schema(), "run", 5).unwrap().unwrap()
    };
    let checks = plan("fail");
    let (mut one, mut other) = (checks.meter(), checks.meter());
    one.take(&rows).unwrap();
    let error = other.take(&rows).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("checks[0]"));
    assert!(error.message.contains("unique (a) can be checked on at most 5 rows of a run"), "{error}");
    let checks = plan("warn");
    let mut meter = checks.meter();
    for _ in 0..3 {
        meter.take(&rows).unwrap();
    }
    assert_eq!(checks.measured(vec![meter], 0), [Measured::TooMany(5)]);
}

#[test]
fn only_accepted_values_and_null_pass() {
    let rows = batch(&[
        ("s", texts(&[Some("open"), Some("OPEN"), None, Some("")])),
        ("n", numbers(&[Some(1), Some(2), None, Some(-1)])),
        ("d", Arc::new(Decimal128Array::from(vec![150, 200, 150, 151]).with_precision_and_scale(10, 2).unwrap())),
        ("b", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true)]))),
        ("t", Arc::new(Date32Array::from(vec![0, 1, 1, 1]))),
    ]);
    let unaccepted = |column: &str, values: Value| {
        measured(
            &json!({"accepted": {"column": column, "values": values}}),
            &[vec![rows.clone()], vec![rows.slice(1, 2)]],
        )
    };
    assert_eq!(unaccepted("s", json!(["open", "closed"])), Measured::Unaccepted(3));
    assert_eq!(unaccepted("n", json!([1, "2", -1])), Measured::Unaccepted(0));
    assert_eq!(unaccepted("d", json!([1.5, 2])), Measured::Unaccepted(1));
    assert_eq!(unaccepted("b", json!([true])), Measured::Unaccepted(2));
    assert_eq!(unaccepted("t", json!(["1970-01-02"])), Measured::Unaccepted(1));
}

#[test]
fn the_newest_time_is_found_in_every_unit_and_a_day_counts_as_its_end() {
    let newest = |array: ArrayRef| {
        measured(&json!({"fresh": {"column": "c", "max_age_minutes": 1}}), &[vec![batch(&[("c", array)])]])
    };
    assert_eq!(
        newest(Arc::new(TimestampSecondArray::from(vec![Some(3), None, Some(7)]))),
        Measured::Newest(Some(7_000_000))
    );
    assert_eq!(newest(Arc::new(TimestampMicrosecondArray::from(vec![-5, -3]))), Measured::Newest(Some(-3)));
    assert_eq!(newest(Arc::new(Date32Array::from(vec![0]))), Measured::Newest(Some(86_400_000_000)));
    assert_eq!(newest(Arc::new(TimestampSecondArray::from(vec![None::<i64>]))), Measured::Newest(None));
}

#[test]
fn a_check_of_what_is_not_there_or_cannot_be_looked_at_is_refused() {
    let list = || {
        let items = vec![Some(vec![Some(1)])];
        Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(items)) as ArrayRef
    };
    let columns = [("a", numbers(&[Some(1)])), ("l", list())];
    assert_eq!(refused(&json!({"not_null": ["b"]}), &columns), "the table has no column b; there are a, l");
    assert!(refused(&json!({"unique": ["l"]}), &columns).contains("cannot be compared"));
    assert!(
        refused(&json!({"fresh": {"column": "a", "max_age_minutes": 1}}), &columns)
            .contains("neither a time nor a date")
    );
    let message = refused(&json!({"accepted": {"column": "a", "values": [1, "one"]}}), &columns);
    assert!(message.contains("not all of `accepted.values` are values of a Int64"), "{message}");
}

#[test]
fn an_empty_batch_counts_nothing() {
    let empty: ArrayRef = Arc::new(PrimitiveArray::<Int64Type>::from(Vec::<i64>::new()));
    let rows = batch(&[("a", empty)]);
    assert_eq!(measured(&json!({"unique": ["a"]}), &[vec![rows.clone()]]), Measured::Duplicates(0));
    assert_eq!(measured(&json!({"not_null": ["a"]}), &[vec![rows]]), Measured::Nulls(vec![0]));
}
