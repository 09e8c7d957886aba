//! What the tests against real servers share: where they are, a database of their own, and reading a stream whole.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::cell::RefCell;
use std::process::Command;
use std::rc::Rc;

use arrow_array::RecordBatch;
use arrow_schema::DataType;
use connector_mysql::{Mysql, MysqlConfig};
use serde_json::{Value, json};
use sluice_sdk::native::{self, Event};
use sluice_sdk::{Cursor, Directive, Error, Hints, Plan, ReadMode, Result, Selection, Source, Split};

/// A variable of the test services; a test that has none fails.
#[expect(clippy::disallowed_methods, reason = "the services are handed to tests in the environment")]
pub fn env(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask services up` and source what it writes"))
}

/// One of the servers that everything is tried on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    Mariadb,
    Mysql,
}

/// All of them.
pub const SERVERS: [Server; 2] = [Server::Mariadb, Server::Mysql];

impl Server {
    /// What the services say of it.
    pub fn env(self, name: &str) -> String {
        env(&format!("SLUICE_TEST_{}_{name}", if self == Self::Mariadb { "MARIADB" } else { "MYSQL" }))
    }

    /// Its configuration, with these fields changed.
    pub fn config(self, changes: &Value) -> MysqlConfig {
        let mut config = json!({
            "host": self.env("HOST"),
            "port": self.env("PORT").parse::<u16>().expect("a port"),
            "user": self.env("USER"),
            "password": self.env("PASSWORD"),
            // Outside the sandbox there is no TLS; with it the connector is tested end to end.
            "tls": "disable",
            "allow_public_key_retrieval": true,
            "cursor_lag_seconds": 0,
            // Tests that run at the same time write as well.
            "writer_wait_seconds": 0,
        });
        for (field, value) in changes.as_object().expect("an object") {
            config[field] = value.clone();
        }
        serde_json::from_value(config).expect("a valid configuration")
    }

    /// A source with these fields changed.
    pub fn source(self, changes: &Value) -> Mysql {
        Mysql::open(self.config(changes)).expect("a valid configuration")
    }

    /// MariaDB's client, as the administrator.
    pub fn client(self) -> Command {
        let mut client = Command::new("mariadb");
        client.args(["--no-defaults", "--user=root", "--default-character-set=utf8mb4", "--max-allowed-packet=1G"]);
        client.args(["--batch", "--skip-column-names", "--raw", "--socket", &self.env("SOCKET")]);
        client
    }

    /// Runs SQL with another client than the one under test, and returns the lines it prints.
    pub fn sql(self, text: &str) -> Vec<String> {
        use std::io::Write;
        let mut client = self.client();
        client
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let mut child = client.spawn().expect("mariadb runs");
        let mut stdin = child.stdin.take().expect("an input");
        stdin.write_all(format!("SET sql_mode = '', time_zone = '+00:00';\n{text}\n").as_bytes()).expect("it listens");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        let shown: String = text.chars().take(500).collect();
        assert!(output.status.success(), "{self:?}: {shown}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
    }

    /// A database of the test's own.
    pub fn database(self, name: &str) -> Database {
        let name = format!("t_{name}_{}", std::process::id());
        self.sql(&format!("DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}"));
        Database { server: self, name }
    }

    /// Plans one stream and reads all its splits, each with a source of its own as the host does.
    pub fn run(self, changes: &Value, selection: Selection, hints: Hints) -> Result<(Plan, Vec<RecordBatch>)> {
        let mut planner = self.source(changes);
        let plan = planner.plan(&[selection], &hints)?;
        let mut batches = Vec::new();
        for split in &plan.splits {
            batches.extend(read_split(&mut self.source(changes), split)?);
        }
        for batch in &batches {
            assert_eq!(
                batch.schema_ref().fields(),
                plan.streams[0].schema.fields(),
                "what was planned is what arrives"
            );
        }
        Ok((plan, batches))
    }

    /// Reads a stream in full with the usual configuration.
    pub fn rows(self, selection: Selection) -> Result<Vec<RecordBatch>> {
        self.run(&json!({}), selection, hints()).map(|(_, batches)| batches)
    }

    /// The error that planning or reading a stream ends with.
    pub fn error(self, changes: &Value, selection: Selection) -> Error {
        self.run(changes, selection, hints()).expect_err("it must fail")
    }
}

/// A database that is dropped at the end of the test.
pub struct Database {
    pub server: Server,
    pub name: String,
}

impl Database {
    /// Runs SQL in it.
    pub fn sql(&self, text: &str) -> Vec<String> {
        self.server.sql(&format!("USE {};\n{text}", self.name))
    }

    /// The id of a table in it.
    pub fn id(&self, table: &str) -> String {
        format!("{}.{table}", self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.server.sql(&format!("DROP DATABASE {}", self.name));
        }
    }
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
pub fn read_split(source: &mut Mysql, split: &Split) -> Result<Vec<RecordBatch>> {
    read_split_from(source, split, None).map(|(batches, _)| batches)
}

/// The rows of a split from a cursor on, and the cursors of its checkpoints.
pub fn read_split_from(
    source: &mut Mysql,
    split: &Split,
    start: Option<&Cursor>,
) -> Result<(Vec<RecordBatch>, Vec<Cursor>)> {
    let batches = Rc::new(RefCell::new(Vec::new()));
    let cursors = Rc::new(RefCell::new(Vec::new()));
    let (seen, reached) = (Rc::clone(&batches), Rc::clone(&cursors));
    let mut schema = Vec::new();
    let mut rows = 0;
    native::read(source, split, start, move |event| {
        match event {
            Event::Declared { schema: message, .. } => schema = message,
            Event::Pushed { message, .. } => {
                let batch = native::decode(&schema, &message)?;
                rows += batch.num_rows() as u64;
                seen.borrow_mut().push(batch);
            }
            Event::Checkpoint { rows: counted, cursor, .. } => {
                assert_eq!(counted, rows);
                reached.borrow_mut().push(cursor);
            }
        }
        Ok(Directive::Continue)
    })?;
    Ok((batches.take(), cursors.take()))
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
