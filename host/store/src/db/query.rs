//! A statement and its parameters, before it is known which database gets it.

use sluice_core::RunError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Error, Executor, Postgres, SqlSafeStr, SqlStr, Sqlite};

use super::row::{AnyRow, Row};
use super::{Db, Tx};

/// A statement with its parameters.
pub(crate) struct Sql {
    text: SqlStr,
    values: Vec<Value>,
}

/// A statement from a literal.
pub(crate) fn sql(text: &'static str) -> Sql {
    Sql { text: text.into_sql_str(), values: Vec::new() }
}

/// A statement that was put together; of literals only, never of values.
pub(crate) fn built(text: String) -> Sql {
    Sql { text: AssertSqlSafe(text).into_sql_str(), values: Vec::new() }
}

/// What a parameter may be. NULL keeps its type, which PostgreSQL wants to know.
pub(crate) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

impl Sql {
    /// The next parameter: `$1` first.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs it in a transaction; how many rows it changed.
    pub(crate) async fn run_in(self, tx: &mut Tx) -> Result<u64, RunError> {
        tx.run(self).await
    }

    /// All its rows, in a transaction.
    pub(crate) async fn all_in(self, tx: &mut Tx) -> Result<Vec<Row>, RunError> {
        tx.all(self).await
    }

    /// Its first row, in a transaction.
    pub(crate) async fn one_in(self, tx: &mut Tx) -> Result<Option<Row>, RunError> {
        tx.one(self).await
    }

    /// Runs it alone; how many rows it changed.
    pub(crate) async fn run_on(self, db: &Db, doing: &str) -> Result<u64, RunError> {
        db.run(doing, self).await
    }

    /// All its rows; it changes nothing.
    pub(crate) async fn all_on(self, db: &Db, doing: &str) -> Result<Vec<Row>, RunError> {
        db.all(doing, self).await
    }

    /// Its first row; it changes nothing.
    pub(crate) async fn one_on(self, db: &Db, doing: &str) -> Result<Option<Row>, RunError> {
        db.one(doing, self).await
    }

    fn sqlite(self) -> Result<Query<'static, Sqlite, SqliteArguments>, Error> {
        let mut arguments = SqliteArguments::default();
        for value in self.values {
            match value {
                Value::Text(text) => Arguments::add(&mut arguments, text),
                Value::Number(number) => Arguments::add(&mut arguments, number),
                Value::Bytes(bytes) => Arguments::add(&mut arguments, bytes),
            }
            .map_err(Error::Encode)?;
        }
        Ok(sqlx::query_with(self.text, arguments))
    }

    fn postgres(self) -> Result<Query<'static, Postgres, PgArguments>, Error> {
        let mut arguments = PgArguments::default();
        for value in self.values {
            match value {
                Value::Text(text) => Arguments::add(&mut arguments, text),
                Value::Number(number) => Arguments::add(&mut arguments, number),
                Value::Bytes(bytes) => Arguments::add(&mut arguments, bytes),
            }
            .map_err(Error::Encode)?;
        }
        Ok(sqlx::query_with(self.text, arguments))
    }
}

pub(super) async fn run_sqlite<'e>(sql: Sql, on: impl Executor<'e, Database = Sqlite>) -> Result<u64, Error> {
    Ok(sql.sqlite()?.execute(on).await?.rows_affected())
}

pub(super) async fn run_postgres<'e>(sql: Sql, on: impl Executor<'e, Database = Postgres>) -> Result<u64, Error> {
    Ok(sql.postgres()?.execute(on).await?.rows_affected())
}

pub(super) async fn all_sqlite<'e>(sql: Sql, on: impl Executor<'e, Database = Sqlite>) -> Result<Vec<AnyRow>, Error> {
    let rows: Vec<SqliteRow> = sql.sqlite()?.fetch_all(on).await?;
    Ok(rows.into_iter().map(AnyRow::Sqlite).collect())
}

pub(super) async fn all_postgres<'e>(
    sql: Sql,
    on: impl Executor<'e, Database = Postgres>,
) -> Result<Vec<AnyRow>, Error> {
    let rows: Vec<PgRow> = sql.postgres()?.fetch_all(on).await?;
    Ok(rows.into_iter().map(AnyRow::Postgres).collect())
}

pub(super) async fn one_sqlite<'e>(
    sql: Sql,
    on: impl Executor<'e, Database = Sqlite>,
) -> Result<Option<AnyRow>, Error> {
    Ok(sql.sqlite()?.fetch_optional(on).await?.map(AnyRow::Sqlite))
}

pub(super) async fn one_postgres<'e>(
    sql: Sql,
    on: impl Executor<'e, Database = Postgres>,
) -> Result<Option<AnyRow>, Error> {
    Ok(sql.postgres()?.fetch_optional(on).await?.map(AnyRow::Postgres))
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(Some(text.clone()))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<&Option<String>> for Value {
    fn from(text: &Option<String>) -> Self {
        Self::Text(text.clone())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(Some(number.into()))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

/// Both databases keep it as a number, 0 or 1: SQLite knows no truth values.
impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Number(Some(flag.into()))
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(Some(bytes.to_vec()))
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl From<Option<Vec<u8>>> for Value {
    fn from(bytes: Option<Vec<u8>>) -> Self {
        Self::Bytes(bytes)
    }
}
