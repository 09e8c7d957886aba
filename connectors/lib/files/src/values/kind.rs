//! Types of columns as text files have them, and how two of them become one.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, TimeUnit};

use super::cell::{Cell, CellKind};
use super::column::Syntax;
use super::{number, time};
use crate::options::ColumnType;

/// Field metadata that tells a sink what a text is at its source.
pub(crate) const SOURCE_TYPE: &str = "sluice:source-type";

/// The type of a column of a text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No value was seen.
    Null,
    Bool,
    Int,
    Float,
    Date,
    /// Without a zone.
    Timestamp,
    /// In UTC.
    TimestampTz,
    Text,
    /// JSON text.
    Json,
}

impl Kind {
    /// The narrowest type that holds values of both.
    ///
    /// Whole numbers widen to floating point, days to timestamps without a zone, JSON takes everything, and all other
    /// pairs become text.
    pub(crate) fn join(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Null, other) | (other, Self::Null) => other,
            (Self::Json, _) | (_, Self::Json) => Self::Json,
            (Self::Int, Self::Float) | (Self::Float, Self::Int) => Self::Float,
            (Self::Date, Self::Timestamp) | (Self::Timestamp, Self::Date) => Self::Timestamp,
            _ => Self::Text,
        }
    }

    /// The type of one value.
    pub(crate) fn of(cell: Cell, block: &[u8], syntax: &Syntax) -> Self {
        let bytes = cell.bytes(block);
        match (cell.kind(), syntax) {
            (CellKind::Missing, _) => Self::Null,
            (CellKind::Nested, _) => Self::Json,
            (CellKind::Escaped, _) => Self::Text,
            (CellKind::Plain, Syntax::Csv(csv)) if csv.is_null(bytes) => Self::Null,
            (CellKind::Plain | CellKind::Quoted, Syntax::Csv(_)) => Self::of_text(bytes.trim_ascii()),
            (CellKind::Plain, Syntax::Json) => Self::of_json(bytes),
            (CellKind::Quoted, Syntax::Json) => Self::of_moment(bytes),
        }
    }

    fn of_text(bytes: &[u8]) -> Self {
        match bytes {
            [b'-' | b'+', b'0', b'0'..=b'9', ..] | [b'0', b'0'..=b'9', ..] => Self::of_moment(bytes),
            _ if number::boolean(bytes).is_some() => Self::Bool,
            _ if number::strict_int(bytes).is_some() => Self::Int,
            // A whole number that does not fit would lose digits as a floating point number.
            _ if bytes.iter().all(|b| b.is_ascii_digit() || *b == b'-') => Self::of_moment(bytes),
            _ if number::float(bytes).is_some() => Self::Float,
            _ => Self::of_moment(bytes),
        }
    }

    fn of_json(bytes: &[u8]) -> Self {
        match bytes {
            b"true" | b"false" => Self::Bool,
            _ if number::int(bytes).is_some() => Self::Int,
            _ if bytes.iter().any(|b| b".eE".contains(b)) => Self::Float,
            _ => Self::Text,
        }
    }

    fn of_moment(bytes: &[u8]) -> Self {
        match (time::date(bytes), time::timestamp(bytes)) {
            (Some(_), _) => Self::Date,
            (_, Some((_, true))) => Self::TimestampTz,
            (_, Some((_, false))) => Self::Timestamp,
            _ => Self::Text,
        }
    }

    /// The Arrow field of a column.
    pub(crate) fn field(self, name: &str) -> Field {
        let ty = match self {
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
            Self::Null | Self::Text | Self::Json => DataType::Utf8,
        };
        let field = Field::new(name, ty, true);
        if self == Self::Json {
            return field.with_metadata(HashMap::from([(SOURCE_TYPE.to_owned(), "json".to_owned())]));
        }
        field
    }

    /// The column type of an Arrow field that [`Kind::field`] made.
    pub(crate) fn of_field(field: &Field) -> Self {
        match field.data_type() {
            DataType::Boolean => Self::Bool,
            DataType::Int64 => Self::Int,
            DataType::Float64 => Self::Float,
            DataType::Date32 => Self::Date,
            DataType::Timestamp(_, None) => Self::Timestamp,
            DataType::Timestamp(_, Some(_)) => Self::TimestampTz,
            _ if field.metadata().get(SOURCE_TYPE).is_some_and(|ty| ty == "json") => Self::Json,
            _ => Self::Text,
        }
    }

    /// Its name in messages and options.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null | Self::Text => "string",
            Self::Bool => "bool",
            Self::Int => "int64",
            Self::Float => "float64",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::TimestampTz => "timestamptz",
            Self::Json => "json",
        }
    }
}

impl From<ColumnType> for Kind {
    fn from(ty: ColumnType) -> Self {
        match ty {
            ColumnType::Bool => Self::Bool,
            ColumnType::Int64 => Self::Int,
            ColumnType::Float64 => Self::Float,
            ColumnType::Date => Self::Date,
            ColumnType::Timestamp => Self::Timestamp,
            ColumnType::TimestampTz => Self::TimestampTz,
            ColumnType::String => Self::Text,
            ColumnType::Json => Self::Json,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_a_value_never_loses_what_was_written() {
        for (text, kind) in [
            ("true", Kind::Bool),
            ("12", Kind::Int),
            ("-0.5", Kind::Float),
            ("1e5", Kind::Float),
            ("007", Kind::Text),
            ("0", Kind::Int),
            ("0.5", Kind::Float),
            ("92233720368547758070", Kind::Text),
            ("2024-02-29", Kind::Date),
            ("2024-02-30", Kind::Text),
            ("2024-02-29 10:00:00", Kind::Timestamp),
            ("2024-02-29T10:00:00Z", Kind::TimestampTz),
            ("0001-01-01", Kind::Date),
            ("-", Kind::Text),
            ("NaN", Kind::Float),
        ] {
            assert_eq!(Kind::of_text(text.as_bytes()), kind, "{text}");
        }
    }

    #[test]
    fn two_types_become_the_narrowest_that_holds_both() {
        assert_eq!(Kind::Int.join(Kind::Float), Kind::Float);
        assert_eq!(Kind::Null.join(Kind::Date), Kind::Date);
        assert_eq!(Kind::Date.join(Kind::Timestamp), Kind::Timestamp);
        assert_eq!(Kind::Timestamp.join(Kind::TimestampTz), Kind::Text);
        assert_eq!(Kind::Bool.join(Kind::Int), Kind::Text);
        assert_eq!(Kind::Text.join(Kind::Json), Kind::Json);
    }
}
