//! Which [`Kind`] and [`Projection`] a type of the catalog has.

use super::{ColumnSpec, Kind, Projection};
use crate::config::{ArrayPolicy, InfinityPolicy, NumericSpecial, PostgresConfig};

/// Fixed numbers of built-in types (`pg_type.dat`); they are part of PostgreSQL's promises.
mod oid {
    pub(super) const BOOL: u32 = 16;
    pub(super) const BYTEA: u32 = 17;
    pub(super) const NAME: u32 = 19;
    pub(super) const INT8: u32 = 20;
    pub(super) const INT2: u32 = 21;
    pub(super) const INT4: u32 = 23;
    pub(super) const TEXT: u32 = 25;
    pub(super) const OID: u32 = 26;
    pub(super) const JSON: u32 = 114;
    pub(super) const FLOAT4: u32 = 700;
    pub(super) const FLOAT8: u32 = 701;
    pub(super) const MONEY: u32 = 790;
    pub(super) const INET: u32 = 869;
    pub(super) const BPCHAR: u32 = 1042;
    pub(super) const VARCHAR: u32 = 1043;
    pub(super) const DATE: u32 = 1082;
    pub(super) const TIME: u32 = 1083;
    pub(super) const TIMESTAMP: u32 = 1114;
    pub(super) const TIMESTAMPTZ: u32 = 1184;
    pub(super) const NUMERIC: u32 = 1700;
    pub(super) const UUID: u32 = 2950;
    pub(super) const JSONB: u32 = 3802;
}

/// What precision and scale Arrow's widest decimal can have.
const MAX_PRECISION: i32 = 76;

/// A type as the catalog describes it, domains already followed to their base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CatalogType {
    pub(crate) oid: u32,
    /// `typtype`: `b`ase, `c`omposite, `e`num, `r`ange, `m`ultirange, `p`seudo.
    pub(crate) class: String,
    pub(crate) modifier: i32,
    /// For an array: its elements.
    pub(crate) element: Option<Box<CatalogType>>,
    /// Digits after the point of `money` on this server.
    pub(crate) money_scale: u8,
}

/// A column as the catalog describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CatalogColumn {
    pub(crate) name: String,
    pub(crate) source_type: String,
    pub(crate) not_null: bool,
    pub(crate) dimensions: i32,
    pub(crate) r#type: CatalogType,
}

/// How the column is read.
pub(crate) fn column(column: &CatalogColumn, config: &PostgresConfig) -> ColumnSpec {
    let (kind, projection) = of(&column.r#type, column.dimensions, config);
    let lossy = config.numeric_special == NumericSpecial::Null || config.infinity == InfinityPolicy::Null;
    ColumnSpec {
        name: column.name.clone(),
        nullable: !column.not_null || (lossy && kind.may_lose_values()),
        kind,
        projection,
        source_type: column.source_type.clone(),
    }
}

fn of(r#type: &CatalogType, dimensions: i32, config: &PostgresConfig) -> (Kind, Projection) {
    if let Some(element) = &r#type.element {
        if dimensions > 1 || config.arrays == ArrayPolicy::Json || element.class == "c" {
            return (Kind::Json, Projection::Json);
        }
        return match native(element) {
            Some(kind) => (Kind::List(Box::new(kind)), Projection::Plain),
            None => (Kind::List(Box::new(Kind::Text)), Projection::TextArray),
        };
    }
    match (native(r#type), r#type.class.as_str(), r#type.oid) {
        (Some(kind), _, _) => (kind, Projection::Plain),
        (None, "c", _) => (Kind::Json, Projection::Json),
        (None, _, oid::INET) => (Kind::Text, Projection::Inet),
        (None, _, _) => (Kind::Text, Projection::Text),
    }
}

/// The kind of a type whose binary form is decoded here; none for those that are read as text.
fn native(r#type: &CatalogType) -> Option<Kind> {
    if r#type.element.is_some() {
        return None;
    }
    Some(match r#type.oid {
        oid::BOOL => Kind::Bool,
        oid::INT2 => Kind::Int2,
        oid::INT4 => Kind::Int4,
        oid::INT8 => Kind::Int8,
        oid::OID => Kind::Oid,
        oid::FLOAT4 => Kind::Float4,
        oid::FLOAT8 => Kind::Float8,
        oid::NUMERIC => numeric(r#type.modifier),
        oid::MONEY => Kind::Money { scale: r#type.money_scale },
        oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME => Kind::Text,
        _ if r#type.class == "e" => Kind::Text,
        oid::JSON => Kind::Json,
        oid::JSONB => Kind::Jsonb,
        oid::BYTEA => Kind::Bytes,
        oid::DATE => Kind::Date,
        oid::TIME => Kind::Time,
        oid::TIMESTAMP => Kind::Timestamp,
        oid::TIMESTAMPTZ => Kind::TimestampTz,
        oid::UUID => Kind::Uuid,
        _ => return None,
    })
}

/// The modifier holds precision and scale, or is -1; since PostgreSQL 15 the scale can be negative or exceed the precision.
fn numeric(modifier: i32) -> Kind {
    if modifier < 4 {
        return Kind::Numeric;
    }
    let precision = ((modifier - 4) >> 16) & 0xffff;
    // Eleven bits, signed.
    let scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
    let (precision, scale) = if scale < 0 { (precision - scale, 0) } else { (precision.max(scale), scale) };
    match (u8::try_from(precision), u8::try_from(scale)) {
        (Ok(precision @ 1..), Ok(scale)) if i32::from(precision) <= MAX_PRECISION => Kind::Decimal { precision, scale },
        _ => Kind::Numeric,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `atttypmod` as the server makes it.
    fn modifier(precision: i32, scale: i32) -> i32 {
        ((precision << 16) | (scale & 0x7ff)) + 4
    }

    #[test]
    fn declared_numerics_become_decimals_wide_enough_for_them() {
        assert_eq!(numeric(modifier(15, 2)), Kind::Decimal { precision: 15, scale: 2 });
        assert_eq!(numeric(modifier(76, 76)), Kind::Decimal { precision: 76, scale: 76 });
        assert_eq!(numeric(modifier(3, -2)), Kind::Decimal { precision: 5, scale: 0 });
        assert_eq!(numeric(modifier(3, 5)), Kind::Decimal { precision: 5, scale: 5 });
    }

    #[test]
    fn numerics_that_no_decimal_holds_become_text() {
        assert_eq!(numeric(-1), Kind::Numeric);
        assert_eq!(numeric(modifier(77, 0)), Kind::Numeric);
        assert_eq!(numeric(modifier(1000, 1000)), Kind::Numeric);
        assert_eq!(numeric(modifier(70, -10)), Kind::Numeric);
    }
}
