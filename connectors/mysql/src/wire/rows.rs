//! The rows of a prepared statement in their binary form, one slice of received bytes after the other.

use sluice_sdk::{Error, Result};

use super::error::Failure;
use super::query::{Definition, definition, is_end, malformed};
use super::read::Bytes;
use super::{Wire, command, header};

/// Rows that are under way.
pub(crate) struct Rows<'w> {
    wire: &'w mut Wire,
    pub(crate) columns: Vec<Definition>,
    /// Bytes of a row before its values: a zero, and a bit for each column and two more.
    prefix: usize,
}

/// A row: a bit for each NULL, and the values that are not NULL.
pub(crate) struct Row<'a> {
    nulls: &'a [u8],
    pub(crate) values: Bytes<'a>,
}

impl Row<'_> {
    /// True if no value is NULL.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.nulls.iter().all(|byte| *byte == 0)
    }

    /// True if that column is NULL. The first two bits belong to no column.
    #[inline]
    pub(crate) fn is_null(&self, column: usize) -> bool {
        let bit = column + 2;
        self.nulls.get(bit / 8).is_some_and(|byte| byte & (1 << (bit % 8)) != 0)
    }
}

impl Wire {
    /// Prepares a statement without parameters and starts it.
    pub(crate) fn select(&mut self, sql: &str) -> Result<Rows<'_>, Failure> {
        let statement = self.prepare(sql)?;
        let mut arguments = statement.to_le_bytes().to_vec();
        // No cursor: rows come as fast as they are taken. Then how often to execute, which is always once.
        arguments.push(0);
        arguments.extend_from_slice(&1_u32.to_le_bytes());
        self.command(command::STATEMENT_EXECUTE, &arguments)?;
        let count = match Bytes(self.reply()?).length().flatten() {
            Some(count @ 1..=4096) => count,
            _ => return Err(malformed().into()),
        };
        let columns = self.definitions(count)?;
        self.end_of_definitions()?;
        let prefix = 1 + (columns.len() + 2).div_ceil(8);
        Ok(Rows { wire: self, columns, prefix })
    }

    /// The number of the prepared statement.
    fn prepare(&mut self, sql: &str) -> Result<u32, Failure> {
        self.command(command::STATEMENT_PREPARE, sql.as_bytes())?;
        let mut bytes = Bytes(self.reply()?);
        let mut head = || {
            let status = bytes.u8()?;
            Some((status, bytes.u32()?, bytes.u16()?, bytes.u16()?))
        };
        let (header::OK, statement, columns, parameters) = head().ok_or_else(malformed)? else {
            return Err(malformed().into());
        };
        for count in [parameters, columns].into_iter().filter(|count| *count > 0) {
            self.definitions(u64::from(count))?;
            self.end_of_definitions()?;
        }
        if parameters > 0 {
            let message = "the statement has parameters; a question mark in a filter must be inside quotes";
            return Err(Error::config(message).into());
        }
        Ok(statement)
    }

    fn definitions(&mut self, count: u64) -> Result<Vec<Definition>, Failure> {
        (0..count).map(|_| Ok(definition(self.reply()?).ok_or_else(malformed)?)).collect()
    }
}

impl Rows<'_> {
    /// The next row; none after the last one.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Row<'_>>, Failure> {
        self.wire.next()?;
        if self.wire.last().first() != Some(&header::OK) {
            return self.end().map(|()| None);
        }
        let (prefix, values) = self.wire.last().split_at_checked(self.prefix).ok_or_else(malformed)?;
        Ok(Some(Row { nulls: prefix.get(1..).unwrap_or_default(), values: Bytes(values) }))
    }

    /// Bytes of the last row.
    #[inline]
    pub(crate) fn received(&self) -> usize {
        self.wire.last().len()
    }

    #[cold]
    fn end(&mut self) -> Result<(), Failure> {
        let body = self.wire.last();
        match body.first() {
            Some(&header::ERROR) => Err(super::ServerError::parse(body).into()),
            Some(_) if is_end(body) => Ok(()),
            _ => Err(malformed().into()),
        }
    }
}
