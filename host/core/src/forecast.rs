//! What a run would do, found out without doing it.

use serde::{Deserialize, Serialize};

use crate::error::RunError;
use crate::worker::Column;

/// What a run would do to a table before its first row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableForecast {
    /// Whether it is there; it is created otherwise.
    pub exists: bool,
    /// How its columns change, in words, one by one.
    pub changes: Vec<String>,
}

/// From where a stream would be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadFrom {
    /// From its beginning.
    Beginning,
    /// From where the last complete read ended.
    State,
    /// From where an interrupted read was stopped, to where it would have ended.
    Interrupted,
}

/// What a run would do with a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamForecast {
    /// The stream.
    pub stream: String,
    /// The table: `dataset.table`.
    pub table: String,
    /// From where it would be read.
    pub from: ReadFrom,
    /// Parts in which it would be read; none if there is nothing to read.
    pub splits: u64,
    /// Rows that the connector expects, if it does.
    pub rows: Option<u64>,
    /// Bytes that the connector expects, if it does.
    pub bytes: Option<u64>,
    /// The columns that rows would have in the table.
    pub columns: Vec<Column>,
    /// What would become of the table; none where the stream fails before that is known.
    pub table_change: Option<TableForecast>,
    /// Why the stream would fail.
    pub error: Option<RunError>,
}
