//! A database of one's own for each test, and a load on its way through it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use sluice_core::commit::CommitIntent;
use sluice_core::load::{Artifact, CommitReceipt, LoadId, LoadStrategy, TableName};
use sluice_core::plan::Cursor;
use sluice_core::run::{StreamCounts, StreamState};
use sluice_store::{Lease, NewIntent, NewRun, NewStream, Scope, Settings, Store};
use sqlx::{ConnectOptions, Connection, Row};
use tempfile::TempDir;

pub const PIPELINE: &str = "shop";
pub const STREAM: &str = "public.orders";
pub const HERE: Scope<'static> = Scope::LOCAL;
pub const ELSEWHERE: Scope<'static> = Scope { tenant: "other" };

/// A moment at which every lease that was taken at 0 has expired.
pub const LATER: i64 = 3_600_000_000;

/// A database that no other test uses.
pub enum Home {
    Sqlite { _folder: TempDir, path: PathBuf },
    Postgres { url: String },
}

/// Runs each of these tests on SQLite and on PostgreSQL. A test that is not named here is dead code, which clippy refuses.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::support::Home::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::support::Home::postgres().await).await;
            })*
        }
    };
}
pub(crate) use on_both;

impl Home {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        Self::Sqlite { _folder: folder, path }
    }

    /// A schema of its own in the test server's database.
    pub async fn postgres() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let now = jiff::Timestamp::now().as_nanosecond();
        let schema = format!("store_{}_{now}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let server = server_url();
        let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
        let create = format!("CREATE SCHEMA {schema}");
        sqlx::query(sqlx::AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        Self::Postgres { url: format!("{server}?options[search_path]={schema}") }
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres { .. })
    }

    /// Another store on the same database, as another process would have it.
    pub async fn store(&self) -> Store {
        self.open().await.unwrap()
    }

    pub async fn open(&self) -> Result<Store, sluice_core::RunError> {
        match self {
            Self::Sqlite { path, .. } => Store::open(path).await,
            Self::Postgres { url } => Store::connect(url, Settings { connections: 3, ..Settings::default() }).await,
        }
    }

    /// Runs SQL beside the store.
    pub async fn sql(&self, text: &'static str) {
        match self {
            Self::Sqlite { path, .. } => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
                let mut connection = options.connect().await.unwrap();
                sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            Self::Postgres { url } => {
                let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
                sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// What the database says of SQL that it refuses.
    pub async fn refuses(&self, text: &'static str) -> String {
        let refused = match self {
            Self::Sqlite { path, .. } => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                let mut connection = options.connect().await.unwrap();
                sqlx::raw_sql(text).execute(&mut connection).await.map(drop)
            }
            Self::Postgres { url } => {
                let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
                sqlx::raw_sql(text).execute(&mut connection).await.map(drop)
            }
        };
        refused.expect_err(text).to_string()
    }

    /// How the database would carry out a query.
    pub async fn plan(&self, query: &str) -> String {
        let mut lines = Vec::new();
        match self {
            Self::Sqlite { path, .. } => {
                let text = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"));
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                let mut connection = options.connect().await.unwrap();
                for row in sqlx::query(text).fetch_all(&mut connection).await.unwrap() {
                    lines.push(row.get::<String, _>("detail"));
                }
            }
            Self::Postgres { url } => {
                let text = sqlx::AssertSqlSafe(format!("EXPLAIN {query}"));
                let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
                for row in sqlx::query(text).fetch_all(&mut connection).await.unwrap() {
                    lines.push(row.get::<String, _>(0));
                }
            }
        }
        lines.join("\n")
    }

    /// A number that SQL beside the store gives.
    pub async fn number(&self, text: &'static str) -> i64 {
        match self {
            Self::Sqlite { path, .. } => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                let mut connection = options.connect().await.unwrap();
                let row = sqlx::query(text).fetch_one(&mut connection).await.unwrap();
                connection.close().await.unwrap();
                row.get(0)
            }
            Self::Postgres { url } => {
                let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
                let row = sqlx::query(text).fetch_one(&mut connection).await.unwrap();
                connection.close().await.unwrap();
                row.get(0)
            }
        }
    }
}

/// A setting that `cargo xtask test` makes.
pub fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run these tests with `cargo xtask test`, or start the servers with `cargo xtask services up`")
    })
}

/// The URL of the test server's database.
pub fn server_url() -> String {
    url_as(&setting("SLUICE_TEST_POSTGRES_USER"), &setting("SLUICE_TEST_POSTGRES_PASSWORD"))
}

pub fn url_as(user: &str, password: &str) -> String {
    let (host, port) = (setting("SLUICE_TEST_POSTGRES_HOST"), setting("SLUICE_TEST_POSTGRES_PORT"));
    format!("postgres://{user}:{password}@{host}:{port}/{}", setting("SLUICE_TEST_POSTGRES_DATABASE"))
}

pub fn table() -> TableName {
    TableName { dataset: "main".into(), table: "orders".into() }
}

pub fn state(cursor: &str) -> StreamState {
    StreamState { cursor: Some(Cursor(cursor.as_bytes().to_vec())), pending: None }
}

pub fn artifact(load: &LoadId, name: &str, rows: u64, finalized: bool) -> Artifact {
    Artifact { load: load.clone(), split: "0".into(), name: name.into(), rows, bytes: rows * 10, finalized }
}

pub fn counts(rows: u64) -> StreamCounts {
    StreamCounts { read: rows, sent: rows, finalized: rows, bytes: rows * 8, ..StreamCounts::default() }
}

pub fn new_run(run: &str) -> NewRun {
    NewRun {
        id: run.into(),
        connector: "postgres 0.1.0".into(),
        connector_digest: "ab12".into(),
        contract: "0.1.0".into(),
        pipeline_fingerprint: "f".into(),
        request: None,
    }
}

/// The lease of the pipeline, at the beginning of time.
pub async fn leased(store: &Store) -> Lease {
    store.lease(HERE, PIPELINE, 0).await.unwrap()
}

pub async fn begin(store: &Store, lease: &Lease, run: &str, now: i64) -> LoadId {
    store.begin_run(HERE, lease, &new_run(run), now).await.unwrap();
    let load = LoadId::new(run, 0);
    let stream =
        NewStream { run: run.into(), load: load.clone(), stream: STREAM.into(), table: table(), columns: None };
    store.begin_stream(HERE, lease, &stream, now).await.unwrap();
    load
}

/// A load whose rows are in the sink, up to the moment before the commit.
pub async fn staged(store: &Store, lease: &Lease, run: &str, rows: u64, cursor: &str) -> NewIntent {
    let load = begin(store, lease, run, 1).await;
    let name = format!("{run}/part");
    store.artifact_opened(HERE, lease, &artifact(&load, &name, 0, false)).await.unwrap();
    store.artifact_progressed(HERE, lease, &artifact(&load, &name, 1, false)).await.unwrap();
    let done = artifact(&load, &name, rows, true);
    store.artifact_finalized(HERE, lease, &done).await.unwrap();
    let strategy = LoadStrategy::Transactional;
    let intent = CommitIntent { load, table: table(), strategy, artifacts: vec![done], rows, replaced: vec![] };
    NewIntent { intent, state_after: Some(state(cursor)), items_after: None, marks: true, counts: counts(rows) }
}

pub fn receipt(new: &NewIntent) -> CommitReceipt {
    CommitReceipt { load: new.intent.load.clone(), rows_committed: new.intent.rows, reference: "folder".into() }
}
