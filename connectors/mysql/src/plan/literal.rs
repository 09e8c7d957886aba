//! Values of keys and cursors in SQL: how a column's value is asked for, and how it is written so that comparing it with the column
//! uses the column's own order and index.

use sluice_sdk::{Error, Result};

use crate::sql;

/// How values of a column are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    /// As they are; between quotes a decimal would be compared as a float.
    Number,
    /// Between quotes: texts, dates and times.
    Text,
    /// As hexadecimal digits.
    Binary,
}

impl Literal {
    /// For a type of the catalog; none if its values have no order to rely on.
    pub(super) fn of(data_type: &str) -> Option<Self> {
        match data_type {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "year" => Some(Self::Number),
            "char" | "varchar" | "date" | "datetime" | "timestamp" => Some(Self::Text),
            "binary" | "varbinary" => Some(Self::Binary),
            _ => None,
        }
    }

    /// The expression whose text [`Self::write`] takes.
    pub(super) fn ask(self, column: &str) -> String {
        match self {
            Self::Binary => format!("HEX({column})"),
            _ => column.to_owned(),
        }
    }

    /// A value as SQL.
    ///
    /// # Errors
    /// `config` if it is not what such a column holds; it may come from a state that somebody else has stored.
    pub(super) fn write(self, value: &str) -> Result<String> {
        let strange = || {
            Error::config(
                "the stored state holds no value of the cursor column; reset the stream's state to read all rows again",
            )
        };
        match self {
            Self::Text => Ok(sql::text(value)),
            Self::Number => {
                let digits = value.strip_prefix('-').unwrap_or(value);
                let number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
                if number { Ok(value.to_owned()) } else { Err(strange()) }
            }
            Self::Binary => {
                let hex = value.chars().all(|c| c.is_ascii_hexdigit());
                if hex { Ok(format!("X'{value}'")) } else { Err(strange()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_as_its_column_compares_it() {
        assert_eq!(Literal::Number.write("-12.50").unwrap(), "-12.50");
        assert_eq!(Literal::Text.write("it's").unwrap(), "'it''s'");
        assert_eq!(Literal::Binary.write("00FF").unwrap(), "X'00FF'");
    }

    #[test]
    fn a_stored_value_cannot_become_something_else_than_a_value() {
        for value in ["", "1 OR 1=1", "-", "0x10", "1e5"] {
            assert!(Literal::Number.write(value).is_err(), "{value}");
        }
        assert!(Literal::Binary.write("00' OR '").is_err());
    }
}
