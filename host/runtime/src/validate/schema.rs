//! Which schemas a guest may declare.

use arrow_ipc::MessageHeader;
use arrow_schema::{DataType, Field, Schema};

use super::{Refused, message};

/// Most columns, nested ones included: BigQuery's limit on a table.
const MAX_FIELDS: usize = 10_000;
/// Deepest nesting: BigQuery's limit.
const MAX_DEPTH: usize = 15;
/// Longest column name and longest metadata text, bytes.
const MAX_TEXT: usize = 4096;
/// Widest value of fixed size, bytes.
const MAX_FIXED: i32 = 1 << 16;

/// Decodes and admits an encapsulated schema message.
///
/// # Errors
/// Says which field is not admitted and why.
pub fn decode(bytes: &[u8]) -> Result<Schema, Refused> {
    let envelope = message::open(bytes)?;
    message::expect(&envelope, MessageHeader::Schema, "schema")?;
    let schema = envelope.message.header_as_schema().ok_or_else(|| Refused::new("the schema message is empty"))?;
    let schema = super::batch::fenced(|| {
        arrow_ipc::convert::try_fb_to_schema(schema).map_err(|e| Refused::new(format!("the schema is not valid: {e}")))
    })?;
    admit(&schema)?;
    Ok(schema)
}

/// Checks a schema against the contract: known types, bounded width, depth and text, no name twice.
pub(crate) fn admit(schema: &Schema) -> Result<(), Refused> {
    if schema.fields().is_empty() {
        return Err(Refused::new("the schema has no columns"));
    }
    let mut names = std::collections::HashSet::new();
    let mut fields = 0;
    for field in schema.fields() {
        if !names.insert(field.name()) {
            return Err(Refused::new(format!("the schema has two columns named {:?}", field.name())));
        }
        admit_field(field, 1, &mut fields)?;
    }
    Ok(())
}

fn admit_field(field: &Field, depth: usize, fields: &mut usize) -> Result<(), Refused> {
    let refuse = |why: &str| Err(Refused::new(format!("column {:?} {why}", cut(field.name()))));
    *fields += 1;
    if *fields > MAX_FIELDS {
        return refuse("is one too many: a schema has at most 10,000 columns");
    }
    if depth > MAX_DEPTH {
        return refuse("is nested deeper than 15 levels");
    }
    let metadata = field.metadata();
    if field.name().len() > MAX_TEXT || metadata.iter().any(|(k, v)| k.len() > MAX_TEXT || v.len() > MAX_TEXT) {
        return refuse("has a name or metadata of more than 4 KiB");
    }
    match field.data_type() {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Float32
        | DataType::Float64
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(_, _)
        | DataType::Interval(_)
        | DataType::Duration(_) => Ok(()),
        DataType::Decimal128(precision, scale) => admit_decimal(field, *precision, *scale, 38),
        DataType::Decimal256(precision, scale) => admit_decimal(field, *precision, *scale, 76),
        DataType::FixedSizeBinary(width) if (1..=MAX_FIXED).contains(width) => Ok(()),
        DataType::List(child) | DataType::LargeList(child) => admit_field(child, depth + 1, fields),
        DataType::Struct(children) if !children.is_empty() => {
            children.iter().try_for_each(|child| admit_field(child, depth + 1, fields))
        }
        other => refuse(&format!("has the type {}, which the contract does not carry", cut(&other.to_string()))),
    }
}

fn admit_decimal(field: &Field, precision: u8, scale: i8, most: u8) -> Result<(), Refused> {
    let scale_fits = u8::try_from(scale).is_ok_and(|scale| scale <= precision);
    if precision >= 1 && precision <= most && scale_fits {
        return Ok(());
    }
    let name = cut(field.name());
    Err(Refused::new(format!("column {name:?} is a decimal of impossible precision {precision} and scale {scale}")))
}

/// Names of the guest's may be long; a message shows their beginning.
fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Says how two schemas differ, for the message; none if they are the same in all that matters to the data.
pub(crate) fn difference(declared: &Schema, given: &Schema) -> Option<String> {
    if declared.fields().len() != given.fields().len() {
        return Some(format!("{} columns instead of {}", given.fields().len(), declared.fields().len()));
    }
    declared.fields().iter().zip(given.fields()).find_map(|(a, b)| {
        if a.name() != b.name() {
            return Some(format!("column {:?} instead of {:?}", cut(b.name()), cut(a.name())));
        }
        if a.data_type() != b.data_type() || a.is_nullable() != b.is_nullable() {
            let show = |f: &Field| format!("{}{}", f.data_type(), if f.is_nullable() { "" } else { " not null" });
            return Some(format!("column {:?} is {} instead of {}", cut(a.name()), cut(&show(b)), cut(&show(a))));
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::Fields;

    use super::*;

    fn refused(data_type: DataType) -> String {
        admit(&Schema::new(vec![Field::new("c", data_type, true)])).unwrap_err().0
    }

    #[test]
    fn types_outside_the_contract_are_refused_by_name() {
        assert!(refused(DataType::Null).contains("Null"));
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        assert!(refused(dictionary).contains("Dictionary"));
        assert!(refused(DataType::Utf8View).contains("Utf8View"));
        assert!(refused(DataType::Struct(Fields::empty())).contains("Struct"));
        assert!(refused(DataType::FixedSizeBinary(0)).contains("FixedSizeBinary"));
        assert!(refused(DataType::Decimal128(10, -2)).contains("impossible precision"));
    }

    #[test]
    fn sixteen_levels_are_one_too_many() {
        let mut data_type = DataType::Int64;
        for _ in 0..15 {
            data_type = DataType::List(Arc::new(Field::new("item", data_type, true)));
        }
        assert!(refused(data_type).contains("15 levels"));
    }

    #[test]
    fn two_columns_of_one_name_are_refused() {
        let field = Field::new("a", DataType::Int64, true);
        assert!(admit(&Schema::new(vec![field.clone(), field])).unwrap_err().0.contains("two columns"));
    }

    #[test]
    fn a_difference_is_told_in_one_line() {
        let a = Schema::new(vec![Field::new("a", DataType::Int64, true)]);
        let b = Schema::new(vec![Field::new("a", DataType::Utf8, false)]);
        assert_eq!(difference(&a, &b).unwrap(), "column \"a\" is Utf8 not null instead of Int64");
        assert_eq!(difference(&a, &a), None);
    }
}
