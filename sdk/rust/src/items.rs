//! What a stream's state remembers item by item, where a cursor of 64 KiB is too small: of each of a million files, say, which
//! version of it was read. Only while [`Source::plan`](crate::Source::plan) runs.
//!
//! What a plan remembers holds once everything that it planned for the stream is committed, and not at all if that never
//! happens. Whatever resets the stream's state forgets it.

use crate::Result;
use crate::host::host;

/// Most keys or entries of one call.
pub const MAX_PER_CALL: usize = 10_000;

/// Longest key, bytes.
pub const MAX_KEY_BYTES: usize = 4 << 10;

/// Longest value, bytes.
pub const MAX_VALUE_BYTES: usize = 255;

/// The column that says which file a row is of, in streams whose changed files are replaced.
pub const FILE_COLUMN: &str = "_sluice_file";

/// What committed reads left under these keys, in their order; none where nothing is, and for a stream that is read in full.
///
/// # Errors
/// If the host ends the plan; pass it on.
pub fn recall(stream: &str, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    host().recall(stream, keys)
}

/// Remembers values under their keys. A later value replaces an earlier one; items that are not named stay, unless the stream
/// is read in full: then only what is remembered now will be. Values should carry a version of their own.
///
/// # Errors
/// If the host ends the plan; pass it on.
pub fn remember(stream: &str, entries: &[(String, Vec<u8>)]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    host().remember(stream, entries)
}

/// Names files whose rows this plan replaces: those that the table has of them go in the moment in which the plan's rows become
/// visible. Only for a stream whose [`Selection::changed_files`](crate::Selection::changed_files) is `Replace`; its last column is
/// [`FILE_COLUMN`], text that is never null.
///
/// # Errors
/// If the host ends the plan; pass it on.
pub fn replace(stream: &str, files: &[String]) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    host().replace(stream, files)
}
