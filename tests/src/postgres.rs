//! The real PostgreSQL server: SQL through psql, and pipelines that read from it.

use std::process::{Command, Stdio};

use crate::env;

/// Runs SQL as the server's own test user and returns what psql prints, unaligned.
///
/// # Panics
/// If psql is missing or the statement fails.
pub fn sql(statement: &str) -> String {
    sql_in(&env("SLUICE_TEST_POSTGRES_DATABASE"), statement)
}

fn sql_in(database: &str, statement: &str) -> String {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"])
        .args(["--host", &env("SLUICE_TEST_POSTGRES_HOST"), "--port", &env("SLUICE_TEST_POSTGRES_PORT")])
        .args(["--username", &env("SLUICE_TEST_POSTGRES_USER"), "--dbname", database])
        .args(["--command", statement])
        .env("PGPASSWORD", env("SLUICE_TEST_POSTGRES_PASSWORD"))
        .env("PGSSLMODE", "prefer")
        .env("PGTZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .expect("psql starts");
    assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// The `source` of a pipeline that reads from the server; `more` are further lines of its configuration.
pub fn source(more: &[(&str, &str)]) -> String {
    let mut fields = vec![
        ("host", env("SLUICE_TEST_POSTGRES_HOST")),
        ("port", env("SLUICE_TEST_POSTGRES_PORT")),
        ("database", env("SLUICE_TEST_POSTGRES_DATABASE")),
        ("user", env("SLUICE_TEST_POSTGRES_USER")),
        ("password", "{env: SLUICE_TEST_POSTGRES_PASSWORD}".to_owned()),
    ];
    for (name, value) in more {
        fields.retain(|(field, _)| field != name);
        fields.push((name, (*value).to_owned()));
    }
    let lines: Vec<String> = fields.iter().map(|(name, value)| format!("    {name}: {value}\n")).collect();
    format!("source:\n  connector: postgres\n  grants: {{private_network: true}}\n  config:\n{}", lines.concat())
}

/// A value of a type, and what becomes of it.
pub struct Sample {
    /// The column's type.
    pub kind: &'static str,
    /// The value in SQL.
    pub value: &'static str,
    /// What a reader of the Parquet file sees, as Arrow prints it.
    pub parquet: &'static str,
    /// What BigQuery's REST interface answers.
    pub bigquery: &'static str,
}

const fn sample(kind: &'static str, value: &'static str, parquet: &'static str, bigquery: &'static str) -> Sample {
    Sample { kind, value, parquet, bigquery }
}

/// Every kind of built-in type, with a value that a careless reader would spoil.
pub const SAMPLES: &[Sample] = &[
    sample("boolean", "true", "true", "true"),
    sample("smallint", "-32768", "-32768", "-32768"),
    sample("integer", "2147483647", "2147483647", "2147483647"),
    sample("bigint", "-9223372036854775808", "-9223372036854775808", "-9223372036854775808"),
    sample("real", "1.5", "1.5", "1.5"),
    sample("double precision", "-0.1", "-0.1", "-0.1"),
    sample("numeric(20,4)", "-1234567890123456.7891", "-1234567890123456.7891", "-1234567890123456.7891"),
    sample(
        "numeric(38,9)",
        "12345678901234567890123456789.123456789",
        "12345678901234567890123456789.123456789",
        "12345678901234567890123456789.123456789",
    ),
    sample(
        "numeric",
        "12345678901234567890123456789012345678901234567890.5",
        "12345678901234567890123456789012345678901234567890.5",
        "12345678901234567890123456789012345678901234567890.5",
    ),
    sample("text", "'grüße 🚰'", "grüße 🚰", "grüße 🚰"),
    sample("varchar(5)", "'abc'", "abc", "abc"),
    sample("bytea", "'\\x00ff10'", "00ff10", "AP8Q"),
    sample("date", "'0044-03-15'", "0044-03-15", "0044-03-15"),
    sample("timestamp", "'2024-02-29 23:59:59.123456'", "2024-02-29T23:59:59.123456", "2024-02-29T23:59:59.123456"),
    sample("timestamptz", "'2024-02-29 23:59:59.123456+05:30'", "2024-02-29T18:29:59.123456Z", "1709231399.123456"),
    sample("time", "'23:59:59.999999'", "23:59:59.999999", "23:59:59.999999"),
    sample(
        "uuid",
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    ),
    sample("jsonb", "'{\"b\": [1, null]}'", "{\"b\": [1, null]}", "{\"b\":[1,null]}"),
    sample("json", "'{\"a\":1}'", "{\"a\":1}", "{\"a\":1}"),
    sample("inet", "'10.1.2.3/8'", "10.1.2.3/8", "10.1.2.3/8"),
    sample("int4range", "'[1,5)'", "[1,5)", "[1,5)"),
    sample("bit(4)", "B'1010'", "1010", "1010"),
    sample("xml", "'<a/>'", "<a/>", "<a/>"),
    sample("point", "'(1,2)'", "(1,2)", "(1,2)"),
    sample("integer[]", "'{1,NULL,3}'", "[1, <null>, 3]", "[]"),
    sample("interval", "'1 year -2 days 03:04:05.6'", "P1Y-2DT3H4M5.6S", "P1Y-2DT3H4M5.6S"),
    sample("money", "'-$1,234.56'", "-1234.56", "-1234.56"),
    sample("{schema}.mood", "'happy'", "happy", "happy"),
    sample("{schema}.positive", "42", "42", "42"),
    sample("{schema}.pair", "ROW(7, 'a b')", "{\"a\":7,\"b\":\"a b\"}", "{\"a\":7,\"b\":\"a b\"}"),
    sample("numeric(10,2)", "'NaN'", "<null>", "<null>"),
    sample("date", "'infinity'", "9999-12-31", "9999-12-31"),
    sample("text[]", "'{a,\"b c\"}'", "[a, b c]", "[{\"v\":\"a\"},{\"v\":\"b c\"}]"),
];

/// Makes a table in a schema of its own, with a row of [`SAMPLES`] and a row of NULLs; its columns are `id`, `c0`, `c1`, …
///
/// # Panics
/// As [`sql`].
pub fn table_of_samples(schema: &str, table: &str, samples: &[Sample]) {
    sql(&format!(
        "CREATE TYPE {schema}.mood AS ENUM ('sad', 'happy'); CREATE DOMAIN {schema}.positive AS integer CHECK (VALUE > 0); \
         CREATE TYPE {schema}.pair AS (a integer, b text)"
    ));
    let column = |(i, sample): (usize, &Sample)| format!("c{i} {}", sample.kind.replace("{schema}", schema));
    let columns: Vec<String> = samples.iter().enumerate().map(column).collect();
    let values: Vec<&str> = samples.iter().map(|sample| sample.value).collect();
    let table = format!("{schema}.{table}");
    sql(&format!("CREATE TABLE {table} (id bigint PRIMARY KEY, {})", columns.join(", ")));
    sql(&format!("INSERT INTO {table} VALUES (1, {})", values.join(", ")));
    sql(&format!("INSERT INTO {table} (id) VALUES (2)"));
}
