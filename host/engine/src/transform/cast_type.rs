//! The types that a cast may name, in BigQuery's words.

use std::sync::Arc;

use arrow_schema::{DataType, TimeUnit};
use sluice_core::RunError;

/// A type that a cast names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CastType {
    /// Its Arrow type.
    pub(super) data_type: DataType,
    /// True for JSON, which is text with a meaning.
    pub(super) json: bool,
}

const WORDS: &str = "STRING, INT64, FLOAT64, BOOL, NUMERIC, NUMERIC(p), NUMERIC(p,s), BIGNUMERIC, BIGNUMERIC(p,s), DATE, \
                     DATETIME, TIMESTAMP, TIME, BYTES, JSON";

/// Reads the words of `cast.<column>.to`.
///
/// # Errors
/// Names that field and says what it takes.
pub(super) fn parse(column: &str, words: &str) -> Result<CastType, RunError> {
    read(words).map_err(|why| RunError::config(format!("cast.{column}.to"), why))
}

fn read(words: &str) -> Result<CastType, String> {
    let upper = words.trim().to_ascii_uppercase();
    let (name, arguments) = match upper.split_once('(') {
        Some((name, rest)) => {
            let inside = rest.strip_suffix(')').ok_or_else(|| format!("{words:?} lacks its closing parenthesis"))?;
            (name.trim(), Some(inside.to_owned()))
        }
        None => (upper.as_str(), None),
    };
    let data_type = match name {
        "STRING" | "JSON" => DataType::Utf8,
        "INT64" => DataType::Int64,
        "FLOAT64" => DataType::Float64,
        "BOOL" => DataType::Boolean,
        "DATE" => DataType::Date32,
        "DATETIME" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "TIMESTAMP" => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
        "TIME" => DataType::Time64(TimeUnit::Microsecond),
        "BYTES" => DataType::Binary,
        "NUMERIC" => {
            return decimal(words, arguments.as_deref(), 29, 9).map(|(p, s)| scalar(DataType::Decimal128(p, s)));
        }
        "BIGNUMERIC" => {
            return decimal(words, arguments.as_deref(), 38, 38).map(|(p, s)| scalar(DataType::Decimal256(p, s)));
        }
        _ => return Err(format!("{words:?} is not a type that a cast knows; one of {WORDS}")),
    };
    match arguments {
        Some(_) => Err(format!("{name} takes nothing in parentheses here; write {name}")),
        None => Ok(CastType { data_type, json: name == "JSON" }),
    }
}

fn scalar(data_type: DataType) -> CastType {
    CastType { data_type, json: false }
}

/// Precision and scale of `NUMERIC` (29 whole digits, scale 9) or `BIGNUMERIC` (38 and 38) as BigQuery bounds them.
fn decimal(words: &str, arguments: Option<&str>, most_whole: u8, most_scale: u8) -> Result<(u8, i8), String> {
    let Some(arguments) = arguments else { return Ok((most_whole + most_scale, most_scale.cast_signed())) };
    let mut numbers = arguments.split(',').map(|number| number.trim().parse::<u8>().ok());
    let (precision, scale) = match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Some(precision)), None, None) => (precision, 0),
        (Some(Some(precision)), Some(Some(scale)), None) => (precision, scale),
        _ => return Err(format!("{words:?} needs a precision and perhaps a scale, as in NUMERIC(10,2)")),
    };
    if scale > most_scale {
        return Err(format!("the scale of {words} is at most {most_scale}"));
    }
    let (least, most) = (scale.max(1), scale + most_whole);
    if precision < least || precision > most {
        return Err(format!("with a scale of {scale}, the precision of {words} is between {least} and {most}"));
    }
    Ok((precision, scale.cast_signed()))
}

/// What a type is called when a value does not fit it: BigQuery's word where there is one.
pub(super) fn words(data_type: &DataType, json: bool) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if json => "JSON".into(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "STRING".into(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "BYTES".into(),
        DataType::Int64 => "INT64".into(),
        DataType::Float64 => "FLOAT64".into(),
        DataType::Boolean => "BOOL".into(),
        DataType::Date32 => "DATE".into(),
        DataType::Time64(TimeUnit::Microsecond) => "TIME".into(),
        DataType::Timestamp(TimeUnit::Microsecond, None) => "DATETIME".into(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "TIMESTAMP".into(),
        DataType::Decimal128(38, 9) => "NUMERIC".into(),
        DataType::Decimal256(76, 38) => "BIGNUMERIC".into(),
        DataType::Decimal128(p, s) if *s >= 0 && *s <= 9 => format!("NUMERIC({p},{s})"),
        DataType::Decimal128(p, s) | DataType::Decimal256(p, s) => format!("BIGNUMERIC({p},{s})"),
        DataType::List(_) | DataType::LargeList(_) => "ARRAY".into(),
        DataType::Struct(_) => "STRUCT".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(words: &str) -> String {
        let error = parse("c", words).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("cast.c.to"));
        error.message
    }

    #[test]
    fn every_documented_word_is_understood_in_any_case() {
        for (words, expected) in [
            ("string", DataType::Utf8),
            (" INT64 ", DataType::Int64),
            ("Float64", DataType::Float64),
            ("BOOL", DataType::Boolean),
            ("NUMERIC", DataType::Decimal128(38, 9)),
            ("NUMERIC(10)", DataType::Decimal128(10, 0)),
            ("numeric ( 10 , 2 )", DataType::Decimal128(10, 2)),
            ("NUMERIC(38,9)", DataType::Decimal128(38, 9)),
            ("BIGNUMERIC", DataType::Decimal256(76, 38)),
            ("BIGNUMERIC(76,38)", DataType::Decimal256(76, 38)),
            ("DATE", DataType::Date32),
            ("DATETIME", DataType::Timestamp(TimeUnit::Microsecond, None)),
            ("TIMESTAMP", DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))),
            ("TIME", DataType::Time64(TimeUnit::Microsecond)),
            ("BYTES", DataType::Binary),
            ("JSON", DataType::Utf8),
        ] {
            let parsed = parse("c", words).unwrap();
            assert_eq!(parsed.data_type, expected, "{words}");
            assert_eq!(parsed.json, words == "JSON");
        }
    }

    #[test]
    fn what_is_no_type_is_refused_with_the_field_and_the_choice() {
        assert!(why("varchar").contains("one of STRING, INT64"));
        assert_eq!(why("NUMERIC(10,10)"), "the scale of NUMERIC(10,10) is at most 9");
        assert_eq!(why("NUMERIC(31,1)"), "with a scale of 1, the precision of NUMERIC(31,1) is between 1 and 30");
        assert_eq!(why("NUMERIC(1,2)"), "with a scale of 2, the precision of NUMERIC(1,2) is between 2 and 31");
        assert!(why("NUMERIC(1,2,3)").contains("NUMERIC(10,2)"));
        assert!(why("NUMERIC()").contains("NUMERIC(10,2)"));
        assert!(why("NUMERIC(-1)").contains("NUMERIC(10,2)"));
        assert!(why("NUMERIC(10").contains("closing parenthesis"));
        assert_eq!(why("STRING(10)"), "STRING takes nothing in parentheses here; write STRING");
    }
}
