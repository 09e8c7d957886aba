//! A transaction that writes.

use std::sync::Arc;

use sluice_core::RunError;
use sqlx::{Error, PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use tokio::time::Instant;

use super::dialect::Dialect;
use super::query::{self, Sql};
use super::row::Row;
use crate::error::{Place, explain};
use crate::meter::{Asked, Meter};

/// An open transaction. Dropping it without [`Tx::commit`] undoes everything.
pub(crate) struct Tx {
    inner: Inner,
    place: Arc<Place>,
    doing: String,
    meter: Arc<Meter>,
    began: Instant,
}

pub(super) enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Several processes share the file. A transaction that begins with a read and writes later would fail with "busy" if another
/// process wrote in between, however long it waits; so it takes the right to write first.
pub(super) async fn begin_sqlite(pool: &SqlitePool) -> Result<Inner, Error> {
    Ok(Inner::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?))
}

/// Read committed: what must not change under a transaction, it locks ([`Dialect::for_update`]).
pub(super) async fn begin_postgres(pool: &PgPool) -> Result<Inner, Error> {
    Ok(Inner::Postgres(pool.begin().await?))
}

impl Tx {
    pub(super) fn new(inner: Inner, place: Arc<Place>, doing: String, (meter, began): (Arc<Meter>, Instant)) -> Self {
        Self { inner, place, doing, meter, began }
    }

    fn failed(&self, error: &Error) -> RunError {
        self.meter.failed(Asked::Transaction);
        explain(&self.place, &self.doing, error)
    }

    /// The few words in which the databases differ.
    pub(crate) fn dialect(&self) -> Dialect {
        match &self.inner {
            Inner::Sqlite(_) => Dialect::Sqlite,
            Inner::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement; how many rows it changed.
    pub(crate) async fn run(&mut self, sql: Sql) -> Result<u64, RunError> {
        let done = match &mut self.inner {
            Inner::Sqlite(transaction) => query::run_sqlite(sql, &mut **transaction).await,
            Inner::Postgres(transaction) => query::run_postgres(sql, &mut **transaction).await,
        };
        done.map_err(|e| self.failed(&e))
    }

    /// All rows of a statement.
    pub(crate) async fn all(&mut self, sql: Sql) -> Result<Vec<Row>, RunError> {
        let rows = match &mut self.inner {
            Inner::Sqlite(transaction) => query::all_sqlite(sql, &mut **transaction).await,
            Inner::Postgres(transaction) => query::all_postgres(sql, &mut **transaction).await,
        };
        let rows = rows.map_err(|e| self.failed(&e))?;
        Ok(rows.into_iter().map(|row| Row::new(row, &self.place)).collect())
    }

    /// The first row of a statement.
    pub(crate) async fn one(&mut self, sql: Sql) -> Result<Option<Row>, RunError> {
        let row = match &mut self.inner {
            Inner::Sqlite(transaction) => query::one_sqlite(sql, &mut **transaction).await,
            Inner::Postgres(transaction) => query::one_postgres(sql, &mut **transaction).await,
        };
        let row = row.map_err(|e| self.failed(&e))?;
        Ok(row.map(|row| Row::new(row, &self.place)))
    }

    /// Makes everything durable.
    pub(crate) async fn commit(self) -> Result<(), RunError> {
        let done = match self.inner {
            Inner::Sqlite(transaction) => transaction.commit().await,
            Inner::Postgres(transaction) => transaction.commit().await,
        };
        self.meter.count(Asked::Transaction, self.began, &done);
        done.map_err(|e| explain(&self.place, &self.doing, &e))
    }

    /// The error for stored bytes that cannot be read.
    pub(crate) fn unreadable(&self, what: &str, detail: &dyn std::fmt::Display) -> RunError {
        crate::error::unreadable(&self.place, what, detail)
    }
}
