//! What streams remember item by item: looked up in the host's store, and collected until the plan has been carried out.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::StringArray;
use arrow_array::builder::StringBuilder;
use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::items::{ItemKey, Items, MAX_BYTES, MAX_ENTRIES, MAX_KEY_BYTES, MAX_PER_CALL, MAX_VALUE_BYTES};
use sluice_core::plan::{ChangedFiles, ReadMode, Selection};

use crate::fault::Fault;
use crate::text::printable;

/// Where what streams remember is looked up.
#[async_trait]
pub trait Recall: Send + Sync {
    /// What a stream remembers under these keys, in their order.
    ///
    /// # Errors
    /// If it cannot be looked up; the plan fails with it.
    async fn recall(&self, stream: &str, keys: &[ItemKey]) -> Result<Vec<Option<Vec<u8>>>, RunError>;
}

/// Remembers nothing: for reads that leave no state behind.
pub struct NothingRecalled;

#[async_trait]
impl Recall for NothingRecalled {
    async fn recall(&self, _: &str, keys: &[ItemKey]) -> Result<Vec<Option<Vec<u8>>>, RunError> {
        Ok(vec![None; keys.len()])
    }
}

/// What a plan says of a stream beside its splits.
#[derive(Default)]
pub struct Remembered {
    /// What is to be remembered.
    pub items: Items,
    /// Files whose rows are to be replaced.
    pub replaced: Option<StringArray>,
}

/// What a plan under way may look up.
pub(crate) struct Planning {
    streams: BTreeMap<String, Asked>,
    recall: Arc<dyn Recall>,
}

/// What is asked of a stream.
#[derive(Clone, Copy)]
struct Asked {
    full: bool,
    replace: bool,
}

impl Planning {
    pub(crate) fn new(selections: &[Selection], recall: Arc<dyn Recall>) -> Self {
        let asked = |one: &Selection| Asked {
            full: one.mode == ReadMode::Full,
            replace: one.changed_files == Some(ChangedFiles::Replace),
        };
        let streams = selections.iter().map(|one| (one.id.clone(), asked(one))).collect();
        Self { streams, recall }
    }
}

/// The items of an instance.
#[derive(Default)]
pub(crate) struct PlanItems {
    planning: Option<Planning>,
    remembered: BTreeMap<String, Items>,
    replaced: BTreeMap<String, StringBuilder>,
    entries: usize,
    bytes: usize,
}

impl PlanItems {
    pub(crate) fn begin(&mut self, planning: Planning) {
        *self = Self { planning: Some(planning), ..Self::default() };
    }

    /// Ends the plan; what it wants remembered.
    pub(crate) fn end(&mut self) -> BTreeMap<String, Remembered> {
        let Self { remembered, replaced, .. } = std::mem::take(self);
        let mut all: BTreeMap<String, Remembered> = BTreeMap::new();
        for (stream, items) in remembered {
            all.entry(stream).or_default().items = items;
        }
        for (stream, mut files) in replaced {
            all.entry(stream).or_default().replaced = Some(files.finish());
        }
        all
    }

    /// The plan under way, and what it is asked of the stream.
    fn planning(&self, stream: &str) -> Result<(&Planning, Asked), Fault> {
        let broken = |reason: String| Fault::Contract { reason };
        let planning = self
            .planning
            .as_ref()
            .ok_or_else(|| broken("items can only be recalled and remembered while `plan` runs".into()))?;
        let asked = planning.streams.get(stream).ok_or_else(|| {
            broken(format!("it was not asked to plan {}, whose items it wants", printable(stream, 200)))
        })?;
        Ok((planning, *asked))
    }

    pub(crate) async fn recall(&self, stream: &str, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Fault> {
        let (planning, asked) = self.planning(stream)?;
        within(stream, "keys recalled in one call", keys.len(), MAX_PER_CALL)?;
        let hashed: Vec<ItemKey> = keys.iter().map(|key| hashed(stream, key)).collect::<Result<_, _>>()?;
        if asked.full {
            return Ok(vec![None; keys.len()]);
        }
        planning.recall.recall(stream, &hashed).await.map_err(Fault::Recall)
    }

    pub(crate) fn remember(&mut self, stream: &str, entries: &[(String, Vec<u8>)]) -> Result<(), Fault> {
        self.planning(stream)?;
        within(stream, "entries remembered in one call", entries.len(), MAX_PER_CALL)?;
        within(stream, "entries remembered by one plan", self.entries.saturating_add(entries.len()), MAX_ENTRIES)?;
        let items = self.remembered.entry(stream.to_owned()).or_default();
        let before = items.bytes();
        for (key, value) in entries {
            let key = hashed(stream, key)?;
            within(stream, "bytes in one value", value.len(), MAX_VALUE_BYTES)?;
            let taken = self.bytes.saturating_add(items.bytes().saturating_sub(before));
            within(stream, "bytes remembered by one plan", taken.saturating_add(value.len()), MAX_BYTES)?;
            // It has room: both limits were just looked at.
            let _ = items.push(key, value);
        }
        self.entries = self.entries.saturating_add(entries.len());
        self.bytes = self.bytes.saturating_add(items.bytes().saturating_sub(before));
        Ok(())
    }

    pub(crate) fn replace(&mut self, stream: &str, files: &[String]) -> Result<(), Fault> {
        let (_, asked) = self.planning(stream)?;
        if !asked.replace {
            let reason = "it replaces files of a stream whose changed files are not to be replaced".to_owned();
            return Err(Fault::Contract { reason });
        }
        within(stream, "files replaced in one call", files.len(), MAX_PER_CALL)?;
        within(stream, "entries remembered by one plan", self.entries.saturating_add(files.len()), MAX_ENTRIES)?;
        self.entries = self.entries.saturating_add(files.len());
        let replaced = self.replaced.entry(stream.to_owned()).or_default();
        for file in files {
            within(stream, "bytes in one key", file.len(), MAX_KEY_BYTES)?;
            self.bytes = self.bytes.saturating_add(file.len());
            within(stream, "bytes remembered by one plan", self.bytes, MAX_BYTES)?;
            replaced.append_value(file);
        }
        Ok(())
    }
}

fn hashed(stream: &str, key: &str) -> Result<ItemKey, Fault> {
    within(stream, "bytes in one key", key.len(), MAX_KEY_BYTES)?;
    Ok(ItemKey::of(key))
}

fn within(stream: &str, what: &str, asked: usize, most: usize) -> Result<(), Fault> {
    if asked <= most {
        return Ok(());
    }
    Err(Fault::Items { stream: stream.to_owned(), reason: format!("{asked} {what}; at most {most} are taken") })
}
