//! Into BigQuery, from the binary: every row once, whatever is killed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assertion is how a test fails"
)]

use sluice_tests::binary::Workspace;
use sluice_tests::postgres::{self, SAMPLES, Sample, source, sql};
use sluice_tests::{bigquery, guest, sandbox};

fn pipeline(dataset: &str, rows: i64, read: &str, load: &str) -> String {
    format!(
        "name: bq\nsource:\n  connector: {}\n  config: {{rows: {rows}, batch: 50, splits: 2}}\n\
         streams:\n  - id: numbers\n    read: {read}\n    load: {load}\n{}",
        guest("hostile").display(),
        bigquery::sink(dataset)
    )
}

#[test]
fn an_increment_killed_between_any_two_steps_is_in_bigquery_exactly_once() {
    let points = [
        "ledger.opened",
        "batch.written*3",
        "ledger.finalized",
        "commit.permitted",
        "commit.recorded",
        "commit.marked",
        "commit.visible",
    ];
    for point in points {
        let dataset = sandbox::unique("kill");
        let workspace = Workspace::new();
        workspace.pipeline(&pipeline(&dataset, 200, "{incremental: id}", "transactional"));
        let first = workspace.run(&[]);
        assert_eq!(first.code(), Some(0), "{point}: {first:?}");
        workspace.pipeline(&pipeline(&dataset, 400, "{incremental: id}", "transactional"));
        workspace.run_killed_at(point, &[]);
        let ran = workspace.run(&[]);
        assert_eq!(ran.code(), Some(0), "{point}: {ran:?}");
        let ids = bigquery::integers(&format!("{dataset}.numbers"), "id");
        assert!(ids == (0..400).collect::<Vec<_>>(), "{point}: {} rows", ids.len());
    }
}

#[test]
fn a_catalog_day_that_runs_again_or_is_killed_leaves_one_copy() {
    for point in ["batch.written*2", "commit.recorded", "commit.visible"] {
        let dataset = sandbox::unique("day");
        let workspace = Workspace::new();
        workspace.pipeline(&pipeline(&dataset, 100, "full", "catalog"));
        let day = ["--snapshot-date", "2026-02-28"];
        assert_eq!(workspace.run(&["--snapshot-date", "2026-02-27"]).code(), Some(0));
        let first = workspace.run(&day);
        assert_eq!(first.code(), Some(0), "{first:?}");
        workspace.pipeline(&pipeline(&dataset, 150, "full", "catalog"));
        workspace.run_killed_at(point, &day);
        let ran = workspace.run(&day);
        assert_eq!(ran.code(), Some(0), "{point}: {ran:?}");
        let days = bigquery::query(&format!(
            "SELECT CAST(snapshot_date AS STRING) AS d, COUNT(*) AS n, COUNT(DISTINCT id) AS u FROM {dataset}.numbers \
             GROUP BY 1 ORDER BY 1"
        ));
        let text: Vec<Vec<&str>> = days.iter().map(|row| row.iter().map(|v| v.as_deref().unwrap()).collect()).collect();
        assert_eq!(text, [["2026-02-27", "100", "100"], ["2026-02-28", "150", "150"]], "{point}");
    }
}

#[test]
fn postgres_rows_arrive_in_bigquery_as_the_source_has_them() {
    let schema = sandbox::unique("e2e");
    sql(&format!(
        "CREATE SCHEMA {schema}; CREATE TABLE {schema}.t (id bigint PRIMARY KEY, amount numeric(20,4), at timestamptz, \
         day date, note text, raw bytea, doc jsonb, ok boolean, tags text[]); \
         INSERT INTO {schema}.t SELECT g, g * 1.2345, timestamptz '2024-01-01 00:00:00.123456Z' + g * interval '1 hour', \
         date '2024-01-01' + g, 'note ' || g, decode(lpad(to_hex(g), 4, '0'), 'hex'), jsonb_build_object('n', g), \
         g % 2 = 0, ARRAY['a', 'b' || g] FROM generate_series(1, 300) g; INSERT INTO {schema}.t (id) VALUES (301)"
    ));
    let dataset = sandbox::unique("pg");
    let workspace = Workspace::new();
    workspace.pipeline(&format!(
        "name: pg\n{}streams:\n  - {{id: {schema}.t, table: t}}\n{}",
        source(&[]),
        bigquery::sink(&dataset)
    ));
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    let expected = sql(&format!(
        "SELECT id, amount, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), day, note, \
         encode(raw, 'hex'), doc->>'n', CASE WHEN ok THEN 'true' WHEN NOT ok THEN 'false' END, tags[2] \
         FROM {schema}.t ORDER BY id"
    ));
    let expected: Vec<Vec<String>> =
        expected.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect();
    let rows = bigquery::query(&format!(
        "SELECT id, CAST(amount AS STRING), FORMAT_TIMESTAMP('%Y-%m-%d %H:%M:%E6S', at), CAST(day AS STRING), note, \
         TO_HEX(raw), JSON_VALUE(doc, '$.n'), CAST(ok AS STRING), tags[SAFE_OFFSET(1)] FROM {dataset}.t ORDER BY id"
    ));
    assert_eq!(rows.len(), 301);
    for (row, expected) in rows.iter().zip(&expected) {
        let row: Vec<String> = row.iter().map(|value| value.clone().unwrap_or_default()).collect();
        // BigQuery prints a decimal without trailing zeros.
        let mut expected = expected.clone();
        if expected[1].contains('.') {
            expected[1] = expected[1].trim_end_matches('0').trim_end_matches('.').to_owned();
        }
        let mut row = row;
        if row[1].contains('.') {
            row[1] = row[1].trim_end_matches('0').trim_end_matches('.').to_owned();
        }
        assert_eq!(row, expected);
    }
    sql(&format!("DROP SCHEMA {schema} CASCADE"));
}

#[test]
fn every_type_of_postgres_arrives_in_bigquery() {
    let schema = sandbox::unique("types");
    sql(&format!("CREATE SCHEMA {schema}"));
    postgres::table_of_samples(&schema, "t", SAMPLES);
    let dataset = sandbox::unique("types");
    let workspace = Workspace::new();
    workspace.pipeline(&format!(
        "name: pg\n{}streams:\n  - {{id: {schema}.t, table: t, on_misfit: set-null}}\n{}",
        source(&[("numeric_special", "'null'")]),
        bigquery::sink(&dataset)
    ));
    let ran = workspace.run(&[]);
    assert_eq!(ran.code(), Some(0), "{ran:?}");
    // BigQuery's arrays hold no NULL: the one that does is emptied and counted, as `on_misfit` says.
    assert_eq!(ran.summary()["streams"][0]["values_nulled"], 1, "{ran:?}");
    let mut wrong = Vec::new();
    for (i, Sample { kind, value, bigquery, .. }) in SAMPLES.iter().enumerate() {
        let rows = bigquery::query(&format!("SELECT c{i} FROM {dataset}.t ORDER BY id"));
        let array = kind.ends_with("[]");
        if rows[0][0].as_deref().unwrap_or("<null>") != *bigquery {
            wrong.push(format!("{kind} {value}: {:?}, not {bigquery:?}", rows[0][0]));
        }
        assert_eq!(rows[1][0].as_deref(), array.then_some("[]"), "{kind} NULL");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    sql(&format!("DROP SCHEMA {schema} CASCADE"));
}
