//! Which [`Kind`] and [`Projection`] a type of the catalog has.

use super::{ColumnSpec, Kind, Projection};
use crate::config::{Geometries, MysqlConfig, Times, Tinyint1, ZeroDates};

/// A column as the catalog describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CatalogColumn {
    pub(crate) name: String,
    /// `DATA_TYPE`, e.g. `decimal`.
    pub(crate) data_type: String,
    /// `COLUMN_TYPE`, e.g. `decimal(15,2) unsigned`.
    pub(crate) source_type: String,
    pub(crate) not_null: bool,
    pub(crate) precision: Option<u8>,
    pub(crate) scale: Option<u8>,
    /// Fractional digits of the seconds.
    pub(crate) digits: u8,
    /// A text that MariaDB keeps from being anything but JSON.
    pub(crate) checked_json: bool,
}

/// How the column is read. `axis_option` says that the server lets the order of a geometry's axes be chosen.
pub(crate) fn column(column: &CatalogColumn, config: &MysqlConfig, axis_option: bool) -> ColumnSpec {
    let (kind, projection) = of(column, config, axis_option);
    ColumnSpec {
        name: column.name.clone(),
        nullable: !column.not_null || (config.zero_dates == ZeroDates::Null && kind.may_lose_values()),
        kind,
        projection,
        source_type: column.source_type.clone(),
    }
}

fn of(column: &CatalogColumn, config: &MysqlConfig, axis_option: bool) -> (Kind, Projection) {
    // The whole word: an enum can hold the text "unsigned".
    let unsigned = column.source_type.split([' ', ')']).any(|word| word == "unsigned" || word == "zerofill");
    let kind = match column.data_type.as_str() {
        "tinyint"
            if column.source_type.starts_with("tinyint(1)") && !unsigned && config.tinyint1 == Tinyint1::Boolean =>
        {
            Kind::Bool
        }
        "tinyint" if unsigned => Kind::UInt8,
        "tinyint" => Kind::Int8,
        "smallint" if unsigned => Kind::UInt16,
        "smallint" => Kind::Int16,
        "mediumint" | "int" | "integer" if unsigned => Kind::UInt32,
        "mediumint" | "int" | "integer" => Kind::Int32,
        "bigint" if unsigned => Kind::UInt64,
        "bigint" => Kind::Int64,
        "year" => Kind::UInt16,
        "float" => Kind::Float4,
        "double" | "real" => Kind::Float8,
        "decimal" | "numeric" => match (column.precision, column.scale) {
            (Some(precision @ 1..=65), Some(scale @ 0..=38)) => {
                Kind::Decimal { precision: precision.max(scale), scale }
            }
            _ => Kind::Text,
        },
        "bit" if column.precision == Some(1) => Kind::Flag,
        "bit" => Kind::Bits,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Kind::Bytes,
        "json" => Kind::Json,
        _ if column.checked_json => Kind::Json,
        "date" => Kind::Date,
        "datetime" => Kind::DateTime,
        "timestamp" => Kind::Timestamp,
        "time" if config.times == Times::TimeOfDay => Kind::TimeOfDay,
        "time" => Kind::Time { digits: column.digits.min(6) },
        "vector" if column.source_type.starts_with("vector") => Kind::Vector,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
        | "geometrycollection" | "geomcollection" => {
            return match config.geometries {
                Geometries::Wkb => (Kind::Geometry, Projection::Plain),
                Geometries::Wkt if axis_option => (Kind::Text, Projection::WktLongitudeFirst),
                Geometries::Wkt => (Kind::Text, Projection::Wkt),
            };
        }
        // Texts, enums, sets, and what a newer server has: all of them print themselves.
        _ => Kind::Text,
    };
    (kind, Projection::Plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(changes: &str) -> MysqlConfig {
        serde_json::from_str(&format!("{{\"host\": \"h\", \"user\": \"u\"{changes}}}")).unwrap()
    }

    fn kind(data_type: &str, source_type: &str, changes: &str) -> Kind {
        let column =
            CatalogColumn { data_type: data_type.into(), source_type: source_type.into(), ..Default::default() };
        of(&column, &config(changes), true).0
    }

    #[test]
    fn the_sign_is_taken_from_the_declaration() {
        assert_eq!(kind("int", "int(10) unsigned", ""), Kind::UInt32);
        assert_eq!(kind("bigint", "bigint(20) unsigned zerofill", ""), Kind::UInt64);
        assert_eq!(kind("int", "int", ""), Kind::Int32);
        assert_eq!(kind("enum", "enum('unsigned')", ""), Kind::Text);
    }

    #[test]
    fn a_tinyint_of_width_one_is_a_truth_value_only_if_that_is_wanted() {
        assert_eq!(kind("tinyint", "tinyint(1)", ""), Kind::Int8);
        assert_eq!(kind("tinyint", "tinyint(1)", ", \"tinyint1\": \"boolean\""), Kind::Bool);
        assert_eq!(kind("tinyint", "tinyint(4)", ", \"tinyint1\": \"boolean\""), Kind::Int8);
    }

    #[test]
    fn dates_that_may_be_none_are_nullable_whatever_is_declared() {
        let declared = CatalogColumn { data_type: "date".into(), not_null: true, ..Default::default() };
        assert!(column(&declared, &config(""), false).nullable);
        assert!(!column(&declared, &config(", \"zero_dates\": \"fail\""), false).nullable);
    }
}
