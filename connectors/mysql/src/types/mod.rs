//! From MySQL's types to Arrow's.
//!
//! The table for users is in `README.md`. [`Kind`] says how a column is decoded and so what Arrow type it has; [`catalog`] chooses
//! it from `information_schema`; [`column`] decodes the binary form of the protocol, [`decimal`] and [`temporal`] its parts. To give
//! a type a mapping of its own: add a [`Kind`], an arm in [`catalog`], its form on the wire in [`Kind::form`], and its decoding
//! in [`column`].

pub(crate) mod catalog;
pub(crate) mod column;
#[cfg(test)]
mod column_tests;
pub(crate) mod decimal;
pub(crate) mod temporal;

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};
use sluice_sql::field;

use crate::sql;

/// How a value is decoded, and so what Arrow type it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// `tinyint(1)` as a truth value.
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Float4,
    Float8,
    Decimal {
        precision: u8,
        scale: u8,
    },
    /// `bit(1)`.
    Flag,
    /// `bit(n)`: a number of up to 64 bits.
    Bits,
    Text,
    Json,
    Bytes,
    /// Four bytes of SRID, then well-known binary.
    Geometry,
    /// Numbers of four bytes each.
    Vector,
    Date,
    DateTime,
    /// In UTC, as the session's time zone is.
    Timestamp,
    /// A time as text, with that many fractional digits.
    Time {
        digits: u8,
    },
    TimeOfDay,
}

/// How a value lies in a row of the binary protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// That many bytes, little-endian; unsigned or not.
    Int(u8, bool),
    Float(u8),
    /// A length byte and year, month, day, perhaps time and microseconds.
    Date,
    /// A length byte and sign, days, time, perhaps microseconds.
    Time,
    /// A length and that many bytes.
    Text,
}

/// Numbers of types on the wire (`enum_field_types`).
mod wire_type {
    pub(super) const TINY: u8 = 1;
    pub(super) const SHORT: u8 = 2;
    pub(super) const LONG: u8 = 3;
    pub(super) const FLOAT: u8 = 4;
    pub(super) const DOUBLE: u8 = 5;
    pub(super) const TIMESTAMP: u8 = 7;
    pub(super) const LONGLONG: u8 = 8;
    pub(super) const INT24: u8 = 9;
    pub(super) const DATE: u8 = 10;
    pub(super) const TIME: u8 = 11;
    pub(super) const DATETIME: u8 = 12;
    pub(super) const YEAR: u8 = 13;
    pub(super) const NULL: u8 = 6;
}

impl Form {
    /// The form of a type on the wire; none for NULL, which has no value.
    pub(crate) fn of(wire_type: u8, unsigned: bool) -> Option<Self> {
        Some(match wire_type {
            wire_type::TINY => Self::Int(1, unsigned),
            wire_type::SHORT => Self::Int(2, unsigned),
            // A year has no sign, whatever its flags say.
            wire_type::YEAR => Self::Int(2, true),
            wire_type::LONG | wire_type::INT24 => Self::Int(4, unsigned),
            wire_type::LONGLONG => Self::Int(8, unsigned),
            wire_type::FLOAT => Self::Float(4),
            wire_type::DOUBLE => Self::Float(8),
            wire_type::DATE | wire_type::DATETIME | wire_type::TIMESTAMP => Self::Date,
            wire_type::TIME => Self::Time,
            wire_type::NULL => return None,
            _ => Self::Text,
        })
    }
}

impl Kind {
    /// The Arrow type.
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Self::Bool | Self::Flag => DataType::Boolean,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::UInt8 => DataType::UInt8,
            Self::UInt16 => DataType::UInt16,
            Self::UInt32 => DataType::UInt32,
            Self::UInt64 | Self::Bits => DataType::UInt64,
            Self::Float4 => DataType::Float32,
            Self::Float8 => DataType::Float64,
            Self::Decimal { precision, scale } if *precision <= 38 => DataType::Decimal128(*precision, signed(*scale)),
            Self::Decimal { precision, scale } => DataType::Decimal256(*precision, signed(*scale)),
            Self::Text | Self::Json | Self::Time { .. } => DataType::Utf8,
            Self::Bytes | Self::Geometry => DataType::Binary,
            Self::Vector => DataType::List(Arc::new(Field::new("item", DataType::Float32, false))),
            Self::Date => DataType::Date32,
            Self::DateTime => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::TimeOfDay => DataType::Time64(TimeUnit::Microsecond),
        }
    }

    /// How its values must lie in a row.
    pub(crate) fn form(&self) -> Form {
        match self {
            Self::Bool | Self::Int8 => Form::Int(1, false),
            Self::Int16 => Form::Int(2, false),
            Self::Int32 => Form::Int(4, false),
            Self::Int64 => Form::Int(8, false),
            Self::UInt8 => Form::Int(1, true),
            Self::UInt16 => Form::Int(2, true),
            Self::UInt32 => Form::Int(4, true),
            Self::UInt64 => Form::Int(8, true),
            Self::Float4 => Form::Float(4),
            Self::Float8 => Form::Float(8),
            Self::Date | Self::DateTime | Self::Timestamp => Form::Date,
            Self::Time { .. } | Self::TimeOfDay => Form::Time,
            Self::Decimal { .. }
            | Self::Flag
            | Self::Bits
            | Self::Text
            | Self::Json
            | Self::Bytes
            | Self::Geometry
            | Self::Vector => Form::Text,
        }
    }

    /// True if a value that is there can still become NULL, because it is a date that is none.
    pub(crate) fn may_lose_values(&self) -> bool {
        matches!(self, Self::Date | Self::DateTime | Self::Timestamp)
    }
}

fn signed(scale: u8) -> i8 {
    i8::try_from(scale).unwrap_or(i8::MAX)
}

/// What the SELECT list asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Projection {
    /// The column itself.
    Plain,
    /// A geometry as text.
    Wkt,
    /// The same on servers that would otherwise put the latitude of a place on earth first.
    WktLongitudeFirst,
}

impl Projection {
    /// The expression for a column; names are always quoted.
    pub(crate) fn expression(self, column: &str) -> String {
        let column = sql::name(column);
        match self {
            Self::Plain => column,
            Self::Wkt => format!("ST_AsText({column})"),
            Self::WktLongitudeFirst => format!("ST_AsText({column}, 'axis-order=long-lat')"),
        }
    }
}

/// A column of a stream, with all that reading it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ColumnSpec {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) projection: Projection,
    /// The type as MySQL writes it, e.g. `decimal(15,2) unsigned`.
    pub(crate) source_type: String,
    pub(crate) nullable: bool,
}

impl ColumnSpec {
    /// The Arrow field.
    pub(crate) fn field(&self) -> Field {
        let field = field::field(&self.name, self.kind.data_type(), self.nullable, &self.source_type);
        if self.kind == Kind::Json { field::json(field) } else { field }
    }
}

/// The schema of these columns.
pub(crate) fn schema(columns: &[ColumnSpec]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(ColumnSpec::field).collect::<Vec<_>>()))
}
