//! The one place that knows there are two databases: connections, transactions, statements and rows.
//!
//! Everything above it writes SQL in the subset that both speak (`$n` parameters, TEXT, BIGINT, BYTEA, `ON CONFLICT`,
//! `RETURNING`, window functions) and gets errors that are explained already. The few texts that differ are in `dialect`.

mod dialect;
mod query;
mod row;
mod transaction;

use std::sync::Arc;

use sluice_core::RunError;
use sqlx::{PgPool, SqlitePool};
use tokio::time::Instant;

pub(crate) use self::query::{Sql, built, sql};
pub(crate) use self::row::Row;
pub(crate) use self::transaction::Tx;
use crate::error::{Place, explain};
use crate::meter::{Asked, Meter};

/// Connections to a database, and what to call it in errors. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Db {
    pools: Pools,
    place: Arc<Place>,
    meter: Arc<Meter>,
}

#[derive(Clone, Debug)]
enum Pools {
    Sqlite {
        /// One connection, so that writers of this process queue up in front of it instead of failing with "busy".
        writer: SqlitePool,
        /// Readers see what was committed, and neither wait for a writer nor keep one waiting (WAL).
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

impl Db {
    pub(crate) fn sqlite(writer: SqlitePool, readers: SqlitePool, place: Place) -> Self {
        Self { pools: Pools::Sqlite { writer, readers }, place: Arc::new(place), meter: Arc::default() }
    }

    pub(crate) fn postgres(pool: PgPool, place: Place) -> Self {
        Self { pools: Pools::Postgres(pool), place: Arc::new(place), meter: Arc::default() }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// What is counted of its answers.
    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Runs a statement of its own that changes something; how many rows it changed.
    pub(crate) async fn run(&self, doing: &str, sql: Sql) -> Result<u64, RunError> {
        let began = Instant::now();
        let done = match &self.pools {
            Pools::Sqlite { writer, .. } => query::run_sqlite(sql, writer).await,
            Pools::Postgres(pool) => query::run_postgres(sql, pool).await,
        };
        self.meter.count(Asked::Write, began, &done);
        done.map_err(|e| explain(&self.place, doing, &e))
    }

    /// The rows of a query that changes nothing.
    pub(crate) async fn all(&self, doing: &str, sql: Sql) -> Result<Vec<Row>, RunError> {
        let began = Instant::now();
        let rows = match &self.pools {
            Pools::Sqlite { readers, .. } => query::all_sqlite(sql, readers).await,
            Pools::Postgres(pool) => query::all_postgres(sql, pool).await,
        };
        self.meter.count(Asked::Read, began, &rows);
        let rows = rows.map_err(|e| explain(&self.place, doing, &e))?;
        Ok(rows.into_iter().map(|row| Row::new(row, &self.place)).collect())
    }

    /// The first row of a query that changes nothing.
    pub(crate) async fn one(&self, doing: &str, sql: Sql) -> Result<Option<Row>, RunError> {
        let began = Instant::now();
        let row = match &self.pools {
            Pools::Sqlite { readers, .. } => query::one_sqlite(sql, readers).await,
            Pools::Postgres(pool) => query::one_postgres(sql, pool).await,
        };
        self.meter.count(Asked::Read, began, &row);
        let row = row.map_err(|e| explain(&self.place, doing, &e))?;
        Ok(row.map(|row| Row::new(row, &self.place)))
    }

    /// Begins a transaction that will write. While it is open, nothing else of `self` may be called by the same task: where
    /// there is one connection, it would wait for itself.
    pub(crate) async fn begin(&self, doing: impl Into<String>) -> Result<Tx, RunError> {
        let (doing, began) = (doing.into(), Instant::now());
        let inner = match &self.pools {
            Pools::Sqlite { writer, .. } => transaction::begin_sqlite(writer).await,
            Pools::Postgres(pool) => transaction::begin_postgres(pool).await,
        };
        match inner {
            Ok(inner) => Ok(Tx::new(inner, self.place.clone(), doing, (self.meter.clone(), began))),
            Err(e) => {
                self.meter.failed(Asked::Transaction);
                Err(explain(&self.place, &doing, &e))
            }
        }
    }

    pub(crate) async fn close(self) {
        match self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}
