//! What arrives is what the source has.

use sluice_tests::bigquery::{dataset_of, query, sink};
use sluice_tests::binary::Workspace;
use sluice_tests::{env, sandbox, warehouse};

use crate::support::{Data, QUESTIONS, good, make_questions, questions, rows, run, table};

#[test]
fn a_public_table_is_copied_into_bigquery_and_parquet_row_for_row() {
    const ROWS: i64 = 2_000;
    let data = Data::new();
    make_questions(&data, ROWS);
    let expected = questions(&format!("{}.{}.posts_questions", data.project, data.dataset));
    assert_eq!(expected.len(), 2_000);
    let workspace = Workspace::new();
    let ran = good(run(&workspace, &data.local(&[], "  - {id: {d}.posts_questions, table: questions}\n")));
    assert_eq!(ran.summary()["streams"][0]["rows_committed"], ROWS);
    assert!(rows(&workspace, "questions", true) == expected, "every value is the source's");
    let names: Vec<String> = warehouse::batches(&table(&workspace, "questions"))[0]
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    assert_eq!(names, QUESTIONS.map(|(name, ..)| name));
    let target = sandbox::unique("copy");
    let workspace = Workspace::new();
    let streams = format!("streams:\n  - {{id: {}.posts_questions, table: questions}}\n", data.dataset);
    good(run(&workspace, &format!("name: copy\n{}{streams}{}", data.source(&[]), sink(&target))));
    let copied = questions(&format!("{}.{target}.questions", env("SLUICE_TEST_BIGQUERY_PROJECT")));
    assert!(copied == expected, "every row is in the other project, once");
}

/// Type, a value in SQL, and what arrives in Parquet.
const VALUES: &[(&str, &str, &str)] = &[
    ("INT64", "-9223372036854775808", "-9223372036854775808"),
    ("FLOAT64", "CAST('-0.1' AS FLOAT64)", "-0.1"),
    ("FLOAT64", "CAST('inf' AS FLOAT64)", "inf"),
    ("BOOL", "true", "true"),
    ("STRING", "'grüße 🚰'", "grüße 🚰"),
    ("STRING(5)", "''", ""),
    ("BYTES", "b'\\x00\\xff\\x10'", "00ff10"),
    ("NUMERIC", "NUMERIC '-99999999999999999999999999999.999999999'", "-99999999999999999999999999999.999999999"),
    ("NUMERIC(10,2)", "NUMERIC '12345678.91'", "12345678.91"),
    ("BIGNUMERIC", "BIGNUMERIC '12345678901234567890.123456789012345678'", "12345678901234567890.123456789012345678"),
    ("DATE", "DATE '0001-01-01'", "0001-01-01"),
    ("DATE", "DATE '9999-12-31'", "9999-12-31"),
    ("TIME", "TIME '23:59:59.999999'", "23:59:59.999999"),
    ("DATETIME", "DATETIME '1600-02-29 23:59:59.123456'", "1600-02-29T23:59:59.123456"),
    ("TIMESTAMP", "TIMESTAMP '2024-02-29 23:59:59.123456+05:30'", "2024-02-29T18:29:59.123456Z"),
    ("JSON", "JSON '{\"b\":[1,null]}'", "{\"b\":[1,null]}"),
    ("GEOGRAPHY", "ST_GEOGPOINT(1, 2)", "POINT(1 2)"),
    ("INTERVAL", "MAKE_INTERVAL(1, 2, 3, 4, 5, 6)", "1-2 3 4:5:6"),
    (
        "RANGE<DATE>",
        "RANGE(DATE '2024-01-01', DATE '2024-02-01')",
        "{__range_start: 2024-01-01, __range_end: 2024-02-01}",
    ),
    ("ARRAY<STRING>", "['a', '', 'c d']", "[a, , c d]"),
    ("ARRAY<INT64>", "[]", "[]"),
    ("ARRAY<TIMESTAMP>", "[TIMESTAMP '2024-01-01 00:00:00+00']", "[2024-01-01T00:00:00Z]"),
    (
        "STRUCT<x INT64, y STRUCT<z STRING, w ARRAY<DATE>>>",
        "STRUCT(1 AS x, STRUCT('z' AS z, [DATE '2024-01-01'] AS w) AS y)",
        "{x: 1, y: {z: z, w: [2024-01-01]}}",
    ),
    (
        "ARRAY<STRUCT<k STRING, v NUMERIC>>",
        "[STRUCT('a' AS k, NUMERIC '1.5' AS v), STRUCT('b' AS k, NULL AS v)]",
        "[{k: a, v: 1.500000000}, {k: b, v: NULL}]",
    ),
];

fn make_types(data: &Data) {
    let columns: Vec<String> = VALUES.iter().enumerate().map(|(i, (kind, ..))| format!("c{i} {kind}")).collect();
    let values: Vec<&str> = VALUES.iter().map(|(_, value, _)| *value).collect();
    data.sql(&format!("CREATE TABLE `{{d}}.t` (id INT64 NOT NULL, {})", columns.join(", ")));
    data.sql(&format!("INSERT INTO `{{d}}.t` VALUES (1, {})", values.join(", ")));
    data.sql("INSERT INTO `{d}.t` (id) VALUES (2)");
}

