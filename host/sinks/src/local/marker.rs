//! What a published folder says of itself.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::load::LoadId;

use super::durable::{io_error, write_atomically};
use super::layout::MARKER;

/// How many replaced loads a folder remembers. A load that was committed and is not remembered any more, before its run has recorded
/// that, would be committed again; so this many loads of other runs may come between.
const REMEMBERED: usize = 500;

/// The content of `_sluice.json`: written into a staged folder last, so it also says that the folder is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    /// The format of this file.
    pub(super) format: u32,
    /// The load that published the folder.
    pub(super) load: LoadId,
    /// Rows in all files.
    pub(super) rows: u64,
    /// The files, and no others belong to the load.
    pub(super) files: Vec<MarkedFile>,
    /// Fingerprint of the table's columns when the folder was published.
    pub(super) schema: String,
    /// Loads that had published this folder before, the latest first: their commits did happen.
    #[serde(default)]
    pub(super) replaced: Vec<LoadId>,
}

/// A file of a published folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MarkedFile {
    /// Its name in the folder.
    pub(super) name: String,
    /// Rows in it.
    pub(super) rows: u64,
    /// Its size.
    pub(super) bytes: u64,
}

impl Marker {
    /// Reads the marker of a folder; `None` if the folder, or the marker in it, does not exist.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, RunError> {
        let path = folder.join(MARKER);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound) => return Ok(None),
            Err(e) => return Err(io_error("reading", &path, &e)),
        };
        let unreadable = |why: String| {
            let message =
                format!("{} cannot be read ({why}); it was changed by hand or by a newer Sluice", path.display());
            RunError::new(Kind::Protocol, Actor::Sink, message)
        };
        let marker: Self = serde_json::from_slice(&text).map_err(|e| unreadable(e.to_string()))?;
        if marker.format != 1 {
            return Err(unreadable(format!("its format is {}, this Sluice knows 1", marker.format)));
        }
        Ok(Some(marker))
    }

    /// Writes the marker into a folder, durably.
    pub(super) fn write(&self, folder: &Path) -> Result<(), RunError> {
        let text =
            serde_json::to_vec_pretty(self).map_err(|e| RunError::internal(format!("a marker is no JSON: {e}")))?;
        write_atomically(&folder.join(MARKER), &text)
    }

    /// Whether `load` published this folder, now or before it was replaced.
    pub(super) fn has_seen(&self, load: &LoadId) -> bool {
        self.load == *load || self.replaced.contains(load)
    }

    /// The loads that a folder has seen once this one is replaced.
    pub(super) fn history(&self) -> Vec<LoadId> {
        std::iter::once(&self.load).chain(&self.replaced).take(REMEMBERED).cloned().collect()
    }
}
