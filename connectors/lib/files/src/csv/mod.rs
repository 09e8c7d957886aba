//! Delimited text.

pub(crate) mod record;
pub(crate) mod scan;
pub(crate) mod sniff;

use serde::{Deserialize, Serialize};

/// How a file's records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Option<u8>,
    /// Ends a record: a line feed, or a carriage return in files that have only those.
    pub(crate) terminator: u8,
    pub(crate) header: bool,
    /// Line breaks may stand in quoted fields: the file cannot be read in parts.
    pub(crate) multiline: bool,
}
