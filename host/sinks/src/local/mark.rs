//! Which load of a stream came last: one small file beside the table's columns for each stream that writes to it.

use std::fs;
use std::io::ErrorKind;

use serde::{Deserialize, Serialize};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::load::LoadId;
use sluice_core::mark::{Author, Standing};

use super::durable::{io_error, write_atomically};
use super::layout::Layout;
use super::schema::Table;

/// The content of the file.
#[derive(Serialize, Deserialize)]
struct Mark {
    format: u32,
    load: LoadId,
}

/// Which load put the author's mark on the table.
pub(super) fn standing(layout: &Layout, author: &Author) -> Result<Standing, RunError> {
    let path = layout.mark(author);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Ok(if Table::read(layout)?.is_some() { Standing::Unmarked } else { Standing::NoTable });
        }
        Err(e) => return Err(io_error("reading", &path, &e)),
    };
    let unreadable = |why: String| {
        let message = format!("{} cannot be read ({why}); it was changed by hand or by a newer Sluice", path.display());
        RunError::new(Kind::Protocol, Actor::Sink, message)
    };
    let mark: Mark = serde_json::from_slice(&text).map_err(|e| unreadable(e.to_string()))?;
    if mark.format != 1 {
        return Err(unreadable(format!("its format is {}, this Sluice knows 1", mark.format)));
    }
    Ok(Standing::Marked(mark.load))
}

/// Puts the author's mark on the table, durably.
pub(super) fn write(layout: &Layout, author: &Author, load: &LoadId) -> Result<(), RunError> {
    let mark = Mark { format: 1, load: load.clone() };
    let text = serde_json::to_vec(&mark).map_err(|e| RunError::internal(format!("a mark is no JSON: {e}")))?;
    write_atomically(&layout.mark(author), &text)
}
