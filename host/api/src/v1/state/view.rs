//! What the API shows of states.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sluice_core::plan::Cursor;
use sluice_core::run::StreamState;
use sluice_store::{CommittedState, StateChange};
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::state::instant;

/// A connector's position in a stream. Only the connector knows what it means.
#[derive(Debug, Serialize, ToSchema)]
struct CursorView {
    /// The bytes as text, where they are text.
    text: Option<String>,
    /// The bytes in base64.
    base64: String,
}

impl From<&Cursor> for CursorView {
    fn from(Cursor(bytes): &Cursor) -> Self {
        Self { text: String::from_utf8(bytes.clone()).ok(), base64: STANDARD.encode(bytes) }
    }
}

/// A position to set: exactly one of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CursorBody {
    /// The bytes as text.
    #[schema(max_length = 65_536)]
    text: Option<String>,
    /// The bytes in base64.
    #[schema(max_length = 87_384)]
    base64: Option<String>,
}

impl CursorBody {
    /// The position.
    pub(super) fn cursor(self) -> Result<Cursor, Problem> {
        let bytes = match (self.text, self.base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(base64)) => STANDARD
                .decode(base64)
                .map_err(|_| Problem::field("cursor.base64", "it is not base64 with its padding"))?,
            _ => return Err(Problem::field("cursor", "give one of `text` and `base64`")),
        };
        if bytes.is_empty() || bytes.len() > Cursor::MAX_BYTES {
            let detail =
                format!("a cursor has 1 to {} bytes; to read from the beginning, reset the stream", Cursor::MAX_BYTES);
            return Err(Problem::field("cursor", detail));
        }
        Ok(Cursor(bytes))
    }
}

/// Where the next run of a stream begins.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StateView {
    /// The stream.
    stream: String,
    /// Whether the pipeline reads the stream as it is now.
    in_pipeline: bool,
    /// Where the last complete read ended; none to read from the beginning.
    cursor: Option<CursorView>,
    /// Whether an interrupted read left something over, which the next run reads first.
    interrupted: bool,
    /// Counts what has set the state; the `ETag` for changes of it, 0 for a stream that has none.
    revision: u64,
    /// Since when it is so.
    #[schema(value_type = Option<String>)]
    since: Option<Timestamp>,
    /// The attempt whose commit set it, or the change that a person made.
    set_by: Option<String>,
}

impl StateView {
    /// A state, as it is shown.
    pub(super) fn of(stream: String, in_pipeline: bool, state: &CommittedState) -> Self {
        Self {
            stream,
            in_pipeline,
            cursor: state.state.cursor.as_ref().map(CursorView::from),
            interrupted: state.state.pending.is_some(),
            revision: state.revision,
            since: state.updated_us.map(instant),
            set_by: state.updated_by_run.clone(),
        }
    }
}

/// Something that a person did to a state.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChangeView {
    /// Names the change.
    id: String,
    /// The stream.
    stream: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who: `user ID` or `token ID`.
    by: String,
    /// The position before; none for the beginning.
    before: Option<CursorView>,
    /// The position after; none for the beginning.
    after: Option<CursorView>,
    /// Whether it reset the stream.
    reset: bool,
    /// Whether files and items that the stream remembered were forgotten, which cannot be taken back.
    forgot_items: bool,
    /// The change that this one took back.
    undoes: Option<String>,
}

impl From<StateChange> for ChangeView {
    fn from(change: StateChange) -> Self {
        let cursor = |state: &Option<StreamState>| Some(CursorView::from(state.as_ref()?.cursor.as_ref()?));
        Self {
            before: cursor(&change.before),
            after: cursor(&change.after),
            reset: change.after.is_none(),
            id: change.id,
            stream: change.stream,
            at: instant(change.changed_us),
            by: change.changed_by,
            forgot_items: change.forgot_items,
            undoes: change.undoes,
        }
    }
}
