//! Values as SQL has them: 64-bit signed numbers and JSON as text.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sluice_core::RunError;

use crate::error::unreadable;

/// A count for SQL, which has no unsigned numbers.
pub(crate) fn to_sql(count: u64) -> Result<i64, RunError> {
    i64::try_from(count)
        .map_err(|_| RunError::internal(format!("a count of {count} is beyond what the store can hold")))
}

/// A count from SQL.
pub(crate) fn from_sql(path: &Path, what: &str, count: i64) -> Result<u64, RunError> {
    u64::try_from(count).map_err(|_| unreadable(path, what, &format_args!("{count} is negative")))
}

/// A value as JSON text.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String, RunError> {
    serde_json::to_string(value).map_err(|e| RunError::internal(format!("a value for the store is no JSON: {e}")))
}

/// A value from JSON text.
pub(crate) fn from_json<T: DeserializeOwned>(path: &Path, what: &str, text: &str) -> Result<T, RunError> {
    serde_json::from_str(text).map_err(|e| unreadable(path, what, &e))
}
