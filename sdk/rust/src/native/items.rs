//! What streams remember item by item, for plans that are made natively.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::items::{MAX_KEY_BYTES, MAX_PER_CALL, MAX_VALUE_BYTES};
use crate::{Error, Hints, Plan, ReadMode, Result, Selection, Source};

/// What streams remember, as the host would keep it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    streams: HashMap<String, HashMap<String, Vec<u8>>>,
    /// Files whose rows the last plan replaces.
    replaced: HashMap<String, Vec<String>>,
}

impl Memory {
    /// How many items a stream remembers.
    pub fn len(&self, stream: &str) -> usize {
        self.streams.get(stream).map_or(0, HashMap::len)
    }

    /// Files whose rows the last plan of a stream replaces.
    pub fn replaced(&self, stream: &str) -> &[String] {
        self.replaced.get(stream).map_or(&[], Vec::as_slice)
    }

    /// What a stream remembers of an item.
    pub fn get(&self, stream: &str, key: &str) -> Option<&[u8]> {
        self.streams.get(stream)?.get(key).map(Vec::as_slice)
    }
}

/// A plan under way: what it may look up, and what it wants remembered.
struct Planning {
    known: Memory,
    remembered: Memory,
}

thread_local! {
    static PLANNING: RefCell<Option<Planning>> = const { RefCell::new(None) };
}

/// Plans with a source, natively, and remembers what it wants remembered, as if everything it plans were committed. Without this
/// function, calling the source itself, nothing is recalled and nothing remembered.
///
/// # Errors
/// What the source returns; nothing is remembered then.
pub fn plan<S: Source>(source: &mut S, selections: &[Selection], hints: &Hints, memory: &mut Memory) -> Result<Plan> {
    let mut known = memory.clone();
    let full = selections.iter().filter(|selection| selection.mode == ReadMode::Full);
    full.for_each(|selection| drop(known.streams.remove(&selection.id)));
    PLANNING.set(Some(Planning { known: known.clone(), remembered: Memory::default() }));
    let planned = source.plan(selections, hints);
    let remembered = PLANNING.take().map(|planning| planning.remembered).unwrap_or_default();
    let planned = planned?;
    known.replaced = remembered.replaced;
    for (stream, items) in remembered.streams {
        known.streams.entry(stream).or_default().extend(items);
    }
    *memory = known;
    Ok(planned)
}

pub(super) fn recall(stream: &str, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
    within("keys of one call", keys.len(), MAX_PER_CALL)?;
    keys.iter().try_for_each(|key| within("bytes of a key", key.len(), MAX_KEY_BYTES))?;
    PLANNING.with_borrow(|planning| {
        let items = planning.as_ref().and_then(|planning| planning.known.streams.get(stream));
        Ok(keys.iter().map(|key| items?.get(key).cloned()).collect())
    })
}

pub(super) fn remember(stream: &str, entries: &[(String, Vec<u8>)]) -> Result<()> {
    within("entries of one call", entries.len(), MAX_PER_CALL)?;
    PLANNING.with_borrow_mut(|planning| {
        let Some(planning) = planning else { return Ok(()) };
        let items = planning.remembered.streams.entry(stream.to_owned()).or_default();
        for (key, value) in entries {
            within("bytes of a key", key.len(), MAX_KEY_BYTES)?;
            within("bytes of a value", value.len(), MAX_VALUE_BYTES)?;
            items.insert(key.clone(), value.clone());
        }
        Ok(())
    })
}

pub(super) fn replace(stream: &str, files: &[String]) -> Result<()> {
    within("files of one call", files.len(), MAX_PER_CALL)?;
    PLANNING.with_borrow_mut(|planning| {
        if let Some(planning) = planning {
            planning.remembered.replaced.entry(stream.to_owned()).or_default().extend_from_slice(files);
        }
        Ok(())
    })
}

fn within(what: &str, asked: usize, most: usize) -> Result<()> {
    if asked <= most { Ok(()) } else { Err(Error::internal(format!("{asked} {what}; the host takes at most {most}"))) }
}
