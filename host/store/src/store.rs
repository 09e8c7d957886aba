//! Opening the database and bringing its schema up to date.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::metrics::Text;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

use crate::db::{Db, sql};
use crate::error::{Place, explain, explain_migration};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Steps that have the same number and purpose in both databases, and need words of their own: triggers.
static OF_SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
static OF_POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

/// All steps of a database, in the order of their numbers.
fn migrations(own: &Migrator) -> Migrator {
    Migrator::with_migrations(MIGRATIONS.iter().chain(own.iter()).cloned().collect())
}

/// How long a statement waits for another process that is writing to the file.
const BUSY: Duration = Duration::from_secs(20);

/// How long to wait for a connection to the server.
const CONNECT: Duration = Duration::from_secs(10);

/// How long to wait before the lock on opening the file is tried once more.
const ONCE_MORE: Duration = Duration::from_millis(5);

/// Connections to the state file that only read. They are opened when they are needed.
const READERS: u32 = 4;

/// How a database is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Connections to PostgreSQL at once.
    pub connections: u32,
    /// Who takes leases, in words for the error that another process gets.
    pub holder: String,
    /// How long a lease on PostgreSQL holds after its last renewal. Another host goes on with a dead one's pipelines after that.
    pub lease_for: Duration,
}

impl Default for Settings {
    /// Ten connections; this process's id; half a minute.
    fn default() -> Self {
        let holder = format!("process {}", std::process::id());
        Self { connections: 10, holder, lease_for: Duration::from_secs(30) }
    }
}

/// What Sluice remembers, in a SQLite file or a PostgreSQL database. Cheap to clone; all clones share their connections.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) db: Db,
    pub(crate) holder: String,
    pub(crate) lease_us: i64,
}

impl Store {
    /// Opens a state file, creates it where there is none, and brings its schema up to date.
    ///
    /// Every commit is on the disk when a function returns (WAL, `synchronous = FULL`). There is one connection that writes, so
    /// writers of one process queue up in front of it; those of other processes wait.
    ///
    /// # Errors
    /// If the file cannot be opened or created, is damaged, or was written by a newer Sluice; it is not changed then.
    pub async fn open(path: &Path) -> Result<Self, RunError> {
        let place = Place::File(path.to_path_buf());
        let failed = |e: sqlx::Error| explain(&place, "opening", &e);
        let alone = alone(path).await;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .foreign_keys(true);
        let writer = sqlite_pool(1).connect_with(options).await.map_err(failed)?;
        migrations(&OF_SQLITE).run(&writer).await.map_err(|e| explain_migration(&place, &e))?;
        drop(alone);
        let reading = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY).pragma("query_only", "1");
        let readers: SqlitePool = sqlite_pool(READERS).connect_lazy_with(reading);
        Ok(Self::new(Db::sqlite(writer, readers, place), Settings::default()))
    }

    /// Connects to `postgres://user:password@host:port/database`, and brings its schema up to date. Several hosts may do so at
    /// once. Without `sslmode` in the URL, the connection is encrypted if the server can; set `sslmode=verify-full` to be sure
    /// whom one talks to.
    ///
    /// # Errors
    /// If the URL is wrong, the server cannot be reached or refuses, or the schema is newer than this Sluice. The password is in
    /// none of them.
    pub async fn connect(url: &str, settings: Settings) -> Result<Self, RunError> {
        let options = parse(url)?;
        let place = place_of(&options);
        let failed = |e: sqlx::Error| explain(&place, "connecting", &e);
        // One connection by hand: a pool would try again what is refused, until it can only say that time is up.
        let connected = tokio::time::timeout(CONNECT, options.connect()).await;
        let mut first = connected.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(failed)?;
        migrations(&OF_POSTGRES).run(&mut first).await.map_err(|e| explain_migration(&place, &e))?;
        first.close().await.map_err(failed)?;
        let pool = PgPoolOptions::new()
            .max_connections(settings.connections.max(1))
            .acquire_timeout(CONNECT)
            .connect_lazy_with(options);
        Ok(Self::new(Db::postgres(pool, place), settings))
    }

    fn new(db: Db, settings: Settings) -> Self {
        let lease_us = i64::try_from(settings.lease_for.as_micros()).unwrap_or(i64::MAX);
        Self { db, holder: settings.holder, lease_us }
    }

    /// The state file; none on PostgreSQL.
    pub fn path(&self) -> Option<&Path> {
        match self.db.place() {
            Place::File(path) => Some(path),
            Place::Server { .. } => None,
        }
    }

    /// Writes down what is counted of the database's answers to this process.
    pub fn write_metrics(&self, text: &mut Text) {
        self.db.meter().write(text);
    }

    /// Asks the database for an answer.
    ///
    /// # Errors
    /// If it gives none.
    pub async fn ping(&self) -> Result<(), RunError> {
        sql("SELECT 1 AS one").one_on(&self.db, "asking whether it answers").await.map(drop)
    }

    /// Closes the connections and waits until they are closed. Dropping the store does the same without waiting; nothing is
    /// lost either way.
    pub async fn close(self) {
        self.db.close().await;
    }
}

/// Which database it is, for people: "the state file …" or "the database … on …".
impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.db.place().fmt(f)
    }
}

/// Waits until no other process is opening the file: SQLite has no lock that would keep two from making the same table. Where there
/// can be no lock, SQLite says what is wrong with the folder.
async fn alone(state: &Path) -> Option<File> {
    let mut name = state.as_os_str().to_owned();
    name.push(".lock");
    let file = File::options().write(true).create(true).truncate(false).open(name).ok()?;
    let mut waited = Duration::ZERO;
    while file.try_lock().is_err() && waited < BUSY {
        tokio::time::sleep(ONCE_MORE).await;
        waited += ONCE_MORE;
    }
    Some(file)
}

fn sqlite_pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new().max_connections(connections).acquire_timeout(BUSY)
}

fn parse(url: &str) -> Result<PgConnectOptions, RunError> {
    // What cannot be parsed is not shown: a password may be in it.
    let wrong = |detail: &dyn fmt::Display| {
        let message = format!(
            "the database's URL cannot be used ({detail}); it reads postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special \
             characters in the parts percent-encoded"
        );
        RunError::new(Kind::Config, Actor::Host, message)
    };
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(wrong(&"it does not begin with postgres://"));
    }
    let options = PgConnectOptions::from_str(url).map_err(|e| match e {
        sqlx::Error::Configuration(detail) => wrong(&detail),
        _ => wrong(&"a part of it is not understood"),
    })?;
    Ok(match options.get_application_name() {
        Some(_) => options,
        None => options.application_name("sluice"),
    })
}

fn place_of(options: &PgConnectOptions) -> Place {
    let host =
        options.get_socket().map_or_else(|| options.get_host().to_owned(), |socket| socket.display().to_string());
    let user = options.get_username().to_owned();
    let database = options.get_database().unwrap_or(&user).to_owned();
    Place::Server { host, port: options.get_port(), database, user }
}
