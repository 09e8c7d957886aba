//! One row.

use serde_json::Value;

use super::BatchBuilder;
use super::column::Column;
use crate::{Error, Result};

/// A row that is being added, value by value in the schema's order.
pub struct RowBuilder<'a> {
    batch: &'a mut BatchBuilder,
    at: usize,
    bytes: usize,
    complete: bool,
}

macro_rules! appenders {
    ($($(#[$doc:meta])* $name:ident($ty:ty);)*) => {
        impl RowBuilder<'_> {
            $($(#[$doc])*
            ///
            /// # Errors
            /// `protocol`, naming the column, if the value does not fit it.
            pub fn $name(self, value: $ty) -> Result<Self> {
                self.with(|column| column.$name(value))
            })*
        }
    };
}

appenders! {
    /// The next value is true or false.
    bool(bool);
    /// The next value is a whole number: any integer type, days of a date, units of a time or timestamp.
    int(i64);
    /// The next value is a floating point number.
    float(f64);
    /// The next value is text, or a decimal in plain notation.
    text(&str);
    /// The next value is bytes.
    bytes(&[u8]);
    /// The next value is what JSON says. Objects and arrays go into text columns as JSON text.
    json(&Value);
}

impl<'a> RowBuilder<'a> {
    pub(super) fn new(batch: &'a mut BatchBuilder) -> Self {
        Self { batch, at: 0, bytes: 0, complete: false }
    }

    /// The next value is null.
    ///
    /// # Errors
    /// `protocol` if the column may not be null.
    pub fn null(self) -> Result<Self> {
        self.with(Column::null)
    }

    fn with(mut self, append: impl FnOnce(&mut Column) -> Result<usize>) -> Result<Self> {
        let width = self.batch.columns.len();
        let column = self.batch.columns.get_mut(self.at).ok_or_else(|| {
            Error::internal(format!("the row has more than the {width} values that its schema has columns"))
        })?;
        self.bytes += append(column)?;
        self.at += 1;
        Ok(self)
    }

    /// Completes the row.
    ///
    /// # Errors
    /// `internal` if values are missing.
    pub fn end(mut self) -> Result<()> {
        let width = self.batch.columns.len();
        if self.at < width {
            return Err(Error::internal(format!("the row has {} of {width} values", self.at)));
        }
        self.batch.rows += 1;
        self.batch.bytes += self.bytes;
        self.complete = true;
        Ok(())
    }
}

impl Drop for RowBuilder<'_> {
    fn drop(&mut self) {
        if !self.complete {
            self.batch.cut();
        }
    }
}
