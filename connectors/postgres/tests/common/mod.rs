//! What the tests against a real server share: where it is, a schema of their own, and reading a stream whole.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::cell::RefCell;
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::DataType;
use connector_postgres::{Postgres, PostgresConfig};
use sluice_sdk::native::{self, Event};
use sluice_sdk::{Cursor, Directive, Error, Hints, Plan, ReadMode, Result, Selection, Source, Split};

/// A variable of the test services; a test that has none fails.
#[expect(clippy::disallowed_methods, reason = "the services are handed to tests in the environment")]
pub fn env(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask services up` and source what it writes"))
}

/// The configuration of the test server, with these fields changed.
pub fn config(changes: serde_json::Value) -> PostgresConfig {
    let mut config = serde_json::json!({
        "host": env("SLUICE_TEST_POSTGRES_HOST"),
        "port": env("SLUICE_TEST_POSTGRES_PORT").parse::<u16>().expect("a port"),
        "user": env("SLUICE_TEST_POSTGRES_USER"),
        "password": env("SLUICE_TEST_POSTGRES_PASSWORD"),
        "database": env("SLUICE_TEST_POSTGRES_DATABASE"),
        // Outside the sandbox there is no TLS; with it the connector is tested end to end.
        "tls": "disable",
        "cursor_lag_seconds": 0,
    });
    for (field, value) in changes.as_object().expect("an object") {
        config[field] = value.clone();
    }
    serde_json::from_value(config).expect("a valid configuration")
}

/// A source with these fields changed.
pub fn source(changes: serde_json::Value) -> Postgres {
    Postgres::open(config(changes)).expect("a valid configuration")
}

/// A schema that is dropped at the end of the test.
pub struct Schema(pub String);

impl Schema {
    /// An empty schema of this name.
    pub fn new(name: &str) -> Self {
        let name = format!("t_{name}_{}", std::process::id());
        sql(&format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}"));
        Self(name)
    }

    /// Runs SQL with `$S` standing for the schema.
    pub fn sql(&self, text: &str) -> Vec<String> {
        sql(&text.replace("$S", &self.0))
    }

    /// The id of a table in it.
    pub fn id(&self, table: &str) -> String {
        format!("{}.{table}", self.0)
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            sql(&format!("DROP SCHEMA {} CASCADE", self.0));
        }
    }
}

/// `psql` as the test user.
pub fn psql() -> Command {
    let mut psql = Command::new("psql");
    psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
        .env("PGHOST", env("SLUICE_TEST_POSTGRES_HOST"))
        .env("PGPORT", env("SLUICE_TEST_POSTGRES_PORT"))
        .env("PGUSER", env("SLUICE_TEST_POSTGRES_USER"))
        .env("PGPASSWORD", env("SLUICE_TEST_POSTGRES_PASSWORD"))
        .env("PGDATABASE", env("SLUICE_TEST_POSTGRES_DATABASE"))
        .env(
            "PGOPTIONS",
            "-c client_min_messages=warning -c intervalstyle=iso_8601 -c timezone=UTC -c datestyle=ISO,YMD",
        );
    psql
}

/// Runs SQL with another client than the one under test, and returns the lines it prints.
pub fn sql(text: &str) -> Vec<String> {
    let output = psql().args(["-c", text]).output().expect("psql runs");
    assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
}

/// All columns of a stream, in full.
pub fn full(id: &str) -> Selection {
    Selection {
        id: id.to_owned(),
        columns: Vec::new(),
        mode: ReadMode::Full,
        filter: None,
        changed_files: None,
        state: None,
    }
}

/// A stream by a cursor column.
pub fn incremental(id: &str, column: &str, state: Option<&Cursor>) -> Selection {
    Selection { mode: ReadMode::Incremental(column.to_owned()), state: state.cloned(), ..full(id) }
}

/// One split if it is up to the hints.
pub fn hints() -> Hints {
    Hints { max_parallel: 1, split_bytes: 1 << 40, batch_bytes: 1 << 20 }
}

/// The rows of a split.
pub fn read_split(source: &mut Postgres, split: &Split) -> Result<Vec<RecordBatch>> {
    let batches = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&batches);
    let mut schema = Vec::new();
    let mut rows = 0;
    native::read(source, split, None, move |event| {
        match event {
            Event::Declared { schema: message, .. } => schema = message,
            Event::Pushed { message, .. } => {
                let batch = native::decode(&schema, &message)?;
                rows += batch.num_rows() as u64;
                seen.borrow_mut().push(batch);
            }
            Event::Checkpoint { rows: counted, .. } => assert_eq!(counted, rows),
        }
        Ok(Directive::Continue)
    })?;
    Ok(batches.take())
}

/// Plans one stream and reads all its splits, each with a source of its own as the host does.
pub fn run(changes: &serde_json::Value, selection: Selection, hints: Hints) -> Result<(Plan, Vec<RecordBatch>)> {
    let mut planner = source(changes.clone());
    let plan = planner.plan(&[selection], &hints)?;
    let mut batches = Vec::new();
    for split in &plan.splits {
        batches.extend(read_split(&mut source(changes.clone()), split)?);
    }
    for batch in &batches {
        assert_eq!(batch.schema_ref().fields(), plan.streams[0].schema.fields(), "what was planned is what arrives");
    }
    Ok((plan, batches))
}

/// Reads a stream in full with the usual configuration.
pub fn rows(selection: Selection) -> Result<Vec<RecordBatch>> {
    run(&serde_json::json!({}), selection, hints()).map(|(_, batches)| batches)
}

/// The values of a column as text, NULL as none.
pub fn texts(batches: &[RecordBatch], column: &str) -> Vec<Option<String>> {
    let options = arrow_cast::display::FormatOptions::default();
    let mut texts = Vec::new();
    for batch in batches {
        let array = batch.column_by_name(column).unwrap_or_else(|| panic!("no column {column}"));
        // Arrow knows zones by name only with a database of them.
        let array = arrow_cast::cast(array, &by_offset(array.data_type())).expect("a cast");
        let formatter = arrow_cast::display::ArrayFormatter::try_new(&array, &options).expect("a formatter");
        for row in 0..array.len() {
            texts.push((!array.is_null(row)).then(|| formatter.value(row).to_string()));
        }
    }
    texts
}

fn by_offset(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Timestamp(unit, Some(zone)) if &**zone == "UTC" => DataType::Timestamp(*unit, Some("+00:00".into())),
        DataType::List(field) => {
            let element = by_offset(field.data_type());
            DataType::List(Arc::new(field.as_ref().clone().with_data_type(element)))
        }
        other => other.clone(),
    }
}

/// The values of an integer column, in order.
pub fn integers(batches: &[RecordBatch], column: &str) -> Vec<i64> {
    let mut values: Vec<i64> =
        texts(batches, column).into_iter().map(|text| text.expect("not NULL").parse().expect("an integer")).collect();
    values.sort_unstable();
    values
}

/// The error that planning or reading a stream ends with.
pub fn error(changes: &serde_json::Value, selection: Selection) -> Error {
    run(changes, selection, hints()).expect_err("it must fail")
}
