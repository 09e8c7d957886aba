use serde_json::json;

use super::*;

fn checks(value: Value) -> Vec<Check> {
    serde_json::from_value(value).unwrap()
}

fn refused(value: Value) -> String {
    validate(&checks(value)).unwrap_err().field.unwrap()
}

fn found(check: Value, measured: Measured, complete: bool) -> Vec<String> {
    let now = "2026-01-01T12:00:00Z".parse().unwrap();
    decide(&checks(json!([check])), &[measured], 10, complete, now).into_iter().map(|f| f.message).collect()
}

#[test]
fn a_check_has_exactly_one_rule() {
    assert_eq!(refused(json!([{}])), "checks[0]");
    assert_eq!(refused(json!([{"not_null": ["a"]}, {"not_null": ["a"], "unique": ["a"]}])), "checks[1]");
    assert_eq!(refused(json!([{"rows": {}}])), "checks[0].rows");
    assert_eq!(refused(json!([{"rows": {"min": 2, "max": 1}}])), "checks[0].rows");
    assert_eq!(refused(json!([{"unique": ["a", "a"]}])), "checks[0].unique");
    assert_eq!(refused(json!([{"accepted": {"column": "a", "values": []}}])), "checks[0].accepted.values");
    assert_eq!(refused(json!([{"accepted": {"column": "a", "values": [null]}}])), "checks[0].accepted.values");
    assert_eq!(refused(json!([{"fresh": {"column": "a", "max_age_minutes": 0}}])), "checks[0].fresh.max_age_minutes");
    let many: Vec<Value> = (0..5).map(|n| json!({"unique": [format!("c{n}")]})).collect();
    assert_eq!(refused(json!(many)), "checks");
    assert!(serde_json::from_value::<Check>(json!({"notnull": ["a"]})).is_err());
    validate(&checks(json!([{"rows": {"min": 1}, "level": "warn"}, {"unique": ["a"]}]))).unwrap();
}

#[test]
fn bounds_of_rows_belong_to_what_is_allowed() {
    let bounds = json!({"rows": {"min": 2, "max": 4}});
    for rows in 2..=4 {
        assert_eq!(found(bounds.clone(), Measured::Rows(rows), true), Vec::<String>::new());
    }
    assert_eq!(found(bounds.clone(), Measured::Rows(1), true), ["1 rows, but at least 2 are expected"]);
    assert_eq!(found(bounds.clone(), Measured::Rows(5), true), ["5 rows, but at most 4 are expected"]);
    assert_eq!(found(bounds, Measured::Rows(1), false), Vec::<String>::new(), "a part may have fewer");
}

#[test]
fn findings_name_columns_and_counts() {
    assert_eq!(
        found(json!({"not_null": ["a", "b", "c"]}), Measured::Nulls(vec![0, 3, 1]), true),
        ["NULL of 10 rows: b in 3, c in 1"]
    );
    assert_eq!(
        found(json!({"unique": ["a", "b"]}), Measured::Duplicates(2), true),
        ["2 of 10 rows repeat the a, b of another row"]
    );
    assert_eq!(
        found(json!({"accepted": {"column": "a", "values": ["x", "y"]}}), Measured::Unaccepted(4), true),
        ["4 of 10 rows have in a none of the 2 accepted values"]
    );
    assert_eq!(found(json!({"unique": ["a"]}), Measured::Duplicates(0), true), Vec::<String>::new());
}

#[test]
fn freshness_is_judged_where_there_is_a_time() {
    let check = json!({"fresh": {"column": "t", "max_age_minutes": 60}});
    let at = |text: &str| Measured::Newest(Some(text.parse::<Timestamp>().unwrap().as_microsecond()));
    assert_eq!(found(check.clone(), at("2026-01-01T11:00:00Z"), true), Vec::<String>::new());
    assert_eq!(
        found(check.clone(), at("2026-01-01T10:30:00Z"), true),
        ["the newest t is 90 minutes old, but at most 60 are allowed"]
    );
    assert_eq!(found(check.clone(), at("2030-01-01T10:30:00Z"), true), Vec::<String>::new());
    assert_eq!(found(check, Measured::Newest(None), true), Vec::<String>::new());
}

#[test]
fn only_what_fails_is_an_error_and_it_names_the_first_check() {
    let list = checks(json!([
        {"not_null": ["a"], "level": "warn"}, {"unique": ["id"]}, {"rows": {"max": 1}}
    ]));
    let measured = [Measured::Nulls(vec![1]), Measured::Duplicates(3), Measured::Rows(10)];
    let findings = decide(&list, &measured, 10, true, Timestamp::UNIX_EPOCH);
    assert_eq!(findings.len(), 3);
    let error = failure(&findings).unwrap();
    assert_eq!((error.kind, error.actor, error.field.as_deref()), (Kind::Data, Actor::User, Some("checks[1]")));
    assert!(error.message.contains("unique (id): 3 of 10 rows repeat the id of another row; rows: 10 rows"), "{error}");
    assert!(!error.message.contains("not_null"), "{error}");
    assert_eq!(failure(&findings[..1]), None);
}
