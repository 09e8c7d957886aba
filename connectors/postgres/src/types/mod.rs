//! From PostgreSQL's types to Arrow's.
//!
//! | PostgreSQL | Arrow | how |
//! |---|---|---|
//! | `boolean` | Boolean | |
//! | `smallint`, `integer`, `bigint` | Int16, Int32, Int64 | |
//! | `oid` | Int64 | |
//! | `real`, `double precision` | Float32, Float64 | NaN and infinity kept |
//! | `numeric(p,s)`, p ≤ 38 | Decimal128(p,s) | NaN and infinity as `numeric_special` says |
//! | `numeric(p,s)`, p ≤ 76 | Decimal256(p,s) | the same |
//! | `numeric`, `numeric(p,s)` beyond | Utf8 | as PostgreSQL prints it |
//! | `money` | Decimal128(19,f) | f: the fractional digits of `lc_monetary`, mostly 2 |
//! | `text`, `varchar`, `char(n)`, `name`, `citext`, `xml`, enums | Utf8 | `char(n)` keeps its padding |
//! | `json`, `jsonb` | Utf8, marked as JSON | |
//! | `bytea` | Binary | |
//! | `date` | Date32 | infinity as `infinity` says |
//! | `timestamp` | Timestamp(µs) | the same |
//! | `timestamptz` | Timestamp(µs, UTC) | the same |
//! | `time` | Time64(µs) | 24:00:00 becomes 23:59:59.999999 |
//! | `uuid` | Utf8 | |
//! | arrays | List | more than one declared dimension, composite elements: Utf8, marked as JSON |
//! | composite types | Utf8, marked as JSON | |
//! | domains | as their base type | |
//! | everything else | Utf8 | as PostgreSQL prints it |
//!
//! [`Kind`] says how a column is decoded, [`Projection`] what the SELECT list asks for; [`catalog`] chooses both from
//! `pg_type`; [`column`] decodes. To give a type a mapping of its own: add a [`Kind`], an arm in [`catalog`], and its
//! decoding in [`column`].

pub(crate) mod catalog;
pub(crate) mod column;
#[cfg(test)]
mod column_tests;
pub(crate) mod numeric;
pub(crate) mod temporal;
mod uuid;

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use postgres_protocol::escape::escape_identifier;
use serde::{Deserialize, Serialize};
use sluice_sql::field;

/// How the binary form of a value is decoded, and so what Arrow type it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    /// `numeric` with a declared precision and scale, as Arrow can have them.
    Decimal {
        precision: u8,
        scale: u8,
    },
    /// `numeric` printed as text.
    Numeric,
    /// An int8 with that many digits after the point.
    Money {
        scale: u8,
    },
    /// Whatever is sent as text.
    Text,
    Json,
    /// Text after a version byte.
    Jsonb,
    Bytes,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Uuid,
    List(Box<Kind>),
}

impl Kind {
    /// The Arrow type.
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int2 => DataType::Int16,
            Self::Int4 => DataType::Int32,
            Self::Int8 | Self::Oid => DataType::Int64,
            Self::Float4 => DataType::Float32,
            Self::Float8 => DataType::Float64,
            Self::Decimal { precision, scale } if *precision <= 38 => DataType::Decimal128(*precision, signed(*scale)),
            Self::Decimal { precision, scale } => DataType::Decimal256(*precision, signed(*scale)),
            Self::Money { scale } => DataType::Decimal128(19, signed(*scale)),
            Self::Numeric | Self::Text | Self::Json | Self::Jsonb | Self::Uuid => DataType::Utf8,
            Self::Bytes => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::List(element) => DataType::List(Arc::new(element.element_field())),
        }
    }

    /// The field of a list's elements, which can always be null.
    pub(crate) fn element_field(&self) -> Field {
        let field = Field::new("item", self.data_type(), true);
        if self.is_json() { field::json(field) } else { field }
    }

    fn is_json(&self) -> bool {
        matches!(self, Self::Json | Self::Jsonb)
    }

    /// True if a value that is there can still become NULL, because a policy says so.
    pub(crate) fn may_lose_values(&self) -> bool {
        matches!(self, Self::Decimal { .. } | Self::Date | Self::Timestamp | Self::TimestampTz)
    }
}

fn signed(scale: u8) -> i8 {
    i8::try_from(scale).unwrap_or(i8::MAX)
}

/// What the SELECT list asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Projection {
    /// The value in its own binary form.
    Plain,
    /// As text.
    Text,
    /// An array as an array of texts.
    TextArray,
    /// As JSON text.
    Json,
    /// As the type prints it, where its cast to text says something else: `inet` would gain a `/32`.
    Inet,
}

impl Projection {
    /// The expression for a column; names are always quoted.
    pub(crate) fn expression(self, column: &str) -> String {
        let column = escape_identifier(column);
        match self {
            Self::Plain => column,
            Self::Text => format!("{column}::pg_catalog.text"),
            Self::TextArray => format!("{column}::pg_catalog.text[]"),
            Self::Json => format!("pg_catalog.to_json({column})::pg_catalog.text"),
            Self::Inet => format!("pg_catalog.textin(pg_catalog.inet_out({column}))"),
        }
    }
}

/// A column of a stream, with all that reading it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ColumnSpec {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) projection: Projection,
    /// The type as PostgreSQL writes it, e.g. `numeric(15,2)`.
    pub(crate) source_type: String,
    pub(crate) nullable: bool,
}

impl ColumnSpec {
    /// The Arrow field.
    pub(crate) fn field(&self) -> Field {
        let field = field::field(&self.name, self.kind.data_type(), self.nullable, &self.source_type);
        if self.kind.is_json() { field::json(field) } else { field }
    }
}

/// The schema of these columns.
pub(crate) fn schema(columns: &[ColumnSpec]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(ColumnSpec::field).collect::<Vec<_>>()))
}
