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
