//! A row of either database. What the schema does not allow is an error that says so, never a panic.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use sluice_core::RunError;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type};

use crate::error::{Place, unreadable};

/// A row as its database gave it.
pub(crate) enum AnyRow {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A row.
pub(crate) struct Row {
    row: AnyRow,
    place: Arc<Place>,
}

/// What both databases can read from a column: text, 64-bit numbers, bytes, and each of them or NULL.
pub(crate) trait Cell: Sized {
    fn from_sqlite(row: &SqliteRow, column: &str) -> Result<Self, sqlx::Error>;
    fn from_postgres(row: &PgRow, column: &str) -> Result<Self, sqlx::Error>;
}

impl<T> Cell for T
where
    T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>,
{
    fn from_sqlite(row: &SqliteRow, column: &str) -> Result<Self, sqlx::Error> {
        row.try_get(column)
    }

    fn from_postgres(row: &PgRow, column: &str) -> Result<Self, sqlx::Error> {
        row.try_get(column)
    }
}

impl Row {
    pub(super) fn new(row: AnyRow, place: &Arc<Place>) -> Self {
        Self { row, place: place.clone() }
    }

    /// A value.
    pub(crate) fn get<T: Cell>(&self, column: &str) -> Result<T, RunError> {
        let value = match &self.row {
            AnyRow::Sqlite(row) => T::from_sqlite(row, column),
            AnyRow::Postgres(row) => T::from_postgres(row, column),
        };
        value.map_err(|e| self.unreadable(column, &e))
    }

    pub(crate) fn text(&self, column: &str) -> Result<String, RunError> {
        self.get(column)
    }

    pub(crate) fn number(&self, column: &str) -> Result<i64, RunError> {
        self.get(column)
    }

    /// A number that is never negative.
    pub(crate) fn count(&self, column: &str) -> Result<u64, RunError> {
        let number = self.number(column)?;
        u64::try_from(number).map_err(|_| self.unreadable(column, &format_args!("{number} is negative")))
    }

    /// A number that is never negative and never large.
    pub(crate) fn small(&self, column: &str) -> Result<u32, RunError> {
        let number = self.number(column)?;
        u32::try_from(number).map_err(|_| self.unreadable(column, &format_args!("{number} is out of range")))
    }

    pub(crate) fn flag(&self, column: &str) -> Result<bool, RunError> {
        Ok(self.number(column)? != 0)
    }

    /// A value from JSON text.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, RunError> {
        serde_json::from_str(&self.text(column)?).map_err(|e| self.unreadable(column, &e))
    }

    /// A value from JSON text, or none from NULL.
    pub(crate) fn optional_json<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>, RunError> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| serde_json::from_str(&text).map_err(|e| self.unreadable(column, &e))).transpose()
    }

    /// A word of a closed list.
    pub(crate) fn word<T>(&self, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, RunError> {
        let text = self.text(column)?;
        parse(&text).ok_or_else(|| self.unreadable(column, &format_args!("{text:?} is no word for it")))
    }

    /// The error for a column that holds what it should not.
    pub(crate) fn unreadable(&self, column: &str, detail: &dyn std::fmt::Display) -> RunError {
        unreadable(&self.place, &format!("a value in column {column}"), detail)
    }
}
