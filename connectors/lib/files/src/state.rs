//! What an incremental read remembers of a stream: which version of which file has been read.
//!
//! A cursor has at most 64 KiB, so a file takes 28 bytes: hashes of its key and mark, its size, its time. Past
//! [`MAX_FILES`] the files with the oldest times are forgotten, and the newest of their times is kept as a watermark: a file
//! that is not remembered and not newer than it counts as read.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use sluice_sdk::{Cursor, Error, Result};

use crate::objects::Object;

/// Files that are remembered one by one.
pub(crate) const MAX_FILES: usize = 1700;

const VERSION: u32 = 1;

/// Bytes of an entry.
const ENTRY: usize = 28;

/// What is known of a file that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    size: u64,
    modified_ms: i64,
    mark: u32,
}

/// A stream's state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    files: HashMap<u64, Seen>,
    watermark_ms: Option<i64>,
}

/// What a file is to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Never read.
    New,
    /// Read, as it is.
    Same,
    /// Read, but it has changed; its size then.
    Changed(u64),
}

#[derive(Serialize, Deserialize)]
struct Stored {
    v: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    watermark_ms: Option<i64>,
    files: String,
}

impl State {
    /// Reads a cursor.
    pub(crate) fn decode(cursor: &[u8]) -> Result<Self> {
        let broken = |what: String| {
            Error::config(format!("the stream's state is not one of this connector: {what}; reset the stream's state"))
        };
        let stored: Stored = serde_json::from_slice(cursor).map_err(|error| broken(error.to_string()))?;
        if stored.v != VERSION {
            return Err(broken(format!("it has version {}", stored.v)));
        }
        let packed = STANDARD_NO_PAD.decode(&stored.files).map_err(|error| broken(error.to_string()))?;
        let (entries, rest) = packed.as_chunks::<ENTRY>();
        if !rest.is_empty() {
            return Err(broken("its list of files is cut off".into()));
        }
        let files = entries.iter().filter_map(unpack).collect();
        Ok(Self { files, watermark_ms: stored.watermark_ms })
    }

    /// The cursor.
    pub(crate) fn encode(&self) -> Result<Cursor> {
        let mut entries: Vec<(&u64, &Seen)> = self.files.iter().collect();
        entries.sort_unstable_by_key(|(key, seen)| (seen.modified_ms, **key));
        let mut packed = Vec::with_capacity(entries.len() * ENTRY);
        for (key, seen) in entries {
            packed.extend_from_slice(&key.to_le_bytes());
            packed.extend_from_slice(&seen.size.to_le_bytes());
            packed.extend_from_slice(&seen.modified_ms.to_le_bytes());
            packed.extend_from_slice(&seen.mark.to_le_bytes());
        }
        let files = STANDARD_NO_PAD.encode(packed);
        Ok(serde_json::to_vec(&Stored { v: VERSION, watermark_ms: self.watermark_ms, files })?)
    }

    /// What a file is, as it is listed now.
    pub(crate) fn news(&self, object: &Object) -> News {
        match self.files.get(&hash(object.key.as_bytes())) {
            Some(seen) if *seen == Seen::of(object, object.size) => News::Same,
            Some(seen) => News::Changed(seen.size),
            None => match (self.watermark_ms, object.modified_ms) {
                (Some(watermark), Some(modified)) if modified <= watermark => News::Same,
                _ => News::New,
            },
        }
    }

    /// Remembers that a file was read up to a size, which is less than its own where a part is still to come.
    pub(crate) fn remember(&mut self, object: &Object, size: u64) {
        self.files.insert(hash(object.key.as_bytes()), Seen::of(object, size));
    }

    /// Forgets what does not fit: files that are gone, then the oldest ones.
    pub(crate) fn shrink(&mut self, listed: &[Object]) {
        if self.files.len() <= MAX_FILES {
            return;
        }
        let there: std::collections::HashSet<u64> = listed.iter().map(|o| hash(o.key.as_bytes())).collect();
        self.files.retain(|key, _| there.contains(key));
        let surplus = self.files.len().saturating_sub(MAX_FILES);
        let mut ages: Vec<(i64, u64)> = self.files.iter().map(|(key, seen)| (seen.modified_ms, *key)).collect();
        ages.sort_unstable();
        for (modified, key) in ages.into_iter().take(surplus) {
            self.files.remove(&key);
            self.watermark_ms = Some(self.watermark_ms.map_or(modified, |watermark| watermark.max(modified)));
        }
    }
}

impl Seen {
    fn of(object: &Object, size: u64) -> Self {
        let mark = object.etag.as_ref().map_or(0, |etag| (hash(etag.as_bytes()) >> 32) as u32);
        Self { size, modified_ms: object.modified_ms.unwrap_or_default(), mark }
    }
}

fn unpack(entry: &[u8; ENTRY]) -> Option<(u64, Seen)> {
    let (key, rest) = entry.split_first_chunk::<8>()?;
    let (size, rest) = rest.split_first_chunk::<8>()?;
    let (modified, rest) = rest.split_first_chunk::<8>()?;
    let mark = rest.first_chunk::<4>()?;
    let seen = Seen {
        size: u64::from_le_bytes(*size),
        modified_ms: i64::from_le_bytes(*modified),
        mark: u32::from_le_bytes(*mark),
    };
    Some((u64::from_le_bytes(*key), seen))
}

/// FNV-1a with a final mix. Stored, so it may never change.
fn hash(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(key: &str, size: u64, modified_ms: i64) -> Object {
        Object { key: key.into(), size, modified_ms: Some(modified_ms), etag: None }
    }

    #[test]
    fn a_file_is_new_then_the_same_then_changed() {
        let mut state = State::default();
        let a = file("a", 10, 1);
        assert_eq!(state.news(&a), News::New);
        state.remember(&a, 10);
        let state = State::decode(&state.encode().unwrap()).unwrap();
        assert_eq!(state.news(&a), News::Same);
        assert_eq!(state.news(&file("a", 12, 2)), News::Changed(10));
        assert_eq!(state.news(&Object { etag: Some("x".into()), ..a }), News::Changed(10));
    }

    #[test]
    fn a_state_of_many_files_fits_a_cursor_and_forgets_none_of_them() {
        let mut state = State::default();
        let files: Vec<Object> = (0..5000).map(|n| file(&format!("logs/{n}.csv"), n, n as i64)).collect();
        files.iter().for_each(|f| state.remember(f, f.size));
        state.shrink(&files);
        let cursor = state.encode().unwrap();
        assert!(cursor.len() <= 64 << 10, "{}", cursor.len());
        let state = State::decode(&cursor).unwrap();
        assert!(files.iter().all(|f| state.news(f) == News::Same));
        assert_eq!(state.news(&file("logs/5000.csv", 1, 5000)), News::New);
    }

    #[test]
    fn the_hash_is_the_one_that_states_were_stored_with() {
        assert_eq!(hash(b"orders/2024.csv"), 4_300_025_516_780_884_523);
    }

    #[test]
    fn a_foreign_state_is_refused() {
        assert!(State::decode(b"{}").unwrap_err().message.contains("reset"));
        assert!(State::decode(br#"{"v":1,"files":"AAAA"}"#).is_err());
    }
}