#[test]
fn every_type_arrives_as_the_source_has_it_and_null_as_null() {
    let data = Data::new();
    make_types(&data);
    let workspace = Workspace::new();
    good(run(&workspace, &data.local(&[], "  - {id: {d}.t, table: t}\n")));
    let rows = rows(&workspace, "t", false);
    assert_eq!(rows.len(), 2);
    for (index, (kind, value, expected)) in VALUES.iter().enumerate() {
        assert_eq!(rows[0][index + 1], *expected, "{kind} {value}");
        // An array is never NULL in BigQuery, only empty.
        let nothing = if kind.starts_with("ARRAY") { "[]" } else { "NULL" };
        assert_eq!(rows[1][index + 1], nothing, "{kind}");
    }
}

#[test]
fn every_type_of_a_bigquery_sink_is_copied_from_project_to_project() {
    let data = Data::new();
    make_types(&data);
    let target = sandbox::unique("types");
    let workspace = Workspace::new();
    // A range arrives as a record, whose fields this server takes for those of a range.
    let columns: Vec<(String, &str)> = VALUES
        .iter()
        .enumerate()
        .filter(|(_, (kind, ..))| !kind.starts_with("RANGE"))
        .map(|(index, (kind, ..))| (format!("c{index}"), *kind))
        .collect();
    let list: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let streams = format!("streams:\n  - {{id: {}.t, table: t, columns: [id, {}]}}\n", data.dataset, list.join(", "));
    good(run(&workspace, &format!("name: types\n{}{streams}{}", data.source(&[]), sink(&target))));
    let texts = |table: &str| {
        let value = |(name, kind): &(String, &str)| match *kind {
            // The scale is a matter of printing.
            kind if kind.starts_with("NUMERIC") => format!("TO_JSON_STRING(CAST({name} AS NUMERIC))"),
            // It becomes a text, which this server prints in another form than an interval.
            "INTERVAL" => format!("TO_JSON_STRING({name} IS NULL)"),
            _ => format!("TO_JSON_STRING({name})"),
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        query(&format!("SELECT {} FROM `{table}` ORDER BY id", values.join(", ")))
    };
    let copied = texts(&format!("{}.{target}.t", env("SLUICE_TEST_BIGQUERY_PROJECT")));
    let mut expected = texts(&format!("{}.{}.t", data.project, data.dataset));
    for (value, (_, kind)) in expected[1].iter_mut().zip(&columns) {
        if kind.starts_with("ARRAY") {
            *value = Some("[]".to_owned());
        }
    }
    assert_eq!(copied, expected);
    let interval = columns.iter().find(|(_, kind)| *kind == "INTERVAL").unwrap();
    let told = query(&format!("SELECT {} FROM `{target}.t` WHERE id = 1", interval.0));
    assert_eq!(told[0][0].as_deref(), Some("1-2 3 4:5:6"));
}

#[test]
fn only_the_chosen_columns_and_rows_are_asked_for() {
    let data = Data::new();
    make_questions(&data, 1_000);
    let workspace = Workspace::new();
    let streams = "  - {id: {d}.posts_questions, table: q, columns: [score, id], filter: \"id > 990 -- the newest\"}\n";
    let ran = good(run(&workspace, &data.local(&[], streams)));
    assert_eq!(ran.summary()["streams"][0]["rows_read"], 10, "the restriction is BigQuery's work");
    let batch = &warehouse::batches(&table(&workspace, "q"))[0];
    let names: Vec<&str> = batch.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["score", "id"], "in the order that was asked for");
    assert_eq!(warehouse::integers(&table(&workspace, "q"), "id"), (991..=1_000).collect::<Vec<_>>());
}

#[test]
fn views_and_queries_are_read_through_a_temporary_table() {
    let data = Data::new();
    make_questions(&data, 300);
    data.sql("CREATE VIEW `{d}.best` AS SELECT id, title, score FROM `{d}.posts_questions` WHERE score > 0");
    let expected = data.sql("SELECT COUNT(*), SUM(id) FROM `{d}.best` WHERE id > 100");
    let results = sandbox::unique("results");
    dataset_of(&env("SLUICE_TEST_BIGQUERY_PROJECT"), &results);
    let top = format!(
        "{{top: \"SELECT id, ARRAY_LENGTH(SPLIT(tags, '|')) AS tags FROM `{}.{}.posts_questions` WHERE id <= 5 -- five\"}}",
        data.project, data.dataset
    );
    for more in [vec![], vec![("results_dataset", results.as_str())]] {
        let workspace = Workspace::new();
        let more: Vec<_> = more.into_iter().chain([("queries", top.as_str())]).collect();
        let streams =
            "  - {id: {d}.best, table: best, columns: [id], filter: id > 100}\n  - {id: \"query:top\", table: top}\n";
        good(run(&workspace, &data.local(&more, streams)));
        let ids = warehouse::integers(&table(&workspace, "best"), "id");
        let got = [ids.len().to_string(), ids.iter().sum::<i64>().to_string()].map(Some).to_vec();
        assert_eq!(got, expected[0]);
        assert_eq!(
            rows(&workspace, "top", false),
            (1..=5).map(|id| vec![id.to_string(), "3".into()]).collect::<Vec<_>>()
        );
    }
    let left = query(&format!("SELECT COUNT(*) FROM {results}.INFORMATION_SCHEMA.TABLES"));
    assert_eq!(left[0][0].as_deref(), Some("2"), "the results were put where it was said, and expire by themselves");
}
