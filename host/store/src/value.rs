//! Values as SQL has them: 64-bit signed numbers, JSON as text, and patterns.

use serde::Serialize;
use sluice_core::RunError;

/// A count for SQL, which has no unsigned numbers.
pub(crate) fn to_sql(count: u64) -> Result<i64, RunError> {
    i64::try_from(count)
        .map_err(|_| RunError::internal(format!("a count of {count} is beyond what the store can hold")))
}

/// A value as JSON text.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, RunError> {
    serde_json::to_string(value).map_err(|e| RunError::internal(format!("a value for the store is no JSON: {e}")))
}

/// A pattern of `LIKE … ESCAPE '\'` for what contains a text; none for an empty one, which everything contains.
pub(crate) fn containing(text: Option<&str>) -> String {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return String::new() };
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
