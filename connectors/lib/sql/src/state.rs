//! The state of an incremental read by a cursor column, as it is stored between runs.

use serde::{Deserialize, Serialize};
use sluice_sdk::{Cursor, Error, Result};

/// The form that is written now.
const VERSION: u32 = 1;

/// How far a cursor column has been read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorState {
    /// Version of this form.
    pub version: u32,
    /// The cursor column.
    pub column: String,
    /// Its type at the source.
    pub r#type: String,
    /// Up to where rows have been read, as the source prints it; none while there was no row yet.
    pub value: Option<String>,
    /// True if the rows with exactly that value have been read too.
    pub inclusive: bool,
}

impl CursorState {
    /// A state in the present form.
    pub fn new(column: impl Into<String>, r#type: impl Into<String>, value: Option<String>, inclusive: bool) -> Self {
        Self { version: VERSION, column: column.into(), r#type: r#type.into(), value, inclusive }
    }

    /// As it is stored.
    ///
    /// # Errors
    /// Never in practice.
    pub fn encode(&self) -> Result<Cursor> {
        Ok(serde_json::to_vec(self)?)
    }

    /// What was stored, checked against the cursor column that is wanted now.
    ///
    /// # Errors
    /// If it was written by a newer connector or for another column: going on from it would lose rows.
    pub fn decode(cursor: &[u8], column: &str) -> Result<Self> {
        let hint = "reset the stream's state to read all rows again";
        let state: Self = serde_json::from_slice(cursor)
            .map_err(|e| Error::config(format!("the stored state is not one of this connector's ({e}); {hint}")))?;
        if state.version != VERSION {
            let message = format!(
                "the stored state has form {}, this connector knows form {VERSION}; use a newer one",
                state.version
            );
            return Err(Error::unsupported(message));
        }
        if state.column != column {
            let message = format!("the stored state belongs to cursor column {}, not {column}; {hint}", state.column);
            return Err(Error::config(message));
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_as_it_was_stored() {
        let state = CursorState::new("updated_at", "timestamptz", Some("2024-01-01 00:00:00+00".into()), true);
        assert_eq!(CursorState::decode(&state.encode().unwrap(), "updated_at").unwrap(), state);
    }

    #[test]
    fn a_state_that_would_lose_rows_is_refused() {
        let state = CursorState::new("id", "int8", Some("5".into()), true).encode().unwrap();
        assert!(CursorState::decode(&state, "other").unwrap_err().message.contains("cursor column id"));
        let newer = String::from_utf8(state).unwrap().replace("\"version\":1", "\"version\":2");
        assert!(CursorState::decode(newer.as_bytes(), "id").unwrap_err().message.contains("newer"));
        assert!(CursorState::decode(b"junk", "id").unwrap_err().message.contains("reset"));
    }
}
