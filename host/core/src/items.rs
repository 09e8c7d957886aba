//! What a stream's state remembers item by item: of each file, say, which version of it was read.
//!
//! A cursor holds 64 KiB and is rewritten with every commit; a million files neither fit nor need that. Keys are stored as
//! hashes of 16 bytes, so what is remembered of an item takes the same room whatever its name.

use sha2::{Digest, Sha256};

/// Longest key, bytes: what a path or the name of an object may have.
pub const MAX_KEY_BYTES: usize = 4 << 10;

/// Longest value, bytes.
pub const MAX_VALUE_BYTES: usize = 255;

/// Most keys or entries of one call.
pub const MAX_PER_CALL: usize = 10_000;

/// Most entries that a plan may remember, of all its streams.
pub const MAX_ENTRIES: usize = 2_000_000;

/// Most bytes that the entries of a plan may take as they are kept: each its value and 17 more.
pub const MAX_BYTES: usize = 128 << 20;

/// Bytes before each value: its key's hash and its length.
const HEAD: usize = ItemKey::BYTES + 1;

/// An item's key as it is stored: the first 16 bytes of its SHA-256. That two of a million keys share it is as likely as one in
/// 10²⁶, and nobody can make two that do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey([u8; Self::BYTES]);

impl ItemKey {
    /// Bytes of a key.
    pub const BYTES: usize = 16;

    /// The key of an item.
    pub fn of(name: &str) -> Self {
        let digest = Sha256::digest(name.as_bytes());
        let mut key = [0; Self::BYTES];
        key.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self(key)
    }

    /// A stored key; none if it has another length.
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// What is stored.
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

/// What a plan wants remembered of one stream. Takes 21 bytes an entry and its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    /// Entries one behind the other: key, length, value.
    packed: Vec<u8>,
    /// Where each begins.
    starts: Vec<u32>,
}

impl Items {
    /// Adds an entry; a later one of the same key takes the place of an earlier one. False, and nothing is added, if the value
    /// is longer than [`MAX_VALUE_BYTES`] or there is no room.
    #[must_use]
    pub fn push(&mut self, key: ItemKey, value: &[u8]) -> bool {
        let (Ok(start), Ok(length)) = (u32::try_from(self.packed.len()), u8::try_from(value.len())) else {
            return false;
        };
        self.starts.push(start);
        self.packed.extend_from_slice(key.as_bytes());
        self.packed.push(length);
        self.packed.extend_from_slice(value);
        true
    }

    /// Entries that were added.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Bytes that the entries take.
    pub fn bytes(&self) -> usize {
        self.packed.len()
    }

    /// The entries ordered by key, each key once with its last value, so many to a chunk. [`unpack`] reads a chunk.
    pub fn into_chunks(mut self, entries: usize) -> impl Iterator<Item = Vec<u8>> {
        let packed = std::mem::take(&mut self.packed);
        let mut starts = std::mem::take(&mut self.starts);
        let key = |start: u32| packed.get(start as usize..).and_then(|entry| entry.first_chunk::<{ ItemKey::BYTES }>());
        // Of equal keys the last one comes first, and stays.
        starts.sort_unstable_by(|a, b| key(*a).cmp(&key(*b)).then(b.cmp(a)));
        starts.dedup_by(|later, kept| key(*later) == key(*kept));
        let mut at = 0_usize;
        std::iter::from_fn(move || {
            let part = starts.get(at..starts.len().min(at.saturating_add(entries.max(1))))?;
            at += part.len();
            let entry = |start: &u32| entry_at(&packed, *start as usize).unwrap_or_default();
            (!part.is_empty()).then(|| part.iter().flat_map(entry).copied().collect())
        })
    }
}

fn entry_at(packed: &[u8], start: usize) -> Option<&[u8]> {
    let length = *packed.get(start + ItemKey::BYTES)?;
    packed.get(start..start + HEAD + usize::from(length))
}

/// The entries of a chunk; none if it is not one.
pub fn unpack(mut chunk: &[u8]) -> Option<Vec<(ItemKey, &[u8])>> {
    let mut entries = Vec::new();
    while !chunk.is_empty() {
        let (key, rest) = chunk.split_first_chunk::<{ ItemKey::BYTES }>()?;
        let (length, rest) = rest.split_first()?;
        let (value, rest) = rest.split_at_checked(usize::from(*length))?;
        entries.push((ItemKey(*key), value));
        chunk = rest;
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_ordered_and_each_with_its_last_value() {
        let mut items = Items::default();
        for (name, value) in [("b", "1"), ("a", "2"), ("c", ""), ("b", "3")] {
            assert!(items.push(ItemKey::of(name), value.as_bytes()));
        }
        let chunks: Vec<Vec<u8>> = items.into_chunks(2).collect();
        assert_eq!(chunks.len(), 2);
        let all: Vec<(ItemKey, &[u8])> = chunks.iter().flat_map(|chunk| unpack(chunk).unwrap()).collect();
        let mut expected =
            [("a", "2"), ("b", "3"), ("c", "")].map(|(name, value)| (ItemKey::of(name), value.as_bytes()));
        expected.sort();
        assert_eq!(all, expected);
    }

    #[test]
    fn a_value_that_is_too_long_is_not_added() {
        let mut items = Items::default();
        assert!(items.push(ItemKey::of("a"), &[0; MAX_VALUE_BYTES]));
        assert!(!items.push(ItemKey::of("a"), &[0; MAX_VALUE_BYTES + 1]));
        assert_eq!((items.len(), items.bytes()), (1, 17 + MAX_VALUE_BYTES));
    }

    #[test]
    fn a_chunk_that_is_cut_off_is_none() {
        let mut items = Items::default();
        assert!(items.push(ItemKey::of("a"), b"value"));
        let chunk = items.into_chunks(9).next().unwrap();
        assert!(unpack(&chunk[..chunk.len() - 1]).is_none());
        assert!(unpack(&chunk[..5]).is_none());
    }

    #[test]
    fn the_hash_is_the_one_that_states_were_stored_with() {
        let hex: String = ItemKey::of("orders/2024.csv").as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "6eef44c60e9a968d4ee7429a1301de34");
    }
}
