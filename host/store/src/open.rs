//! Opening the state file and bringing its schema up to date.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sluice_core::RunError;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use crate::error::{explain, explain_migration};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long a statement waits for another process that is writing.
const BUSY: Duration = Duration::from_secs(20);

/// The state file. Cheap to clone; all clones share one connection.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) pool: SqlitePool,
    pub(crate) path: PathBuf,
}

impl Store {
    /// Opens the state file, creates it where there is none, and brings its schema up to date.
    ///
    /// Every commit is on the disk when a function returns (WAL, `synchronous = FULL`). There is one connection, so
    /// writers of one process queue up in front of it instead of failing with "busy".
    ///
    /// # Errors
    /// If the file cannot be opened or created, is damaged, or was written by a newer Sluice; it is not changed then.
    pub async fn open(path: &Path) -> Result<Self, RunError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .foreign_keys(true);
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(BUSY)
            .connect_with(options)
            .await
            .map_err(|e| explain(path, "opening", &e))?;
        MIGRATIONS.run(&pool).await.map_err(|e| explain_migration(path, &e))?;
        Ok(Self { pool, path: path.to_path_buf() })
    }

    /// The state file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the connection and waits until it is closed. Dropping the store does the same without waiting; nothing is
    /// lost either way.
    pub async fn close(self) {
        self.pool.close().await;
    }

    pub(crate) fn failed(&self, doing: &str, error: &sqlx::Error) -> RunError {
        explain(&self.path, doing, error)
    }
}
